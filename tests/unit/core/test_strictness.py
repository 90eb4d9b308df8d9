"""What was not understood is not taken. Rules: field notes on the API, 2, 3 and 8, and their table "Strictness"."""

import json
from typing import Annotated, Any, Literal

import pytest
from aws_lambda_powertools.event_handler.openapi.params import File, Query
from pydantic import BaseModel, Field

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from waybill.core.http import Api, Role, build_api, public
from waybill.core.wire import WireModel


class Part(WireModel):
    part_number: int
    check_sum: str | None = None


class Order(WireModel):
    name: str
    total_parts: int = 0
    urgent: bool = False
    parts: list[Part] = Field(default_factory=list)


class Snake(BaseModel):
    job_id: str


@pytest.fixture(scope="module")
def api() -> Api:
    app = build_api("orders", title="Orders", roles=[Role.MINTING])

    @app.post("/orders")
    def place(order: Order) -> Order:
        return order

    @app.post("/snakes")
    def snake(snake: Snake) -> Snake:
        return snake

    @app.post("/orders/<order_id>/cancel")
    def cancel(order_id: str) -> dict[str, str]:
        return {"cancelled": order_id}

    @app.post("/files")
    def take(file: Annotated[bytes, File()]) -> dict[str, int]:
        return {"size": len(file)}

    @app.get("/orders")
    def listed(
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        urgent: bool | None = None,
        status: Literal["OPEN", "DONE"] | None = None,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        return {"limit": limit, "urgent": urgent, "status": status, "cursor": cursor}

    @app.get("/open")
    @public
    def open_() -> dict[str, str]:
        return {}

    return app


@pytest.fixture
def ask(api: Api):
    def asked(method: str, path: str, roles: str = "minting", **more: Any) -> Answer:
        event = request_event(method, path, identity={"subject": "alice", "roles": roles}, **more)
        return answer_of(api.resolve(event, LambdaContext()))

    return asked


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"transferingBody": "Town Hall"}, ["transferingBody"]),
        ({"total_parts": 1}, ["total_parts"]),
        ({"totalParts": "1"}, ["totalParts"]),
        ({"totalParts": False}, ["totalParts"]),
        ({"totalParts": 1.0}, ["totalParts"]),
        ({"urgent": "yes"}, ["urgent"]),
        ({"urgent": 1}, ["urgent"]),
        ({"name": 5}, ["name"]),
        ({"name": None}, ["name"]),
        ({"parts": {"partNumber": 1}}, ["parts"]),
        ({"parts": [{"partNumber": 1, "checksum": "x"}]}, ["parts[0].checksum"]),
        ({"parts": [{"partNumber": 1}, {"partNumber": "2"}]}, ["parts[1].partNumber"]),
        ({"x": 1, "y": 2}, ["x", "y"]),
    ],
)
def test_what_a_body_holds_that_was_not_asked_for_is_named(ask, more: dict[str, Any], fields: list[str]) -> None:
    refused = ask("POST", "/orders", body={"name": "n", **more})
    assert (refused.status, refused.fields) == (400, fields)


def test_a_body_as_it_should_be(ask) -> None:
    body = {"name": "n", "totalParts": 1, "urgent": True, "parts": [{"partNumber": 1, "checkSum": "c"}]}
    assert ask("POST", "/orders", body=body).json["parts"] == [{"partNumber": 1, "checkSum": "c"}]
    assert ask("POST", "/snakes", body={"job_id": "j"}).json == {"job_id": "j"}
    assert ask("POST", "/snakes", body={"jobId": "j"}).status == 400


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"state": "FAILED"}, ["state"]),
        ({"offset": "1", "page": "2"}, ["offset", "page"]),
        ({"Limit": "5"}, ["Limit"]),
        ({"limit": "+5"}, ["limit"]),
        ({"limit": " 5"}, ["limit"]),
        ({"limit": "5_0"}, ["limit"]),
        ({"limit": "\u0665"}, ["limit"]),
        ({"limit": "5.0"}, ["limit"]),
        ({"limit": ""}, ["limit"]),
        ({"limit": "0"}, ["limit"]),
        ({"limit": "-1"}, ["limit"]),
        ({"limit": "201"}, ["limit"]),
        ({"urgent": "yes"}, ["urgent"]),
        ({"urgent": "1"}, ["urgent"]),
        ({"urgent": "True"}, ["urgent"]),
        ({"status": "open"}, ["status"]),
        ({"cursor": ""}, ["cursor"]),
    ],
)
def test_a_parameter_that_is_unknown_or_would_be_converted_is_named(ask, query: dict[str, str], fields) -> None:
    refused = ask("GET", "/orders", query=query)
    assert (refused.status, refused.fields) == (400, fields)


def test_parameters_as_they_should_be(ask) -> None:
    query = {"limit": "5", "urgent": "true", "status": "OPEN"}
    assert ask("GET", "/orders", query=query).json == {"limit": 5, "urgent": True, "status": "OPEN", "cursor": None}


def test_a_parameter_is_given_once(ask) -> None:
    refused = ask("GET", "/orders", query={"limit": "2"}, multiValueQueryStringParameters={"limit": ["1", "2"]})
    assert (refused.status, refused.fields) == (400, ["limit"])


def test_a_parameter_on_a_route_that_takes_a_body_alone(ask) -> None:
    assert ask("POST", "/orders", body={"name": "n"}, query={"name": "m"}).fields == ["name"]
    assert ask("POST", "/orders/1/cancel", query={"force": "true"}).fields == ["force"]


OTHERS = [
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/merge-patch+json",
    "application/problem+json",
    "text/plain",
    "text/json",
    "nonsense",
]


@pytest.mark.parametrize("media_type", OTHERS)
@pytest.mark.parametrize(
    ("path", "body"), [("/orders", '{"name": "n"}'), ("/orders", None), ("/orders/1/cancel", None)]
)
def test_only_json_is_read_as_json(ask, path: str, body: str | None, media_type: str) -> None:
    # RFC 9110, 15.5.16.
    refused = ask("POST", path, body=body, headers={"Content-Type": media_type})
    assert (refused.status, refused.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "media_type", ["Application/JSON", "application/json;charset=utf-8", "APPLICATION/JSON ; x=y", "application/json"]
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_json_is_json_in_any_case(ask, name: str, media_type: str) -> None:
    # RFC 9110, 8.3.1.
    assert ask("POST", "/orders", body={"name": "n"}, headers={name: media_type}).status == 200


FORM = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--B--\r\n'


def test_a_route_that_takes_a_file(ask) -> None:
    taken = ask("POST", "/files", body=FORM, headers={"Content-Type": "Multipart/Form-Data; Boundary=B"})
    assert (taken.status, taken.json) == (200, {"size": 3})
    for media_type in ("application/json", "text/plain"):
        assert ask("POST", "/files", body=b"{}", headers={"Content-Type": media_type}).status == 415
    assert ask("POST", "/files", body=b"{}").status == 415


@pytest.mark.parametrize(
    ("media_type", "body", "field"),
    [
        ("multipart/form-data", FORM, "Content-Type"),
        ("multipart/form-data; boundary=", FORM, "Content-Type"),
        ("multipart/form-data; charset=utf-8", FORM, "Content-Type"),
        ("multipart/form-data; boundary=other", FORM, "file"),
        ("multipart/form-data; boundary=B", FORM[:-10], "file"),
        ("multipart/form-data; boundary=B", b"", "file"),
        ("multipart/form-data; boundary=B", b"--B--", "file"),
    ],
)
def test_a_form_that_is_none(ask, media_type: str, body: bytes, field: str) -> None:
    refused = ask("POST", "/files", body=body, headers={"Content-Type": media_type})
    assert (refused.status, refused.fields) == (400, [field])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/orders", "GET, HEAD, POST"),
        ("PATCH", "/orders", "GET, HEAD, POST"),
        ("GET", "/orders/1/cancel", "POST"),
        ("HEAD", "/snakes", "POST"),
        ("POST", "/open", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_has_not(ask, method: str, path: str, allowed: str) -> None:
    # RFC 9110, 15.5.6; before the token is looked at, so that public paths need none.
    refused = ask(method, path, roles="")
    assert (refused.status, refused.headers["allow"]) == (405, allowed)
    assert refused.json["code"] == "METHOD_NOT_ALLOWED"


def test_an_unknown_path_is_404_with_any_method(ask) -> None:
    assert {ask(method, "/nowhere").status for method in ("GET", "POST", "DELETE", "HEAD")} == {404}


def test_head_is_get_without_its_body(ask) -> None:
    # RFC 9110, 9.3.2.
    head, get = ask("HEAD", "/orders"), ask("GET", "/orders")
    assert (head.status, head.text, head.headers) == (200, "", get.headers)
    assert ask("HEAD", "/orders", roles="scanning").status == 403
    assert (ask("HEAD", "/orders", query={"x": "1"}).status, ask("HEAD", "/open").status) == (400, 200)


def test_a_stranger_learns_nothing_of_what_a_request_looks_like(ask) -> None:
    for more in ({"body": {"x": 1}}, {"query": {"x": "1"}}, {"headers": {"Content-Type": "text/plain"}}):
        assert ask("POST", "/orders", roles="scanning", **more).status == 403


def test_no_name_that_is_sent_gets_into_an_answer_as_it_stands(ask) -> None:
    refused = ask("GET", "/orders", query={"a\u202eb": "1"})
    assert refused.fields == ["a\\u202eb"]
    assert json.dumps(refused.json).isascii()
