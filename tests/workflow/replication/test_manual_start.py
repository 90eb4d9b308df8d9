"""Runs that people start, by invoking the function directly; its HTTP side is in tests/workflow/gateway."""

import json

import pytest

from tests.fakes.api import request_event
from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.source import Source


def test_plain_payload_starts_a_run(application: Application, quiet: Source, key: str) -> None:
    quiet.put(key)

    reply = application.invoke(application.invoker, quiet.request(key)).payload

    assert reply["message"] == "Step Function execution started successfully"
    assert (reply["statusCode"], reply["alreadyRunning"]) == (200, False)
    assert reply["input"]["destinationBuckets"] == application.destinations
    assert json.loads(reply["body"])["executionArn"] == reply["executionArn"]
    assert application.ended(reply["executionArn"]).output["status"] == "SUCCESS"
    assert quiet.record(key)["executionId"] == reply["executionArn"]


def test_same_request_again_finds_the_first_run(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    replies = [application.invoke(application.invoker, quiet.request(key)).payload for _ in range(2)]

    assert replies[0]["executionArn"] == replies[1]["executionArn"]
    assert [reply["alreadyRunning"] for reply in replies] == [False, True]
    assert application.executions(label) == [replies[0]["executionArn"]]
    application.ended(replies[0]["executionArn"])
    third = application.invoke(application.invoker, quiet.request(key)).payload
    assert (third["executionArn"], third["alreadyRunning"]) == (replies[0]["executionArn"], True)
    assert len(gate.calls(label, "CopyObject")) == len(application.destinations)


def test_changed_file_and_forced_request_start_new_runs(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key, b"one")
    first = application.invoke(application.invoker, quiet.request(key)).payload["executionArn"]
    application.ended(first)
    quiet.put(key, b"two")

    second = application.invoke(application.invoker, quiet.request(key)).payload["executionArn"]
    application.ended(second)
    third = application.invoke(application.invoker, quiet.request(key, force=True)).payload["executionArn"]

    assert application.ended(third).output["status"] == "SUCCESS"
    assert sorted(application.executions(label)) == sorted({first, second, third})
    assert application.content(application.destinations[0], key) == b"two"


@pytest.mark.parametrize("single", [True, False], ids=["one name", "a list"])
def test_one_destination_may_be_a_plain_name(application: Application, quiet: Source, single: bool, key: str) -> None:
    quiet.put(key)
    bucket = application.destinations[0]
    payload = quiet.request(key) | {"destinationBuckets": bucket if single else [bucket]}

    reply = application.invoke(application.invoker, payload).payload

    assert reply["input"]["destinationBuckets"] == [bucket]
    assert application.ended(reply["executionArn"]).output["totalBuckets"] == 1


@pytest.mark.parametrize(
    ("payload", "message", "field"),
    [
        ({}, "Missing required parameters: sourceBucket, sourceKey, destinationBuckets", "sourceBucket"),
        ({"sourceBucket": "a-bucket"}, "Missing required parameters", "sourceKey"),
        ([1, 2], "Invalid parameters", "input"),
        ("text", "Invalid parameters", "input"),
        (None, "Invalid parameters", "input"),
        (
            {"sourceBucket": "a-bucket", "sourceKey": "k", "destinationBuckets": [f"b-{n}" for n in range(1001)]},
            "Invalid parameters",
            "destinationBuckets",
        ),
        (
            {"sourceBucket": "a-bucket", "sourceKey": "k", "destinationBuckets": [7]},
            "Invalid parameters",
            "destinationBuckets[0]",
        ),
    ],
    ids=["empty", "two missing", "a list", "text", "null", "too many", "a number"],
)
def test_wrong_payload_is_answered_with_its_fields(
    application: Application, payload: object, message: str, field: str
) -> None:
    answer = application.invoke(application.invoker, payload)

    assert answer.error is None
    assert answer.payload["statusCode"] == 400
    assert answer.payload["message"].startswith(message)
    assert field in [error["field"] for error in answer.payload["errors"]]


@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_proxy_event_starts_a_run(application: Application, quiet: Source, encoded: bool, key: str) -> None:
    quiet.put(key)

    identity = {"subject": "somebody", "roles": "replication"}
    event = request_event("POST", "/step-function", body=quiet.request(key), encode=encoded, identity=identity)

    answer = application.invoke(application.invoker, event)

    assert answer.payload["statusCode"] == 200
    reply = json.loads(answer.payload["body"])
    assert application.ended(reply["executionArn"]).output["status"] == "SUCCESS"


def test_run_of_a_source_that_is_not_there_still_starts_and_records_why(
    application: Application, quiet: Source, key: str
) -> None:
    reply = application.invoke(application.invoker, quiet.request(key)).payload

    assert application.ended(reply["executionArn"]).error == "FAILED"
    assert {item["code"] for item in quiet.destinations(key).values()} == {"SOURCE_NOT_FOUND"}
