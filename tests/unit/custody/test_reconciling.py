"""What counts as lost: neither what the stream may still tell, nor what is there for long."""

from dataclasses import replace
from datetime import timedelta

from tests.fakes.custody import NOON, Custody
from tests.unit.custody.samples import UPLOAD, assigned, copied
from waybill.core.clock import iso
from waybill.custody.models import TrailEntry

ENTRY = TrailEntry("SAR#1", 1, "ab" * 32, "2026-11-29T10:00:00.000Z")


def test_nothing_is_there_and_all_of_it_is_lost_but_what_is_young() -> None:
    custody = Custody()
    young = replace(copied(9), at=iso(NOON - timedelta(minutes=59)))
    happened, entries = [copied(1), assigned(), young], [ENTRY, replace(ENTRY, number=2, at=young.at)]
    assert custody.recorder.lost(happened, entries) == (happened[:2], entries[:1])


def test_what_is_there_for_a_day_is_settled_and_what_is_there_since_then_may_lack_its_slip() -> None:
    custody = Custody()
    happened = [copied(1), copied(2), assigned()]
    custody.recorder.record(happened[:1], [ENTRY], "a")
    custody.wait(days=1, minutes=1)
    custody.recorder.record(happened[1:], [], "b")
    assert custody.recorder.lost(happened, [ENTRY]) == (happened[1:], [])
    custody.wait(days=1, minutes=1)
    assert custody.recorder.lost(happened, [ENTRY]) == ([], [])


def test_what_was_erased_is_not_recorded_again() -> None:
    custody = Custody()
    custody.recorder.record([copied(1)], [], "a")
    custody.eraser.erase(UPLOAD.place, by="jo", reason="asked for")
    custody.wait(days=2)
    before = dict(custody.ledger.kept)
    custody.recorder.record(*custody.recorder.lost([copied(1), copied(2)], []), "b")
    assert custody.ledger.kept == before
    assert not custody.ledger.names
