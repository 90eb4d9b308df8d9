"""JSON schemas as the OpenAPI document has them: without what Pydantic adds for itself, and with an example."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

type Schema = dict[str, Any]

_REFERENCE = re.compile(r"#/components/schemas/(.+)")
_MAPS_OF_SCHEMAS = ("properties", "patternProperties")
_LISTS_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", "propertyNames")
_NULL: Schema = {"type": "null"}
_BY_FORMAT = {
    "date": "2026-11-02",
    "date-time": "2026-11-02T09:15:00Z",
    "uuid": "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11",
    "uri": "https://example.org/",
}
_BY_TYPE = {"string": "text", "integer": 1, "number": 1.0, "boolean": False}


def rewritten(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Return the schema with `change` made to it and to every schema inside, the innermost first."""
    result = dict(schema)
    for name in _MAPS_OF_SCHEMAS:
        if isinstance(result.get(name), dict):
            result[name] = {key: rewritten(each, change) for key, each in result[name].items()}
    for name in _LISTS_OF_SCHEMAS:
        if isinstance(result.get(name), list):
            result[name] = [rewritten(each, change) for each in result[name]]
    for name in _SCHEMAS:
        if isinstance(result.get(name), dict):
            result[name] = rewritten(result[name], change)
    return change(result)


def reference(schema: Mapping[str, Any]) -> str | None:
    """Return the name of the component that a schema refers to."""
    match = _REFERENCE.fullmatch(str(schema.get("$ref", "")))
    return match[1] if match else None


def without_titles(schema: Schema) -> Schema:
    """Leave out the titles that Pydantic makes of names."""
    return {name: value for name, value in schema.items() if name != "title"}


def without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter, which is either there or not: a URL has no null."""
    others = [each for each in schema.get("anyOf", ()) if each != _NULL]
    if not others:
        return schema
    outside = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    default = schema.get("default")
    kept = {} if default is None else {"default": default}
    return {**others[0], **outside, **kept} if len(others) == 1 else {**outside, "anyOf": others, **kept}


def inlined(components: Mapping[str, Schema]) -> Callable[[Schema], Schema]:
    """Return a change that puts simple components in place: a name for a text or a list tells a client nothing."""

    def change(schema: Schema) -> Schema:
        name = reference(schema)
        if name is None or name not in components or _is_worth_a_name(name, components[name]):
            return schema
        outside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**rewritten(components[name], change), **outside}

    return change


def _is_worth_a_name(name: str, schema: Schema) -> bool:
    return ("properties" in schema or "enum" in schema) and not name.startswith("Body_")


def closed(schema: Schema) -> Schema:
    """Say that an object has no fields but those that it names."""
    if "properties" in schema and "additionalProperties" not in schema:
        return {**schema, "additionalProperties": False}
    return schema


def example(schema: Mapping[str, Any], components: Mapping[str, Schema]) -> Any:
    """Return a value that the schema takes, made of the examples of its parts."""
    for value in _given(schema):
        return value
    name = reference(schema)
    if name is not None:
        return example(components[name], components)
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return example(next(each for each in schema[several] if each != _NULL), components)
    return _by_type(schema, components)


def _given(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from schema.get("examples", ())
    for name in ("example", "const"):
        if name in schema:
            yield schema[name]
    yield from schema.get("enum", ())
    if schema.get("default") is not None:
        yield schema["default"]


def _by_type(schema: Mapping[str, Any], components: Mapping[str, Schema]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        return [example(schema["items"], components)] if schema.get("items") else []
    if kind == "object" or "properties" in schema:
        return {name: example(each, components) for name, each in schema.get("properties", {}).items()}
    if kind == "integer" and "minimum" in schema:
        return max(1, schema["minimum"])
    return _BY_FORMAT.get(str(schema.get("format")), _BY_TYPE.get(str(kind)))
