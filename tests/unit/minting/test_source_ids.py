"""Source identifiers: what a request may write, and the keys they get."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.minting.domain.source_ids import examine, examine_parts, key_of, parse_source_id, source_of_key
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
        ("Work[calm/a/b[2]]", ("Work", "calm", "a/b[2]")),
        ("calm/b[2]", ("Work", "calm", "b[2]")),
        ("50% of a.b #7", ("Work", "", "50% of a.b #7")),
        ("\U0001f4da", ("Work", "", "\U0001f4da")),
        ("b1161044\u0445", ("Work", "", "b1161044\u0445")),
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
    try:
        source = parse_source_id(text)
    except InvalidIdentifierError:
        return
    assert parse_source_id(str(source)) == source


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("b1161044x\u200b", "U+200B"),
        ("\ufeffb1161044x", "U+FEFF"),
        ("b11\ufeff61044x", "U+FEFF"),
        ("soft\u00adhyphen", "U+00AD"),
        ("word\u2060joiner", "U+2060"),
        ("left\u200eto", "U+200E"),
        ("over\u202eride", "U+202E"),
        ("zero\u200dwidth", "U+200D"),
        ("line\u2028separator", "U+2028"),
        ("paragraph\u2029", "U+2029"),
        ("\u2028leading", "U+2028"),
        ("tag\U000e0041", "U+E0041"),
        # RFC 8264, 9.13: nothing is drawn for these either, whatever category they are of.
        ("hangul\u3164filler", "U+3164"),
        ("style\ufe0f", "U+FE0F"),
        ("Work[sierra/b\u034f1]", "U+034F"),
        ("reserved\u2065", "U+2065"),
        ("noncharacter\ufffe", "U+FFFE"),
        ("Work[sierra/b\u200b1]", "U+200B"),
        ("Work[sie\u00adrra/b1]", "U+00AD"),
        ("cafe\u0301", "caf\\u00e9"),
        ("\u212bngstrom", "\\u00c5ngstrom"),
        ("Work[a/b", "closing bracket is missing"),
        ("Work[sierra/b1161044x", "closing bracket is missing"),
        ("Work[sierra/]", "its value is empty"),
        ("Work[/x]", "its system is empty"),
        ("Work[sierra/b1] x", "goes on after its closing bracket"),
        ("Work [sierra/b1]", "its type has white space"),
        ("[sierra/b1]", "its type is empty"),
        ("Wo-rk[sierra/b1]", "its type is not a name"),
        ("Work[sierra]", "no slash"),
        ("Work]sierra/b1[", "without an opening one"),
        ("b1]", "without an opening one"),
        ("Work[ sierra / b1 ]", "its system has white space"),
        ("Work[sierra/b1 ]", "its value has white space"),
        ("Work[s[1]/b1]", "its system contains a bracket"),
        ("sierra / b1", "its system has white space"),
        ("/b1", "its system is empty"),
        ("sierra/", "its value is empty"),
        ("/", "its system is empty"),
    ],
)
def test_what_nobody_means_to_type_is_refused_with_a_reason_of_its_own(text: str, reason: str) -> None:
    # Unicode Standard, 23.2 and 23.8; UTS #39, 3.1; UAX #15.
    with pytest.raises(InvalidIdentifierError) as refused:
        parse_source_id(text)
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            (text, "the heading of a table")
            for text in ("sourceIdentifier", "Source Identifier", "SOURCE_ID", "id", "IDs")
        ),
        *((text, "the heading of a table") for text in ("source-identifier,predecessor", "id; canonicalId")),
        # ECMA-376, part 1, 18.17.3: errors of cells.
        *((text, "in place of a value") for text in ("#REF!", "#N/A", "#DIV/0!", "#name?")),
        *((text, "has rounded") for text in ("1.16104E+07", "2E+12")),
        *(
            (text, '"Work[a/b]"')
            for text in ("work[a/b]", "WORK[a/b]", "Work{a/b}", "Work(a/b)", "Work\uff3ba/b\uff3d")
        ),
        ("person[lc/n1]", '"Person[lc/n1]"'),
    ],
)
def test_what_a_table_or_a_near_form_leaves_behind_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifierError) as refused:
        parse_source_id(text)
    assert reason in str(refused.value)
    assert str(refused.value).isascii()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("b1161044x\u200b", "b1161044x"),
        ("\ufeffcafe\u0301", "caf\\u00e9"),
        ("Work[a/b", "Work[a/b]"),
        ("Work [ sierra / b1 ]", "Work[sierra/b1]"),
        ("sierra / b1", "sierra/b1"),
    ],
)
def test_a_reason_says_what_was_probably_meant(text: str, meant: str) -> None:
    with pytest.raises(InvalidIdentifierError) as refused:
        parse_source_id(text)
    assert str(refused.value).endswith(f'; was "{meant}" meant?')


@pytest.mark.parametrize("text", ["sierra/", "Work[sierra/]", "Work[sierra/b1] x", "Work[/b1]", "#N/A", "[a/b]"])
def test_nothing_is_suggested_that_nobody_can_have_meant(text: str) -> None:
    """A part that is missing cannot be guessed, and a bracket that closes nothing is no part of it."""
    with pytest.raises(InvalidIdentifierError) as refused:
        parse_source_id(text)
    assert "meant?" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["MS(A/12)", "ideas", "Works[a/b]", "b1161044x, id", "E+07", "1.5E07", "#1", "Workshop(a/b)"]
)
def test_what_only_resembles_them_is_an_identifier(text: str) -> None:
    assert parse_source_id(text)


@given(CLEAN)
def test_what_is_suggested_can_be_minted(text: str) -> None:
    try:
        fault = examine(text).fault
    except InvalidIdentifierError:
        return
    if fault and "; was " in fault:
        assert parse_source_id(json.loads(fault.partition("; was ")[2].removesuffix(" meant?")))


@given(st.text(st.characters(categories=("Cf", "Zl", "Zp")), min_size=1, max_size=1), CLEAN, CLEAN)
def test_no_invisible_character_gets_through_anywhere(invisible: str, before: str, after: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        parse_source_id(f"{before}{invisible}{after}")


@given(CLEAN)
def test_what_the_first_edition_took_is_still_found(text: str) -> None:
    try:
        examined = examine(text)
    except InvalidIdentifierError:
        return
    assert source_of_key(key_of(examined.source)) == examined.source


@pytest.mark.parametrize("key", ["C#aaaaaaaa", "S#a#b", "S#a#b#c#d", ""])
def test_what_is_not_a_key(key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        source_of_key(key)


@pytest.mark.parametrize("parts", [("Work", "a/b", "c"), ("", "s", "v"), ("Wo rk", "s", "v"), ("Work", "s", "")])
def test_documents_cannot_name_what_a_request_cannot(parts: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidIdentifierError):
        examine_parts(*parts)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (("Work", "sierra", "b1\u200b"), "the invisible character U+200B"),
        (("Work", "sierra", "e\u0301"), "not in Unicode normal form C"),
        (("Work", "[sierra]", "b1"), "bracket"),
    ],
)
def test_each_fault_of_an_identifier_in_a_document_counts_by_itself(parts: tuple[str, str, str], reason: str) -> None:
    fault = examine_parts(*parts).fault
    assert fault is not None
    assert reason in fault
