"""What the functions that start runs answer."""

import json
from collections.abc import Mapping
from typing import Any

from waybill.core.clock import iso
from waybill.replication.domain.starter import EventOutcome, Started


def start_reply(started: Started) -> dict[str, Any]:
    """Return the answer to a manual start: `{message, executionArn, startDate, input, alreadyRunning}`."""
    again = started.execution.already_running
    return {
        "message": "This run was started before" if again else "Step Function execution started successfully",
        "executionArn": started.execution.execution_arn,
        "startDate": iso(started.execution.start_date),
        "input": started.request.wire(),
        "alreadyRunning": again,
    }


def worker_reply(outcome: EventOutcome) -> dict[str, Any]:
    """Return the worker's answer: of one record its own fields, of several a list under `executions`."""
    replies = [
        {
            "executionArn": started.execution.execution_arn,
            "startDate": iso(started.execution.start_date),
            "sourceBucket": started.request.source_bucket,
            "sourceKey": started.request.source_key,
            "destinationBuckets": list(started.request.destination_buckets),
        }
        for started in outcome.started
    ]
    message = f"{len(replies)} replications started, {len(outcome.ignored)} records ignored"
    only = replies[0] if len(replies) == 1 else {}
    return direct_reply(200, {"message": message, **only, "executions": replies})


def direct_reply(status: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` for a direct invocation, with `statusCode` and `body` besides, as the API has them."""
    return {"statusCode": status, **document, "body": json.dumps(document, ensure_ascii=False)}
