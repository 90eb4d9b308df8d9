"""Models of what routes take and answer, and of what the OpenAPI document says of it.

A field that is always in the answer is required, one that may be null says so, and one made by `optional` is left out
of the answer where it does not apply.
"""

from typing import Any, Self, cast

from pydantic import ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from waybill.core.frozen_model import FrozenModel


def _is_none(value: object) -> bool:
    return value is None


def optional(description: str, **settings: Any) -> Any:
    """Return the field of a `View` that is left out of the answer while it is None."""
    return Field(default=None, exclude_if=_is_none, description=description, **settings)


class View(FrozenModel):
    """A frozen model whose JSON is camelCase; what it does not name cannot be answered."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,
    )

    @classmethod
    def of(cls, document: object) -> Self:
        """Return the view of `document`, JSON-ready, whose fields have the names of the answer."""
        return cls.model_validate(document)

    def wire(self) -> dict[str, Any]:
        """Return the answer, JSON-ready."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # A serialiser of the whole model leaves fields out: what they are, the fields say.
        described = handler(
            cast("CoreSchema", {name: part for name, part in schema.items() if name != "serialization"})
        )
        own = handler.resolve_ref_schema(described)
        for name, field in cls.model_fields.items():
            if field.exclude_if is not None:
                _leave_out(own, field.serialization_alias or field.alias or name)
        return described


class RequestBody(View):
    """What a route takes: names as outside alone, no field that is not named, no type converted."""

    model_config = ConfigDict(strict=True, populate_by_name=False, validate_by_name=False)


def _leave_out(schema: JsonSchemaValue, name: str) -> None:
    """Describe that the property `name` is not always there, and never null."""
    if name in schema.get("required", []):
        schema["required"].remove(name)
    described = schema["properties"][name]
    described.pop("default", None)
    others = [each for each in described.get("anyOf", []) if each != {"type": "null"}]
    if len(others) == 1:
        del described["anyOf"]
        described.update(others[0])
    elif others:
        described["anyOf"] = others
