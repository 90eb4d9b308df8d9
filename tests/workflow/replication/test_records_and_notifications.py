"""DynamoDB and SNS failing at every place where a run needs them."""

import json

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import BUSY, Gate, Refusal
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.names import MISSING
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source

TABLE_GONE = Refusal(400, "ResourceNotFoundException")
TABLE_DOWN = Refusal(500, "InternalServerError")
TOPIC_REFUSES = Refusal(403, "AuthorizationError")
TOPIC_DOWN = Refusal(500, "InternalError")
SDK_ATTEMPTS = 3


def test_table_that_is_down_for_a_moment_delays_the_start(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    with gate.refusing("UpdateItem", label, TABLE_DOWN, times=SDK_ATTEMPTS) as down:
        ended = application.run(quiet.request(key), label)

    assert down.seen == SDK_ATTEMPTS
    assert ended.output["status"] == "SUCCESS"
    assert quiet.record(key)["executionId"] == ended.arn


@pytest.mark.parametrize(("fault", "calls"), [(TABLE_GONE, 1), (BUSY, 4)], ids=["gone", "busy"])
def test_nothing_is_copied_when_the_start_cannot_be_recorded(
    application: Application, gate: Gate, quiet: Source, fault: Refusal, calls: int, key: str, label: str
) -> None:
    quiet.put(key)

    with gate.refusing("UpdateItem", label, fault) as down:
        ended = application.run(quiet.request(key), label)

    assert down.seen == calls
    assert (ended.status, ended.error) == ("FAILED", "FAILED")
    assert json.loads(ended.cause or "")["message"] == "The start could not be recorded; nothing was copied"
    assert quiet.item(key) is None
    assert gate.calls(label, "CopyObject", "HeadObject") == []
    [letter] = application.told(label)
    assert "The start could not be recorded" in letter.body


def test_failed_copy_that_cannot_be_recorded_is_counted_all_the_same(
    application: Application, gate: Gate, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    """FormatErrorResult fails too."""
    bucket = application.destinations[0]
    quiet.put(key)

    with gate.refusing("PutItem", label, TABLE_GONE):
        ended = application.run(quiet.request(key, [bucket, MISSING]), label)

    assert ended.error == "FAILED"
    record = quiet.record(key, "FAILED")
    assert (record["totalBuckets"], record["failedCopies"]) == (2, 2)
    results = {result["destinationBucket"]: result["code"] for result in json.loads(record["copyResults"])}
    assert results == {bucket: "UNRECORDED", MISSING: "UNRECORDED"}
    assert f"❌ {MISSING}: UNRECORDED" in mailbox.one_about(label).body


def test_result_that_cannot_be_recorded_fails_the_run_and_the_reconciler_closes_its_record(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)
    # The first run of a file ends without a transaction.
    application.run(quiet.request(key), f"{label}-first")

    with gate.refusing("TransactWriteItems", label, TABLE_GONE):
        ended = application.run(quiet.request(key), label)

    assert (ended.status, ended.error) == ("FAILED", "FAILED")
    assert ended.states[-3:] == ["SendFailureNotification", "CheckFailureEnding", "ReplicationFailed"]
    assert "could not be recorded" in json.loads(ended.cause or "")["message"]
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"content"
    assert quiet.record(key, "IN_PROGRESS")["executionId"] == ended.arn
    assert len(application.told(label)) == 1

    application.reconcile()

    record = quiet.record(key)
    assert json.loads(record["successfulBuckets"]) == application.destinations


def test_topic_that_is_down_for_a_moment_delays_the_notification(
    application: Application, gate: Gate, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    with gate.refusing("Publish", label, TOPIC_DOWN, times=SDK_ATTEMPTS):
        ended = application.run(quiet.request(key, [MISSING]), label)

    assert ended.error == "FAILED"
    assert len(application.told(label)) == 1


def test_topic_that_refuses_leaves_a_final_record_and_the_net_tells_instead(
    application: Application, gate: Gate, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    with gate.refusing("Publish", label, TOPIC_REFUSES, times=1):
        ended = application.run(quiet.request(key, [application.destinations[0], MISSING]), label)

    assert (ended.status, ended.error) == ("FAILED", "FAILURE_NOTIFICATION_FAILED")
    assert ended.states[-3:] == ["NotificationFailed", "CheckFailureEnding", "ReplicationFailed"]
    assert quiet.record(key, "FAILED")["failedCopies"] == 1
    [letter] = until(lambda: mailbox.about(label), "news from the net")
    assert letter.attributes["workflow"] == application.workflow.rpartition(":")[2]
    assert letter.attributes["status"] == "FAILED"
    assert ended.arn in letter.body


def test_rejected_input_is_told_by_the_net(application: Application, quiet: Source, label: str) -> None:
    ended = application.run(quiet.request("a-file", []), label)

    [letter] = application.told(label)
    assert ended.arn in letter.body
    assert "INVALID_INPUT" in letter.body
    assert letter.attributes["notificationId"] == label
