import json
import mmap
import re
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.upstream import json_shape
from waybill.subject_access.domain.upstream.json_shape import MalformedJsonError, members

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
_OBJECTS = st.dictionaries(st.text(), _VALUES)


@given(_OBJECTS, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_members_are_where_python_finds_them(document: dict[str, Any], indent: Any, ascii_only: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    found = members(text)
    assert list(found) == list(document)
    assert {name: json.loads(bytes(value)) for name, value in found.items()} == document


def _without_halves(value: Any) -> Any:
    """Return a JSON value in which U+FFFD stands for each half of a surrogate pair."""
    return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(value, ensure_ascii=False)))


@given(_OBJECTS, st.data())
def test_what_python_cannot_read_is_malformed(document: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(document)
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.sampled_from(["", ",", "]", "}", "{", "[", '"', "\\", ":", "1", "-", " ", "\x00", "t"]))
    broken = text[:at] + put + text[at + data.draw(st.integers(0, 1)) :]
    try:
        readable: Any = _without_halves(json.loads(broken, parse_constant=_refuse))
    except ValueError:
        readable = None
    if not isinstance(readable, dict):
        with pytest.raises(MalformedJsonError):
            members(broken.encode())
        return
    if len(json.loads(broken, object_pairs_hook=list)) > len(readable):
        with pytest.raises(MalformedJsonError, match="twice"):
            members(broken.encode())
        return
    found = members(broken.encode())
    assert {name: json.loads(bytes(value)) for name, value in found.items()} == readable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"content"',
        "{",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{"a":[1,]}',
        '{"a":[,1]}',
        '{"a":[1 2]}',
        '{"a":{"b":1]}',
        '{"a":[1}}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":.5}',
        '{"a":+1}',
        '{"a":--1}',
        '{"a":NaN}',
        '{"a":Infinity}',
        "{\"a\":'b'}",
        '{"a":"\\x"}',
        '{"a":"\\u12"}',
        '{"a":"\n"}',
        '{"a":1}{"b":2}',
        '{"a":1}]',
        '\ufeff{"a":1}',
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '{"a":tru}',
        '{"a":1e99999}',
        '{"a":' + "1" * 401 + "}",
    ],
)
def test_malformed(text: str) -> None:
    with pytest.raises(MalformedJsonError):
        members(text.encode())


def test_depth_has_a_limit_that_pythons_reader_stands() -> None:
    deepest = '{"a":' + "[" * 100 + "]" * 100 + "}"
    assert set(members(deepest.encode())) == {"a"}
    json.loads(deepest)
    for depth in (101, 1_000_000):
        with pytest.raises(MalformedJsonError, match="deeper"):
            members(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    with pytest.raises(MalformedJsonError):
        members(b'{"a":' + b'{"b":' * 1_000_000)


@pytest.mark.parametrize("text", ['"["', '"]"', '"a \\" [ b"', '"[\\\\"', '"x", "]", "[", "[x]"'])
def test_brackets_within_texts_are_no_nesting(text: str) -> None:
    around = "[" * 99 + text + "]" * 99
    assert set(members(f'{{"a": {around}}}'.encode())) == {"a"}
    with pytest.raises(MalformedJsonError, match="deeper"):
        members(f'{{"a": [[{around}]]}}'.encode())


@given(_VALUES, st.integers(1, 5))
def test_chunks_do_not_part_what_is_escaped(value: Any, size: int) -> None:
    text = json.dumps({"a": ["\\" * 20, '\\"[', value]}).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_shape, "_CHUNK_BYTES", size)
        assert set(members(text)) == {"a"}


# RFC 8259, section 8.2: a text may be half of a surrogate pair, which is no Unicode and still JSON. Unicode, section
# 3.9: U+FFFD stands for it. What is whole, or only looks like a half, stays as it is.
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("\\ud83d", "\ufffd"),
        ("\\uDE00", "\ufffd"),
        ("\\ud83d\\ud83d", "\ufffd\ufffd"),
        ("\\ude00\\ud83d", "\ufffd\ufffd"),
        ("\\ud83d\\ud83d\\ude00", "\ufffd😀"),
        ("\\ud83d\\ude00\\ude00", "😀\ufffd"),
        ("\\ud83d \\\\ud83d \\ue83d", "\ufffd \\ud83d \ue83d"),
    ],
)
def test_half_of_a_surrogate_pair_is_text(written: str, text: str) -> None:
    document = f'{{"{written}a": "{written}", "content": ["{written}x"], "\\ud83d\\ude00": "\\ud83d\\ude00"}}'
    found = {name: json.loads(bytes(value)) for name, value in members(document.encode()).items()}
    assert found == {f"{text}a": text, "content": [f"{text}x"], "😀": "😀"}


def test_long_digits_within_a_text_are_no_number() -> None:
    text = json.dumps({"a": ["1" * 500, "case 12e123456", {"b": ": 3e123456"}]})
    assert set(members(text.encode())) == {"a"}


def test_reads_a_file_in_place() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b'{"content": [' + b'{"a": "\xc3\xa9", "b": [1, 2]},' * 50_000 + b'null], "attachments": []}')
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as document:
            found = members(document)
            assert bytes(found["attachments"]) == b"[]"
            del found


def _refuse(_: str) -> Any:
    raise ValueError
