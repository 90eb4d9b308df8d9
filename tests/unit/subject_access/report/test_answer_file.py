"""An answer is read from its file as `json` reads it, whatever it holds and wherever the windows on it end."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report import answer_file
from waybill.subject_access.domain.report.answer_file import Items, read_answer
from waybill.subject_access.domain.report.models import Number, Redaction
from waybill.subject_access.domain.report.wording import is_empty, is_simple

# Halves of surrogate pairs are within the grammar of JSON.
TEXTS = st.text(st.characters(), max_size=12)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6), max_leaves=30
)
RECORD = {"date": "2024-03-05", "author": "Peter QUILL", "text": "Spoke about £ 12.50 with Peter Quill", "count": 7}


@pytest.fixture(autouse=True)
def short_lists_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_file, "_SHORT", 40)
    monkeypatch.setattr(answer_file, "_CHUNK", 7)


def plain(value: Any) -> Any:
    """The same with lists of Python's own."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | Items) else value


@given(JSON, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=60)
def test_any_answer_is_read_as_json_reads_it(content: Any, indent: int | None, escaped: bool) -> None:
    text = json.dumps({"content": content, "attachments": []}, indent=indent, ensure_ascii=escaped)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "answer.json")
        file.write_text(text, "utf-8", errors="surrogatepass")
        found = plain(read_answer(file, Path(name)))
    assert found == json.loads(text, parse_float=Number, parse_int=Number)


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"content": [1, 2', '{"content": [1 2]}', '{"content" 1}', "{1: 2}", "{} {}", '{"a": 1,}', "[1,]"],
)
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"\w"):
        read_answer(tmp_path / "answer.json", tmp_path)


def test_a_long_list_is_a_list_to_whoever_looks_at_it(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps({"content": [*range(10, 60)]}), "utf-8")
    items = read_answer(tmp_path / "answer.json", tmp_path)["content"]
    assert isinstance(items, Items)
    assert (len(items), items[0], items[-1], items[1:3], items[::-1][0]) == (50, "10", "59", ["11", "12"], "59")
    assert not is_empty(items)
    assert not is_simple(items)
    with pytest.raises(IndexError):
        items[50]
    # It would be an empty list to who takes it for a text.
    with pytest.raises(TypeError):
        str(items)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "template": "<h1>Notes</h1>{{#notes}}<p>{{@number}} {{formatDate date}}: {{text}}"
            "{{#if @last}}.{{/if}}</p>{{/notes}}"
        },
        {"template": "<p>{{notes.[2].text}}</p><p>{{lookup notes 3}}</p><p>{{optionalValue notes}}</p>"},
        {"redactions": [Redaction("notes[].author", "third party", everywhere=True)]},
        {"redactions": [Redaction("notes[2].text", "third party")]},
    ],
)
def test_a_part_has_the_same_bytes_however_its_answer_is_read(
    draw: DrawPart, tmp_path: Path, fields: dict[str, Any]
) -> None:
    content = {"notes": [RECORD | {"id": number} for number in range(30)], "more": [[1, 2], {"a": [RECORD] * 4}]}
    (tmp_path / "answer.json").write_text(json.dumps({"content": content}), "utf-8")
    by_file = draw(tmp_path / "answer.json", **fields)
    read = json.loads(json.dumps(content), parse_float=Number, parse_int=Number)
    assert by_file.path.read_bytes() == draw(read, **fields).path.read_bytes()
    assert "12.50" in by_file.text
