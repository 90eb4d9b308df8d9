"""The format of canonical IDs."""

import inspect
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.errors import ConfigurationError, InvalidInputError
from waybill.minting.domain.canonical_ids import (
    ALPHABET,
    LETTERS,
    Drawing,
    check_character,
    draw,
    forbidden_words,
    identifier_prefixes,
    is_canonical_id,
    parse_canonical_id,
)
from waybill.minting.errors import NoIdentifiersLeftError

BODIES = st.text(st.sampled_from(ALPHABET), min_size=7, max_size=7).map(lambda rest: "k" + rest)


def test_the_alphabet() -> None:
    assert len(ALPHABET) == 31
    assert len(LETTERS) == 23
    assert not set("ilo01") & set(ALPHABET)


def test_a_hundred_thousand_draws_are_well_formed_even_and_different() -> None:
    drawn = [draw() for _ in range(100_000)]
    assert all(is_canonical_id(each) and len(each) == 8 for each in drawn)
    # The chance of any repeat among them is 0.8 %, of three 1e-7.
    assert len(set(drawn)) >= len(drawn) - 2
    for position, choices in [(0, LETTERS), *[(place, ALPHABET) for place in range(1, 8)]]:
        seen, expected = Counter(each[position] for each in drawn), len(drawn) / len(choices)
        chi_square = sum((seen[char] - expected) ** 2 / expected for char in choices)
        # 30 degrees of freedom: mean 30, standard deviation 7.7.
        assert chi_square < 90


def test_callers_cannot_seed_it() -> None:
    assert list(inspect.signature(draw).parameters) == ["check", "forbidden", "prefix"]


@given(BODIES, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_the_check_character_sees_every_wrong_character(body: str, place: int, wrong: str) -> None:
    whole = body + check_character(body)
    changed = whole[:place] + wrong + whole[place + 1 :]
    assert is_canonical_id(whole)
    assert (changed == whole) == is_canonical_id(changed) or not changed[0].isalpha()


@given(BODIES, st.integers(1, 7))
def test_the_check_character_sees_every_swap_of_neighbours(body: str, place: int) -> None:
    whole = body + check_character(body)
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert (swapped == whole) == is_canonical_id(swapped)


def test_with_the_option_new_ids_end_with_it() -> None:
    drawn = draw(check=True)
    assert len(drawn) == 9
    assert is_canonical_id(drawn)


@pytest.mark.parametrize("typed", ["a2345bcd", "A2345BCD", " a2345BCD\n"])
def test_upper_case_is_folded(typed: str) -> None:
    assert parse_canonical_id(typed) == "a2345bcd"


@pytest.mark.parametrize(
    "typed", ["", "a2345bc", "2a345bcd", "a2345bci", "a2345bc0", "a2345bcd2", "\uff412345bcd", "\u212a2345bcd"]
)
def test_what_cannot_be_a_canonical_id(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="canonicalId"):
        parse_canonical_id(typed)


def test_no_new_id_contains_a_forbidden_word() -> None:
    # A fifth of all IDs hold an "a" in the first place alone.
    words = forbidden_words(" A, e ,, oops,i")
    assert words == {"a", "e"}
    assert not [drawn for drawn in (draw(check=True, forbidden=words) for _ in range(500)) if set(drawn) & set("ae")]


def test_a_list_that_leaves_hardly_anything_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="ForbiddenWords"):
        draw(forbidden=forbidden_words(",".join(ALPHABET[:-1])))


@pytest.mark.parametrize(
    ("words", "prefixes", "system"),
    [
        ("a", "calm=ca", "calm"),
        ("A", "sierra=sr,calm=ca", "calm"),
        ("fart", "calm=far", None),
        ("cab,cac", "*=ca", None),
        ("ca", "*=ca", "all other systems"),
        # What may follow the prefix is gone, though the prefix is none of the words.
        (",".join(f"w{character}" for character in ALPHABET), "*=w", "all other systems"),
        (",".join(ALPHABET[:-1]), "", ""),
        (",".join(ALPHABET[23:] + LETTERS[1:]), "", ""),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_parameters_that_leave_hardly_any_identifier_are_refused_before_one_is_drawn(
    words: str, prefixes: str, system: str | None, check: bool
) -> None:
    """Known faults of the ID minter, 5: a list so large that hardly anything is left is said at once."""
    if system is None:
        assert Drawing.of(check=check, words=words, prefixes=prefixes).draw()
        return
    with pytest.raises(NoIdentifiersLeftError, match="ForbiddenWords") as refused:
        Drawing.of(check=check, words=words, prefixes=prefixes)
    assert ("IdentifierPrefix" in str(refused.value)) is bool(prefixes)
    assert system in str(refused.value)


def test_an_empty_list_filters_nothing() -> None:
    assert forbidden_words("") == frozenset()


def test_a_prefix_is_kept_and_the_rest_drawn_in_its_format() -> None:
    drawn = {draw(prefix="ca") for _ in range(1000)}
    assert all(each.startswith("ca") and is_canonical_id(each) for each in drawn)
    assert len(drawn) > 990
    assert is_canonical_id(draw(check=True, prefix="ca"))


def test_prefixes_are_given_by_source_system() -> None:
    assert identifier_prefixes("") == {}
    assert identifier_prefixes(" calm=ca, a=b=sr ,*=w") == {"calm": "ca", "a=b": "sr", "*": "w"}


@pytest.mark.parametrize("text", ["calm", "=ca", "calm=", "calm=9a", "calm=cl", "calm=abcd", "calm=CA", "a=b,a=c"])
def test_a_prefix_that_no_id_can_have_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="IDENTIFIER_PREFIX"):
        identifier_prefixes(text)
