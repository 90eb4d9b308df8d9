"""What finds a file by its identifier, and what says how old an item is, is compared with what was sealed of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.custody import Custody
from tests.unit.custody.samples import UPLOAD, assigned, copied
from waybill.custody.domain.merkle import Edge

ID = "kx7dn2ph"


def linked() -> Custody:
    custody = Custody()
    custody.recorder.record([copied(1), assigned(ID)], [], "a")
    custody.linker.link(UPLOAD.place, ID, by="somebody", reason="the label says so")
    return sealed(custody)


def sealed(custody: Custody) -> Custody:
    custody.wait(minutes=10)
    custody.seal()
    assert custody.verify().findings == []
    return custody


def unlinked() -> Custody:
    custody = linked()
    custody.linker.unlink(UPLOAD.place, ID, by="somebody", reason="another label")
    return sealed(custody)


def both_ways(custody: Custody) -> list[tuple[str, tuple[str, str, str]]]:
    return [
        (subject, way) for subject, ways in custody.ledger.linked.items() for way in ways if ID in repr((subject, way))
    ]


def findings(custody: Custody) -> set[str]:
    return {finding.code for finding in custody.verify().findings}


@pytest.mark.parametrize("number", [0, 1])
def test_a_link_that_is_gone_in_one_direction_is_named(number: int) -> None:
    custody = linked()
    subject, way = both_ways(custody)[number]
    custody.ledger.linked[subject].remove(way)
    assert findings(custody) == {"MISSING"}


@pytest.mark.parametrize("number", [0, 1])
def test_a_link_that_nobody_has_taken_back_and_counts_no_more_is_named(number: int) -> None:
    custody = linked()
    custody.ledger.ended.add(both_ways(custody)[number])
    assert findings(custody) == {"MISSING"}


@pytest.mark.parametrize("number", [0, 1])
def test_a_link_that_was_taken_back_and_counts_again_is_named(number: int) -> None:
    custody = unlinked()
    custody.ledger.ended.remove(both_ways(custody)[number])
    assert findings(custody) == {"ALTERED"}


def test_what_was_said_a_moment_ago_and_is_not_sealed_yet_counts() -> None:
    custody = linked()
    custody.linker.unlink(UPLOAD.place, ID, by="somebody", reason="another label")
    assert findings(custody) == set()
    custody.linker.link(UPLOAD.place, ID, by="somebody", reason="it was right")
    assert findings(sealed(custody)) == set()


def test_a_link_that_went_with_the_names_is_none_that_is_missing() -> None:
    custody = linked()
    custody.eraser.erase(UPLOAD.place, by="somebody", reason="asked for")
    assert findings(sealed(custody)) == set()


def alter_each(custody: Custody, minute: str) -> None:
    for key, event in custody.ledger.kept.items():
        custody.ledger.kept[key] = replace(event, leaf=replace(event.leaf, minute=minute))


def of_the_future(custody: Custody) -> None:
    alter_each(custody, "2099-01-01T00:00")


def of_the_past(custody: Custody) -> None:
    alter_each(custody, "2026-11-29T11:59")


@pytest.mark.parametrize("attack", [of_the_future, of_the_past])
def test_an_item_that_says_another_minute_is_altered(attack: Callable[[Custody], None]) -> None:
    """A trace looks for its place in the log by it, and would say that it is not sealed yet."""
    custody = linked()
    attack(custody)
    assert findings(custody) == {"ALTERED"}


def test_what_is_kept_from_the_log_does_not_stay_young_by_what_the_item_says() -> None:
    custody = linked()
    custody.recorder.record([copied(2)], [], "b")
    custody.ledger.queued.clear()
    of_the_future(custody)
    custody.wait(hours=3)
    custody.seal()
    assert findings(custody) == {"ALTERED", "MAC_WRONG"}


def test_an_edge_of_the_table_that_was_never_signed_is_named() -> None:
    custody = linked()
    head = custody.ledger.now_head
    custody.ledger.now_head = replace(head, edge=Edge(head.edge.size, tuple(bytes(32) for _ in head.edge.hashes)))
    assert findings(custody) == {"FORKED"}
