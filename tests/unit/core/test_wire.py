from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from waybill.core.errors import InvalidInputError
from waybill.core.wire import WireModel, field_path, field_problem


class Inner(WireModel):
    file_size: Annotated[int, Field(ge=0)]


class Outer(WireModel):
    source_key: str
    inner_list: tuple[Inner, ...] = ()
    nothing: str | None = None

    @model_validator(mode="after")
    def _not_forbidden(self) -> "Outer":
        if self.source_key == "forbidden":
            raise field_problem("sourceKey", "is forbidden {as such}")
        return self


def problems(payload: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        Outer.parse(payload)
    return [(error.field, error.message) for error in caught.value.errors]


def test_outside_it_is_camel_case() -> None:
    parsed = Outer.parse({"sourceKey": "k", "innerList": [{"fileSize": 3}], "unknown": 1})
    assert parsed == Outer(source_key="k", inner_list=(Inner(file_size=3),))
    assert parsed.wire() == {"sourceKey": "k", "innerList": [{"fileSize": 3}]}


def test_it_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Outer(source_key="k").source_key = "other"


def test_problems_are_named_as_the_sender_named_the_fields() -> None:
    assert problems({"innerList": [{"fileSize": 1}, {"fileSize": -1}, {}]}) == [
        ("sourceKey", "Field required"),
        ("innerList[1].fileSize", "Input should be greater than or equal to 0"),
        ("innerList[2].fileSize", "Field required"),
    ]


def test_a_rule_about_the_whole_names_its_field() -> None:
    assert problems({"sourceKey": "forbidden"}) == [("sourceKey", "is forbidden {as such}")]


@pytest.mark.parametrize("payload", [None, 1, "text", b"{}", [], (), {1}])
def test_only_objects_are_parsed(payload: object) -> None:
    assert problems(payload) == [("input", "must be a JSON object")]


def test_the_message_lists_all_of_them() -> None:
    with pytest.raises(InvalidInputError, match=r"^sourceKey: Field required; innerList: Input should be a valid tup"):
        Outer.parse({"innerList": 3})


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ((), "input"),
        (("a",), "a"),
        (("a", 2), "a[2]"),
        (("a", 2, "b"), "a[2].b"),
        ((0, "a"), "[0].a"),
        ((0, 1), "[0][1]"),
    ],
)
def test_paths(location: tuple[Any, ...], path: str) -> None:
    assert field_path(location) == path


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.integers(0, 10**12)))
def test_what_goes_out_comes_in_again(key: str, sizes: list[int]) -> None:
    model = Outer.model_construct(source_key=key, inner_list=tuple(Inner(file_size=size) for size in sizes))
    if key != "forbidden":
        assert Outer.parse(model.wire()) == model
