"""Redacted values are gone from the pages and from the file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report.models import Redaction
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
    content = {"phone": 7700900123, "note": "rang 7700900123", "7700900123": ["x7700900123x", 7700900123, 7]}
    result = redact(content, [Redaction("phone", "third party", everywhere=True)])
    assert result.content == {"phone": MARK, "note": f"rang {MARK}", MARK: [f"x{MARK}x", MARK, 7]}
    assert (result.removed, result.left) == (5, 0)


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
