"""CompleteMultipartCopy: makes the object from its parts, unless a later run owns the file by now."""

from typing import TYPE_CHECKING

from waybill.core.observability import MetricUnit, count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.replication.domain.states import UploadedTask


@instrumented(WORKFLOW)
def lambda_handler(event: "UploadedTask", context: "InvocationContext") -> dict[str, object]:
    """Take `{task, uploadId}`; return the destination result."""
    result = runtime.copier(context).complete_multipart_copy(CopyTask.parse(event["task"]), event["uploadId"])
    count(WORKFLOW, "BytesCopied", result.bytes or 0, MetricUnit.Bytes)
    return result.wire()
