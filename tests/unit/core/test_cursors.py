import base64
import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from waybill.core.cursors import (
    CURSOR_LIMIT,
    decode_cursor,
    encode_cursor,
    list_cursor,
    list_position,
    open_cursor,
    seal_cursor,
)
from waybill.core.errors import InvalidInputError

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


_POSITIONS = st.dictionaries(_TEXT, _JSON, max_size=4)


@given(_POSITIONS)
def test_a_cursor_brings_back_its_position(position: dict[str, JsonValue]) -> None:
    assert decode_cursor(encode_cursor(position)) == position


@given(_POSITIONS)
def test_a_cursor_needs_no_escaping_in_a_url(position: dict[str, JsonValue]) -> None:
    assert set(encode_cursor(position)) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text() | st.text(string.ascii_letters + string.digits + "-_="))
def test_any_text_is_a_position_or_a_field_error(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        position = decode_cursor(text, "cursor")
        assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("W10", id="a list"),
        pytest.param("bnVsbA", id="null"),
        pytest.param("eyJhIjoxMjN9!!!!", id="foreign characters"),
        pytest.param("e3\n0", id="line break"),
        pytest.param("é", id="not ASCII"),
        pytest.param(encode_cursor({"a": "x" * CURSOR_LIMIT}), id="too long"),
    ],
)
def test_what_is_no_cursor_is_refused_by_its_field(cursor: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decode_cursor(cursor, "next_cursor")
    assert [problem.field for problem in caught.value.errors] == ["next_cursor"]


def test_a_deeply_nested_cursor_is_refused() -> None:
    cursor = base64.urlsafe_b64encode(b'{"a":' + b"[" * 6000).decode()
    with pytest.raises(InvalidInputError):
        decode_cursor(cursor)


@given(_POSITIONS.map(lambda position: {name: value for name, value in position.items() if name != "of"}))
def test_a_cursor_of_a_list_is_that_of_no_other(position: dict[str, JsonValue]) -> None:
    """A cursor that is not of this list is 400 and names it."""
    cursor = list_cursor(position, "files", "a", None)
    assert list_position(cursor, "files", "a", None) == position
    for text, about in (
        (cursor, ("files", "b", None)),
        (cursor, ("files", "a", "")),
        (cursor, ("files", "a")),
        (cursor, ("files", "a", "None")),
        (encode_cursor(position), ("files", "a", None)),
        (encode_cursor({**position, "of": 1}), ("files", "a", None)),
    ):
        with pytest.raises(InvalidInputError) as caught:
            list_position(text, *about, field="next_cursor")
        assert [problem.field for problem in caught.value.errors] == ["next_cursor"]


@given(_POSITIONS)
def test_a_sealed_cursor_holds_for_its_list_and_key_alone(position: dict[str, JsonValue]) -> None:
    cursor = seal_cursor(position, b"key", "list")
    assert open_cursor(cursor, b"key", "list") == position
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_.")
    unsealed, _, seal = cursor.partition(".")
    for text, key, about in (
        (cursor, b"another", "list"),
        (cursor, b"key", "another"),
        (unsealed, b"key", "list"),
        (f"{encode_cursor({**position, 'more': 1})}.{seal}", b"key", "list"),
        (f"{cursor}\u00e9", b"key", "list"),
        ("", b"key", "list"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            open_cursor(text, key, about, "next_cursor")
        assert [problem.field for problem in caught.value.errors] == ["next_cursor"]
