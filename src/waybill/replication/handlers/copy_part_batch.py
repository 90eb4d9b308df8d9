"""CopyPartBatch: copies those of a batch of parts that the upload does not have yet."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask, PartRange

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.replication.domain.states import PartBatchEvent


@instrumented(WORKFLOW)
def lambda_handler(event: "PartBatchEvent", context: "InvocationContext") -> dict[str, object]:
    """Take `{task, uploadId, batch: {firstPart, lastPart}}`; return the batch."""
    batch = PartRange.parse(event["batch"])
    runtime.copier(context).copy_part_batch(CopyTask.parse(event["task"]), event["uploadId"], batch)
    return batch.wire()
