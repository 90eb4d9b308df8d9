"""When a file was last proven, and what nobody has looked at."""

from dataclasses import replace

import pytest

from tests.fakes.custody import NOON, Custody
from tests.unit.custody.samples import COPY, UPLOAD, copied
from waybill.custody.domain.standing import PlaceStanding, standing_of
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

PROVEN = replace(copied(1), detail={"code": "COPIED", "verification": "CHECKSUM"})
BY_ETAG = replace(copied(2), detail={"code": "COPIED", "verification": "ETAG"})
EQUAL = replace(copied(3), type=EventType.FIXITY_CHECK)
DIFFERS = replace(copied(4), type=EventType.FIXITY_CHECK, outcome=Outcome.FAILURE)
REPAIRED = replace(copied(5), detail={"verification": "CHECKSUM"})


def standing(*happened: Happening) -> PlaceStanding:
    custody = Custody()
    custody.recorder.record(list(happened), [], "a")
    return standing_of(custody.tracer.trace(ByPlace(UPLOAD.place), limit=50), UPLOAD.place, NOON)


@pytest.mark.parametrize(
    ("happened", "proven", "failed", "copies"),
    [
        ([BY_ETAG], None, None, 1),
        ([PROVEN], PROVEN, None, 1),
        ([PROVEN, BY_ETAG], PROVEN, None, 1),
        ([PROVEN, EQUAL], EQUAL, None, 1),
        ([PROVEN, EQUAL, DIFFERS], EQUAL, DIFFERS, 0),
        ([DIFFERS, REPAIRED], REPAIRED, None, 1),
    ],
)
def test_what_was_proven_last(
    happened: list[Happening], proven: Happening | None, failed: Happening | None, copies: int
) -> None:
    found = standing(*happened)
    assert (found.proven_at, found.failed_at) == (proven and proven.at, failed and failed.at)
    assert (found.copies, found.events, found.intact) == (copies, len(happened), True)


def test_copies_are_places_and_a_second_copy_of_one_is_none() -> None:
    other = FileState(Place("copies-us", "k"))
    assert standing(copied(1), copied(2), copied(3, UPLOAD, other)).copies == 2
    assert standing(copied(1, UPLOAD, COPY)).first_at == copied(1).at


def checked(month: int, day: int = 29, outcome: Outcome = Outcome.SUCCESS) -> Happening:
    at = f"2026-{month:02}-{day:02}T10:00:00.000Z"
    return replace(copied(month * 31 + day), type=EventType.FIXITY_CHECK, at=at, outcome=outcome)


NO_VALUE = replace(BY_ETAG, about=replace(UPLOAD, sha256=None), copies=(replace(COPY, sha256=None),))


@pytest.mark.parametrize(
    ("happened", "level"),
    [
        ([NO_VALUE], 0),
        ([BY_ETAG], 1),
        ([checked(11)], 2),
        ([checked(6), checked(9), checked(11)], 2),  # more than 90 days between the first two
        ([checked(6, 30), checked(8, 31)], 2),  # the last one is longer ago than that
        ([checked(7), checked(9), checked(11)], 3),
        ([PROVEN, REPAIRED], 2),  # two copies of one run, seconds apart, are no interval
        ([checked(11, 27), checked(11, 28)], 3),
        ([checked(9), checked(11), checked(11, 29, Outcome.FAILURE)], 0),
    ],
)
def test_the_level_of_fixity_is_what_the_events_show(happened: list[Happening], level: int) -> None:
    """NDSA Levels of Digital Preservation (2013), row "File Fixity and Data Integrity"."""
    if happened[-1].outcome is Outcome.FAILURE:
        happened = [*happened[:-1], replace(happened[-1], at="2026-11-29T11:00:00.000Z")]
    assert standing(*happened).ndsa_level == level
