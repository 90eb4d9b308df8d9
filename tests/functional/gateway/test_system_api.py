from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from aws_lambda_powertools.event_handler.openapi.models import OpenAPI

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from waybill.gateway.handlers.system_api import lambda_handler
from waybill.gateway.registry import API_MODULES, apis


def get(path: str) -> Answer:
    return answer_of(lambda_handler(request_event("GET", path), LambdaContext()))


def test_the_sample_event_says_that_the_api_is_up(sample_event: Callable[[str], Any]) -> None:
    answer = answer_of(lambda_handler(sample_event("gateway/system_api"), LambdaContext()))
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_an_unknown_route_is_404() -> None:
    assert get("/nowhere").status == 404


def test_the_document_is_openapi_and_describes_every_route_of_every_workflow() -> None:
    answer = get("/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    offered = {(one.method, one.path) for api in apis() for one in api.operations()}
    assert described == offered
    assert ("GET", "/health") in described


def test_every_operation_has_an_id_of_its_own() -> None:
    document = get("/openapi.json").json
    ids = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(ids) == len(set(ids))


def test_the_document_says_who_may_call_what_and_how_it_fails() -> None:
    document = get("/openapi.json").json
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for api in apis():
        for one in api.operations():
            item = document["paths"][one.path][one.method.lower()]
            assert item["security"] == ([] if one.public else [{"bearer": []}])
            assert ("401" in item["responses"]) is not one.public
            # Powertools answers so for what is a 400 here; the one that is ours is about an upload.
            assert ("422" in item["responses"]) == (item["operationId"] == "completeRequest")
            assert item.get("x-required-roles", []) == (sorted({*one.roles, "admin"}) if one.roles else [])


def test_no_route_of_any_workflow_is_left_without_a_role() -> None:
    forgotten = [one for api in apis() for one in api.operations() if not one.roles and not one.public]
    assert forgotten == []


def test_only_these_routes_need_no_token() -> None:
    public = {(one.method, one.path) for api in apis() for one in api.operations() if one.public}
    assert public == {("GET", "/health"), ("GET", "/openapi.json"), ("GET", "/id/{canonicalId}")}


@pytest.mark.parametrize("module", API_MODULES)
def test_every_registered_module_has_an_api(module: str) -> None:
    assert list(import_module(module).app.operations())
