"""Redacted values are gone from the pages and from the file."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report import matching
from waybill.subject_access.domain.report.models import Attachment, Redaction
from waybill.subject_access.domain.report.redaction import redact

SECRET = "QQ123456C-unmistakable"
MARK = "[Redacted: third party]"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a", {"a": SECRET, "b": 1}, {"a": MARK, "b": 1}),
        ("a.b", {"a": {"b": SECRET, "c": 1}, "b": 2}, {"a": {"b": MARK, "c": 1}, "b": 2}),
        ("list[].b", {"list": [{"b": 1}, {"c": 2}]}, {"list": [{"b": MARK}, {"c": 2}]}),
        ("list.b", {"list": [[{"b": 1}], {"b": 2}]}, {"list": [[{"b": MARK}], {"b": MARK}]}),
        ("[].b", [{"b": 1}], [{"b": MARK}]),
        ("a", {"a": {"whole": ["branch"]}}, {"a": MARK}),
        ("*.b", {"x": {"b": 1}, "y": {"b": 2, "c": 3}, "b": 4}, {"x": {"b": MARK}, "y": {"b": MARK, "c": 3}, "b": 4}),
        ("**.b", {"b": 1, "x": [{"y": {"b": 2}}]}, {"b": MARK, "x": [{"y": {"b": MARK}}]}),
        ("a.**.b", {"b": 1, "a": {"b": 2, "c": {"b": 3}}}, {"b": 1, "a": {"b": MARK, "c": {"b": MARK}}}),
        ("nothing", {"a": 1}, {"a": 1}),
        ("a", ["a", None, 3], ["a", None, 3]),
    ],
)
def test_paths(path: str, content: Any, expected: Any) -> None:
    before = repr(content)
    assert redact(content, [Redaction(path, "third party")]).content == expected
    assert repr(content) == before


def test_what_is_left_elsewhere_is_counted_and_not_touched() -> None:
    content = {"phone": "07700 900123", "note": "rang 07700 900123 twice, 07700 900123", "n": 5}
    result = redact(content, [Redaction("phone", "third party")])
    assert result.content == {**content, "phone": MARK}
    assert (result.removed, result.left) == (1, 2)


def test_everywhere_takes_the_text_out_of_all_values_and_names() -> None:
    content = {"phone": 7700900123, "note": "rang 7700900123", "7700900123": ["(7700900123)", 7700900123, 7]}
    result = redact(content, [Redaction("phone", "third party", everywhere=True)])
    assert result.content == {"phone": MARK, "note": f"rang {MARK}", MARK: [f"({MARK})", MARK, 7]}
    assert (result.removed, result.left) == (5, 0)


def everywhere(value: Any, text: str, **rule: Any) -> str:
    """`text` where `value` is taken out everywhere; a bar for each place."""
    result = redact({"v": value, "text": text}, [Redaction("v", "x", everywhere=True, **rule)])
    found: str = result.content["text"].replace("[Redacted: x]", "|")
    return found


# ICO, "Right of access" (information about other people) and "How to disclose information safely": what goes is the
# person, in whatever way it is written; whole words only (Unicode Standard Annex 29).
@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("John JONES",
         "JONES, John hit Mr Jones. JOHN JONES signed. John  JONES left. J. Jones.",
         "| hit |. | signed. | left. |."),
        ("John JONES", "J Jones, Jones J, jones, JONES,John and Mrs. Jones", "|, |, |, | and |"),
        ("JONES, John", "John\u00a0Jones; John\nJones; John P Jones; John P. Jones", "|; |; |; |"),
        ("John Paul JONES", "John Jones, J P Jones, Jones John Paul, Paul Jones", "|, |, |, |"),
        ("John Jones",
         "Jones's dog, Jones\u2019 hat, John Johnson, Jonestown",
         "|'s dog, |\u2019 hat, John Johnson, Jonestown"),
        ("Mr J. Jones", "Jones was", "| was"),
        ("Ali", "Alibi, Ali, ali's, Annual", "Alibi, |, |'s, Annual"),
        ("Ann", "Annual Ann", "Annual |"),
        ("Jos\u00e9 O\u2019Brien-N\u00fa\u00f1ez",
         "jose o'brien nunez; Jose\u0301 O\u02bcBrien\u2011Nu\u0301n\u0303ez; OBrien-Nunez",
         "|; |; |"),
        ("Anna van der Berg", "VAN DER BERG, Anna; A. van der Berg; van der Berg", "|; |; |"),
        ("\u0141ukasz \u017b\u00f3\u0142\u0107", "Lukasz Zolc; \u017b\u00d3\u0141\u0106, \u0141ukasz", "|; |"),
        ("Stra\u00dfer", "STRASSER", "|"),
        ("Siobh\u00e1n O'Neill", "O\u2019Neill, Siobhan; SIOBHAN O NEILL; S. O`Neill", "|; |; |"),
        ("Mary-Jane Watson", "M-J Watson, M.J. Watson, MJ Watson, Watson MJ, Mary Jane WATSON", "|, |, |, |, |"),
        ("John JONES", "J.P. Jones; Jones J.P.; Jones/John; jones_john; Al Jones", "|; |; |; |; Al |"),
        ("Nguy\u1ec5n V\u0103n An", "An Nguyen Van; NGUYEN Van An", "|; |"),
        ("Dr. Sarah O'Connor MBE", "Sarah O'Connor, Ms O'Connor", "|, |"),
        ("John Smith (Jr)", "John Smith", "|"),
        ("A9876ZZ", "a9876zz, A9876 ZZ, A-9876-ZZ, A9876ZZZ, XA9876ZZ", "|, |, |, A9876ZZZ, XA9876ZZ"),
        ("QQ 12 34 56 C", "qq123456c, QQ_12_34_56_C", "|, |"),
        ("+44 7700 900123", "7700900123, 07700 900123", "|, |"),
        ("2 January 1990", "2 Jan 90, 19900102, 2-Jan-1990", "|, |, |"),
        ("12 High Street, Leeds", "12 high street leeds; 12 High Street Leeming", "|; 12 High Street Leeming"),
        ("07700 900123",
         "+44 7700 900123, 0044 7700-900-123, (07700) 900123, 07700900123, 207700900123",
         "|, |, |, |, 207700900123"),
        ("1990-01-02",
         "02/01/1990, 2 January 1990, 2nd of Jan. 1990, January 2, 1990, 2.1.90, 20/01/1990",
         "|, |, |, |, |, 20/01/1990"),
        ("02/01/1990", "1990-01-02, 1990-01-20", "|, 1990-01-20"),
        ("at the old mill", "At  the OLD mill, at the old millstone", "|, at the old millstone"),
        ("\u674e\u5c0f\u9f99", "\u674e\u5c0f\u9f99", "|"),
        ("Bob (Robert) [x] .* a+b", "bob (robert) [x] .* a+b", "|"),
        # Particles before a surname are often left out, and may be joined to it.
        ("van den Berg, Pieter", "P. Berg, Mr Berg, Berg's, Pieter v\u00e1n den Berg, bergamot, Berger",
         "|, |, |'s, |, bergamot, Berger"),
        ("al-Rashid, Omar", "Omar al Rashid, O. Rashid, Al-Rashid", "|, |, |"),
        ("A. St John-Smythe", "A St. John Smythe; St. John-Smythe", "|; |"),
        # One of two letters says too little alone.
        ("Nguy\u1ec5n V\u0103n \u00c2n", "Mr An, an apple", "|, an apple"),
        # What a person is to somebody, and several people in one value.
        ("Jane DOE (sister)", "Jane Doe and Ms Doe", "| and |"),
        ("John SMITH and Mary Brown", "Smith, J.; Mary Brown; Mr Brown", "|; |; |"),
        ("BELL, Ann; COLE, Bob / Dee Dunn", "Ann Bell, Bob Cole, D Dunn", "|, |, |"),
        # UAX 29, 4.1: every sign of a script that is written without spaces begins a word.
        ("\u674e\u5c0f\u9f99", "\u89c1\u674e\u5c0f\u9f99\u5148\u751f\u3002Mr\u674e\u5c0f\u9f99",
         "\u89c1|\u5148\u751f\u3002Mr|"),
        ("\u674e\u660e", "\u674e\u660e\u3001\u674e", "|\u3001\u674e"),
        ("\u0e2a\u0e21\u0e0a\u0e32\u0e22 \u0e43\u0e08\u0e14\u0e35",
         "\u0e04\u0e38\u0e13\u0e2a\u0e21\u0e0a\u0e32\u0e22 \u0e43\u0e08\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
         "\u0e04\u0e38\u0e13|\u0e04\u0e23\u0e31\u0e1a"),
        # Lines end within words, and names of fields and of users are names in one word.
        ("Geoff Fielding", "Geoff Fiel-\nding, GEOFF\nFIELD\u00ad\nING, Fiel-\r\n  ding's; fiel- ding",
         "|, |, |'s; fiel- ding"),
        ("Ann Smith-Jones", "Smith-\nJones; Smith-Jones", "|; |"),
        ("well-known old mill", "a well-\nknown old mill", "a |"),
        ("Peter Quill", "quillPeter, PeterQuill, peter_quill, Tranquill, quillpeters",
         "|, |, |, Tranquill, quillpeters"),
        ("2 September 1990", "2 Sept 1990, 2nd Sept. 1990", "|, |"),
        # Chinese, Japanese and Korean names are written with and without a space; Korean adds to them what they are
        # in the sentence.
        ("\u674e\u5c0f\u9f8d", "\u674e \u5c0f\u9f8d, \u674e\u00b7\u5c0f\u9f8d", "|, |"),
        ("\u674e \u5c0f\u9f8d", "\u674e\u5c0f\u9f8d, \u5c0f\u9f8d", "|, |"),
        ("\ud64d\uae38\ub3d9", "\ud64d\uae38\ub3d9\uc740 \ud64d \uae38\ub3d9\uc774", "|\uc740 |\uc774"),
        ("\uc774\uc218", "\uc774\uc21c \uc774\uc218\ub97c", "\uc774\uc21c |\ub97c"),
        # What is written onto letters is a part of them (UAX 29, rule WB4), in names as well.
        ("प्रियंका शर्मा", "शर्मा, प्रियंका; श्री शर्मा; शर्मा प्रियंका; शर्मावाला", "|; श्री |; |; शर्मावाला"),
        ("স্বপন রহমান", "রহমান স্বপন; রহমান", "|; |"),
        ("ਹਰਪ੍ਰੀਤ ਸਿੰਘ", "ਸਿੰਘ ਹਰਪ੍ਰੀਤ; ਸਿੰਘ", "|; |"),
        ("Jane Doe née Smith", "Jane Doe, Ms Smith", "|, |"),
        ("1990-01-02", "02011990, 01021990", "|, 01021990"),
    ],
)  # fmt: skip
def test_everywhere_means_the_person_and_not_the_text(value: str, text: str, expected: str) -> None:
    assert everywhere(value, text) == expected


def test_a_rule_may_say_what_a_value_is() -> None:
    assert everywhere("Rose", "a rose, Mrs Rose", kind="text") == "a |, Mrs |"
    assert everywhere("John Jones", "John came with Jones", given_name=True) == "| came with |"
    assert everywhere("may be", "May Be, may, be", kind="text") == "|, may, be"


def test_a_rule_on_an_object_is_about_one_person() -> None:
    content = {"victim": {"firstName": "John", "lastName": "Jones", "prisonerNumber": "A9876ZZ"}, "note": ""}
    for text, expected in (("JONES, John (a9876zz)", f"{MARK} ({MARK})"), ("John alone", "John alone")):
        result = redact({**content, "note": text}, [Redaction("victim", "third party", everywhere=True)])
        assert result.content["note"] == expected


def test_what_is_nearly_the_value_is_listed_and_not_taken_out() -> None:
    content = {"v": "John Hartley", "notes": ["Hartly said", "John said", "john.hartley1@x.example wrote", "nothing"]}
    result = redact(content, [Redaction("v", "x", everywhere=True)])
    assert [(one.place, one.kind) for one in result.near] == [
        ("notes[0]", "one letter differs"),
        ("notes[1]", "given name alone"),
        ("notes[2]", "within an e-mail address"),
    ]
    assert result.near_count == 3
    halves = redact({"v": "Smith-Jones, Ann", "t": "Mrs Smith"}, [Redaction("v", "x", everywhere=True)])
    assert [one.kind for one in halves.near] == ["part of the surname"]
    assert "Hart" not in repr(result.near)
    users = {"v": "Peter Jay Quill", "t": ["PQUILL_GEN", "pjquill2", "QUILLP", "kquill"]}
    found = redact(users, [Redaction("v", "x", everywhere=True)])
    assert [(one.place, one.kind) for one in found.near] == [
        ("t[0]", "like the name of a user"),
        ("t[1]", "like the name of a user"),
        ("t[2]", "like the name of a user"),
        ("t[3]", "one letter differs"),
    ]
    numbers = redact(
        {"v": "A9876-ZZ", "n": ["A9876ZY", "A9876Z", "B1876ZZ", "a9876 zz"]}, [Redaction("v", "x", everywhere=True)]
    )
    assert [(one.place, one.kind) for one in numbers.near] == [
        ("n[0]", "one letter differs"),
        ("n[1]", "one letter differs"),
    ]


@pytest.mark.parametrize(
    ("value", "near", "far"),
    [
        ("07700 900123", ["07700 900124", "+44 7700 900 132", "0770 900123"], ["07700 900999", "tel 900124"]),
        ("LS1 4AP", ["LS1 4AQ", "ls1-4aq"], ["LS2 5AQ"]),
        ("QQ 12 34 56 C", ["QQ 12 34 56 D", "QQ 12 34 65 C"], ["12 34 56"]),
        ("A9876ZZ", ["A 9876 ZY"], ["A 9875 ZY"]),
    ],
)
def test_what_is_nearly_a_number_is_listed_however_it_is_separated(value: str, near: list[str], far: list[str]) -> None:
    result = redact({"v": value, "n": [*near, *far]}, [Redaction("v", "x", everywhere=True)])
    assert [(one.place, one.kind) for one in result.near] == [
        (f"n[{index}]", "one letter differs") for index in range(len(near))
    ]
    assert result.content["n"] == [*near, *far]


# CWE-1333: what somebody writes decides how long nothing is searched.
@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "90 01 23 " * 20_000, "ann-" * 50_000, "ann-" * 50_000 + "@", "a@" * 20_000, "a. " * 50_000]
)
def test_a_long_text_is_gone_through_once(text: str) -> None:
    started = time.process_time()
    assert everywhere("Peter O'Hara", text) == text
    assert everywhere("07700 900123", text) == text
    assert time.process_time() - started < 2


@pytest.mark.parametrize(("value", "text"), [("John Jones", "Jones "), ("07700 900123", "07700 900123 ")])
def test_a_text_that_has_a_value_often_is_gone_through_once(value: str, text: str) -> None:
    started = time.process_time()
    assert everywhere(value, text * 30_000) == "| " * 30_000
    assert time.process_time() - started < 5


def test_a_value_that_is_too_short_is_said_to_be_left() -> None:
    result = redact({"v": "Al", "note": "Al said"}, [Redaction("v", "x", everywhere=True)])
    assert (result.content["note"], [one.kind for one in result.near]) == ("Al said", ["too short to be looked for"])


def test_names_that_become_the_same_lose_nothing() -> None:
    content = {"v": "John Jones", "by": {"John Jones": 1, "JONES John": 2}}
    swept = redact(content, [Redaction("v", "third party", everywhere=True)]).content["by"]
    assert swept == {MARK: 1, f"{MARK} (2)": 2}


def test_a_person_is_in_no_channel_of_the_file(draw: DrawPart) -> None:
    content = {"victim": {"name": "John JONES"}, "note": "Mr Jones came", "jones list": 1}
    attachment = Attachment(1, "Statement of John JONES", "jones_john.txt", "text/plain", None, "it is too large")
    rule = Redaction("victim.name", "third party", everywhere=True)
    part = draw(content, redactions=[rule], attachments=[attachment])
    assert "jones" not in part.text.casefold()
    assert "jones" not in part.squeezed.casefold()
    assert b"jones" not in part.raw.lower()
    assert "jones" not in repr(part.summary).casefold()
    assert any("[Redacted: third party]" in one.title for one in part.summary.bookmarks)


@given(st.text(max_size=60), st.text(min_size=3, max_size=20))
def test_any_value_is_looked_for_in_any_text(text: str, value: str) -> None:
    result = redact({"v": value, "text": text}, [Redaction("v", "x", everywhere=True)])
    assert result.content["v"] == "[Redacted: x]"
    if not result.texts or result.removed == 1:
        assert result.content["text"] == text


SMALL = {"note": "JONES, John hit Mr Jones. j. jones", "b": "Abuse of John"}


def test_a_name_in_small_letters_is_one_where_its_field_says_so() -> None:
    """UK GDPR Article 15(4): it is about the person, whatever the form of the name; fields say whose."""
    rule = Redaction("victim.name", "x", everywhere=True)
    result = redact({"victim": {"name": "john jones"}, **SMALL}, [rule])
    assert result.content == {
        "victim": {"name": "[Redacted: x]"},
        "note": "[Redacted: x] hit [Redacted: x]. [Redacted: x]",
        "b": "Abuse of John",
    }


@pytest.mark.parametrize(
    ("value", "path", "text", "left"),
    [
        ({"name": "jones"}, "a.name", "Mr Jones", "[Redacted: x]"),
        ({"author": "john smith and mary brown"}, "a.author", "BROWN, Mary; J. Smith", "[Redacted: x]; [Redacted: x]"),
        (
            {"firstName": "wei", "lastName": "lin"},
            "a",
            "Wei LIN; Mr Lin; a line",
            "[Redacted: x]; [Redacted: x]; a line",
        ),
        # What is no name by its field stays what it is: words, as they stand.
        ({"offence": "theft and arson"}, "a.offence", "Mr Theft; ARSON", "Mr Theft; ARSON"),
    ],
)
def test_fields_of_people_hold_people(value: dict[str, str], path: str, text: str, left: str) -> None:
    """UK GDPR Article 15(4): given name and surname of one object are one person."""
    assert redact({"a": value, "note": text}, [Redaction(path, "x", everywhere=True)]).content["note"] == left


def test_words_in_small_letters_are_near_misses_where_they_are_written_as_names() -> None:
    """ICO, "How to disclose information safely": what no program can tell is for a person to look at."""
    result = redact(SMALL, [Redaction("", "x", everywhere=True, texts=("john jones",))])
    assert result.content == SMALL
    assert [(one.place, one.kind) for one in result.near] == [
        *[("note", "a word of it, as a name is written")] * 3,
        ("b", "a word of it, as a name is written"),
    ]
    # Where somebody says that it is no name, it is none.
    assert redact(SMALL, [Redaction("", "x", True, "text", texts=("john jones",))]).near_count == 0
    assert redact(
        {"a": "The Abuse was domestic abuse"}, [Redaction("", "x", True, texts=("domestic abuse",))]
    ).content == {"a": "The Abuse was [Redacted: x]"}


def test_short_texts_are_not_looked_for_elsewhere() -> None:
    result = redact({"a": "is", "b": "this is it"}, [Redaction("a", "x", everywhere=True)])
    assert result.content["b"] == "this is it"


def test_a_redacted_value_is_in_no_page_and_nowhere_in_the_file(draw: DrawPart) -> None:
    content = {"contacts": [{"name": "Ann", "nino": SECRET}, {"name": "Bob", "nino": None}], "note": f"it is {SECRET}."}
    plain = draw(content)
    assert SECRET in plain.text
    assert SECRET.encode() in plain.raw
    rules = [Redaction("contacts[].nino", "third party", everywhere=True)]
    part = draw(content, redactions=rules)
    assert SECRET not in part.squeezed
    assert SECRET.encode() not in part.raw
    assert f"it is {MARK}." in part.text
    assert "Ann" in part.text
    assert part.summary.redacted == 3


def test_a_template_does_not_get_a_redacted_value(draw: DrawPart) -> None:
    part = draw({"nino": SECRET}, template="<p>{{nino}} {{{nino}}}</p>", redactions=[Redaction("nino", "third party")])
    assert part.text.count(MARK) == 2
    assert SECRET.encode() not in part.raw


NAMES = st.sampled_from("abc")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)


@given(
    JSON, st.lists(st.sampled_from(["a", "b", "*", "**", "c[]"]), min_size=1, max_size=4).map(".".join), st.booleans()
)
def test_any_rule_on_any_content_leaves_its_shape(content: Any, path: str, everywhere: bool) -> None:
    result = redact(content, [Redaction(path, "r", everywhere)])
    assert (result.content == content) == (result.removed == 0)
    assert redact(result.content, []).content is result.content


VALUES = ["John JONES", "van den Berg, Pieter Jan", "A9876ZZ", "1990-01-02", "07700 900123", "S. O'Connor-Reilly",
          "Nguy\u1ec5n V\u0103n \u00c2n", "12 High Street, Leeds", "\u674e\u660e", "2 May 2001"]  # fmt: skip
PIECES = ["John", "J.", "JONES", "jones,", "van", "den", "Berg", "P", "Pieter", "A9876", "zz", "A-9876-ZZ", "1990",
          "2", "January", "02/01/1990", "07700", "+44", "7700900123", "900-123", "O\u2019Connor", "Reilly", "O'", "Mr",
          "An", "Nguyen", "12", "High", "street", "leeds", "\u89c1\u674e\u660e", "May", "01", "\u00e9"]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", ", ", "-", "\n", "", "\u00a0 ", "."]))))
def test_what_is_looked_for_first_misses_no_form(pieces: list[tuple[str, str]]) -> None:
    """A text is gone through for the values of which it has an anchor alone: all others have no form in it."""
    text = "".join(word + between for word, between in pieces)
    normal = matching.normal(text).text
    for value in VALUES:
        kind = matching.kind_of(value)
        if re.search("|".join(matching.patterns(value, kind)), normal):
            squashed = matching.squashed(normal)
            assert any(anchor in squashed for anchor in matching.anchors(value, kind, given_name=False))


PEOPLE = st.lists(
    st.sampled_from(["John", "van", "de", "O", "al", "X", "\u674e", "Ann-Marie", "Berg", "O'Neil", "J.", "St",
                     "M\u00fc"]),
    min_size=1, max_size=4,
).map(" ".join)  # fmt: skip


@given(
    st.lists(st.one_of(PEOPLE, st.sampled_from(VALUES)), min_size=1, max_size=4),
    st.lists(
        st.tuples(
            st.sampled_from([*PIECES, "de", "O", "al", "X", "\u674e", "Ann", "Marie", "Neil", "St", "M\u00fc"]),
            st.sampled_from([" ", ", ", "-", "\n", "", "\u00a0 ", ".", "'"]),
        )
    ),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=30)  # each makes its patterns twice
def test_a_sweep_takes_out_what_it_would_without_looking_first(
    values: list[str], pieces: list[tuple[str, str]], given_name: bool, everywhere: bool
) -> None:
    """The plain method is each pattern on each text; what is looked for first may save time alone."""
    content = {"text": "".join(word + between for word, between in pieces), **dict(enumerate(values))}
    rules = [Redaction(str(each), "r", everywhere, "name", given_name) for each in range(len(values))]
    swept = redact({str(name): one for name, one in content.items()}, rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "anchors", lambda *_, **__: [""])
        plain = redact({str(name): one for name, one in content.items()}, rules)
    assert swept == plain


@pytest.mark.parametrize("name", ["Piet van X", "al O", "Anna de \u674e"])
def test_a_surname_of_one_letter_behind_particles_is_taken_out(name: str) -> None:
    found = redact({"name": name, "text": f"Seen by {name} today"}, [Redaction("name", "r", everywhere=True)])
    assert found.content == {"name": "[Redacted: r]", "text": "Seen by [Redacted: r] today"}


@given(st.text(alphabet="aB \t\n\u00a0\u0301\u00ad\u00df\ufb01\u0130\u674e'\u2019\u1100\uac00\x1c`"))
def test_a_match_leads_back_to_its_place(text: str) -> None:
    """Each sign of the normalised text is from the place that it says, and places never go back."""
    normal = matching.normal(text)
    spans = [normal.span(found) for found in re.finditer(".", normal.text)]
    for (begin, end), sign in zip(spans, normal.text, strict=True):
        assert 0 <= begin <= end <= len(text)
        assert sign in matching.normal(f"x{text[begin : begin + 1]}x").text[1:-1] or sign == " "
    assert spans == sorted(spans)
