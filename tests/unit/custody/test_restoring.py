"""Restoring: the table becomes, byte for byte, what it was when it was sealed; and nothing is made up."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.custody import Custody
from tests.unit.custody import test_sealing as attacks
from tests.unit.custody.samples import UPLOAD, assigned, copied
from waybill.custody.domain.log_index import PlacedIds
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.errors import BadProofError
from waybill.custody.models import FileState, TrailEntry

COUNT = 5
TRAIL = [TrailEntry("SAR#1", number, f"{number:064}") for number in range(1, 4)]
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
    """`custody restore` puts back the sealed form from the log."""
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


def delete_all(custody: Custody) -> None:
    custody.ledger.kept.clear()


def forget_where_entries_are(custody: Custody) -> None:
    """What sealing knows a repetition by, and the slips once more: byte for byte the same entries come again."""
    custody.ledger.in_log.clear()
    custody.ledger.now_head = replace(custody.ledger.now_head, cursor="")


@pytest.mark.parametrize("count", [COUNT, 270])
@pytest.mark.parametrize(
    ("attack", "again"),
    [
        (attacks.delete_event, 1),
        (delete_an_entry_of_a_trail, 1),
        (delete_all, COUNT + 4),
        (forget_where_entries_are, COUNT + 4),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_was_made_again_and_sealed_again_is_told_and_mended(
    attack: Callable[[Custody], None], again: int, count: int, times: int
) -> None:
    """Altered, and `restore` puts back what was sealed first. Never a fork, nor for good."""
    custody = attacks.sealed_custody(count)
    records = [*(copied(number) for number in range(1, count + 1)), assigned()]
    again += count - COUNT if again > 1 else 0
    before = dict(custody.ledger.kept)
    assert custody.verify().findings == []
    for _ in range(times):
        attack(custody)
        gone = len(before) - len(custody.ledger.kept)
        custody.wait(days=2)
        # As the schedule does, which names nothing else in its slip: so nothing says when it was first.
        custody.recorder.record(*custody.recorder.lost(records, TRAIL), "again")
        custody.wait(hours=1)
        assert custody.seal() == again
    for full in (False, True):
        report = custody.verify(full=full)
        # Where the log has its entries is told apart from the entries.
        lost = ["MISSING"] if attack is forget_where_entries_are else []
        assert [finding.code for finding in report.findings] == ["ALTERED"] * gone + lost
        assert report.made_again == times * again
    restored = custody.restore(records)
    assert len(restored) == gone if not lost else {one.about.pk[:4] for one in restored} == {"LOG#"}
    assert {one.state for one in restored} <= {"RESTORED"}
    assert custody.ledger.kept == before
    assert custody.restore(records) == []
    custody.recorder.record(records, TRAIL, "once more")
    custody.wait(hours=1)
    assert custody.seal() == 0
    for full in (False, True, False):
        report = custody.verify(full=full)
        assert (report.findings, report.made_again) == ([], times * again)


@pytest.mark.parametrize("late", [0, 2])
def test_what_was_told_by_a_stream_and_is_made_again_stays_one_entry(late: int) -> None:
    """By the time at which it happened the log can tell that it has it; `late` is in minutes."""
    custody = Custody()
    custody.at = custody.at.replace(hour=10, minute=late)
    custody.recorder.record(RECORDS, [], "stream")
    custody.wait(hours=1)
    assert custody.seal() == COUNT + 1
    before = dict(custody.ledger.kept)
    attacks.delete_all_of_a_subject(custody)
    custody.wait(days=2)
    custody.recorder.record(*custody.recorder.lost(RECORDS, []), "again")
    custody.wait(hours=1)
    assert custody.seal() == 0
    for full in (False, True):
        report = custody.verify(full=full)
        assert ([finding.code for finding in report.findings], report.made_again) == (["ALTERED"] * COUNT, 0)
    assert [one.state for one in custody.restore(RECORDS)] == ["RESTORED"] * COUNT
    assert custody.ledger.kept == before
    assert custody.verify().findings == []


def test_a_trail_that_was_made_anew_and_recorded_again_is_told_by_its_first_entries() -> None:
    custody = attacks.sealed_custody(COUNT)
    delete_an_entry_of_a_trail(custody)
    forged = replace(TRAIL[1], hash="f" * 64)
    custody.trails.kept["SAR#1", 2] = forged.hash
    custody.recorder.record([], [forged], "again")
    custody.wait(hours=1)
    assert custody.seal() == 1
    assert [finding.code for finding in custody.verify().findings] == ["ALTERED", "ALTERED"]
    assert custody.verifier.trail("SAR#1").hashes == {entry.number: entry.hash for entry in TRAIL}


_ACTS = st.lists(
    st.sampled_from(["record", "reconcile", "seal", "delete", "forget", "restore", "wait"]), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(_ACTS, st.lists(st.integers(1, 25), max_size=8))
def test_no_work_of_custody_makes_a_fork_of_what_somebody_took_away(acts: list[str], lives: list[int]) -> None:
    """In whatever order, and whatever dies before which write: in the end every event is what was sealed first."""
    left: list[int] = list(lives)

    def count() -> None:
        if left:
            left[0] -= 1
            if left[0] < 0:
                left.pop(0)
                raise attacks.Death

    custody = Custody(count)
    custody.trails.kept = {(entry.trail, entry.number): entry.hash for entry in TRAIL}

    def restore() -> None:
        with suppress(BadProofError):
            custody.restore(RECORDS)

    def delete() -> None:
        if custody.ledger.kept:
            del custody.ledger.kept[sorted(custody.ledger.kept)[len(acts) % len(custody.ledger.kept)]]

    doing: dict[str, Callable[[], object]] = {
        "record": lambda: custody.recorder.record(RECORDS, TRAIL, "a"),
        "reconcile": lambda: custody.recorder.record(*custody.recorder.lost(RECORDS, TRAIL), "b"),
        "seal": custody.seal,
        "delete": delete,
        "forget": lambda: forget_where_entries_are(custody),
        "restore": restore,
        "wait": lambda: custody.wait(hours=5),
    }
    for act in acts:
        with suppress(attacks.Death):
            doing[act]()
            assert "FORKED" not in {finding.code for finding in custody.verify().findings}
        custody.wait(minutes=4)
    left.clear()
    doing["record"]()
    custody.wait(hours=1)
    custody.seal()
    restore()
    for full in (False, True):
        assert custody.verify(full=full).findings == []
    assert len(custody.ledger.kept) == len(RECORDS) + len(TRAIL)


@pytest.mark.parametrize("count", [COUNT, 270])
@pytest.mark.parametrize("attack", [attack for attack, _ in attacks.INDEX])
def test_where_the_log_has_what_is_put_back(attack: Callable[[Custody], None], count: int) -> None:
    custody = attacks.sealed_custody(count)
    traced = custody.tracer.whole(ByPlace(UPLOAD.place)).events
    assert all(event.index is not None for event in traced)
    attack(custody)
    before = {minute: list(found) for minute, found in custody.ledger.in_log.items()}
    found = custody.restore(dry_run=True)
    assert {one.state for one in found} == {"FOUND"}
    assert custody.ledger.in_log == before
    restored = custody.restore()
    assert [replace(one, state="FOUND") for one in restored] == found
    assert custody.verify(full=True).findings == []
    assert custody.restore() == []
    assert custody.tracer.whole(ByPlace(UPLOAD.place)).events == traced
    # The log goes on behind it.
    custody.recorder.record([copied(number) for number in range(900, 912)], [], "more")
    custody.wait(hours=2)
    assert custody.seal() == 12
    assert custody.verify().findings == []


def test_what_was_sealed_while_it_was_restored_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    custody = attacks.sealed_custody()
    custody.ledger.in_log.clear()
    read = custody.ledger.all_placed

    def slowly() -> Iterator[PlacedIds]:
        custody.recorder.record([copied(900)], [], "meanwhile")
        custody.wait(hours=2)
        custody.seal()
        yield from read()

    monkeypatch.setattr(custody.ledger, "all_placed", slowly)
    assert {one.state for one in custody.restore()} == {"RESTORED"}
    monkeypatch.undo()
    assert custody.verify(full=True).findings == []
