"""Executions that ended badly without telling anybody themselves."""

import json
from collections.abc import Mapping
from typing import Any

from waybill.core.notifications import Notification


def told_already(detail: Mapping[str, Any]) -> bool:
    """Return whether the execution of an EventBridge status change ended in a Fail state that says `notified: true`.

    A workflow that has notified people of its failure puts its result document into the cause of its Fail state.
    """
    try:
        cause = json.loads(detail.get("cause") or "null")
    except ValueError:
        return False
    return isinstance(cause, Mapping) and cause.get("notified") is True


def notification_of(detail: Mapping[str, Any]) -> Notification:
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
