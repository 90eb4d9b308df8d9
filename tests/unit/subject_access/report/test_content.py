"""Answers without a template, whatever their shape."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report.blocks import Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.content import content_blocks
from waybill.subject_access.domain.report.errors import AnswerUnreadableError
from waybill.subject_access.domain.report.models import Outcome


def blocks(content: Any) -> list[Any]:
    """The blocks, tables with their rows."""
    return [
        Table(list(block.head), [list(row) for row in block.rows]) if isinstance(block, Table) else block
        for block in content_blocks(content)
    ]


def test_values_of_an_object_are_a_summary_list() -> None:
    content = {
        "firstName": "Ann",
        "active": True,
        "old": False,
        "count": 0,
        "none": None,
        "blank": "  ",
        "tags": ["a", "b"],
    }
    assert blocks(content) == [
        Pair("First name", "Ann"),
        Pair("Active", "Yes"),
        Pair("Old", "No"),
        Pair("Count", "0"),
        Pair("None", "No data held"),
        Pair("Blank", "No data held"),
        Pair("Tags", "a\nb"),
    ]


def test_what_an_object_holds_follows_under_headings() -> None:
    assert blocks({"address": {"town": "Leeds", "geo": {"x": 1}}, "name": "Ann"}) == [
        Pair("Name", "Ann"),
        Heading("Address", 2),
        Pair("Town", "Leeds"),
        Heading("Geo", 3),
        Pair("X", "1"),
    ]


def test_objects_with_few_simple_values_are_a_table() -> None:
    assert blocks([{"a": 1, "b": []}, {"b": "x", "c": None}]) == [
        Table(["A", "B", "C"], [["1", "No data held", "No data held"], ["No data held", "x", "No data held"]])
    ]


def test_other_lists_are_one_record_after_the_other() -> None:
    assert blocks({"visits": [{"who": {"n": "Bob"}}, "just text"]}) == [
        Heading("Visits", 2),
        Heading("Visits 1", 3),
        Heading("Who", 4),
        Pair("N", "Bob"),
        Heading("Visits 2", 3),
        Paragraph("just text"),
    ]


def chain(*names: str, end: Any) -> Any:
    """Objects with one name each, one within the other."""
    for name in reversed(names):
        end = {name: end}
    return end


def test_below_the_sixth_level_a_heading_says_where_it_belongs() -> None:
    """ISO 32000-1, table 335 has headings to the sixth level."""
    inner = {"f": {"note": 1, "terms": [{"years": 2, "g": {"h": {"n": 3}}}, {"years": 4, "g": {"n": 5}}]}}
    assert blocks(chain("a", "b", "c", "d", "e", end=inner))[4:] == [
        Heading("E › F", 6),
        Pair("Note", "1"),
        Heading("E › F › Terms", 6),
        Heading("E › F › Terms 1", 6),
        Pair("Years", "2"),
        Heading("E › F › Terms 1 › G › H", 6),
        Pair("N", "3"),
        Heading("E › F › Terms 2", 6),
        Pair("Years", "4"),
        Heading("E › F › Terms 2 › G", 6),
        Pair("N", "5"),
    ]


def test_a_heading_names_the_nearest_of_many_that_it_is_within() -> None:
    content: Any = {"note": "inmost"}
    for level in range(20, 0, -1):
        content = {"note": level, f"level {level}": content}
    assert [block.text for block in blocks(content) if isinstance(block, Heading)][-1] == (
        "level 5 › … › level 17 › level 18 › level 19 › level 20"
    )


@pytest.mark.parametrize("value", [1, None, True, "some"])
def test_a_value_among_objects_has_a_heading_however_deep_it_is(value: Any) -> None:
    """Behind the heading of another item it would seem to be a part of that."""
    found = blocks(chain("a", "b", "c", "d", "e", end=[value, {"x": {"y": 1}}]))
    assert (Heading("E 1", 6), Heading("E 2 › X", 6)) == (found[-4], found[-2])
    assert found[-1] == Pair("Y", "1")


@pytest.mark.parametrize("nest", [lambda inner: [inner], lambda inner: {"child": inner}])
def test_what_holds_one_thing_alone_has_a_line_together(draw: DrawPart, nest: Callable[[Any], Any]) -> None:
    """An answer may be nested a hundred levels deep, of which five have lines of their own."""
    content: Any = ["inmost"]
    for _ in range(97):
        content = nest(content)
    part = draw(content)
    assert (part.summary.pages, "levels)" in part.text, "inmost" in part.text) == (1, True, True)


def test_more_than_six_columns_are_no_table() -> None:
    record = {f"name{number}": number for number in range(7)}
    assert blocks([record])[0] == Heading("Record 1", 2)
    assert len(blocks([record])) == 8


@pytest.mark.parametrize("content", [None, {}, [], "", " \n"])
def test_nothing_held_is_said_so(draw: DrawPart, content: Any) -> None:
    part = draw(content)
    assert "Allocate Keyworkers" in part.text
    assert "No Data Held" in part.text
    assert part.summary.pages == 1


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.NO_DATA, "No Data Held"),
        (Outcome.NOT_SUPPORTED, "Does not hold records under this type of number"),
    ],
)
def test_services_without_data_have_a_page(draw: DrawPart, outcome: Outcome, sentence: str) -> None:
    assert sentence in draw({"not": "shown"}, outcome=outcome).text


@pytest.mark.parametrize("answer", ["{}", '{"content": null}', '{"content": []}', '{"attachments": []}'])
def test_an_answer_without_content_is_no_data(draw: DrawPart, tmp_path: Path, answer: str) -> None:
    file = tmp_path / "answer.json"
    file.write_text(answer, "utf-8")
    assert "No Data Held" in draw(file).text


def test_numbers_of_an_answer_are_printed_as_they_were_sent(draw: DrawPart, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text('{"content": {"price": 1.10, "big": 12345678901234567890123, "zero": 0, "e": 1E5}}', "utf-8")
    text = draw(file).text
    for printed in ("Price 1.10", "Big 12345678901234567890123", "Zero 0", "E 1E5"):
        assert printed in text


@pytest.mark.parametrize("answer", [b"", b"[1]", b"not json", b"\xff\xfe", b"[" * 200_000])
def test_an_answer_that_is_no_json_object_is_refused(draw: DrawPart, tmp_path: Path, answer: bytes) -> None:
    file = tmp_path / "answer.json"
    file.write_bytes(answer)
    with pytest.raises(AnswerUnreadableError, match="keyworker-api"):
        draw(file)


def test_an_answer_nested_deeper_than_python_calls_is_drawn(draw: DrawPart) -> None:
    nested: Any = "the innermost"
    for level in range(3000):
        nested = {"b": nested} if level % 2 else [nested]
    assert "the innermost" in draw(nested).text


def test_a_number_longer_than_python_prints(draw: DrawPart) -> None:
    assert "9" * 50 in draw({"n": int("9" * 4000) ** 2 * 0 + (10**5000 - 1)}).squeezed


def test_the_head_of_a_table_is_repeated_on_every_page(draw: DrawPart) -> None:
    part = draw([{"startDate": f"2024-01-{number % 28 + 1:02}", "wing": number} for number in range(120)])
    assert part.summary.pages > 2
    assert all("Start date" in page for page in part.pages)
    assert [line for page in part.pages for line in page.splitlines() if "January 2024" in line][-1].endswith("119")


@pytest.mark.parametrize("around", [lambda inner: [inner, "a"], lambda inner: [["x"], inner]])
def test_what_lists_in_lists_are_called_is_no_longer_the_deeper_they_are(around: Callable[[Any], Any]) -> None:
    nested: Any = "the innermost"
    for _ in range(3000):
        nested = around(nested)
    headings = [block.text for block in content_blocks(nested) if isinstance(block, Heading)]
    assert len(headings) >= 3000
    assert max(map(len, headings)) <= 80
    assert headings[0] == "Record 1"
