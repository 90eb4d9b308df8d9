"""Where a history goes on: by names, by its events on its first day, by items of their own after it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.custody import Custody
from tests.unit.custody.samples import copied
from waybill.core.clock import iso
from waybill.custody.domain.tracing import Asked, ByPlace, Trace
from waybill.custody.models import FileState, Happening, Place

SOURCE = Place("source", "report.pdf")


def copy_to(bucket: str, number: int, custody: Custody, *, of: Place = SOURCE) -> Happening:
    """A copy of a file, made now."""
    made = FileState(Place(bucket, of.key), f"v{number}", None, 3)
    return replace(copied(number), at=iso(custody.now()), about=FileState(of), copies=(made,))


def whole(custody: Custody, place: Place) -> Trace:
    return custody.tracer.whole(ByPlace(place))


def ids(found: Trace) -> list[str]:
    return [each.event.leaf.id for each in found.events]


def test_a_file_of_one_day_has_no_item_for_its_copies(custody: Custody) -> None:
    custody.recorder.record([copy_to("eu", 1, custody), copy_to("us", 2, custody)], [], "a")
    custody.recorder.record([copy_to("attic", 3, custody, of=Place("eu", SOURCE.key))], [], "b")
    assert custody.ledger.linked == {}
    found = whole(custody, SOURCE)
    assert {copy.bucket for copy in found.copies} == {"eu", "us", "attic"}
    # The copy of a copy shows both, and where it is from; not what else came of that.
    assert len(ids(whole(custody, Place("attic", SOURCE.key)))) == 3
    assert whole(custody, Place("us", SOURCE.key)).origins == (found.subjects[0],)
    assert whole(custody, Place("us", SOURCE.key)).copies == ()


@pytest.mark.parametrize("page", [1, 2, 3, 1_000])
def test_copies_of_every_day_are_found_however_long_a_history_is(custody: Custody, page: int) -> None:
    for number in range(1, 9):
        custody.recorder.record([copy_to(f"copies-{number}", number, custody)], [], f"{number}")
        custody.wait(hours=9)
    custody.ledger.page = page
    found = whole(custody, SOURCE)
    assert {copy.bucket for copy in found.copies} == {f"copies-{number}" for number in range(1, 9)}
    assert (len(found.events), found.cut) == (8, False)
    for number in range(1, 9):
        assert ids(whole(custody, Place(f"copies-{number}", SOURCE.key))) == ids(found)
    custody.wait(hours=2)
    custody.seal()
    assert custody.verify().findings == []
    # Those after the first day have items: without them they are cut off, and that is found.
    assert custody.ledger.linked
    custody.ledger.linked.clear()
    assert {finding.code for finding in custody.verify(full=True).findings} == {"MISSING"}


def test_what_is_told_late_is_found_as_well(custody: Custody) -> None:
    """Two places are known by themselves before it is told that one is a copy of the other."""
    other = Place("eu", SOURCE.key)
    custody.recorder.record([copy_to("us", 1, custody), copy_to("attic", 2, custody, of=other)], [], "a")
    custody.recorder.record([copy_to("eu", 3, custody)], [], "b")
    assert {copy.bucket for copy in whole(custody, SOURCE).copies} == {"eu", "us", "attic"}
    assert len(ids(whole(custody, Place("attic", SOURCE.key)))) == 3


def test_two_that_are_copies_of_each_other(custody: Custody) -> None:
    there, back = copy_to("eu", 1, custody), copy_to("source", 2, custody, of=Place("eu", SOURCE.key))
    custody.recorder.record([there, back], [], "a")
    for place in (SOURCE, Place("eu", SOURCE.key)):
        assert len(ids(whole(custody, place))) == 2
    custody.wait(hours=2)
    custody.seal()
    assert custody.verify().findings == []


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=8),
    st.integers(1, 4),
    st.sampled_from([1, 2, 1_000]),
)
def test_what_is_shown_does_not_depend_on_how_it_was_told(
    told: list[tuple[int, int, int]], batch: int, page: int
) -> None:
    """At once, in batches over days: up and down from a place lie the same files."""
    together, apart = Custody(), Custody()
    made = []
    for number, (source, copy, hours) in enumerate(told):
        made.append(copy_to(f"b{copy}", number, apart, of=Place(f"b{source}", SOURCE.key)))
        if len(made) % batch == 0:
            apart.recorder.record(made[-batch:], [], f"{number}")
        apart.wait(hours=hours)
    apart.recorder.record(made, [], "all")
    together.at = apart.at
    together.recorder.record(made, [], "all")
    apart.ledger.page = together.ledger.page = page
    for bucket in sorted({f"b{number}" for source, copy, _ in told for number in (source, copy)}):
        asked: Asked = ByPlace(Place(bucket, SOURCE.key))
        one, other = together.tracer.whole(asked), apart.tracer.whole(asked)
        assert {str(event.said["at"]) for event in one.events} == {str(event.said["at"]) for event in other.events}
        assert {copy.bucket for copy in one.copies} == {copy.bucket for copy in other.copies}


@pytest.fixture
def custody() -> Custody:
    return Custody()
