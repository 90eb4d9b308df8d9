"""What a schema says of a view: OpenAPI 3.1.1, 4.8.24 (https://spec.openapis.org/oas/v3.1.1.html#schema-object)."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from waybill.core.views import View, optional


class Part(View):
    """A part."""

    number: int = Field(description="Its number")
    note: str | None = optional("A note")

    @model_serializer(mode="wrap")
    def _without_zero(self, serialize: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in serialize(self).items() if value != 0}


def test_a_view_with_a_serialiser_of_its_own_still_names_its_fields() -> None:
    schema = Part.model_json_schema(mode="serialization")
    assert set(schema["properties"]) == {"number", "note"}
    assert schema["required"] == ["number"]
    assert Part(number=0, note="x").wire() == {"note": "x"}


def test_an_optional_field_is_left_out_and_never_null() -> None:
    schema = Part.model_json_schema(mode="serialization")
    assert schema["properties"]["note"]["type"] == "string"
    assert Part(number=1).wire() == {"number": 1}
