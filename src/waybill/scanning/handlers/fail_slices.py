"""FailSlicesFunction: records the objects of slices that were given up on as failed, so that their jobs end."""

import json
from typing import Any

from waybill.core.observability import count, instrumented, logger
from waybill.scanning import WORKFLOW, wiring
from waybill.scanning.working import parsed


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of the dead-letter queue; return the messages that could not be handled."""
    failed = []
    for record in event["Records"]:
        try:
            work = parsed(json.loads(record["body"]))
        except ValueError:
            work = None
        if work is None:
            # Not ours: it is kept in the queue of lost messages, see the alarm.
            failed.append(record["messageId"])
            logger(WORKFLOW).error("message is no slice", extra={"message_id": record["messageId"]})
            continue
        wiring.worker(context).fail(work, "WORKER_FAILED")
        count(WORKFLOW, "SlicesFailed")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
