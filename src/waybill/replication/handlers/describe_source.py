"""DescribeSource: looks at the source once for all destinations and plans the copy by its size."""

from typing import Any

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.copier import describe_source
from waybill.replication.models import ReplicationRun


@instrumented(WORKFLOW)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a run; return `{source, strategy, partSize, batches}`."""
    return describe_source(runtime.buckets(), ReplicationRun.parse(event), runtime.limits()).wire()
