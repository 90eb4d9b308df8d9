"""Paths that name values of an answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.report.json_paths import Wild, steps_of, values_of
from waybill.subject_access.domain.report.models import Redaction
from waybill.subject_access.domain.report.redaction import redact


# RFC 9535, section 2.3 (segments that name one member or element), and what rules of redaction add to them.
@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("$.a.b", ("a", "b")),
        ("$", ()),
        ("a[].b", ("a", "b")),
        ("[].b", ("b",)),
        ("a[3].b[0]", ("a", 3, "b", 0)),
        ("$[0]", (0,)),
        ("$['odd.name']['it\\'s']", ("odd.name", "it's")),
        ('$["a b"].c', ("a b", "c")),
        ("*.b", (Wild.NAME, "b")),
        ("a.**.b", ("a", Wild.DEPTH, "b")),
        ("$['*']", ("*",)),
        ("$ref", ("$ref",)),
    ],
)
def test_paths(path: str, steps: tuple[Any, ...]) -> None:
    assert steps_of(path) == steps


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "a[b]", "a[-1]", "a]", "a[", "[]a", "$a.", "$['a", "a['b"]
)
def test_what_can_name_nothing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="names joined by dots"):
        steps_of(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_every_value_has_a_path_that_names_it_alone(content: Any) -> None:
    for path, _ in values_of(content):
        result = redact(content, [Redaction(path, "gone")])
        assert result.removed == 1
        before, after = dict(values_of(content)), dict(values_of(result.content))
        assert after == before | {path: "[Redacted: gone]"}
