"""Which of two writes is the newer one, where a destination is somebody's source too.

Stacks that are each other's destinations may be written on both sides at once: then the newer write stays, and its own
event brings it to where the older one is. S3 gives a copy a time of its own and keeps nothing of its original's, so two
questions have to wait until they answer themselves: whether what lies there is an earlier copy of this stack, which is
recorded only after it has landed, and whether the source itself is a copy of something that was written over there
meanwhile, which is on its way here then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.clock import moment_of
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.records import DestinationRecord
from waybill.replication.errors import DestinationUnsettledError
from waybill.replication.models import CopyTask, ObjectFacts, ReplicationRun

# So long after a write its own event and the record of its copy may still be on their way.
_SETTLED = timedelta(seconds=60)


def orders_writes(buckets: Buckets, run: ReplicationRun, bucket: str) -> bool:
    """Return whether `run` leaves what is newer at its destination `bucket`.

    Runs of events do, where the bucket raises events itself. Whoever asks by hand wants what the source has.
    """
    return run.sequencer is not None and not run.force and not run.removed and buckets.sends_events(bucket)


@dataclass(frozen=True)
class Writes:
    """The source of `task`, and something else that was `found` at its destination; `record`: of its last copy."""

    task: CopyTask
    found: ObjectFacts
    record: DestinationRecord | None
    now: Callable[[], datetime]

    def newer_is_there(self) -> bool:
        """Return whether what is there was written after the source, by somebody else than this stack.

        Raises
        ------
        DestinationUnsettledError
            It was written a moment ago, and that cannot be told yet.
        """
        if self.record and self.record.etag == self.found.e_tag:
            return False
        newer = _place_in_time(self.found) > _place_in_time(self.task.source)
        may_be_ours = newer and self.task.run.generation > 1
        may_be_original = not newer and self.task.run.look_first
        if (may_be_ours or may_be_original) and not self._is_settled():
            place = self.task.place
            raise DestinationUnsettledError(f"{place.bucket}/{place.key} was written a moment ago: looked at again")
        return newer

    def _is_settled(self) -> bool:
        written = moment_of(self.found.last_modified)
        return written is None or self.now() - written > _SETTLED


def _place_in_time(facts: ObjectFacts) -> tuple[str, str, str]:
    """Return what orders writes: the second that S3 keeps, and within one what everybody sees alike."""
    return facts.last_modified or "", facts.e_tag, repr(sorted((facts.properties or {}).items()))
