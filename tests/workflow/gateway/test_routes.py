"""The HTTP API on the running stack: API Gateway, the authoriser, and the functions behind them."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.workflow.support.api import Answer, Api, api_of
from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.names import MISSING
from tests.workflow.support.source import Source


@pytest.fixture(scope="module")
def api(application: Application) -> Api:
    """The API for somebody who may replicate."""
    return api_of(application, "replication")


@pytest.fixture(scope="module")
def nobody(api: Api) -> Api:
    """The API without a token."""
    return Api(api.url, None)


def is_problem(answer: Answer, status: int, code: str) -> bool:
    """Return whether the answer is a problem document (RFC 9457) of that status and code."""
    return (
        answer.status == status
        and answer.content_type == "application/problem+json"
        and answer.body["status"] == status
        and answer.body["code"] == code
        and answer.body["instance"].startswith("/")
    )


def test_health_and_openapi_need_no_token(nobody: Api) -> None:
    assert nobody.get("/health").status == 200
    document = nobody.get("/openapi.json")
    assert document.status == 200
    assert {"/health", "/step-function", "/replications", "/replications/file"} <= set(document.body["paths"])


def test_run_that_goes_on_is_not_started_again(api: Api, gate: Gate, quiet: Source, key: str) -> None:
    quiet.put(key)

    with gate.holding("CopyObject", key) as copies:
        started = api.post("/step-function", quiet.request(key))
        copies.wait()
        again = api.post("/step-function", quiet.request(key))

    assert (again.status, again.body["alreadyRunning"]) == (200, True)
    assert started.body["executionArn"] == again.body["executionArn"]


def test_run_is_started_and_its_record_listed_and_shown(
    application: Application, api: Api, quiet: Source, key: str
) -> None:
    quiet.put(key)

    started = api.post("/step-function", quiet.request(key))

    assert (started.status, started.body["alreadyRunning"]) == (200, False)
    assert set(started.body) == {"message", "executionArn", "startDate", "input", "alreadyRunning"}
    quiet.record(key)
    shown = api.get("/replications/file", sourceBucket=quiet.name, sourceKey=key)
    assert (shown.status, shown.body["status"]) == (200, "COMPLETED")
    assert [item["destinationBucket"] for item in shown.body["destinations"]] == sorted(application.destinations)
    assert len(shown.body["history"]) == 1
    listed = api.get("/replications", status="COMPLETED")
    assert key in [record["fileKey"] for record in listed.body["replications"]]


def test_awkward_key_is_shown_by_its_query_parameter(api: Api, quiet: Source, label: str) -> None:
    key = f"/a//b+c %2F é📦 {label}?x=1&y=2#z"
    quiet.put(key)
    api.post("/step-function", quiet.request(key))
    quiet.record(key)

    shown = api.get("/replications/file", sourceBucket=quiet.name, sourceKey=key)

    assert (shown.status, shown.body["fileKey"]) == (200, key)


def test_list_goes_on_where_the_cursor_says(application: Application, api: Api, quiet: Source, label: str) -> None:
    keys = [f"{label}-{number}" for number in range(3)]
    for key in keys:
        application.run(quiet.request(key, [MISSING]), key)

    listed: list[str] = []
    cursor: dict[str, str] = {}
    while not set(keys) <= set(listed):  # files of other tests may lie between
        page = api.get("/replications", status="FAILED", limit="1", **cursor).body
        assert len(page["replications"]) == 1
        listed.append(page["replications"][0]["fileKey"])
        cursor = {"cursor": page["cursor"]}

    assert [key for key in listed if key in keys] == keys[::-1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "sourceBucket"),
        ({"sourceBucket": "a-bucket", "sourceKey": "k", "destinationBuckets": []}, "destinationBuckets"),
        ({"sourceBucket": "a-bucket", "sourceKey": "k", "destinationBuckets": [1]}, "destinationBuckets[0]"),
        ({"sourceBucket": "a-bucket", "sourceKey": "é" * 513, "destinationBuckets": ["b-1"]}, "sourceKey"),
        ({"sourceBucket": "same", "sourceKey": "k", "destinationBuckets": ["same"]}, "destinationBuckets"),
        (
            {"sourceBucket": "a-bucket", "sourceKey": "k", "destinationBuckets": [f"b-{n}" for n in range(1001)]},
            "destinationBuckets",
        ),
    ],
    ids=["nothing", "no destinations", "a number", "long key", "onto itself", "too many"],
)
def test_wrong_request_is_answered_with_its_fields(api: Api, body: object, field: str) -> None:
    answer = api.post("/step-function", body)

    assert is_problem(answer, 400, "INVALID_INPUT"), answer
    assert field in [error["field"] for error in answer.body["errors"]]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"status": "LOST"}, {"cursor": "nonsense"}])
def test_wrong_query_is_answered_with_its_field(api: Api, query: dict[str, str]) -> None:
    answer = api.get("/replications", **query)

    assert is_problem(answer, 400, "INVALID_INPUT"), answer
    assert [error["field"] for error in answer.body["errors"]] == list(query)


def test_body_that_is_not_json_is_answered_400(api: Api) -> None:
    answer = api.post("/step-function", b'{"sourceBucket": ')

    assert (answer.status, answer.content_type) == (400, "application/problem+json")


def test_unknown_file_and_unknown_route_are_answered_404(api: Api) -> None:
    unknown = api.get("/replications/file", sourceBucket="a-bucket", sourceKey="nothing")

    assert is_problem(unknown, 404, "NOT_FOUND"), unknown
    assert is_problem(api.get("/no/such/route"), 404, "NOT_FOUND")


def test_request_without_a_token_is_answered_401(nobody: Api) -> None:
    for answer in (nobody.get("/replications"), nobody.post("/step-function", {})):
        assert is_problem(answer, 401, "UNAUTHORIZED"), answer


@pytest.mark.parametrize(
    "token",
    [{"expires_in": -60}, {"issuer": "https://somebody.else"}, {"audience": "another"}],
    ids=["expired", "another issuer", "another audience"],
)
def test_token_that_is_not_valid_is_answered_401(application: Application, token: dict[str, Any]) -> None:
    answer = api_of(application, "replication", **token).get("/replications")

    assert is_problem(answer, 401, "UNAUTHORIZED"), answer


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_what_is_no_token_is_answered_401(api: Api, token: str) -> None:
    assert is_problem(Api(api.url, token).get("/replications"), 401, "UNAUTHORIZED")


def test_role_of_another_workflow_is_answered_403_and_admin_may_all(application: Application) -> None:
    other = api_of(application, "scanning").get("/replications")

    assert is_problem(other, 403, "FORBIDDEN"), other
    assert api_of(application).get("/replications").status == 403
    assert api_of(application, "admin").get("/replications").status == 200


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "GET"])
def test_a_method_that_a_path_does_not_have_is_answered_with_those_that_it_has(api: Api, method: str) -> None:
    """RFC 9110, 15.5.6."""
    answer = api.ask(method, "/step-function")

    assert (answer.status, answer.content_type) == (405, "application/problem+json"), answer
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/health", "/replications?limit=1", "/replications?limit=0", "/scans/no-such"])
def test_head_is_answered_as_get_without_its_body(api: Api, path: str) -> None:
    """RFC 9110, 9.3.2."""
    got, head = api.get(path), api.ask("HEAD", path)

    assert (head.status, head.content_type, head.body) == (got.status, got.content_type, None)


def test_every_answer_names_the_request_whoever_answers(application: Application, api: Api, nobody: Api) -> None:
    """RFC 9457, 3.1.5: API Gateway itself, the authoriser's refusal, and a function."""
    path = "/scans/no%20such"
    expected = f"{urlsplit(api.url).path.rpartition('/')[2]}{path}"
    for answer in (nobody.get(path), Api(api.url, "a.b.c").get(path), api.get(path)):
        assert answer.body["instance"] == f"/{expected}"
    assert api.get("/no/such/route").body["instance"].endswith("/no/such/route")


def test_a_browser_asks_before_it_has_a_token_and_is_told_of_no_origin(nobody: Api) -> None:
    """Fetch standard, "CORS-preflight request"; without `ApiAllowedOrigin` no origin may."""
    answer = nobody.ask("OPTIONS", "/consignments")

    assert answer.status == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_nobody_is_told_of_methods_without_a_token(application: Application) -> None:
    assert Api(application.api_url, None).ask("DELETE", "/step-function").status == 401
    assert Api(application.api_url, None).ask("DELETE", "/health").status == 405
