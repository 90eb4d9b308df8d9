"""Shapes that cross a boundary: camelCase outside, snake_case inside."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.frozen_model import FrozenModel


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Return what `error` found, each with the path the sender would recognise (`destinationBuckets[2]`)."""
    return tuple(
        FieldError(field_path(problem["loc"]), said(problem).removeprefix("Value error, "))
        for problem in error.errors(include_url=False)
    )


def said(problem: ErrorDetails) -> str:
    """Return what is wrong, as a sender reads it.

    Of a text that was looked at by a rule of its own before its length, pydantic counts "items".
    """
    bounds: Mapping[str, Any] = problem.get("ctx") or {}
    if bounds.get("field_type") == "Value" and isinstance(problem.get("input"), str):
        if problem["type"] == "too_long":
            return f"String should have at most {bounds['max_length']} characters"
        if problem["type"] == "too_short":
            return f"String should have at least {bounds['min_length']} characters"
    return str(problem["msg"])


def field_problem(field: str, message: str) -> ValidationError:
    """Return what a validator that sees the whole model raises about one `field`, named as the sender names it."""
    problem = PydanticCustomError("value_error", "{message}", {"message": message})
    return ValidationError.from_exception_data("input", [InitErrorDetails(type=problem, loc=(field,), input=None)])


def field_path(location: tuple[int | str, ...]) -> str:
    """Return `location` as one string: names joined by dots, positions in square brackets."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "input"


class WireModel(FrozenModel):
    """A frozen model whose JSON is camelCase; unknown fields are ignored, so that senders may carry their own."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    @classmethod
    def parse(cls, payload: object) -> Self:
        """Return the model that `payload` (decoded JSON) describes.

        Raises
        ------
        InvalidInputError
            It is not an object, or fields are missing or wrong; names each of them.
        """
        if not isinstance(payload, Mapping):
            raise InvalidInputError(FieldError("input", "must be a JSON object"))
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            raise InvalidInputError(*field_errors(error)) from None

    def wire(self) -> dict[str, Any]:
        """Return the model as JSON-ready camelCase, without the fields that are not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
