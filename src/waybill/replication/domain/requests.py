"""Which files are replicated to where, and what may be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from waybill.core.errors import FieldError, InvalidInputError
from waybill.replication.domain.events import Ignored, ObjectCreated, ObjectRemoved, TagsChanged
from waybill.replication.models import ReplicationRequest, ReplicationRun


@dataclass(frozen=True)
class Routing:
    """The destinations of every upload, and the prefix and suffix that a key must have to be replicated at all.

    `removals`: whether a delete marker at the source becomes one at the destinations.
    """

    destination_buckets: tuple[str, ...]
    key_prefix: str = ""
    key_suffix: str = ""
    removals: bool = False

    def request(self, event: ObjectCreated | ObjectRemoved | TagsChanged) -> ReplicationRequest | Ignored:
        """Return the request that a new object, new tags or a removal make, or why they make none.

        New tags ask for what the source has by then: the event does not carry them, nor its place in an order.

        Raises
        ------
        InvalidInputError
            The event names no possible bucket or key.
        """
        if event.bucket in self.destination_buckets:
            return Ignored("loop guard: the bucket is a destination")
        if not event.key.startswith(self.key_prefix) or not event.key.endswith(self.key_suffix):
            return Ignored("the key does not match the prefix and suffix")
        asked: dict[str, object] = {
            "sourceBucket": event.bucket,
            "sourceKey": event.key,
            "destinationBuckets": self.destination_buckets,
        }
        if isinstance(event, ObjectRemoved):
            if not self.removals:
                return Ignored("removals are not replicated")
            told = {"removed": True, "size": 0, "sequencer": event.sequencer, "eventTime": event.time}
            return ReplicationRequest.parse(asked | told | {"nonce": f"removed {event.version_id}"[:1024]})
        if isinstance(event, TagsChanged):
            return ReplicationRequest.parse(asked | {"nonce": f"tags {event.event_id}"[:1024], "lookFirst": True})
        return ReplicationRequest.parse(
            asked
            | {
                "versionId": event.version_id,
                "eTag": event.e_tag,
                "size": event.size,
                "sequencer": event.sequencer,
                "lookFirst": event.may_be_copy or None,
                "eventTime": event.time,
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


def open_run(payload: object, execution: Mapping[str, str], trigger_buckets: frozenset[str]) -> ReplicationRun:
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
