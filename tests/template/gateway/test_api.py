"""The API of the template against the routes of the code."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from scripts.deployment import Deployment
from scripts.template import api_paths, load_template
from tests.template.support.rules import every
from tests.template.support.stack import Stack
from waybill.console.routes import ROUTES as CONSOLE_ROUTES
from waybill.core.problems import PROBLEM_JSON
from waybill.gateway.registry import API_MODULES, apis
from waybill.gateway.settings import AuthSettings

TEMPLATE = load_template()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
API: dict[str, Any] = RESOURCES["Api"]["Properties"]
ANSWERS: dict[str, dict[str, Any]] = API["GatewayResponses"]


class Route(NamedTuple):
    """A path: the package whose function serves it, and whether it needs no token."""

    path: str
    package: str
    public: bool


def declared_routes() -> Iterator[Route]:
    # Each takes all methods: the function answers 405 with those there are, and HEAD as GET (RFC 9110, 9.3.2, 15.5.6).
    for path, function, public in api_paths():
        yield Route(path, ".".join(RESOURCES[function]["Properties"]["Handler"].split(".")[:2]), public)


def offered_routes() -> set[Route]:
    """The API's, and those of the console by their depth: it verifies sessions, and no bearer token."""
    deepest = max(route.path.count("/") + 1 for route in CONSOLE_ROUTES)
    names = [f"/{{{name}}}" for name in "abc"]
    assert deepest == len(names)
    console = {Route("/console" + "".join(names[:depth]), "waybill.console", True) for depth in range(deepest + 1)}
    return console | {
        Route(one.path, module.rpartition(".")[0], one.public)
        for module, api in zip(API_MODULES, apis(), strict=True)
        for one in api.operations()
    }


def test_the_template_declares_the_routes_that_the_code_offers_and_who_serves_them() -> None:
    declared, offered = list(declared_routes()), offered_routes()
    assert set(declared) - offered == set(), "in the template, and in no api.py of gateway/registry.py"
    assert offered - set(declared) == set(), "in an api.py, and not in DefinitionBody of the template's Api"
    assert len(declared) == len(set(declared))


def test_the_api_may_invoke_the_functions_of_its_paths_and_no_others(stack: Stack) -> None:
    """API Gateway developer guide, "Grant API Gateway permission to invoke a Lambda function": for each function."""
    allowed = [
        one["FunctionName"]["Ref"]
        for one in stack.of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "apigateway.amazonaws.com" and "authorizers" not in str(one["SourceArn"])
    ]
    assert sorted(allowed) == sorted({one.function for one in api_paths()})
    body = stack.resources["Api"]["Properties"]["Body"]
    public = {one.path for one in api_paths() if one.public}
    for path, methods in body["paths"].items():
        asked = methods["x-amazon-apigateway-any-method"].get("security")
        assert asked == ([{"NONE": []}] if path in public else [{"TokenAuthoriser": []}]), path


def test_no_route_is_greedy() -> None:
    assert [route for route in declared_routes() if "+" in route.path] == []


def test_every_route_goes_through_the_authoriser_unless_it_says_otherwise() -> None:
    auth = API["Auth"]
    authoriser = auth["Authorizers"][auth["DefaultAuthorizer"]]
    assert authoriser["FunctionArn"] == {"Fn::GetAtt": "AuthoriseFunction.Arn"}
    assert authoriser["Identity"]["Header"] == "Authorization"


def test_the_authoriser_gets_the_variables_of_its_settings() -> None:
    variables = RESOURCES["AuthoriseFunction"]["Properties"]["Environment"]["Variables"]
    assert set(variables) == {name.upper() for name in AuthSettings.model_fields}


def test_access_logs_hold_no_token_no_address_and_no_person() -> None:
    log_format = API["AccessLogSetting"]["Fn::If"][1]["Format"]
    fields = set(json.loads(log_format).values())
    assert all(field.startswith("$context.") for field in fields)
    assert not [field for field in fields if "authorizer" in field or "identity" in field or field == "path"]
    assert all("DataTraceEnabled" not in one or not one["DataTraceEnabled"] for one in API["MethodSettings"])


@every("name", ANSWERS)
def test_api_gateway_itself_answers_with_problem_details(name: str) -> None:
    answer = ANSWERS[name]
    template = answer["ResponseTemplates"]["application/json"]
    document = json.loads(template.replace("$context.error.messageString", '"text"'))
    assert answer["ResponseParameters"]["Headers"]["Content-Type"] == f"'{PROBLEM_JSON}'"
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == "$context.path"
    assert document.get("status") == answer.get("StatusCode")


@every(
    ("name", "status"),
    [
        ("UNAUTHORIZED", 401),
        ("ACCESS_DENIED", 401),
        ("MISSING_AUTHENTICATION_TOKEN", 404),
        ("WAF_FILTERED", 403),
        ("REQUEST_TOO_LARGE", 413),
        ("THROTTLED", 429),
        ("AUTHORIZER_CONFIGURATION_ERROR", 500),
        ("AUTHORIZER_FAILURE", 500),
        ("INTEGRATION_TIMEOUT", 504),
    ],
)
def test_each_answer_has_the_status_of_the_contract(name: str, status: int) -> None:
    """API Gateway developer guide, "Gateway response types"."""
    assert ANSWERS[name]["StatusCode"] == status


@every(("given", "origin"), [({}, None), ({"ApiAllowedOrigin": "https://app.example.org"}, "https://app.example.org")])
def test_pages_of_the_named_origin_alone_may_call_the_api(stack: Stack, given: dict[str, str], origin: str) -> None:
    """Fetch standard, "CORS protocol": without Access-Control-Allow-Origin a browser gives a page nothing."""
    deployment = Deployment(stack.template, **given)
    (api,) = deployment.of_type("AWS::ApiGateway::RestApi").values()
    quoted = f"'{origin}'" if origin else None
    header = "Access-Control-Allow-Origin"
    for path, methods in api["Body"]["paths"].items():
        preflight = methods["options"]
        (answer,) = preflight["x-amazon-apigateway-integration"]["responses"].values()
        assert answer["responseParameters"].get(f"method.response.header.{header}") == quoted, path
        assert not preflight.get("security")  # a preflight has no token
        allowed = answer["responseParameters"]["method.response.header.Access-Control-Allow-Headers"]
        assert {"Authorization", "Content-Type", "Idempotency-Key", "If-Match"} <= set(allowed.strip("'").split(","))
    answers = api["Body"]["x-amazon-apigateway-gateway-responses"].values()
    assert {one["responseParameters"].get(f"gatewayresponse.header.{header}") for one in answers} == {quoted}
    (stage,) = deployment.of_type("AWS::ApiGateway::Stage").values()
    assert stage.get("Variables", {}).get("allowedOrigin") == origin
    # API Gateway, CreateStage: the values of stage variables match [A-Za-z0-9-._~:/?#&=,]+.
    assert origin is None or re.fullmatch(r"[A-Za-z0-9\-._~:/?#&=,]+", origin)
