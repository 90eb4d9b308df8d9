"""CopyFile: copies the source to one destination, in one call or in parts that fit one invocation."""

from typing import Any

from waybill.core.observability import MetricUnit, count, instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a copy task; return its destination result."""
    result = runtime.copier(context).copy_file(CopyTask.parse(event))
    count(WORKFLOW, "BytesCopied", result.bytes or 0, MetricUnit.Bytes)
    return result.wire()
