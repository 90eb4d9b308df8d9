"""Names and inputs of executions, which decide what counts as the same run."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.executions import NAME_LIMIT, execution_name, stable_json

_TEXT = st.text()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(_TEXT, st.lists(_TEXT))
def test_a_name_is_one_that_step_functions_takes(label: str, identity: list[str]) -> None:
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{32,{NAME_LIMIT}}}", execution_name(label, *identity))


@given(_TEXT, st.lists(_TEXT), st.lists(_TEXT))
def test_names_are_equal_only_for_equal_identities(label: str, one: list[str], other: list[str]) -> None:
    assert (execution_name(label, *one) == execution_name(label, *other)) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (("a",), ("a", "")), (('a","b',), ("a", "b")), (("a", "b"), ("b", "a")), ((), ("",))],
)
def test_parts_do_not_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert execution_name("x", *one) != execution_name("x", *other)


@pytest.mark.parametrize(
    ("label", "begins"),
    [
        ("build-123.zip", "build-123-zip-"),
        ("my file+v1 (é) 100%.zip", "my-file-v1-100-zip-"),
        ("__init__", "__init__-"),
        ("a" * 47 + ".zip", "a" * 47 + "-"),
        ("-a-", "a-"),
    ],
)
def test_the_label_stands_in_front(label: str, begins: str) -> None:
    name = execution_name(label, "identity")
    assert name.startswith(begins)
    assert len(name) == len(begins) + 32


@pytest.mark.parametrize("label", ["", "é", "///", "-"])
def test_a_label_without_usable_characters_is_left_out(label: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", execution_name(label, "identity"))


@given(st.dictionaries(st.text("abcé", max_size=3), _JSON, max_size=5), st.randoms())
def test_equal_inputs_are_equal_bytes(payload: dict[str, object], random: object) -> None:
    names = list(payload)
    random.shuffle(names)  # type: ignore[attr-defined]
    document = stable_json({name: payload[name] for name in names})
    assert document == stable_json(payload)
    assert json.loads(document) == payload
    assert ": " not in stable_json({"a": 1, "b": [2]})
