"""ScanObjectsFunction: scans the objects of SQS messages, a slice each."""

import json
from typing import Any

from waybill.core.errors import WaybillError
from waybill.core.observability import count, instrumented, logger
from waybill.scanning import WORKFLOW, wiring
from waybill.scanning.working import parsed


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take an SQS batch; return the messages to deliver again."""
    failed = [record["messageId"] for record in event["Records"] if not _worked(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _worked(record: dict[str, Any], context: Any) -> bool:
    log = logger(WORKFLOW)
    try:
        work = parsed(json.loads(record["body"]))
        if work is None:
            raise ValueError
        read = wiring.worker(context).work(work)
    except ValueError:
        # It goes to the dead-letter queue, where a person can look at it.
        log.warning("message is no slice", extra={"message_id": record["messageId"]})
        return False
    except WaybillError as error:
        log.warning("slice not finished", extra={"message_id": record["messageId"], "code": error.code})
        return False
    count(WORKFLOW, "ObjectsRead", read)
    return True
