"""What a client is generated from: OpenAPI 3.1.1, https://spec.openapis.org/oas/v3.1.1.html."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from waybill.core.problems import PROBLEM_JSON
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import API_MODULES

TEMPLATE = Path(__file__).resolve().parents[3] / "template.yaml"

# Names in other people's code: a change is a breaking change.
OPERATIONS: dict[str, list[str]] = {}
for file in sorted(Path(__file__).resolve().parents[1].glob("*/operations.py")):
    OPERATIONS |= import_module(f"tests.functional.{file.parent.name}.operations").OPERATIONS


@pytest.fixture(params=sorted(OPERATIONS))
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def document(module: str) -> dict[str, Any]:
    return _document(module)


@cache
def _document(module: str) -> dict[str, Any]:
    return openapi_document([import_module(module).app], "1")


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def is_told(text: object, name: str = "") -> bool:
    """Whether a description says something, and more than the name in other letters."""
    told = re.sub(r"\W|_", "", str(text or "")).lower()
    return bool(told) and told != re.sub(r"\W|_", "", name).lower()


def schemas(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema below a schema, and itself, with its path."""
    yield path, node
    for name, each in node.get("properties", {}).items():
        yield from schemas(each, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            yield from schemas(node[name], f"{path}.{name}")
    for name in ("anyOf", "oneOf", "allOf"):
        for each in node.get(name, []):
            yield from schemas(each, path)


def bodies(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each body of requests and answers, problems excepted: where it is, its media type, its content."""
    for item in operations(document):
        named = {"request": item.get("requestBody", {}), **item["responses"]}
        for where, each in named.items():
            for media_type, content in each.get("content", {}).items():
                if media_type != PROBLEM_JSON:
                    yield f"{item['operationId']} {where}", media_type, content


def all_schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in document["components"]["schemas"].items():
        yield from schemas(schema, name)
    for where, media_type, content in bodies(document):
        yield from schemas(content["schema"], f"{where} {media_type}")


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_says_what_a_page_of_another_origin_gets() -> None:
    # The Fetch standard, "CORS protocol": without `Access-Control-Allow-Origin` a browser keeps the answer to itself.
    about = openapi_document([], "1")["info"]["description"]
    assert "where `ApiAllowedOrigin` names it (CORS)" in about
    assert "AllowOrigin: !If [SharedWithAnOrigin" in TEMPLATE.read_text("utf-8")


def test_no_workflow_is_left_out() -> None:
    missing = set(API_MODULES) - set(OPERATIONS)
    assert missing == set(), "their operations belong in tests/functional/<workflow>/operations.py"
    assert set(OPERATIONS) <= set(API_MODULES)


def test_every_body_of_a_request_is_described(document: dict[str, Any]) -> None:
    bodies = {item["operationId"]: item["requestBody"] for item in operations(document) if "requestBody" in item}
    assert [name for name, body in bodies.items() if not is_told(body.get("description"), name)] == []


def test_operations_have_stable_ids(module: str, document: dict[str, Any]) -> None:
    # OpenAPI 3.1.1, 4.8.10: unique among all operations, and meant for programs.
    assert sorted(item["operationId"] for item in operations(document)) == OPERATIONS[module]


def test_ids_are_a_verb_and_a_noun(document: dict[str, Any]) -> None:
    wrong = [
        name
        for name in (item["operationId"] for item in operations(document))
        if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)
    ]
    assert wrong == []


def test_every_operation_and_answer_is_described(document: dict[str, Any]) -> None:
    untold = []
    for item in operations(document):
        name = item["operationId"]
        untold += [] if is_told(item["summary"]) and is_told(item["description"], name) else [name]
        untold += [
            f"{name} {status}"
            for status, each in item["responses"].items()
            if "$ref" not in each and (not is_told(each["description"]) or each["description"] == "Successful Response")
        ]
        assert item["tags"]
    untold += [tag["name"] for tag in document["tags"] if not is_told(tag["description"], tag["name"])]
    assert untold == []


def test_every_parameter_is_described_and_bounded(document: dict[str, Any]) -> None:
    untold, unbounded = [], []
    for item in operations(document):
        for parameter in item.get("parameters", []):
            name, schema = f"{item['operationId']} {parameter['name']}", parameter["schema"]
            if not is_told(parameter.get("description"), parameter["name"]):
                untold.append(name)
            limits = {"boolean": set(), "integer": {"minimum"}, "string": {"maxLength", "enum", "pattern", "const"}}
            # A date is ten characters (RFC 3339, full-date).
            wanted = None if schema.get("format") == "date" else limits.get(schema.get("type"))
            if wanted and not wanted & set(schema):
                unbounded.append(name)
    assert (untold, unbounded) == ([], [])


def test_every_field_and_model_is_described(document: dict[str, Any]) -> None:
    # A field that is a component, without a word of its own, is described by it.
    models = document["components"]["schemas"]
    untold = [name for name, schema in models.items() if not is_told(schema.get("description"))]
    untold += [
        f"{path}.{name}"
        for path, schema in all_schemas(document)
        for name, field in schema.get("properties", {}).items()
        if "$ref" not in field and not is_told(field.get("description"), name)
    ]
    assert untold == []


def test_every_answer_names_its_fields(document: dict[str, Any]) -> None:
    unnamed = [
        path
        for path, schema in all_schemas(document)
        if schema == {}
        or (schema.get("type") == "object" and not schema.keys() & {"properties", "additionalProperties"})
    ]
    unnamed += [
        path
        for path, schema in all_schemas(document)
        if schema.get("additionalProperties") is True and "properties" not in schema
    ]
    assert unnamed == []


def is_vague(field: Mapping[str, Any]) -> bool:
    """Whether a text, or a list or a map of texts, says neither what it may be nor how one looks."""
    if field.keys() & {"examples", "enum", "const", "format", "pattern"}:
        return False
    parts = [*field.get("anyOf", ()), *(field[name] for name in ("items", "additionalProperties") if name in field)]
    return field.get("type") == "string" or any(isinstance(part, dict) and is_vague(part) for part in parts)


def test_texts_have_an_example_or_say_what_they_may_be(document: dict[str, Any]) -> None:
    vague = [
        f"{path}.{name}"
        for path, schema in all_schemas(document)
        for name, field in schema.get("properties", {}).items()
        if is_vague(field)
    ]
    assert vague == []


def test_every_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    for where, _, content in bodies(document):
        if content["schema"].get("format") == "binary":
            continue
        schema = {**content["schema"], "components": document["components"]}
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        problems = [f"{each.json_path}: {each.message}" for each in validator.iter_errors(content["example"])]
        assert (where, problems) == (where, [])


@pytest.mark.parametrize("module", API_MODULES)
def test_a_route_takes_the_example_of_its_body(document: dict[str, Any], module: str) -> None:
    """An example that is refused is worse than none; rules between fields refuse too."""
    app = import_module(module).app
    for route in (*app._static_routes, *app._dynamic_routes):
        operation = document["paths"][re.sub(r"<(\w+)>", r"{\1}", route.path)][route.method.lower()]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            TypeAdapter(route.dependant.body_params[0].type_).validate_python(content["example"])


def test_a_key_that_was_used_for_something_else_is_409(document: dict[str, Any]) -> None:
    """Requests that repeat safely say what 409 means."""
    silent = [
        item["operationId"]
        for path in document["paths"].values()
        for item in path.values()
        for parameter in item.get("parameters", ())
        if parameter["name"] == "Idempotency-Key" and "409" not in item["responses"]
    ]
    assert silent == []
