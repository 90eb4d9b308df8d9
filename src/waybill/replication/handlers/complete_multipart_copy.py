"""CompleteMultipartCopy: makes the object from its parts, unless a later run owns the file by now."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext
    from waybill.replication.domain.states import UploadedTask


@instrumented(WORKFLOW)
def lambda_handler(event: "UploadedTask", context: "InvocationContext") -> dict[str, object]:
    """Take `{task, uploadId}`; return the destination result."""
    task = CopyTask.parse(event["task"])
    return runtime.copier(context).complete_multipart_copy(task, event["uploadId"]).wire()
