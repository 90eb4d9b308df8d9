import json
from typing import Any

import pytest

from waybill.core.failed_executions import already_notified, is_notified_with_its_job, notification_of

_ARN = "arn:aws:states:eu-west-1:123456789012"
_DETAIL = {
    "executionArn": f"{_ARN}:execution:waybill-replication:build-1",
    "stateMachineArn": f"{_ARN}:stateMachine:waybill-replication",
    "name": "build-1",
    "status": "TIMED_OUT",
    "startDate": 1_700_000_000_000,
    "stopDate": 1_700_000_600_000,
    "input": '{"sourceKey": "hunter2"}',
    "output": None,
}


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (json.dumps({"status": "FAILED", "notified": True}), True),
        (json.dumps({"status": "FAILURE_NOTIFICATION_FAILED", "notified": False}), False),
        (json.dumps({"notified": "true"}), False),
        (json.dumps({"status": "FAILED"}), False),
        (json.dumps(["notified"]), False),
        ("notified: true", False),
        ("", False),
        (None, False),
    ],
)
def test_only_who_says_so_has_told(cause: Any, told: bool) -> None:
    assert already_notified({**_DETAIL, "cause": cause}) is told


def test_an_execution_without_a_cause_has_not_told() -> None:
    assert not already_notified(_DETAIL)


# Replication's README, "Backfills": of the runs of a job people are told at most once per job and hour.
@pytest.mark.parametrize(
    ("status", "given", "told"),
    [
        ("ABORTED", json.dumps({"sourceKey": "a", "backfillId": "20261121-100000-abc"}), True),
        ("TIMED_OUT", json.dumps({"backfillId": "20261121-100000-abc"}), True),
        ("FAILED", json.dumps({"backfillId": "20261121-100000-abc"}), False),
        ("ABORTED", json.dumps({"sourceKey": "a"}), False),
        ("ABORTED", json.dumps({"backfillId": None}), False),
        ("ABORTED", "no JSON", False),
        ("ABORTED", None, False),
    ],
)
def test_a_stopped_run_of_a_job_is_told_of_with_the_job(status: str, given: str | None, told: bool) -> None:
    assert is_notified_with_its_job({**_DETAIL, "status": status, "input": given}) is told


def test_people_read_which_execution_ended_how() -> None:
    notification = notification_of({**_DETAIL, "error": "States.Timeout"})
    assert (notification.workflow, notification.status, notification.about) == (
        "waybill-replication", "TIMED_OUT", "build-1",
    )  # fmt: skip
    assert notification.subject == "waybill-replication TIMED_OUT: build-1"
    assert notification.notification_id == "build-1"
    assert "❌ An execution of waybill-replication ended as TIMED_OUT" in notification.body
    assert f"Execution: {_DETAIL['executionArn']}" in notification.body
    assert "Error:     States.Timeout" in notification.body


def test_inputs_stay_out_of_mail() -> None:
    assert "hunter2" not in notification_of(_DETAIL).body


def test_no_error_is_said_to_be_none() -> None:
    assert "Error:     none given" in notification_of(_DETAIL).body
