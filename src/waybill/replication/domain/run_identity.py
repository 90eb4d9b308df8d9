"""Which runs are the same run."""

from waybill.core.executions import execution_name
from waybill.replication.models import ReplicationRequest


def execution_name_of(request: ReplicationRequest, seen_state: str | None = None, follows: str | None = None) -> str:
    """Return the execution name of `request`: equal for every delivery of one event, different for every other run.

    Identity is bucket, key, what is pinned (version, else sequencer, else ETag, else `seen_state`, the state of the
    source that a manual run saw), the destinations in any order, the nonce, and the run that it `follows`: names last
    for 90 days, and a later request is another run.
    """
    pinned = request.version_id or request.sequencer or request.e_tag or seen_state or ""
    return execution_name(
        request.source_key.rsplit("/", 1)[-1],
        request.source_bucket,
        request.source_key,
        pinned,
        *sorted(request.destination_buckets),
        request.destination_prefix or "",
        request.nonce or "",
        *([follows] if follows else []),
    )
