"""Runs that people start, by invoking the function directly; its HTTP side is in tests/workflow/gateway."""

import json

import pytest

from tests.fakes.api import request_event
from tests.workflow.support.application import Application
from tests.workflow.support.events import s3_record
from tests.workflow.support.requests import Requests
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


def test_request_after_the_run_has_ended_looks_again_and_writes_nothing(
    application: Application, requests: Requests, quiet: Source, key: str, label: str
) -> None:
    """A success is a statement about now, so that no earlier run is an answer."""
    quiet.put(key)
    first = application.invoke(application.invoker, quiet.request(key)).payload
    application.ended(first["executionArn"])

    second = application.invoke(application.invoker, quiet.request(key)).payload
    application.ended(second["executionArn"])

    assert (first["alreadyRunning"], second["alreadyRunning"]) == (False, False)
    assert sorted(application.executions(label)) == sorted([first["executionArn"], second["executionArn"]])
    assert {item["code"] for item in quiet.destinations(key).values()} == {"SKIPPED_IDENTICAL"}
    requests.were(label, CopyObject=len(application.destinations))


def test_request_after_a_copy_has_gone_or_changed_mends_it(application: Application, quiet: Source, key: str) -> None:
    """Equal means content, metadata and tags (README, "What equal means")."""
    quiet.put(key)
    application.ended(application.invoke(application.invoker, quiet.request(key)).payload["executionArn"])
    gone, retagged = application.destinations[:2]
    application.s3.delete_object(Bucket=gone, Key=key)
    tags = {"TagSet": [{"Key": "class", "Value": "open"}]}
    application.s3.put_object_tagging(Bucket=retagged, Key=key, Tagging=tags)

    application.ended(application.invoke(application.invoker, quiet.request(key)).payload["executionArn"])

    assert application.content(gone, key) == b"content"
    assert application.s3.get_object_tagging(Bucket=retagged, Key=key)["TagSet"] == []
    codes = {bucket: item["code"] for bucket, item in quiet.destinations(key).items()}
    assert (codes[gone], codes[retagged]) == ("COPIED", "TAGS_COPIED")


def test_new_tags_of_the_source_arrive_by_their_event(application: Application, quiet: Source, key: str) -> None:
    """The embedded AWS sends no such events: the worker is given what S3 sends (S3 user guide, "Event message")."""
    quiet.put(key)
    application.ended(application.invoke(application.invoker, quiet.request(key)).payload["executionArn"])
    tags = [{"Key": "class", "Value": "closed"}]
    application.s3.put_object_tagging(Bucket=quiet.name, Key=key, Tagging={"TagSet": tags})
    record = s3_record(quiet.name, key) | {
        "eventName": "ObjectTagging:Put",
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
    }

    replies = [application.invoke(application.worker, {"Records": [record]}).payload for _ in range(2)]

    assert replies[0]["executionArn"] == replies[1]["executionArn"]
    application.ended(replies[0]["executionArn"])
    for bucket in application.destinations:
        assert application.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == tags


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


def test_source_that_is_not_there_is_named_and_starts_nothing(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    """A slip in a name leaves no failure that nobody can mend."""
    request = quiet.request(key)
    mistyped = {"sourceKey": request, "sourceBucket": request | {"sourceBucket": "no-such-bucket"}}
    for field, payload in mistyped.items():
        reply = application.invoke(application.invoker, payload).payload
        assert reply["statusCode"] == 400
        assert [error["field"] for error in reply["errors"]] == [field]
    assert application.executions(label) == []
    assert quiet.destinations(key) == {}
