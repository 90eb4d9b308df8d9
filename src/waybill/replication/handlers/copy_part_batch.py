"""CopyPartBatch: copies those of a batch of parts that the upload does not have yet."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask, PartRange


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{task, uploadId, batch: {firstPart, lastPart}}`; return the batch."""
    batch = PartRange.parse(event["batch"])
    runtime.copier(context).copy_part_batch(CopyTask.parse(event["task"]), event["uploadId"], batch)
    return batch.wire()
