"""Names are erased for good, the log holds, and the records of the workflows do not bring them back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.custody import Custody
from tests.unit.custody import samples
from tests.unit.custody.samples import HAPPENINGS, SHA256
from waybill.core.errors import NotFoundError
from waybill.custody.domain.tracing import ByConsignment, ByDigest, ByPlace
from waybill.custody.models import FileState, Happening, Place

# Versions that nothing else is called by chance.
UPLOAD = replace(samples.UPLOAD, version_id="version-1")
COPY = replace(samples.COPY, version_id="version-7")
SECOND = FileState(Place("copies-us", UPLOAD.place.key), "version-9", SHA256, 48213)


def copied(number: int, source: FileState = UPLOAD, copy: FileState = COPY) -> Happening:
    return samples.copied(number, source, copy)


OTHER = copied(
    7, FileState(Place("source", "other.pdf"), "v2", "ab" * 32, 7), FileState(Place("copies-eu", "other.pdf"))
)
CONSIGNMENT, FILE = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11", "6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"


class Death(Exception):
    """The process ends before a write."""


def kept_text(custody: Custody) -> str:
    """Everything that table and log hold of names, digests and versions."""
    ledger = custody.ledger
    states = [event.states for event in ledger.kept.values()]
    sealed = [event.leaf.sealed for event in ledger.kept.values()]
    return repr((ledger.names, states, ledger.ways, sealed, ledger.markers, custody.log.files))


def filled(before_write: Callable[[], None] = lambda: None) -> Custody:
    custody = Custody(before_write)
    custody.recorder.record([copied(1), copied(2, copy=SECOND), OTHER], [], "a")
    custody.wait(minutes=10)
    custody.seal()
    return custody


def erase(custody: Custody, place: Place = UPLOAD.place) -> list[Place]:
    custody.wait(hours=1)
    return custody.eraser.erase(place, by="arn:aws:iam::1:user/jo", reason="asked for by the person")


@pytest.mark.parametrize("place", [UPLOAD.place, COPY.place, SECOND.place])
def test_name_digest_and_version_are_nowhere_any_more_and_the_log_holds(place: Place) -> None:
    """UK GDPR Article 17: erased is what nobody can read any more; the log stays proof of all else."""
    custody = filled()
    assert set(erase(custody, place)) == {UPLOAD.place, COPY.place, SECOND.place}
    custody.wait(minutes=10)
    custody.seal()
    text = kept_text(custody)
    assert [gone for gone in ("annual", SHA256, "version-", "size=48213") if gone in text] == []
    assert "other.pdf" in text
    report = custody.verify()
    assert report.holds, report.findings
    for asked in (ByPlace(place), ByDigest(SHA256)):
        with pytest.raises(NotFoundError):
            custody.tracer.trace(asked, limit=9)
    assert len(custody.tracer.trace(ByPlace(Place("source", "other.pdf")), limit=9).events) == 1


def test_an_erasure_is_an_event_of_each_history_that_lost_its_names() -> None:
    custody = filled()
    erase(custody)
    told = [event.leaf.sealed for event in custody.ledger.kept.values() if '"erased":"names"' in event.leaf.sealed]
    assert len(told) == 3
    assert all('"type":"deletion"' in sealed and "person:" in sealed for sealed in told)


def test_the_records_of_the_workflows_bring_no_name_back() -> None:
    custody = filled()
    erase(custody)
    before = kept_text(custody)
    # A stream tells again, and somebody reconciles.
    custody.recorder.record([copied(1), copied(2, copy=SECOND), copied(3)], [], "again")
    assert kept_text(custody) == before
    assert custody.recorder.record([], [], "none").told == 0


def test_a_new_upload_to_the_place_begins_a_new_history() -> None:
    custody = filled()
    old = {pk for pk, _ in custody.ledger.kept}
    erase(custody)
    later = replace(copied(4), at="2026-11-30T10:00:00.000Z")
    custody.recorder.record([later], [], "new")
    found = custody.tracer.trace(ByPlace(UPLOAD.place), limit=9)
    assert [event.said["at"] for event in found.events] == [later.at]
    assert not set(found.subjects) & old
    # What was before is not told in it either.
    custody.recorder.record([copied(1), copied(2, copy=SECOND)], [], "again")
    assert len(custody.tracer.trace(ByPlace(UPLOAD.place), limit=9).events) == 1
    custody.wait(days=1)
    custody.seal()
    assert custody.verify().holds


def test_a_file_of_a_consignment_is_not_found_by_its_ids_any_more() -> None:
    custody = Custody()
    place = Place("uploads", f"alice/{CONSIGNMENT}/{FILE}")
    one = replace(copied(1, FileState(place, None, SHA256, 3)), consignment_file=(CONSIGNMENT, FILE))
    custody.recorder.record([one], [], "a")
    assert custody.tracer.trace(ByConsignment(CONSIGNMENT, FILE), limit=9).events
    erase(custody, place)
    with pytest.raises(NotFoundError):
        custody.tracer.trace(ByConsignment(CONSIGNMENT, FILE), limit=9)


def test_what_nobody_knows_cannot_be_erased() -> None:
    with pytest.raises(NotFoundError):
        erase(filled(), Place("source", "nothing.pdf"))


@given(st.integers(1, 34), st.sampled_from([UPLOAD.place, COPY.place, SECOND.place]))
def test_killed_before_any_write_and_begun_again_from_anywhere_nothing_is_left(fatal: int, place: Place) -> None:
    writes, armed = 0, False

    def count() -> None:
        nonlocal writes
        writes += armed
        if armed and writes == fatal:
            raise Death

    custody = filled(count)
    armed = True
    try:
        erase(custody)
    except Death:
        armed = False
        assert not [found for found in custody.verify().findings if found.code != "UNSEALED"]
        # Whoever reconciles meanwhile brings nothing back that has gone.
        erase(custody, place)
    armed = False
    custody.recorder.record([copied(1), copied(2, copy=SECOND)], [], "again")
    custody.wait(minutes=10)
    custody.seal()
    assert "annual" not in kept_text(custody)
    assert SHA256 not in kept_text(custody)
    assert custody.verify().holds


@given(st.lists(HAPPENINGS, min_size=1, max_size=10), st.data())
def test_whatever_happened_every_name_of_the_history_goes_and_no_other(happened: list[Happening], data: Any) -> None:
    custody = Custody()
    custody.recorder.record(happened, [], "a")
    places = {known.place for known in custody.ledger.names.values()}
    if not places:
        return
    place = data.draw(st.sampled_from(sorted(places, key=repr)))
    gone = set(erase(custody, place))
    assert place in gone
    assert {known.place for known in custody.ledger.names.values()} == places - gone
    custody.recorder.record(happened, [], "again")
    assert {known.place for known in custody.ledger.names.values()} == places - gone
    custody.wait(minutes=10)
    custody.seal()
    assert custody.verify().holds
