import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from waybill.core.http import Api, Role, build_api, public
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
    assert document["info"] == {"title": "Waybill", "version": "1.2.3"}
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
    paths = openapi_document([copies(), system()], "1")["paths"]
    assert list(paths["/copies"]["post"]["responses"]) == [
        "202",
        *("400", "401", "403", "404", "409", "413", "415", "429", "500"),
    ]
    assert list(paths["/up"]["get"]["responses"]) == ["200", "429", "500"]


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
