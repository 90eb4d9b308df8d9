"""The net below the workflows' own notifications."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.api import LambdaContext
from tests.fakes.functions import functions
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.core.errors import NotificationUnavailableError
from waybill.core.handlers.report_failed_execution import lambda_handler


@pytest.fixture
def event(wire: Wire, sample_event: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in functions()["waybill.core.handlers.report_failed_execution"].environment.items():
        monkeypatch.setenv(name, value)
    make_failure_topic()
    wire.clear()
    return dict(sample_event("core/report_failed_execution"))


def ended(event: dict[str, Any], **detail: Any) -> dict[str, Any]:
    return event | {"detail": event["detail"] | detail}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_people_are_told_once_of_an_execution_that_could_not_tell(
    event: dict[str, Any], wire: Wire, status: str
) -> None:
    failed = ended(event, status=status, error="States.Runtime", cause="not JSON, with a token in it")
    assert lambda_handler(failed, LambdaContext()) == {"notified": True}
    (letter,) = wire.published
    assert letter.attributes["status"] == status
    assert "Error:     States.Runtime" in letter.body
    assert "token" not in letter.body


@pytest.mark.parametrize(
    ("cause", "notified"),
    [
        ({"status": "PARTIAL_FAILURE", "notified": True}, False),
        ({"status": "FAILURE_NOTIFICATION_FAILED", "notified": False}, True),
        ({"errorMessage": "sourceKey: must not be empty", "errorType": "InvalidInputError"}, True),
        (["notified"], True),
        (None, True),
    ],
)
def test_a_run_that_has_told_is_not_told_of_again(
    event: dict[str, Any], wire: Wire, cause: Any, notified: bool
) -> None:
    failed = ended(event, status="FAILED", cause=json.dumps(cause))
    assert lambda_handler(failed, LambdaContext()) == {"notified": notified}
    assert len(wire.published) == notified


def test_a_stopped_run_of_a_backfill_is_left_to_the_job(event: dict[str, Any], wire: Wire) -> None:
    """Source: replication's README, "Backfills": people are told at most once per job and hour."""
    stopped = ended(event, status="ABORTED", cause=None, input=json.dumps({"backfillId": "20261121-100000-abc"}))
    assert lambda_handler(stopped, LambdaContext()) == {"notified": False}
    assert wire.published == []


def test_a_name_of_eighty_characters_fits_the_subject(event: dict[str, Any], wire: Wire) -> None:
    lambda_handler(ended(event, name="n" * 80), LambdaContext())
    assert len(wire.published[0].subject) <= 100


@pytest.mark.parametrize(
    ("code", "expected"), [("Throttling", NotificationUnavailableError), ("NotFound", ClientError)]
)
def test_what_cannot_be_told_is_raised_so_that_the_event_comes_back(
    event: dict[str, Any], wire: Wire, code: str, expected: type[Exception]
) -> None:
    wire.refuse("sns.Publish", code)
    with pytest.raises(expected):
        lambda_handler(event, LambdaContext())
