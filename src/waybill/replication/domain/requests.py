"""Which files are replicated to where, and what may be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waybill.core.errors import FieldError, InvalidInputError
from waybill.replication.domain.events import Ignored, ObjectCreated
from waybill.replication.models import ReplicationRequest, ReplicationRun


@dataclass(frozen=True)
class Routing:
    """The destinations of every upload, and the prefix and suffix that a key must have to be replicated at all."""

    destination_buckets: tuple[str, ...]
    key_prefix: str = ""
    key_suffix: str = ""

    def request(self, created: ObjectCreated) -> ReplicationRequest | Ignored:
        """Return the request that a new object makes, or why it makes none.

        Raises
        ------
        InvalidInputError
            The event names no possible bucket or key.
        """
        if created.bucket in self.destination_buckets:
            return Ignored("loop guard: the bucket is a destination")
        if not created.key.startswith(self.key_prefix) or not created.key.endswith(self.key_suffix):
            return Ignored("the key does not match the prefix and suffix")
        return ReplicationRequest.parse(
            {
                "sourceBucket": created.bucket,
                "sourceKey": created.key,
                "destinationBuckets": self.destination_buckets,
                "versionId": created.version_id,
                "eTag": created.e_tag,
                "size": created.size,
                "sequencer": created.sequencer,
            }
        )


def guard_against_loops(request: ReplicationRequest, trigger_buckets: frozenset[str]) -> None:
    """Refuse copies into a bucket whose uploads start this workflow.

    Raises
    ------
    InvalidInputError
        Names the destination.
    """
    looping = [
        FieldError(f"destinationBuckets[{index}]", f"{bucket} starts this workflow: the copy would be copied again")
        for index, bucket in enumerate(request.destination_buckets)
        if bucket in trigger_buckets
    ]
    if looping:
        raise InvalidInputError(*looping)


def open_run(payload: object, execution: Mapping[str, Any], trigger_buckets: frozenset[str]) -> ReplicationRun:
    """Return the run of `execution` (Step Functions' `Id`, `Name`, `StartTime`) for the workflow input `payload`.

    Raises
    ------
    InvalidInputError
        Names every field that is missing or wrong; nothing has been written yet.
    """
    request = ReplicationRequest.parse(payload)
    guard_against_loops(request, trigger_buckets)
    return ReplicationRun(
        **request.model_dump(),
        execution_id=execution["Id"],
        execution_name=execution["Name"],
        workflow_start_time=execution["StartTime"],
    )
