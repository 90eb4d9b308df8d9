"""What a copy that landed late leaves behind: the source's current state.

A run whose file has been taken over by another may have landed on top of a newer copy. It looks at the source again
and copies what it holds now, until the source did not change meanwhile. Where the destination is somebody's source too,
what was written there after the source stays, as before every copy (`newest.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.copy_proof import equal, proven_equal, verify
from waybill.replication.domain.copy_result import CopyResult, copy_in_one_call
from waybill.replication.domain.multipart import MultipartCopy, SecondsLeft
from waybill.replication.domain.newest import Writes, orders_writes
from waybill.replication.domain.part_plan import describe
from waybill.replication.domain.records import Tracking
from waybill.replication.errors import (
    CopyUnfinishedError,
    DestinationUnsettledError,
    SourceNotFoundError,
    SupersededError,
    UploadGoneError,
)
from waybill.replication.models import CopyLimits, CopyTask, Expected, ObjectFacts, SourceDescription, Strategy

# Each round ends with the destination equal to what the source held a moment ago. A source that is overwritten faster
# than this is looked at again by the next attempt.
_ROUNDS = 5


@dataclass(frozen=True)
class Restorer:
    """Puts the source's current state back; see `Copier`."""

    buckets: Buckets
    tracking: Tracking
    limits: CopyLimits
    seconds_left: SecondsLeft
    now: Callable[[], datetime]
    put_back: Callable[[CopyTask, CopyResult | None], None]
    """Records a copy that was put back, None for a removal."""

    def restore(self, task: CopyTask) -> str | None:
        """Make the destination hold what the source holds now; return that state's identity, None if it is gone.

        What others have written there since is left, and its identity returned.

        `task` is what has landed, or may have. An object that takes a workflow of its own to copy is left to its run
        while that is under way: its upload completes after this moment, on top of what this task has put there.

        Raises
        ------
        CopyUnfinishedError
            The source changes faster than it can be copied, or the time is up.
        """
        landed = [task.source]
        for _ in range(_ROUNDS):
            try:
                current = self._current_state(task)
                if self._is_restored(task, current, landed):
                    return current.source.identity
                again = task.model_copy(update={"description": current})
                there = self._there(again, landed)
                if isinstance(there, ObjectFacts):
                    return there.identity
                if copied := self._copied(again, there):
                    # Whatever dies here is another attempt, which puts it back anew.
                    self.put_back(again, copied)
                    landed.append(current.source)
            except SourceNotFoundError:
                latest = self.tracking.latest_run(task.run.file)
                if latest and latest.removed and self.buckets.find(task.place):
                    # What has landed late lies on top of the marker that the removal's run has put there.
                    self.buckets.remove(task.place)
                    self.put_back(task, None)
                return None
            except (SupersededError, UploadGoneError):
                # It changed again, or another run has cleaned up: look anew.
                continue
        raise CopyUnfinishedError(f"{task.source.bucket}/{task.source.key} changes faster than it can be copied")

    def _current_state(self, task: CopyTask) -> SourceDescription:
        found = self.buckets.describe_source(task.source.bucket, task.source.key, version_id=None, e_tag=None)
        return describe(found, self.limits)

    def _is_restored(self, task: CopyTask, current: SourceDescription, landed: Sequence[ObjectFacts]) -> bool:
        source = current.source
        if source.identity == landed[-1].identity or self._is_there(task, source, landed):
            return True
        if current.strategy is not Strategy.MULTIPART_BATCHES:
            return False
        record = self.tracking.destination(task.run.file, task.destination_bucket)
        return record is None or not record.holds(source)

    def _is_there(self, task: CopyTask, current: ObjectFacts, landed: Sequence[ObjectFacts]) -> bool:
        """Return whether the destination holds `current` for certain, and not something of the same bytes.

        What has landed may have the bytes of `current` and other metadata or tags. Of what an earlier attempt has put
        back before it died, nothing is known.
        """
        if task.attempt > 1:
            return False
        found = self.buckets.find(task.place)
        return found is not None and proven_equal(current, found) and not any(equal(ours, found) for ours in landed)

    def _there(self, task: CopyTask, landed: Sequence[ObjectFacts]) -> ObjectFacts | Expected | None:
        """Return what is newer at the destination and stays, or what the copy may land on; None: whatever is there."""
        if not orders_writes(self.buckets, task.run, task.destination_bucket):
            return None
        found = self.buckets.find(task.place)
        if found is None:
            return Expected(None)
        if not any(equal(ours, found) for ours in landed):
            record = self.tracking.destination(task.run.file, task.destination_bucket)
            if Writes(task, found, record, self.now).newer_is_there():
                return found
        return Expected(found.e_tag)

    def _copied(self, task: CopyTask, expected: Expected | None) -> CopyResult | None:
        """Copy; return None where somebody has written there since it was looked at."""
        try:
            return self._copy(task, expected)
        except DestinationUnsettledError:
            return None

    def _copy(self, task: CopyTask, expected: Expected | None) -> CopyResult:
        if task.description.strategy is Strategy.COPY:
            return copy_in_one_call(self.buckets, task, expected)
        copy = MultipartCopy(self.buckets, task)
        upload_id = copy.create()
        try:
            copy.copy_all_parts(upload_id, self.limits, self.seconds_left)
            facts = copy.complete(upload_id, expected)
            return CopyResult(facts, verify(task.source, facts))
        except BaseException:
            copy.abort(upload_id)
            raise
