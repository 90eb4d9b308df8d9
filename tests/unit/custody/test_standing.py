"""When a file was last proven, and what nobody has looked at."""

from dataclasses import replace

import pytest

from tests.fakes.custody import Custody
from tests.unit.custody.samples import COPY, UPLOAD, copied
from waybill.custody.domain.standing import Standing, standing_of
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

PROVEN = replace(copied(1), detail={"code": "COPIED", "verification": "CHECKSUM"})
BY_ETAG = replace(copied(2), detail={"code": "COPIED", "verification": "ETAG"})
EQUAL = replace(copied(3), type=EventType.FIXITY_CHECK)
DIFFERS = replace(copied(4), type=EventType.FIXITY_CHECK, outcome=Outcome.FAILURE)
REPAIRED = replace(copied(5), detail={"verification": "CHECKSUM"})


def standing(*happened: Happening) -> Standing:
    custody = Custody()
    custody.recorder.record(list(happened), [], "a")
    return standing_of(custody.tracer.trace(ByPlace(UPLOAD.place), limit=50), UPLOAD.place)


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
