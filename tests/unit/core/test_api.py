import json
import logging
import time
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from tests.fakes.api import LambdaContext, answer_of, ask, request_event
from waybill.core.api import MAX_BODY_BYTES, Api, Role, allow, build_api, caller, is_api_event, public
from waybill.core.errors import ConflictError, NotFoundError, RateLimitedError
from waybill.core.wire import WireModel

GOOD = {"sourceBucket": "builds", "destinationBuckets": ["a", "b"]}


class CopyRequest(WireModel):
    source_bucket: str = Field(min_length=3)
    destination_buckets: list[str] = Field(min_length=1)
    force: bool = False


class Told(WireModel):
    subject: str
    roles: list[str]
    got: Any = None


def tell(app: Api, got: Any = None) -> Told:
    who = caller(app)
    return Told(subject=who.subject, roles=sorted(who.roles), got=got)


@pytest.fixture
def app() -> Api:
    app = build_api("demo", title="Demo", roles=[Role.REPLICATION])

    @app.post("/copies", status_code=202)
    def start(request: CopyRequest) -> Told:
        return tell(app, request.wire())

    @app.get("/copies")
    def show_all(
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        source_key: Annotated[str | None, Query(alias="sourceKey")] = None,
    ) -> Told:
        return tell(app, [limit, source_key])

    @app.get("/copies/<copy_id>")
    def show(copy_id: str) -> Told:
        return tell(app, copy_id)

    @app.get("/failing/<name>")
    def fail(name: str) -> Told:
        raise {
            "unknown": NotFoundError("there is no copy 7"),
            "conflict": ConflictError("it is running"),
            "busy": RateLimitedError("slow down"),
            "bug": RuntimeError("password=hunter2"),
        }[name]

    @app.get("/wrong-answer")
    def wrong_answer() -> Told:
        return {"roles": "hunter2"}  # type: ignore[return-value]

    @app.get("/admins")
    @allow(Role.SAR_ADMIN, Role.SAR_SUPPORT)
    def admins() -> Told:
        return tell(app)

    @allow(Role.SCANNING)
    @app.get("/marked-above")
    def marked_above() -> Told:
        return tell(app)

    @app.get("/open")
    @public
    def open_to_all() -> dict[str, str]:
        return {"status": "ok"}

    return app


@pytest.mark.parametrize(
    ("path", "roles", "status"),
    [
        ("/copies", "replication", 200),
        ("/copies", "other replication", 200),
        ("/copies", "other,replication", 200),
        ("/copies", "minting, replication", 200),
        ("/copies", "admin", 200),
        ("/copies", "minting", 403),
        ("/copies", "", 403),
        ("/copies", "replicationx xadmin ADMIN", 403),
        ("/copies", None, 401),
        ("/admins", "sar-support", 200),
        ("/admins", "admin", 200),
        ("/admins", "replication", 403),
        ("/marked-above", "scanning", 200),
        ("/marked-above", "replication", 403),
        ("/open", None, 200),
        ("/open", "minting", 200),
    ],
)
def test_a_route_lets_in_who_has_one_of_its_roles(app: Api, path: str, roles: str | None, status: int) -> None:
    assert ask(app, "GET", path, roles=roles).status == status


@pytest.mark.parametrize("roles", ["replication", "admin", "", None])
def test_a_route_without_a_role_refuses_everybody(roles: str | None) -> None:
    app = build_api("demo", title="Demo")
    reached = []

    @app.get("/forgotten")
    def forgotten() -> dict[str, str]:
        reached.append(roles)
        return {}

    answer = ask(app, "GET", "/forgotten", roles=roles)
    assert answer.status == (401 if roles is None else 403)
    assert reached == []


@pytest.mark.parametrize("identity", [{}, {"subject": ""}, {"subject": 7, "roles": "admin"}, {"roles": "admin"}])
def test_a_request_that_nobody_identified_is_unauthorised(app: Api, identity: dict[str, Any]) -> None:
    answer = ask(app, "GET", "/copies", identity=identity)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("seconds", "status"), [(-1, 401), (60, 200)])
def test_a_kept_authorisation_does_not_outlive_its_token(app: Api, seconds: int, status: int) -> None:
    identity = {
        "subject": "alice",
        "roles": "replication",
        "expiresAt": str(int(time.time()) + seconds),
    }
    assert ask(app, "GET", "/copies", identity=identity).status == status


def test_the_role_is_checked_before_the_request_is_looked_at(app: Api) -> None:
    assert ask(app, "POST", "/copies", body="{", roles="minting").status == 403


def test_the_route_knows_its_caller(app: Api) -> None:
    answer = ask(app, "GET", "/copies/7", roles="replication minting unknown")
    assert answer.json == {"subject": "alice", "roles": ["minting", "replication"], "got": "7"}


def test_answers_have_the_models_names_and_are_not_stored_on_the_way(app: Api) -> None:
    answer = ask(app, "POST", "/copies", body=GOOD)
    assert answer.status == 202
    assert answer.json["got"] == {**GOOD, "force": False}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("content_type", [None, "application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("encode", [True, False], ids=["base64", "text"])
def test_a_json_body_is_taken_as_text_and_as_base64(app: Api, content_type: str | None, encode: bool) -> None:
    headers = {"Content-Type": content_type} if content_type else None
    answer = ask(app, "POST", "/copies", body={**GOOD, "sourceBucket": "büilds"}, encode=encode, headers=headers)
    assert answer.status == 202
    assert answer.json["got"]["sourceBucket"] == "büilds"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"body": None}, "body", id="no body"),
        pytest.param({"body": ""}, "body", id="empty body"),
        pytest.param({"body": "{"}, "body", id="half an object"),
        pytest.param({"body": "[]"}, "body", id="list"),
        pytest.param({"body": [GOOD]}, "body", id="list of one request"),
        pytest.param({"body": "null"}, "body", id="null"),
        pytest.param({"body": '"text"'}, "body", id="string"),
        pytest.param({"body": "7"}, "body", id="number"),
        pytest.param({"body": '{"sourceBucket": NaN}'}, "body", id="NaN"),
        pytest.param({"body": '{"a": ' + "[" * 200_000}, "body", id="nested too deeply"),
        pytest.param({"body": '{"a": ' + "1" * 10_000 + "}"}, "body", id="number with 10,000 digits"),
        pytest.param({"body": b"\xff\xfe"}, "body", id="not UTF-8"),
        pytest.param({"body": "@@@@", "isBase64Encoded": True}, "body", id="not base64"),
        pytest.param({"body": "e", "isBase64Encoded": True}, "body", id="broken base64"),
        pytest.param({"body": {"destinationBuckets": ["a"]}}, "sourceBucket", id="missing field"),
        pytest.param({"body": {**GOOD, "sourceBucket": 7}}, "sourceBucket", id="number for text"),
        pytest.param({"body": {**GOOD, "sourceBucket": None}}, "sourceBucket", id="null for text"),
        pytest.param({"body": {**GOOD, "sourceBucket": "a"}}, "sourceBucket", id="too short"),
        pytest.param({"body": {**GOOD, "sourceBucket": "\ud800abc"}}, "sourceBucket", id="lone surrogate"),
        pytest.param({"body": {**GOOD, "destinationBuckets": "a"}}, "destinationBuckets", id="text for list"),
        pytest.param({"body": {**GOOD, "destinationBuckets": []}}, "destinationBuckets", id="empty list"),
        pytest.param(
            {"body": {**GOOD, "destinationBuckets": ["a", 7]}}, "destinationBuckets[1]", id="one wrong element"
        ),
    ],
)
def test_a_bad_body_is_400_and_names_the_field(app: Api, more: dict[str, Any], field: str) -> None:
    answer = ask(app, "POST", "/copies", **more)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.fields == [field]
    assert answer.json["code"] == "INVALID_INPUT"


def test_base64_with_foreign_characters_is_not_guessed_at(app: Api) -> None:
    encoded = request_event("POST", "/copies", body=GOOD, encode=True)["body"]
    answer = ask(app, "POST", "/copies", body=encoded + "!!!!", isBase64Encoded=True)
    assert (answer.status, answer.json["errors"][0]["message"]) == (400, "is not valid base64")


def test_every_wrong_field_is_named(app: Api) -> None:
    answer = ask(app, "POST", "/copies", body={"sourceBucket": 1, "force": "perhaps"})
    assert answer.fields == ["sourceBucket", "destinationBuckets", "force"]


@given(st.text() | st.binary())
def test_no_body_makes_the_service_fail(body: str | bytes) -> None:
    app = build_api("demo", title="Demo", roles=[Role.REPLICATION])

    @app.post("/copies")
    def start(request: CopyRequest) -> Told:
        return tell(app)

    assert ask(app, "POST", "/copies", body=body).status == 400


def test_a_body_over_the_limit_is_413_also_inside_base64(app: Api) -> None:
    room = {**GOOD, "sourceBucket": "b" * (MAX_BODY_BYTES - len(json.dumps(GOOD)))}
    assert ask(app, "POST", "/copies", body=room).status == 202
    too_much = {**room, "sourceBucket": room["sourceBucket"] + "b" * 20}
    for encode in (False, True):
        answer = ask(app, "POST", "/copies", body=too_much, encode=encode)
        assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    ("query", "got"),
    [
        (None, [20, None]),
        ({"limit": "100"}, [100, None]),
        ({"sourceKey": "a,b c+%2B/ü.zip"}, [20, "a,b c+%2B/ü.zip"]),
        ({"sourceKey": ""}, [20, ""]),
    ],
)
def test_query_parameters_arrive_as_they_are(app: Api, query: dict[str, str] | None, got: list[Any]) -> None:
    assert ask(app, "GET", "/copies", query=query).json["got"] == got
    single = ask(app, "GET", "/copies", query=query, multiValueQueryStringParameters=None)
    assert single.json["got"] == got


@pytest.mark.parametrize("limit", ["0", "101", "ten", "", "1.5"])
def test_a_bad_query_parameter_is_400_and_named(app: Api, limit: str) -> None:
    answer = ask(app, "GET", "/copies", query={"limit": limit})
    assert (answer.status, answer.fields) == (400, ["limit"])


def test_a_parameter_given_twice_is_400(app: Api) -> None:
    answer = ask(
        app,
        "GET",
        "/copies",
        query={"limit": "6"},
        multiValueQueryStringParameters={"limit": ["5", "6"]},
    )
    assert (answer.status, answer.fields) == (400, ["limit"])


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("unknown", 404, "there is no copy 7"),
        ("conflict", 409, "it is running"),
        ("busy", 429, "slow down"),
    ],
)
def test_what_a_route_raises_becomes_a_problem(app: Api, name: str, status: int, detail: str) -> None:
    answer = ask(app, "GET", f"/failing/{name}")
    assert (answer.status, answer.json["status"], answer.json["detail"]) == (status, status, detail)
    # As API Gateway's own answers have it (`$context.path`), so that it leads to the request (RFC 9457, 3.1.5).
    assert answer.json["instance"] == f"/local/failing/{name}"
    assert answer.json["requestId"] == "request-1"


@pytest.mark.parametrize(("path", "cause"), [("/failing/bug", "hunter2"), ("/wrong-answer", "ResponseValidationError")])
def test_our_own_fault_is_500_without_its_cause_and_logged_with_it(
    app: Api, path: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(app, "GET", path)
    assert answer.status == 500
    assert "hunter2" not in answer.text
    assert answer.json["title"] == "Internal Server Error"
    [record] = [record for record in caplog.records if record.message == "request failed"]
    assert record.levelno == logging.ERROR
    assert cause in caplog.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/nowhere"), ("GET", "/")])
@pytest.mark.parametrize("roles", ["replication", None])
def test_an_unknown_route_is_404(app: Api, method: str, path: str, roles: str | None) -> None:
    answer = ask(app, method, path, roles=roles)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/copies"), ("HEAD", "/copies"), ("DELETE", "/copies"), ("GET", "/")]
)
@pytest.mark.parametrize("roles", ["replication", None])
def test_a_page_of_the_named_origin_may_read_every_answer(app: Api, method: str, path: str, roles: str | None) -> None:
    """Fetch standard, "HTTP responses" of the CORS protocol; errors among them."""
    origin = "https://app.example.org:8443"
    shared = ask(app, method, path, roles=roles, stageVariables={"allowedOrigin": origin})
    plain = ask(app, method, path, roles=roles)
    assert shared.headers["access-control-allow-origin"] == origin
    assert "WWW-Authenticate" in shared.headers["access-control-expose-headers"]
    assert [name for name in plain.headers if name.startswith("access-control")] == []
    assert (shared.status, shared.text) == (plain.status, plain.text)


def test_the_instance_is_a_uri_reference_without_the_query(app: Api) -> None:
    answer = ask(app, "GET", "/fr é d", query={"person": "alice"})
    assert answer.json["instance"] == "/local/fr%20%C3%A9%20d"
    assert "alice" not in answer.text


@pytest.mark.parametrize(
    ("path", "context_path"),
    [
        pytest.param("/copies/7", "/prod/copies/7", id="below the stage"),
        pytest.param("/copies/7", "/copies/7", id="custom domain"),
        pytest.param("/v1/copies/7", "/v1/copies/7", id="custom domain with a base path"),
        pytest.param("/_aws/execute-api/abc/local/copies/7", "/local/copies/7", id="whole address"),
    ],
)
def test_the_route_is_found_below_stage_and_base_path(app: Api, path: str, context_path: str) -> None:
    event = request_event(
        "GET",
        path,
        identity={"subject": "alice", "roles": "replication"},
        resource="/copies/{copy_id}",
        pathParameters={"copy_id": "7"},
    )
    event["requestContext"]["path"] = context_path
    answer = answer_of(app.resolve(event, LambdaContext()))
    assert (answer.status, answer.json["got"]) == (200, "7")


def test_a_path_without_a_matching_resource_stays_as_it_is(app: Api) -> None:
    event = request_event("GET", "/copies/7", resource="/other/{proxy+}", pathParameters={"proxy": "x"})
    event["requestContext"]["authorizer"] = {"subject": "alice", "roles": "replication"}
    assert answer_of(app.resolve(event, LambdaContext())).json["got"] == "7"


@pytest.mark.parametrize("event", [{}, {"path": "/copies"}, {"httpMethod": None, "path": "/copies"}])
def test_an_event_that_is_no_request_is_still_answered(app: Api, event: dict[str, Any]) -> None:
    answer = answer_of(app.resolve(event, LambdaContext()))
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")


def test_the_event_is_left_alone(app: Api) -> None:
    event = request_event("POST", "/copies", body=GOOD, encode=True, identity={"subject": "a", "roles": "admin"})
    before = json.dumps(event)
    assert answer_of(app.resolve(event, LambdaContext())).status == 202
    assert json.dumps(event) == before


def test_a_debugging_environment_prints_no_tokens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    app = build_api("demo", title="Demo", roles=[Role.REPLICATION])

    @app.get("/copies")
    def show_all() -> Told:
        return tell(app)

    headers = {"Authorization": "Bearer secret-token"}
    assert ask(app, "GET", "/copies", headers=headers).status == 200
    printed = capsys.readouterr()
    assert "secret-token" not in printed.out + printed.err


def test_a_file_in_a_form_reaches_its_route_unchanged() -> None:
    from aws_lambda_powertools.event_handler.openapi.params import File

    app = build_api("demo", title="Demo", roles=[Role.REPLICATION])

    @app.post("/files")
    def upload(template: Annotated[bytes, File()]) -> dict[str, str]:
        return {"hex": template.hex()}

    body = (
        b'--x\r\nContent-Disposition: form-data; name="template"; filename="t.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\xff\x00\xfe\r\n--x--\r\n"
    )
    answer = ask(app, "POST", "/files", body=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status, answer.json) == (200, {"hex": "ff00fe"})
    for unreadable in ("multipart/form-data", "multipart/form-data; boundary="):
        answer = ask(app, "POST", "/files", body=body, headers={"Content-Type": unreadable})
        assert (answer.status, answer.fields) == (400, ["Content-Type"])


def test_operations_tell_who_may_call_what(app: Api) -> None:
    told = {(one.method, one.path): (one.roles, one.public) for one in app.operations()}
    assert told["GET", "/copies/{copy_id}"] == ({Role.REPLICATION}, False)
    assert told["GET", "/admins"] == ({Role.SAR_ADMIN, Role.SAR_SUPPORT}, False)
    assert told["GET", "/marked-above"] == ({Role.SCANNING}, False)
    assert told["GET", "/open"] == (frozenset(), True)


def test_allow_needs_a_role() -> None:
    with pytest.raises(ValueError, match="at least one"):
        allow()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (request_event("POST", "/step-function", body=GOOD), True),
        (GOOD, False),
        ([], False),
        (None, False),
        ({"Records": []}, False),
    ],
)
def test_proxy_events_are_told_from_direct_payloads(event: object, expected: bool) -> None:
    assert is_api_event(event) is expected
