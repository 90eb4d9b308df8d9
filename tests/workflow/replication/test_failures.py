"""Copies that fail: what is recorded, what people are told, and what is not tried again."""

import json

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.names import FOREIGN, MISSING
from tests.workflow.support.polling import THROTTLED
from tests.workflow.support.requests import Requests
from tests.workflow.support.source import Source


@pytest.fixture(scope="module")
def foreign_bucket(application: Application) -> None:
    """A bucket that exists, and that no role of the application may touch."""
    application.make_bucket(FOREIGN)


def test_one_missing_bucket_fails_alone(application: Application, quiet: Source, key: str, label: str) -> None:
    quiet.put(key)

    ended = application.run(quiet.request(key, [*application.destinations, MISSING]), label)

    assert (ended.status, ended.error) == ("FAILED", "PARTIAL_FAILURE")
    assert json.loads(ended.cause or "") == {
        "status": "PARTIAL_FAILURE",
        "message": "1 of 3 file copies failed",
        "sourceKey": key,
        "sourceBucket": quiet.name,
        "totalBuckets": 3,
        "failedCopies": 1,
        "successfulCopies": 2,
        "executionId": ended.arn,
        "notified": True,
    }
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"content"
    record = quiet.record(key, "FAILED")
    assert json.loads(record["failedBuckets"]) == [MISSING]
    assert json.loads(record["successfulBuckets"]) == application.destinations
    failed = quiet.destinations(key)[MISSING]
    assert (failed["status"], failed["code"], failed["attempts"], failed["retryable"]) == (
        "FAILED",
        "NO_SUCH_BUCKET",
        1,
        False,
    )
    assert MISSING in failed["cause"]
    assert len(application.told(label)) == 1


def test_notification_says_what_failed_why_and_where_to_look(
    application: Application, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    application.run(quiet.request(key, [application.destinations[0], MISSING]), label)

    letter = mailbox.one_about(label)
    assert letter.subject == f"File Copy Failures: {key}"
    assert letter.attributes == {
        "workflow": "replication",
        "status": "PARTIAL_FAILURE",
        "subject": f"{quiet.name}/{key}",
        "notificationId": label,
    }
    assert "❌" in letter.body
    assert f"❌ {MISSING}: NO_SUCH_BUCKET" in letter.body
    assert "1 of 2 destinations have the file" in letter.body
    assert f"waybill replications show s3://{quiet.name}/{key}" in letter.body


def test_subject_is_short_ascii_for_any_key(
    application: Application, mailbox: Mailbox, quiet: Source, label: str
) -> None:
    key = f"{label} é 📦\n{'x' * 900}"
    quiet.put(key)

    application.run(quiet.request(key, [MISSING]), label)

    letter = mailbox.one_about(label)
    assert letter.subject.isascii()
    assert letter.subject.isprintable()
    assert len(letter.subject) <= 100
    # One line in what people read, whatever the key holds.
    assert key.replace("\n", "\\n") in letter.body


@pytest.mark.usefixtures("foreign_bucket")
def test_denied_bucket_is_reported_with_the_action_and_tried_once(
    application: Application, requests: Requests, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    ended = application.run(quiet.request(key, [FOREIGN]), label)

    assert (ended.status, ended.error) == ("FAILED", "FAILED")
    failed = quiet.destinations(key)[FOREIGN]
    assert (failed["code"], failed["attempts"]) == ("ACCESS_DENIED", 1)
    # Every destination is looked at before it is written to: that is what is denied first.
    assert "s3:GetObject" in failed["cause"]
    assert f"{FOREIGN}/{key}" in failed["cause"]
    requests.were(label, bucket=FOREIGN, HeadObject=1, CopyObject=0)
    assert application.content(FOREIGN, key) is None


@pytest.mark.parametrize(
    ("bucket", "code", "named"),
    [
        (None, "SOURCE_NOT_FOUND", "NoSuchKey"),
        (MISSING, "NO_SUCH_BUCKET", "NoSuchBucket"),
        (FOREIGN, "ACCESS_DENIED", "s3:GetObject"),
    ],
    ids=["no such object", "no such bucket", "denied"],
)
@pytest.mark.usefixtures("foreign_bucket")
def test_source_that_cannot_be_read_fails_every_destination_with_one_notification(
    application: Application,
    requests: Requests,
    quiet: Source,
    bucket: str | None,
    code: str,
    named: str,
    key: str,
    label: str,
) -> None:
    source = application.source_named(bucket or quiet.name)
    if code == "ACCESS_DENIED":
        source.put(key)

    ended = application.run(source.request(key), label)

    assert (ended.status, ended.error) == ("FAILED", "FAILED")
    found = source.destinations(key)
    assert {name: (item["code"], item["attempts"]) for name, item in found.items()} == dict.fromkeys(
        application.destinations, (code, 0)
    )
    assert all(named in item["cause"] and source.name in item["cause"] for item in found.values())
    # Of a bucket that is not there, its Region is what is asked for first.
    requests.were(label, HeadObject=int(code != "NO_SUCH_BUCKET"), CopyObject=0)
    assert len(application.told(label)) == 1


def test_archived_source_is_reported_as_such(application: Application, quiet: Source, key: str, label: str) -> None:
    quiet.put(key, StorageClass="GLACIER")

    application.run(quiet.request(key), label)

    assert {item["code"] for item in quiet.destinations(key).values()} == {"SOURCE_ARCHIVED"}


def test_source_encrypted_with_a_customer_key_is_reported_as_such(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key, SSECustomerAlgorithm="AES256", SSECustomerKey="0" * 32)

    application.run(quiet.request(key), label)

    assert {item["code"] for item in quiet.destinations(key).values()} == {"SSE_C_UNSUPPORTED"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"destinationBuckets": []}, "destinationBuckets"),
        ({"destinationBuckets": None}, "destinationBuckets"),
        ({"destinationBuckets": {"a": 1}}, "destinationBuckets"),
        ({"destinationBuckets": ["  "]}, "destinationBuckets[0]"),
        ({"destinationBuckets": ["good-bucket", "no bucket"]}, "destinationBuckets[1]"),
        ({"destinationBuckets": [f"bucket-{number}" for number in range(1001)]}, "destinationBuckets"),
        ({"sourceBucket": ""}, "sourceBucket"),
        ({"sourceKey": ""}, "sourceKey"),
        ({"sourceKey": "é" * 513}, "sourceKey"),
        ({"sequencer": "later"}, "sequencer"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
def test_wrong_input_is_rejected_before_anything_is_written(
    application: Application,
    requests: Requests,
    quiet: Source,
    wrong: dict[str, object],
    field: str,
    key: str,
    label: str,
) -> None:
    ended = application.run(quiet.request(key) | wrong, label)

    assert (ended.status, ended.error) == ("FAILED", "INVALID_INPUT")
    assert json.loads(ended.cause or "")["errorMessage"].startswith(f"{field}: ")
    assert ended.states == ["ValidateInput", "InputRejected"]
    assert quiet.item(key) is None
    requests.none(key)


def test_destination_that_is_the_source_or_starts_the_workflow_is_refused(
    application: Application, source: Source, quiet: Source, key: str, label: str
) -> None:
    onto_itself = application.run(quiet.request(key, [quiet.name]), f"{label}-itself")
    starting = application.run(quiet.request(key, [source.name]), label)

    assert (onto_itself.error, starting.error) == ("INVALID_INPUT", "INVALID_INPUT")
    assert json.loads(onto_itself.cause or "")["errorMessage"].startswith("destinationBuckets: ")
    assert f"{source.name} starts this workflow" in (starting.cause or "")


def test_input_that_nobody_could_look_at_fails_the_run_and_the_net_tells(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    with application.throttled("ValidateInputFunction"):
        ended = application.run(quiet.request(key), label, within=THROTTLED)

    assert (ended.status, ended.error) == ("FAILED", "Lambda.TooManyRequestsException")
    assert ended.states == ["ValidateInput", "InputNotValidated"]
    assert quiet.item(key) is None
    assert len(application.told(label)) == 1
