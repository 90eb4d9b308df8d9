import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import BaseModel

from waybill.core.api import Api, Role, build_api, fails, public
from waybill.gateway.openapi import openapi_document


class Part(BaseModel):
    number: int


class Whole(BaseModel):
    parts: list[Part]


def copies() -> Api:
    app = build_api("copies", title="Copies", roles=[Role.REPLICATION])

    @app.post("/copies", summary="Start a copy", status_code=202)
    def start(whole: Whole) -> Whole:
        return whole

    @app.get("/copies/<copy_id>", tags=["Own tag"])
    @fails({304: "The client has it already", 409: "It is being written"})
    def show(copy_id: str) -> Part:
        return Part(number=int(copy_id))

    return app


def system() -> Api:
    app = build_api("system", title="System")

    @app.get("/up")
    @public
    def up() -> dict[str, str]:
        return {}

    return app


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_routes_of_all_apis_stand_in_one_document() -> None:
    document = openapi_document([copies(), system()], "1.2.3")
    assert document["info"]["title"] == "Waybill"
    assert document["info"]["version"] == "1.2.3"
    assert set(document["paths"]) == {"/copies", "/copies/{copy_id}", "/up"}
    assert document["paths"]["/copies"]["post"]["tags"] == ["Copies"]
    assert document["paths"]["/copies/{copy_id}"]["get"]["tags"] == ["Own tag"]
    assert json.loads(json.dumps(document)) == document


def test_every_reference_leads_somewhere_and_no_model_is_unused() -> None:
    document = openapi_document([copies(), system()], "1")
    used = set(references(document))
    for reference in used:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    assert set(document["components"]["schemas"]) == {"Part", "Whole", "Problem"}
    assert used >= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_answers_are_the_routes_own_and_the_problems_it_may_end_in() -> None:
    # OpenAPI 3.1.1, 4.8.16: the successful response and any known errors; a status that cannot come is none of them.
    paths = openapi_document([copies(), system()], "1")["paths"]
    assert list(paths["/copies"]["post"]["responses"]) == [
        "202",
        *("400", "401", "403", "413", "415", "429", "500", "503"),
    ]
    shown = paths["/copies/{copy_id}"]["get"]["responses"]
    assert list(shown) == ["200", "304", *("400", "401", "403", "404", "409", "413", "429", "500", "503")]
    assert shown["304"] == {"description": "The client has it already"}
    assert shown["409"]["description"] == "It is being written"
    assert list(shown["409"]["content"]) == ["application/problem+json"]
    assert list(paths["/up"]["get"]["responses"]) == ["200", "400", "413", "429", "500", "503"]


def test_ids_are_the_names_of_the_routes_unless_they_have_one_of_their_own() -> None:
    app = build_api("names", title="Names", roles=[Role.REPLICATION])

    @app.get("/a")
    def list_parts() -> Part:
        """Return a part,
        and say so in two lines."""
        return Part(number=1)

    @app.get("/b", operation_id="showOther")
    def other() -> Part:
        return Part(number=1)

    paths = openapi_document([app], "1")["paths"]
    assert [paths[path]["get"]["operationId"] for path in ("/a", "/b")] == ["listParts", "showOther"]
    assert paths["/a"]["get"]["description"] == "Return a part, and say so in two lines."


def test_parameters_are_never_null_and_bodies_have_no_other_fields() -> None:
    app = build_api("strict", title="Strict", roles=[Role.REPLICATION])

    @app.post("/parts")
    def add(
        part: Part,
        limit: Annotated[int | None, Query(ge=1, description="How many", examples=[3])] = None,
        key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=9)] = None,
    ) -> Whole:
        return Whole(parts=[part])

    document = openapi_document([app], "1")
    limit, key = document["paths"]["/parts"]["post"]["parameters"]
    assert (limit["schema"], limit["example"]) == ({"type": "integer", "minimum": 1}, 3)
    assert (key["name"], key["schema"]) == ("Idempotency-Key", {"type": "string", "maxLength": 9})
    assert document["components"]["schemas"]["Part"]["additionalProperties"] is False
    assert "additionalProperties" not in document["components"]["schemas"]["Whole"]


def test_headers_that_matter_are_described() -> None:
    answers = openapi_document([copies()], "1")["components"]["responses"]
    assert set(answers["Problem401"]["headers"]) == {"WWW-Authenticate"}  # RFC 9110, 11.6.1
    assert set(answers["Problem429"]["headers"]) == {"Retry-After"}  # RFC 6585, 4
    assert set(answers["Problem503"]["headers"]) == {"Retry-After"}  # RFC 9110, 15.6.4


def test_two_apis_may_share_a_model() -> None:
    other = build_api("other", title="Other", roles=[Role.MINTING])

    @other.get("/parts")
    def parts() -> Part:
        return Part(number=1)

    schemas = openapi_document([copies(), other], "1")["components"]["schemas"]
    assert set(schemas) == {"Part", "Whole", "Problem"}


def test_two_models_with_one_name_are_a_mistake() -> None:
    other = build_api("other", title="Other", roles=[Role.MINTING])

    class Part(BaseModel):
        name: str

    @other.get("/parts")
    def parts() -> Part:
        return Part(name="x")

    with pytest.raises(ValueError, match="model Part"):
        openapi_document([copies(), other], "1")


def test_two_apis_with_one_route_are_a_mistake() -> None:
    other = build_api("other", title="Other", roles=[Role.MINTING])

    @other.get("/copies/<copy_id>")
    def show(copy_id: str) -> Part:
        return Part(number=1)

    with pytest.raises(ValueError, match=r"route /copies/\{copy_id\}"):
        openapi_document([copies(), other], "1")
