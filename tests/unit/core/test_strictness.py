"""What was not understood is not taken. Source: RFC 8259, 4 and 9; CWE-20."""

import json
from datetime import date
from time import process_time
from typing import Annotated, Any, Literal

import pytest
from aws_lambda_powertools.event_handler.openapi.params import File, Query
from pydantic import BaseModel, Field

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from waybill.core.api import Api, Role, build_api, public
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
        due: date | None = None,
    ) -> dict[str, Any]:
        return {"limit": limit, "urgent": urgent, "status": status, "cursor": cursor, "due": due}

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


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        # RFC 8259, 8.2: texts with half a surrogate pair are JSON, and not every parser reads them.
        ('"x": "\\ud800"', ["x"]),
        ('"x": 1, "y": "\\udc00"', ["x", "y"]),
        ('"\\udfff": 1', ["?"]),
        ('"urgent": "yes", "parts": [{"partNumber": 1, "checkSum": "\\ud800"}]', ["urgent"]),
        ('"parts": [{"partNumber": "1", "checkSum": "c", "x": "\\ud83d"}]', ["parts[0].partNumber", "parts[0].x"]),
        # RFC 8259, 9: a parser may limit the depth.
        ('"x": ' + "[" * 150 + "]" * 150, ["x"]),
        ('"x": ' + "[" * 300 + "]" * 300, ["body"]),
        ('"x": ' + '{"y": ' * 800 + "1" + "}" * 800, ["body"]),
    ],
)
def test_nothing_in_a_body_hides_the_rest_of_it(ask, more: str, fields: list[str]) -> None:
    refused = ask("POST", "/orders", body=f'{{"name": "n", {more}}}')
    assert refused.status == 400
    assert set(fields) <= set(refused.fields)


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
        # RFC 3339, 5.6: full-date. Not seconds since 1970, not a time.
        ({"due": "0"}, ["due"]),
        ({"due": "1700006400"}, ["due"]),
        ({"due": "2026-12-24T00:00:00Z"}, ["due"]),
        ({"due": "2026-02-30"}, ["due"]),
        ({"due": "\u0662026-12-24"}, ["due"]),
    ],
)
def test_a_parameter_that_is_unknown_or_would_be_converted_is_named(ask, query: dict[str, str], fields) -> None:
    refused = ask("GET", "/orders", query=query)
    assert (refused.status, refused.fields) == (400, fields)


def test_parameters_as_they_should_be(ask) -> None:
    query: dict[str, Any] = {"urgent": "true", "status": "OPEN", "due": "2026-12-24"}
    got = ask("GET", "/orders", query=query | {"limit": "5"}).json
    assert got == query | {"limit": 5, "urgent": True, "cursor": None}


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
    # Unicode Standard 23, "Special Areas and Format Characters": what ends a line, or cannot be seen.
    refused = ask("POST", "/orders", body={"name": "n", "a\x00\n\x1b[31m\u202eb": 1})
    assert refused.fields == ["a\\x00\\n\\x1b[31m\\u202eb"]
    assert refused.json["detail"].isprintable()


@pytest.mark.parametrize(
    "body",
    [
        {f"x{number}": 1 for number in range(30_000)},
        {"name": "n", "parts": [{"partNumber": "1"}] * 30_000},
        {"\U0001f600" * 60_000: 1},
        '{"é' + "é" * 200_000 + '": 1, "é' + "é" * 200_000 + '": 2}',
    ],
    ids=["names", "parts", "a long name", "a long name twice"],
)
def test_a_refusal_is_as_short_as_lambda_can_hand_over(ask, body: Any) -> None:
    """6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Invocation payload"."""
    refused = ask("POST", "/orders", body=body)
    assert refused.status == 400
    assert len(refused.text) < 1_000_000
    assert 1 <= len(refused.fields) <= 200
    assert len(refused.fields) == 1 or refused.json["detail"].endswith(" more")


def test_a_name_that_is_given_twice_among_many_is_found_at_once(ask) -> None:
    many = ",".join(f'"x{number}": 1' for number in range(60_000))
    began = process_time()
    assert ask("POST", "/orders", body=f'{{{many}, "last": 1, "last": 2}}').fields == ["last"]
    assert process_time() - began < 3  # Lambda answers the API within 29 s; every name against every other took minutes
