"""What happened becomes events, each once, whatever order and however often it is told, and no name is sealed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.custody import Custody
from tests.unit.custody.samples import COPY, HAPPENINGS, SHA256, UPLOAD, assigned, copied
from waybill.custody.domain.sealed_form import parsed
from waybill.custody.models import FileState, Happening, Place, TrailEntry


class Death(Exception):
    """The process ends before a write."""


def ids(custody: Custody) -> set[tuple[str, str]]:
    """What happened, by place and time: ids hold salts, which are random for each table."""
    names = {known.subject.pk: known.place for known in custody.ledger.names.values()}
    return {(str(names.get(pk, pk)), sk.rpartition("#")[0]) for pk, sk in custody.ledger.kept}


@given(st.lists(HAPPENINGS, min_size=1, max_size=12), st.randoms(), st.lists(st.integers(1, 4), max_size=6))
def test_any_order_and_repetition_gives_the_same_events(happened: list[Happening], random, cuts: list[int]) -> None:
    once, often = Custody(), Custody()
    once.recorder.record(happened, [], "a")
    told = [*happened, *happened]
    random.shuffle(told)
    for number, cut in enumerate([*cuts, len(told)]):
        often.recorder.record(told[:cut], [], f"b{number}")
        told = told[cut:]
    assert ids(often) == ids(once)
    before = dict(often.ledger.kept)
    often.recorder.record(happened, [], "c")
    assert often.ledger.kept == before


@given(st.lists(HAPPENINGS, min_size=1, max_size=6), st.integers(0, 60))
def test_killed_before_any_write_and_told_again_nothing_is_missing_or_unsealed(
    happened: list[Happening], fatal: int
) -> None:
    writes = 0

    def count() -> None:
        nonlocal writes
        writes += 1
        if writes == fatal:
            raise Death

    custody, whole = Custody(count), Custody()
    for name in ("first", "again"):
        try:
            custody.recorder.record(happened, [], name)
        except Death:
            continue
    fatal = -1
    custody.recorder.record(happened, [], "last")
    whole.recorder.record(happened, [], "whole")
    assert ids(custody) == ids(whole)
    custody.wait(hours=2)
    assert custody.seal() == len(custody.ledger.kept)
    assert custody.verify().findings == []


def test_events_of_a_subject_name_the_one_before() -> None:
    custody = Custody()
    custody.recorder.record([copied(2), copied(1)], [], "a")
    custody.recorder.record([copied(3)], [], "b")
    macs = [event.leaf.mac for _, event in sorted(custody.ledger.kept.items())]
    previous = [parsed(event.leaf.sealed)["previous"] for _, event in sorted(custody.ledger.kept.items())]
    assert previous == [None, *macs[:2]]


def test_no_name_and_nobody_is_in_what_is_sealed() -> None:
    custody = Custody()
    canary = "canary-alice@example.org"
    state = FileState(Place("bucket-canary", f"{canary}/file"), "version-canary", SHA256, 5)
    custody.recorder.record([replace(copied(1, state), agent={"software": "w", "person": canary})], [], "a")
    (event,) = custody.ledger.kept.values()
    assert "canary" not in event.leaf.sealed
    assert SHA256 not in event.leaf.sealed
    assert str(parsed(event.leaf.sealed)["agent"]["person"]).startswith("person:")  # type: ignore[index, call-overload]
    # The only items with names are those that an erasure takes.
    assert canary not in repr([custody.ledger.kept, custody.ledger.queued, custody.ledger.linked])


def test_the_same_place_in_two_tables_has_other_ids_and_commitments() -> None:
    sealed = []
    for _ in range(2):
        custody = Custody()
        custody.recorder.record([copied()], [], "a")
        (event,) = custody.ledger.kept.values()
        sealed.append((event.leaf.id, event.states[0].commitment))
    assert sealed[0][0] != sealed[1][0]
    assert sealed[0][1] != sealed[1][1]


def test_an_identifier_has_a_history_of_its_own_and_an_entry_of_a_trail_a_leaf() -> None:
    custody = Custody()
    custody.recorder.record([assigned()], [TrailEntry("SAR#1", 3, "ab" * 32)], "a")
    assert {pk for pk, _ in custody.ledger.kept} == {"I#kx7dn2ph", "T#SAR#1"}
    assert ("T#SAR#1", "00000003") in custody.ledger.kept


def test_a_sealed_event_is_as_small_as_the_design_says() -> None:
    custody = Custody()
    custody.recorder.record([copied(1), copied(2, UPLOAD, COPY)], [], "a")
    assert all(len(event.leaf.sealed.encode()) <= 800 for event in custody.ledger.kept.values())
