"""CopyFile: copies the source to one destination, in one call or in parts that fit one invocation."""

from typing import TYPE_CHECKING

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.models import CopyTask

if TYPE_CHECKING:
    from waybill.core.invocations import InvocationContext


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: "InvocationContext") -> dict[str, object]:
    """Take a copy task; return its destination result."""
    return runtime.copier(context).copy_file(CopyTask.parse(event)).wire()
