"""Starting a run by hand: directly, or through the API."""

import base64
import json
from typing import Any

import pytest

from tests.fakes.api import Answer, answer_of, request_event
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import Invoke
from waybill.core.errors import RateLimitedError
from waybill.core.executions import ExecutionRefusedError
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.records import RecordStatus

PAYLOAD = {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": list(DESTINATIONS)}
MISSING = "Missing required parameters: sourceBucket, sourceKey, destinationBuckets"
CALLER = {"subject": "alice", "roles": "replication"}


@pytest.fixture(autouse=True)
def aws(workflow: Any, s3: Any, tracking: TrackingTable, wire: Wire) -> None:
    """The state machine, the buckets with a source, and the table."""
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    wire.clear()


def post(invoke: Invoke, body: Any, **more: Any) -> Answer:
    event = request_event("POST", "/step-function", body=body, **{"identity": CALLER, **more})
    return answer_of(invoke("step_function_invoker", event))


def inputs(wire: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.document["input"]) for request in wire.of("sfn.StartExecution")]


def test_a_plain_payload_is_started_and_answered_as_documented(invoke: Invoke, wire: Wire) -> None:
    reply = invoke("step_function_invoker", PAYLOAD)
    document = json.loads(reply["body"])
    assert reply == {"statusCode": 200, **document, "body": reply["body"]}
    assert set(document) == {"message", "executionArn", "startDate", "input", "alreadyRunning"}
    assert document["message"] == "Step Function execution started successfully"
    assert document["alreadyRunning"] is False
    assert document["input"] == inputs(wire)[0]
    assert document["input"].pop("requestId")
    assert document["input"] == PAYLOAD | {"force": False}


@pytest.mark.parametrize("encode", [False, True])
def test_the_api_starts_the_same_run(invoke: Invoke, wire: Wire, encode: bool) -> None:
    directly = invoke("step_function_invoker", PAYLOAD)
    answer = post(invoke, PAYLOAD, encode=encode)
    assert answer.status == 200
    assert answer.json["executionArn"] == directly["executionArn"]
    assert answer.json["alreadyRunning"] is True


def test_one_destination_may_be_a_string(invoke: Invoke, wire: Wire) -> None:
    payload = PAYLOAD | {"destinationBuckets": DESTINATIONS[0]}
    assert invoke("step_function_invoker", payload)["input"]["destinationBuckets"] == [DESTINATIONS[0]]
    assert post(invoke, payload).json["alreadyRunning"] is True


def test_duplicate_destinations_are_merged_and_their_order_is_no_matter(invoke: Invoke, wire: Wire) -> None:
    twice = PAYLOAD | {"destinationBuckets": [*DESTINATIONS, DESTINATIONS[0]]}
    reversed_ = PAYLOAD | {"destinationBuckets": list(reversed(DESTINATIONS))}
    first, second = invoke("step_function_invoker", twice), invoke("step_function_invoker", reversed_)
    assert first["input"]["destinationBuckets"] == list(DESTINATIONS)
    assert second["executionArn"] == first["executionArn"]


def test_the_second_of_two_equal_requests_gets_the_first_ones_run(invoke: Invoke, wire: Wire) -> None:
    first, second = (invoke("step_function_invoker", PAYLOAD) for _ in range(2))
    assert (second["executionArn"], second["startDate"]) == (first["executionArn"], first["startDate"])
    assert [first["alreadyRunning"], second["alreadyRunning"]] == [False, True]
    assert second["message"] == "A run is carrying this out already"


def test_a_source_that_has_changed_makes_another_run(invoke: Invoke, s3: Any) -> None:
    first = invoke("step_function_invoker", PAYLOAD)
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"newer")
    second = invoke("step_function_invoker", PAYLOAD)
    assert second["executionArn"] != first["executionArn"]
    assert second["alreadyRunning"] is False


def test_force_makes_a_run_every_time(invoke: Invoke, wire: Wire) -> None:
    arns = {invoke("step_function_invoker", PAYLOAD | {"force": True})["executionArn"] for _ in range(3)}
    assert len(arns) == 3
    nonces = [given.pop("nonce") for given in inputs(wire)]
    assert len(set(nonces)) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"sourceKey": "missing"}, "sourceKey"), ({"sourceBucket": "no-such-bucket"}, "sourceBucket")],
)
def test_a_source_that_is_not_there_is_named_and_starts_nothing(
    invoke: Invoke, wire: Wire, tracking: TrackingTable, changes: dict[str, Any], field: str
) -> None:
    """RFC 9110, 15.5.1: the fault is the request's; a record would be a failure that nobody can mend."""
    reply, answer = invoke("step_function_invoker", PAYLOAD | changes), post(invoke, PAYLOAD | changes)
    assert (reply["statusCode"], answer.status) == (400, 400)
    assert [error["field"] for error in reply["errors"]] == answer.fields == [field]
    assert inputs(wire) == []
    assert list(tracking.newest(list(RecordStatus))) == []


@pytest.mark.parametrize("field", ["sourceBucket", "sourceKey", "destinationBuckets"])
def test_a_missing_field_is_told_in_the_documented_words(invoke: Invoke, wire: Wire, field: str) -> None:
    payload = {name: value for name, value in PAYLOAD.items() if name != field}
    reply = invoke("step_function_invoker", payload)
    assert (reply["statusCode"], reply["message"]) == (400, MISSING)
    assert [error["field"] for error in reply["errors"]] == [field]
    answer = post(invoke, payload)
    assert (answer.status, answer.fields) == (400, [field])
    assert wire.requests == []


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"sourceBucket": ""}, "sourceBucket"),
    ({"sourceBucket": 7}, "sourceBucket"),
    ({"sourceBucket": "a/b"}, "sourceBucket"),
    ({"sourceBucket": "b" * 64}, "sourceBucket"),
    ({"sourceKey": ""}, "sourceKey"),
    ({"sourceKey": "x" * 1025}, "sourceKey"),
    ({"sourceKey": "é" * 513}, "sourceKey"),
    ({"sourceKey": "\ud800"}, "sourceKey"),
    ({"sourceKey": None}, "sourceKey"),
    ({"destinationBuckets": []}, "destinationBuckets"),
    ({"destinationBuckets": {}}, "destinationBuckets"),
    ({"destinationBuckets": 1}, "destinationBuckets"),
    ({"destinationBuckets": ["good-bucket", " "]}, "destinationBuckets[1]"),
    ({"destinationBuckets": [1]}, "destinationBuckets[0]"),
    ({"destinationBuckets": [f"bucket-{number}" for number in range(1001)]}, "destinationBuckets"),
    ({"destinationBuckets": [DESTINATIONS[0], SOURCE]}, "destinationBuckets[1]"),
    ({"sourceBucket": "other-builds", "destinationBuckets": [SOURCE]}, "destinationBuckets[0]"),
    ({"destinationPrefix": "x" * 1024}, "destinationPrefix"),
    ({"destinationPrefix": "\ud800"}, "destinationPrefix"),
    ({"versionId": "v" * 1025}, "versionId"),
    ({"eTag": "\udfff"}, "eTag"),
    ({"sequencer": "not hex"}, "sequencer"),
    ({"size": -1}, "size"),
    ({"force": "perhaps"}, "force"),
    ({"force": "true"}, "force"),
    ({"force": 1}, "force"),
    ({"size": "3"}, "size"),
    ({"forced": True}, "forced"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_FIELDS)
def test_a_wrong_field_is_named_and_nothing_is_started(
    invoke: Invoke, wire: Wire, changes: dict[str, Any], field: str
) -> None:
    payload = PAYLOAD | changes
    reply = invoke("step_function_invoker", payload)
    assert reply["statusCode"] == 400
    named = [error["field"] for error in reply["errors"]]
    answer = post(invoke, json.dumps(payload))
    assert (answer.status, answer.json["code"]) == (400, "INVALID_INPUT")
    assert answer.headers["content-type"] == "application/problem+json"
    # Which one of several destinations is wrong is told where that is known.
    for fields in (named, answer.fields):
        assert field in fields or field.partition("[")[0] in fields
    assert wire.requests == []


@pytest.mark.parametrize("payload", [None, [], "text", 7, [PAYLOAD]])
def test_a_payload_that_is_no_object_is_refused(invoke: Invoke, payload: Any) -> None:
    assert invoke("step_function_invoker", payload)["statusCode"] == 400
    assert post(invoke, json.dumps(payload)).status == 400


@pytest.mark.parametrize(
    ("body", "encoded"),
    [("{", False), ("", False), (None, False), ("not base64!", True), (base64.b64encode(b"\xff{").decode(), True)],
)
def test_a_body_that_is_no_json_is_refused(invoke: Invoke, wire: Wire, body: str | None, encoded: bool) -> None:
    assert post(invoke, body, isBase64Encoded=encoded).status == 400
    assert wire.requests == []


def test_a_thousand_destinations_start(invoke: Invoke, wire: Wire) -> None:
    names = [f"{number:04}-".ljust(63, "x") for number in range(1000)]
    assert invoke("step_function_invoker", PAYLOAD | {"destinationBuckets": names})["statusCode"] == 200
    assert inputs(wire)[0]["destinationBuckets"] == names


def test_the_role_is_needed(invoke: Invoke, wire: Wire) -> None:
    assert post(invoke, PAYLOAD, identity={"subject": "alice", "roles": "scanning"}).status == 403
    assert post(invoke, PAYLOAD, identity=None).status == 401
    assert post(invoke, PAYLOAD, identity={"subject": "alice", "roles": "admin"}).status == 200


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("sfn.StartExecution", "ThrottlingException", 429),
        ("sfn.StartExecution", "ServiceUnavailable", 503),
        ("sfn.DescribeExecution", "InternalServerError", 503),
        ("sfn.StartExecution", "AccessDeniedException", 500),
        ("s3.HeadObject", "SlowDown", 503),
    ],
)
def test_our_faults_are_5xx_that_say_nothing_of_their_cause(
    invoke: Invoke, wire: Wire, operation: str, code: str, status: int
) -> None:
    # The name is taken: the run that has it is looked up.
    invoke("step_function_invoker", PAYLOAD)
    wire.refuse(operation, code, "arn:aws:iam::1:role/secret", status=503 if operation == "s3.HeadObject" else 400)
    answer = post(invoke, PAYLOAD)
    assert answer.status == status
    assert "secret" not in answer.text


def test_our_faults_raise_in_a_direct_invocation(invoke: Invoke, wire: Wire) -> None:
    wire.refuse("sfn.StartExecution", "ThrottlingException", times=3)
    with pytest.raises(RateLimitedError):
        invoke("step_function_invoker", PAYLOAD)
    invoke("step_function_invoker", PAYLOAD)
    wire.refuse("sfn.DescribeExecution", "AccessDeniedException")
    with pytest.raises(ExecutionRefusedError):
        invoke("step_function_invoker", PAYLOAD)
