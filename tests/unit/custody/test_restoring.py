"""Restoring: the table becomes, byte for byte, what it was when it was sealed; and nothing is made up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.custody import Custody
from tests.unit.custody import test_sealing as attacks
from tests.unit.custody.samples import UPLOAD, assigned, copied
from waybill.custody.errors import BadProofError
from waybill.custody.models import FileState

COUNT = 5
RECORDS = [*(copied(number) for number in range(1, COUNT + 1)), assigned()]


def delete_an_entry_of_a_trail(custody: Custody) -> None:
    del custody.ledger.kept["T#SAR#1", "00000002"]


def blank_what_stands_beside(custody: Custody) -> None:
    """As an erasure leaves an item, and none was asked for."""
    for key, event in custody.ledger.kept.items():
        states = tuple(replace(state, version_id=None, sha256=None, size=None) for state in event.states)
        custody.ledger.kept[key] = replace(event, states=states)


def make_it_again_from_the_record(custody: Custody) -> None:
    """Deleted, and reconciled before anybody looked: the same id, recorded at another time, after other events."""
    attacks.delete_event(custody)
    custody.recorder.record(RECORDS, [], "again")


@pytest.mark.parametrize(
    ("attack", "was", "count"),
    [
        (attacks.alter_event, "ALTERED", 1),
        (attacks.alter_mac, "ALTERED", 1),
        (attacks.give_it_another_id, "ALTERED", 1),
        (attacks.change_version_beside, "ALTERED", 1),
        (blank_what_stands_beside, "ALTERED", COUNT),
        (make_it_again_from_the_record, "ALTERED", 1),
        (attacks.delete_event, "MISSING", 1),
        (attacks.delete_all_of_a_subject, "MISSING", COUNT),
        (delete_an_entry_of_a_trail, "MISSING", 1),
    ],
)
def test_what_was_done_to_items_is_undone(attack: Callable[[Custody], None], was: str, count: int) -> None:
    """Section 8 of the design: `custody restore` puts back the sealed form from the log."""
    custody = attacks.sealed_custody(COUNT)
    before = dict(custody.ledger.kept)
    attack(custody)
    altered = dict(custody.ledger.kept)
    assert altered != before
    would_be = custody.restore(RECORDS, dry_run=True)
    assert [(one.was, one.state) for one in would_be] == [(was, "FOUND")] * count
    assert custody.ledger.kept == altered
    assert [(one.was, one.state) for one in custody.restore(RECORDS)] == [(was, "RESTORED")] * count
    assert custody.ledger.kept == before
    assert custody.restore(RECORDS) == []
    custody.wait(hours=1)
    assert custody.seal() == 0
    assert custody.verify(full=True).findings == []


def test_what_others_put_there_stays_for_a_person_to_look_at() -> None:
    custody = attacks.sealed_custody(COUNT)
    attacks.insert_by_hand(custody)
    assert custody.restore(RECORDS) == []
    assert {finding.code for finding in custody.verify().findings} == {"MAC_WRONG"}


@pytest.mark.parametrize(
    "records",
    [(), [copied(1, FileState(UPLOAD.place, "another version"))], [copied(1, FileState(UPLOAD.place))]],
    ids=["nothing", "another version", "no version"],
)
def test_what_opens_no_commitment_is_not_put_back(records: list[object]) -> None:
    custody = attacks.sealed_custody(COUNT)
    attacks.delete_all_of_a_subject(custody)
    altered = dict(custody.ledger.kept)
    assert {one.state for one in custody.restore(records)} == {"NOT_FOUND"}  # type: ignore[arg-type]
    assert custody.ledger.kept == altered


def test_a_name_that_was_erased_does_not_come_back() -> None:
    custody = attacks.sealed_custody(COUNT)
    custody.eraser.erase(UPLOAD.place, by="jo", reason="asked for")
    custody.wait(hours=1)
    custody.seal()
    before = dict(custody.ledger.kept)
    assert custody.restore(RECORDS) == []
    # One of the file: its copy has one event, the erasure, and nothing else that knows its place.
    del custody.ledger.kept[min(key for key, event in before.items() if len(event.states) > 1)]
    assert [one.state for one in custody.restore(RECORDS)] == ["RESTORED"]
    assert custody.ledger.kept == before
    assert not custody.ledger.names
    assert custody.verify(full=True).findings == []


@pytest.mark.parametrize(
    "attack",
    [
        attacks.forge_the_whole_log_under_another_key,
        attacks.forge_an_entry_and_nothing_else,
        attacks.delete_a_bundle,
        attacks.hide_heads_and_set_the_table_back,
    ],
)
def test_a_log_that_does_not_hold_restores_nothing(attack: Callable[[Custody], None]) -> None:
    custody = attacks.sealed_custody(COUNT)
    attack(custody)
    attacks.alter_event(custody)
    altered = dict(custody.ledger.kept)
    with pytest.raises(BadProofError, match="nothing is restored"):
        custody.restore(RECORDS)
    assert custody.ledger.kept == altered


def test_an_item_that_changes_meanwhile_is_left_to_whoever_changed_it() -> None:
    custody = attacks.sealed_custody(COUNT)
    attacks.delete_event(custody)
    put_back = custody.ledger.put_back

    def slower(*given: object) -> bool:
        custody.recorder.record(RECORDS, [], "meanwhile")
        return put_back(*given)  # type: ignore[arg-type]

    custody.ledger.put_back = slower  # type: ignore[method-assign]
    assert [one.state for one in custody.restore(RECORDS)] == ["CHANGED"]
    custody.ledger.put_back = put_back  # type: ignore[method-assign]
    assert [one.state for one in custody.restore(RECORDS)] == ["RESTORED"]
    assert custody.verify(full=True).findings == []


def test_an_event_that_was_made_again_and_sealed_again_is_two_entries() -> None:
    """Why one restores before reconciling: the first entry is what was, and the second stays a finding."""
    custody = attacks.sealed_custody(COUNT)
    before = dict(custody.ledger.kept)
    attacks.delete_event(custody)
    custody.recorder.record(RECORDS[:1], [], "again")
    custody.wait(hours=1)
    assert custody.seal() == 1
    assert [one.state for one in custody.restore(RECORDS)] == ["RESTORED"]
    assert custody.ledger.kept == before
    assert "FORKED" in {finding.code for finding in custody.verify().findings}
