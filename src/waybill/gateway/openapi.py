"""One OpenAPI 3.1 document for the routes of all workflows.

Powertools describes each route from its annotations. Added here: its name for programs, who may call it, how it fails,
and an example of each body.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from waybill.core.api import Api, Operation
from waybill.core.problems import PROBLEM_JSON
from waybill.gateway.domain.schemas import (
    closed,
    example,
    inlined,
    reference,
    rewritten,
    without_null,
    without_titles,
)

type Document = dict[str, Any]

_BEARER = "bearer"
_SCHEMAS = "#/components/schemas/"
_ABOUT = (
    "Keeps account of files on AWS: replication, identifiers, consignment checks, scans for sensitive data and subject "
    "access requests.\n\nEvery body is JSON unless the operation says otherwise. What was not understood is refused "
    "with status 400, and named: unknown fields and parameters, and values of another type. Failures are problem "
    "details (RFC 9457). Pages of another origin can call the API where `ApiAllowedOrigin` names it (CORS)."
)
_ABOUT_TOKENS = (
    "A JSON Web Token of the issuer that the stack trusts (`AuthIssuer`), whose claim `AuthRolesClaim` holds one of "
    "the roles in `x-required-roles`. On the local stack `waybill token` prints one."
)
_PROBLEM_SCHEMA: Document = {
    "description": "Problem details, as in RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Always `about:blank`: the status says what kind of problem it is.",
            "examples": ["about:blank"],
        },
        "title": {"type": "string", "description": "The name of the status.", "examples": ["Bad Request"]},
        "status": {"type": "integer", "description": "The HTTP status.", "examples": [400]},
        "detail": {
            "type": "string",
            "description": "What went wrong, for people.",
            "examples": ["limit: must be a whole number"],
        },
        "instance": {
            "type": "string",
            "format": "uri-reference",
            "description": "The path of the request, with the API's stage where the address has it, without its query.",
            "examples": ["/prod/replications"],
        },
        "code": {
            "type": "string",
            "description": "What went wrong, for programs; stable.",
            "examples": ["INVALID_INPUT"],
        },
        "requestId": {
            "type": "string",
            "description": "Finds the request in the logs.",
            "examples": ["5d1f8b0c-5f0e-4c57-8f0e-0a3f5f8e7c11"],
        },
        "errors": {
            "type": "array",
            "description": "With status 400: what is wrong with which field or parameter; the first 200.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "The path of the field, or the name of the parameter.",
                        "examples": ["limit"],
                    },
                    "message": {
                        "type": "string",
                        "description": "What is wrong with it.",
                        "examples": ["must be a whole number"],
                    },
                },
            },
        },
    },
}
_PROBLEMS = {
    "400": "The request is not as described; `errors` names the fields.",
    "401": "There is no token, or it is expired or bad.",
    "403": "The token's roles do not allow this.",
    "404": "There is no such thing.",
    "413": "The request is too large.",
    "415": "The media type of the request is not the one that this route takes.",
    "429": "Too many requests: try again later.",
    "500": "A fault of the service.",
    "503": "Something that the request needs is not available now: try again.",
}
_OF_EVERY_ROUTE = ("400", "413", "429", "500", "503")
_HEADERS: dict[str, Document] = {
    "401": {"WWW-Authenticate": "How to authenticate; `error` says what is wrong with the token (RFC 6750)."},
    "429": {"Retry-After": "In how many seconds to try again."},
    "503": {"Retry-After": "In how many seconds to try again."},
}
_FRAMEWORKS_DESCRIPTION = "Successful Response"


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
        own_schemas = own.get("components", {}).get("schemas", {})
        tags.append({"name": api.title, "description": api.description})
        own_paths: Document = {}
        for operation, item in _described(api, own.get("paths", {}), own_schemas):
            own_paths.setdefault(operation.path, {})[operation.method.lower()] = item
        for path, item in own_paths.items():
            _merge(paths.setdefault(path, {}), item, f"route {path}")
        _merge(schemas, _reachable(own_paths, _tidied(own_schemas)), "model")
    _close_bodies(paths, schemas)
    _add_examples(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waybill",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Relative to where this document is: the same on every stage, domain and base path.
        "servers": [{"url": ".", "description": "Where this document is."}],
        "tags": tags,
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {f"Problem{status}": _problem(text, status) for status, text in _PROBLEMS.items()},
            "securitySchemes": {
                _BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": _ABOUT_TOKENS,
                }
            },
        },
    }


def _described(api: Api, paths: Document, schemas: Document) -> Iterator[tuple[Operation, Document]]:
    for operation in api.operations():
        item = paths.get(operation.path, {}).get(operation.method.lower())
        if item is not None:
            yield operation, _operation(api, operation, item, schemas)


def _operation(api: Api, operation: Operation, item: Document, schemas: Document) -> Document:
    made = "_" in item["operationId"]  # by Powertools, of the path
    described: Document = {
        **item,
        "operationId": to_camel(operation.route.__name__) if made else item["operationId"],
        "description": " ".join((inspect.getdoc(operation.route) or "").split()),
        "tags": item.get("tags") or [api.title],
        "security": [] if operation.public else [{_BEARER: []}],
        "responses": _responses(operation, item["responses"], schemas),
    }
    if item.get("parameters"):
        described["parameters"] = [_parameter(each, schemas) for each in item["parameters"]]
    if "requestBody" in item:
        described["requestBody"] = _body(item["requestBody"], schemas)
    if not operation.public:
        described["x-required-roles"] = sorted({*operation.roles, "admin"}) if operation.roles else []
    return described


def _parameter(parameter: Document, schemas: Document) -> Document:
    schema = without_null(_schema(parameter["schema"], schemas))
    shown = schema.pop("examples", [])
    schema.pop("description", None)
    name = parameter["name"].title() if parameter["in"] == "header" else parameter["name"]
    given = {"example": shown[0]} if shown else {}
    return {**parameter, "name": name, "schema": schema, **given}


def _body(body: Document, schemas: Document) -> Document:
    content = {
        media_type: {**each, "schema": _schema(each["schema"], schemas)} for media_type, each in body["content"].items()
    }
    for each in content.values():
        each["schema"] = without_null(each["schema"])
        name = reference(each["schema"])
        if name is not None:
            each["schema"] = {"$ref": each["schema"]["$ref"]}
    description = _summary_of(content, schemas) or "A form with a file."
    return {"description": description, **body, "content": content}


def _responses(operation: Operation, own: Document, schemas: Document) -> Document:
    answers = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in _usual_problems(operation)}
    for status, text in operation.failures.items():
        answers[str(status)] = _problem(text, str(status)) if status >= 400 else {"description": text}
    answers |= {status: _answer(each, status, schemas) for status, each in own.items()}
    return dict(sorted(answers.items()))


def _usual_problems(operation: Operation) -> Iterator[str]:
    yield from _OF_EVERY_ROUTE
    if not operation.public:
        yield from ("401", "403")
    if operation.method != "GET":
        yield "415"
    if "{" in operation.path:
        yield "404"


def _answer(answer: Document, status: str, schemas: Document) -> Document:
    if status.startswith("3"):
        return {name: value for name, value in answer.items() if name != "content"}
    content = {
        media_type: {**each, "schema": _schema(each.get("schema", {}), schemas)}
        for media_type, each in answer.get("content", {}).items()
    }
    description = answer["description"]
    if description == _FRAMEWORKS_DESCRIPTION:
        description = _summary_of(content, schemas)
    return {**answer, "description": description, "content": content}


def _summary_of(content: Document, schemas: Document) -> str:
    """Return what the first schema of a body says that it is."""
    for each in content.values():
        schema = each["schema"]
        name = reference(schema)
        if name is not None:
            schema = schemas[name]
        return " ".join(str(schema.get("description", "")).split())
    return ""


def _problem(description: str, status: str) -> Document:
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.get(status, {}).items()
    }
    return {
        "description": description,
        **({"headers": headers} if headers else {}),
        "content": {PROBLEM_JSON: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }


def _schema(schema: Document, schemas: Document) -> Document:
    return rewritten(rewritten(schema, inlined(schemas)), without_titles)


def _tidied(schemas: Document) -> Document:
    described = {name: _schema(schema, schemas) for name, schema in schemas.items()}
    for schema in described.values():
        if "description" in schema:
            schema["description"] = " ".join(schema["description"].split())
    return described


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
        name = reference(node)
        if name is not None:
            yield name
        for value in node.values():
            yield from _referenced(value)
    elif isinstance(node, list):
        for value in node:
            yield from _referenced(value)


def _contents(paths: Mapping[str, Any]) -> Iterator[Document]:
    """Yield what each body is, of requests and answers alike; problems excepted."""
    for path in paths.values():
        for item in path.values():
            for each in (item.get("requestBody", {}), *item["responses"].values()):
                yield from (
                    content for media_type, content in each.get("content", {}).items() if media_type != PROBLEM_JSON
                )


def _close_bodies(paths: Document, schemas: Document) -> None:
    """Say of what is taken that it is refused with other fields (`waybill.core.strictness`)."""
    bodies = [item["requestBody"] for path in paths.values() for item in path.values() if "requestBody" in item]
    for name in _reachable({"bodies": bodies}, schemas):
        schemas[name] = rewritten(schemas[name], closed)


def _add_examples(paths: Document, schemas: Document) -> None:
    for content in _contents(paths):
        schema = content["schema"]
        if "example" not in content and schema.get("format") != "binary":
            content["example"] = example(schema, schemas)
