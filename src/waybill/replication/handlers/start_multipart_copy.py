"""StartMultipartCopy: opens the upload of an object that takes more than one invocation to copy."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a copy task; return `{uploadId}`, or `{result}` when there is nothing to copy."""
    started = runtime.copier(context).start_multipart_copy(CopyTask.parse(event))
    return {"uploadId": started} if isinstance(started, str) else {"result": started.wire()}
