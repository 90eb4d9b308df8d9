"""StartMultipartCopy: opens the upload of an object that takes more than one invocation to copy."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: "InvocationContext") -> dict[str, object]:
    """Take a copy task; return `{uploadId}`, or `{result}` when there is nothing to copy."""
    started = runtime.copier(context).start_multipart_copy(CopyTask.parse(event))
    return {"uploadId": started} if isinstance(started, str) else {"result": started.wire()}
