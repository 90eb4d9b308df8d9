"""One OpenAPI 3.1 document for the routes of all workflows.

Powertools describes each route from its annotations. Added here: who may call it, and how it fails.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from waybill.core.http import Api, Operation
from waybill.core.problems import PROBLEM_JSON

type Document = dict[str, Any]

_BEARER = "bearer"
_SCHEMAS = "#/components/schemas/"
_PROBLEM_SCHEMA: Document = {
    "title": "Problem",
    "description": "Problem details, as in RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "requestId": {"type": "string", "description": "Finds the request in the logs."},
        "errors": {
            "type": "array",
            "description": "With status 400: what is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_PROBLEMS = {
    "400": "The request is not as described; `errors` names the fields.",
    "401": "No valid token.",
    "403": "The token's roles do not allow this.",
    "404": "There is no such thing.",
    "409": "The state of the thing does not allow this.",
    "413": "The request is too large.",
    "415": "The media type of the request is not the one that this route takes.",
    "429": "Too many requests: try again later.",
    "500": "A fault of the service.",
}
_PROBLEMS_OF_PUBLIC_ROUTES = ("429", "500")


def openapi_document(apis: Iterable[Api], version: str) -> Document:
    """Return the document about `apis`.

    Raises
    ------
    ValueError
        Two APIs have the same route, or different models with the same name.
    """
    paths: Document = {}
    schemas: Document = {"Problem": _PROBLEM_SCHEMA}
    tags = []
    for api in apis:
        own = api.get_openapi_schema(title=api.title, version=version).model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        own_paths: Document = {}
        for path, item in _described(api, own.get("paths", {})):
            own_paths.setdefault(path, {}).update(item)  # a path may have several methods
        tags.append({"name": api.title})
        for path, item in own_paths.items():
            _merge(paths.setdefault(path, {}), item, f"route {path}")
        _merge(schemas, _reachable(own_paths, own.get("components", {}).get("schemas", {})), "model")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Waybill", "version": version},
        # Relative to where this document is: the same on every stage, domain and base path.
        "servers": [{"url": "."}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Problem{status}": _response(text) for status, text in _PROBLEMS.items()},
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _described(api: Api, paths: Document) -> Iterator[tuple[str, Document]]:
    for operation in api.operations():
        item = paths.get(operation.path, {}).get(operation.method.lower())
        if item is not None:
            yield operation.path, {operation.method.lower(): {**item, **_additions(api, operation, item)}}


def _additions(api: Api, operation: Operation, item: Document) -> Document:
    problems = [status for status in _PROBLEMS if status != "415" or operation.method != "GET"]
    if operation.public:
        problems = list(_PROBLEMS_OF_PUBLIC_ROUTES)
    answers = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in problems}
    additions: Document = {
        "tags": item.get("tags") or [api.title],
        "security": [] if operation.public else [{_BEARER: []}],
        "responses": dict(sorted({**answers, **item["responses"]}.items())),
    }
    if not operation.public:
        additions["x-required-roles"] = sorted({*operation.roles, "admin"}) if operation.roles else []
    return additions


def _response(description: str) -> Document:
    return {
        "description": description,
        "content": {PROBLEM_JSON: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }


def _merge(target: Document, source: Document, kind: str) -> None:
    for name, value in source.items():
        if target.setdefault(name, value) != value:
            raise ValueError(f"two APIs define the {kind} {name} differently")


def _reachable(paths: Document, schemas: Document) -> Document:
    # Powertools adds schemas of its own errors, which Waybill never sends.
    found: Document = {}
    waiting = list(_referenced(paths))
    while waiting:
        name = waiting.pop()
        if name not in found and name in schemas:
            found[name] = schemas[name]
            waiting.extend(_referenced(schemas[name]))
    return dict(sorted(found.items()))


def _referenced(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and (match := re.fullmatch(rf"{_SCHEMAS}(.+)", reference)):
            yield match[1]
        for value in node.values():
            yield from _referenced(value)
    elif isinstance(node, list):
        for value in node:
            yield from _referenced(value)
