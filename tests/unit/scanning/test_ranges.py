"""Ranges of keys: whatever the keys and wherever the cuts, no key is in two ranges and none is in no range."""

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.scanning.domain import ranges as ranges_module
from waybill.scanning.domain.ranges import LAST, cut, even_cuts, list_space, pieces_for
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry

# What buckets are made of, and what breaks those who guess letters: dense and sparse, deep and flat, ends of the order.
AWKWARD = ["", "/", "//", "é/", "~/", "~", "A/", "a/", "%", "%2F", "+", " ", "\n", "0", "9", "ÿ", "\ue000", "😀", LAST]
KEYS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
        st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=5).map("".join).filter(bool),
        st.integers(0, 300).map(lambda number: f"flat{number:04}"),
    ),
    unique=True,
    max_size=120,
)
CUTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=20)


@dataclass
class Space:
    """A bucket that lists as S3 does, in the order of the keys' bytes."""

    keys: Sequence[str]
    calls: int = 0
    listed: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.keys = [key.decode() for key in sorted(key.encode() for key in self.keys)]

    def page(self, prefix: str, after: str, limit: int) -> tuple[list[Entry], bool]:
        with self.lock:
            self.calls += 1
        inside = [key for key in self.keys[bisect_right(self.keys, after) :] if key.startswith(prefix)]
        return [Entry(key, 1, "e") for key in inside[:limit]], len(inside) <= limit

    def note(self, entries: Sequence[Entry]) -> None:
        with self.lock:
            self.listed.update(entry.key for entry in entries)


def ranges_that_hold(ranges: Sequence[KeyRange], key: str) -> int:
    return sum(key > part.after and not part.ends_before(key) for part in ranges)


@given(KEYS, CUTS, st.sampled_from(["", "a", "é"]), st.sampled_from(["", "~", "😀"]))
def test_wherever_it_is_cut_every_key_is_in_one_range(keys: list[str], at: list[str], after: str, upto: str) -> None:
    whole = KeyRange(after, upto)
    ranges = cut(whole, at)
    for key in keys:
        assert ranges_that_hold(ranges, key) == ranges_that_hold([whole], key)


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(1, 64), st.integers(1, 20), st.sampled_from(["", "a", "é/", "flat"]))
def test_the_ranges_together_list_what_one_listing_lists(keys: list[str], parts: int, batch: int, prefix: str) -> None:
    space = Space(keys)
    listing = list_space(space.page, prefix=prefix, fan_out=parts, batch_keys=batch, each=space.note)
    assert space.listed == Counter(key for key in keys if key.startswith(prefix))
    assert (listing.keys, listing.calls) == (space.listed.total(), space.calls)


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(2, 64), st.sampled_from(["", "a/", "flat0100"]), st.sampled_from(["", "~", "flat0200"]))
def test_the_cuts_lie_inside_and_are_no_more_than_asked_for(keys: list[str], parts: int, after: str, upto: str) -> None:
    whole = KeyRange(after, upto)
    cuts = even_cuts(whole, "", parts, Space(keys).page)
    assert len(cuts) < parts
    assert len(cut(whole, cuts)) <= parts


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(2, 64), st.integers(1, 9))
def test_where_it_is_cut_is_the_same_however_much_is_asked_at_a_time(keys: list[str], parts: int, looks: int) -> None:
    whole = KeyRange()
    one_by_one, at_once = Space(keys), Space(keys)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ranges_module, "_LOOKS_AT_ONCE", 1)
        cuts = even_cuts(whole, "", parts, one_by_one.page, 3)
        patched.setattr(ranges_module, "_LOOKS_AT_ONCE", looks)
        assert even_cuts(whole, "", parts, at_once.page, 3) == cuts


def test_a_cut_at_an_end_of_a_range_makes_no_empty_one() -> None:
    # A range is what lies behind its first key, up to and with its last: there is nothing between a key and itself.
    assert cut(KeyRange("b", "d"), ["a", "b", "c", "d", "e"]) == [KeyRange("b", "c"), KeyRange("c", "d")]


def test_the_order_is_that_of_the_bytes() -> None:
    # UTF-16, which other languages compare by, puts the emoji before the private use area.
    assert Space(["😀", "\ue000"]).keys == ["\ue000", "😀"] == sorted(["😀", "\ue000"])


@pytest.mark.parametrize(
    "keys",
    [
        [f"k{number:06}" for number in range(20_000)],
        [f"{number * 2654435761 % 2**32:08x}" for number in range(20_000)],
        [f"logs/{year}/{month:02}/{day:02}/{part:03}" for year in (2024, 2025) for month in range(1, 13)
         for day in range(1, 29) for part in range(30)],
    ],
    ids=["numbers", "hashes", "dates"],
)  # fmt: skip
def test_ranges_of_usual_spaces_are_even_and_cheap_to_find(keys: list[str]) -> None:
    space = Space(keys)
    ranges = cut(KeyRange(), even_cuts(KeyRange(), "", 16, space.page))
    sizes = [bisect_left(space.keys, part.upto or LAST) - bisect_right(space.keys, part.after) for part in ranges]
    assert len(ranges) == 16
    assert max(sizes) <= 3 * len(keys) / 16
    assert space.calls <= 16 * 20


def test_a_space_is_cut_once_it_is_known_to_be_big_and_not_when_it_is_cut_enough() -> None:
    assert pieces_for(1, 64, first=True) == 64
    assert pieces_for(1, 1, first=True) == 1
    assert pieces_for(2, 64, first=False) == 8
    assert pieces_for(30, 32, first=False) == 1
    space = Space([f"k{number:05}" for number in range(3000)])
    assert list_space(space.page, fan_out=8, batch_keys=3000).calls == 3
