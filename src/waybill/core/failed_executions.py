"""Executions that ended badly without telling anybody themselves."""

import json
from collections.abc import Mapping
from typing import TypedDict

from waybill.core.notifications import Notification


class StatusChange(TypedDict, total=False):
    """What EventBridge tells of an execution that has ended (Step Functions developer guide, "Events")."""

    executionArn: str
    stateMachineArn: str
    name: str
    status: str
    startDate: int
    stopDate: int
    input: str | None
    error: str | None
    cause: str | None


class StatusChangeEvent(TypedDict):
    """A `Step Functions Execution Status Change`."""

    detail: StatusChange


def already_notified(detail: StatusChange) -> bool:
    """Return whether the execution of an EventBridge status change ended in a Fail state that says `notified: true`.

    A workflow that has notified people of its failure puts its result document into the cause of its Fail state.
    """
    try:
        cause = json.loads(detail.get("cause") or "null")
    except ValueError:
        return False
    return isinstance(cause, Mapping) and cause.get("notified") is True


def is_notified_with_its_job(detail: StatusChange) -> bool:
    """Return whether the execution is one of many of a job (`backfillId` in its input) and was stopped or timed out.

    Whoever closes the records of such runs tells of the job, and not of each of thousands.
    """
    if detail.get("status") not in {"ABORTED", "TIMED_OUT"}:
        return False
    try:
        given = json.loads(detail.get("input") or "null")
    except ValueError:
        return False
    return isinstance(given, Mapping) and isinstance(given.get("backfillId"), str)


def notification_of(detail: StatusChange) -> Notification:
    """Return what people are told of the execution of a `Step Functions Execution Status Change`.

    Input and output stay out: they may hold what does not belong into mail.
    """
    workflow = str(detail["stateMachineArn"]).rsplit(":", 1)[-1]
    status, name = str(detail["status"]), str(detail["name"])
    lines = [
        f"❌ An execution of {workflow} ended as {status} without a result of its own.",
        "",
        f"Execution: {detail['executionArn']}",
        f"Started:   {detail.get('startDate')}  (milliseconds since 1970)",
        f"Stopped:   {detail.get('stopDate')}",
        f"Error:     {detail.get('error') or 'none given'}",
        "",
        "🔎 The execution's history in the Step Functions console shows the state it ended in.",
    ]
    return Notification(
        workflow=workflow,
        status=status,
        about=name,
        subject=f"{workflow} {status}: {name}",
        body="\n".join(lines),
        notification_id=name,
    )
