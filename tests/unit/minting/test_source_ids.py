"""Source identifiers: what a request may write, and the keys they get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.minting.domain.source_ids import key_of, parse_source_id, source_id, source_of_key
from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import SourceId

CLEAN = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
COMPONENTS = st.builds(SourceId, CLEAN, CLEAN, CLEAN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Work[sierra-system-number/b1161044x]", ("Work", "sierra-system-number", "b1161044x")),
        ("Item[sierra/i1/2[a]]", ("Item", "sierra", "i1/2[a]")),
        ("sierra-system-number/b1161044x", ("Work", "sierra-system-number", "b1161044x")),
        ("mets/a/b", ("Work", "mets", "a/b")),
        ("sierra-123456", ("Work", "", "sierra-123456")),
        ("calm-uuid-here", ("Work", "", "calm-uuid-here")),
        ("  padded \r\n", ("Work", "", "padded")),
        ("two  spaces", ("Work", "", "two  spaces")),
        ("/leading", ("Work", "", "/leading")),
        ("trailing/", ("Work", "", "trailing/")),
        ("Work[sierra/]", ("Work", "", "Work[sierra/]")),
        ("Person[lc/n1]", ("Concept", "lc", "n1")),
        ("Agent[lc/n1]", ("Concept", "lc", "n1")),
        ("Subject[lc/n1]", ("Subject", "lc", "n1")),
    ],
)
def test_forms_of_a_request_string(text: str, expected: tuple[str, str, str]) -> None:
    assert parse_source_id(text) == SourceId(*expected)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\x7fb", "half\ud800", "x" * 2043, "é" * 1022])
def test_what_cannot_be_an_identifier(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        parse_source_id(text)


def test_the_longest_key_is_2048_bytes() -> None:
    assert len(key_of(parse_source_id("x" * 2040)).encode()) == 2048
    with pytest.raises(InvalidIdentifierError):
        parse_source_id("x" * 2041)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("W", "a#b", "c"), ("W", "a", "b#c")),
        (("W", "a%23b", "c"), ("W", "a#b", "c")),
        (("W", "a%2523", "c"), ("W", "a%23", "c")),
        (("W", "s", "b13026252"), ("W", "s", "B13026252")),
        (("W", "s", "\u00e9"), ("W", "s", "e\u0301")),
        (("Work", "s", "v"), ("Item", "s", "v")),
    ],
)
def test_different_identifiers_have_different_keys(one: tuple, other: tuple) -> None:
    assert key_of(SourceId(*one)) != key_of(SourceId(*other))


@given(COMPONENTS)
def test_a_key_can_be_read_back(source: SourceId) -> None:
    assert source_of_key(key_of(source)) == source


@given(CLEAN)
def test_a_parsed_identifier_is_written_so_that_it_parses_to_itself(text: str) -> None:
    if text.strip():
        source = parse_source_id(text)
        assert parse_source_id(str(source)) == source


@pytest.mark.parametrize("key", ["C#aaaaaaaa", "S#a#b", "S#a#b#c#d", ""])
def test_what_is_not_a_key(key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        source_of_key(key)


@pytest.mark.parametrize("parts", [("Work", "a/b", "c"), ("", "s", "v"), ("Wo rk", "s", "v"), ("Work", "s", "")])
def test_documents_cannot_name_what_a_request_cannot(parts: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidIdentifierError):
        source_id(*parts)
