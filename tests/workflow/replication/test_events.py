"""Every shape in which an upload's event reaches the worker."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import eventbridge_event, in_sns, in_sqs, s3_event, s3_record
from tests.workflow.support.source import Source

AWKWARD = "a+b %2B é 📦 100%"
SHAPES: dict[str, Callable[..., Any]] = {
    "S3": s3_event,
    "EventBridge": eventbridge_event,
    "S3 in SNS": lambda *names: in_sns(s3_event(*names)),
    "EventBridge in SNS": lambda *names: in_sns(eventbridge_event(*names)),
    "S3 in SQS": lambda *names: in_sqs(s3_event(*names)),
    "EventBridge in SQS": lambda *names: in_sqs(eventbridge_event(*names)),
    "S3 in SNS in SQS": lambda *names: in_sqs({"Type": "Notification", "Message": json.dumps(s3_event(*names))}),
    "what a failure destination holds": lambda *names: in_sqs({"requestPayload": s3_event(*names)}),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_event_of_every_shape_names_the_same_key(
    application: Application, quiet: Source, shape: Callable[..., Any], label: str
) -> None:
    key = f"{label}/{AWKWARD}"
    quiet.put(key)

    answer = application.invoke(application.worker, shape(quiet.name, key))

    assert answer.error is None
    quiet.record(key)
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"content"


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "a-bucket"},
        {"Records": [s3_record("a-bucket", "k") | {"eventName": "ObjectRemoved:Delete"}]},
        {"Records": [s3_record("a-bucket", "k") | {"eventName": "ObjectRestore:Completed"}]},
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}},
        {"Records": []},
    ],
    ids=["test event", "delete", "restore", "EventBridge delete", "no records"],
)
def test_events_that_ask_for_nothing_are_acknowledged(application: Application, event: dict[str, Any]) -> None:
    answer = application.invoke(application.worker, event)

    assert (answer.error, answer.payload["executions"]) == (None, [])


def test_upload_to_a_destination_is_ignored(application: Application) -> None:
    answer = application.invoke(application.worker, s3_event(application.destinations[0], "k"))

    assert (answer.error, answer.payload["executions"]) == (None, [])


def test_bad_records_of_one_event_do_not_stop_the_others_and_are_raised(
    application: Application, quiet: Source, label: str
) -> None:
    keys = [f"{label}-{number}" for number in range(3)]
    for key in keys:
        quiet.put(key)
    good = [s3_record(quiet.name, key) for key in keys]
    bad = [{"eventSource": "aws:s3", "nothing": "known"}, s3_record("no bucket", "k")]

    answer = application.invoke(application.worker, {"Records": [good[0], bad[0], good[1], bad[1], good[2]]})

    assert answer.error == "EventNotHandledError"
    assert "2 records not handled, 3 started" in answer.payload["errorMessage"]
    for key in keys:
        quiet.record(key)


def test_batch_with_a_poison_message_returns_that_message_alone(
    application: Application, quiet: Source, label: str
) -> None:
    keys = [f"{label}-{number}" for number in range(2)]
    for key in keys:
        quiet.put(key)

    answer = application.invoke(
        application.worker,
        in_sqs(s3_event(quiet.name, keys[0]), "not JSON", s3_event(quiet.name, keys[1]), {"neither": "this"}),
    )

    assert answer.payload == {"batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-3"}]}
    for key in keys:
        quiet.record(key)
