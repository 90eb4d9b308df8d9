"""DescribeSource: looks at the source once for all destinations and plans the copy by its size."""

from waybill.core.observability import instrumented
from waybill.replication import WORKFLOW, runtime
from waybill.replication.domain.copier import describe_source
from waybill.replication.models import ReplicationRun


@instrumented(WORKFLOW)
def lambda_handler(event: object, context: object) -> dict[str, object]:
    """Take a run; return `{source, strategy, partSize, batches}`."""
    return describe_source(runtime.buckets(), ReplicationRun.parse(event), runtime.limits()).wire()
