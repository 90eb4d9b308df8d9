"""Copying one object to one destination, so that repeating it, or finishing late, changes nothing.

Two guards keep the newest content at the destination. Before a copy, and before an upload is completed, the run must
own the file's record. After a copy has landed it is checked again: if a later run has taken over meanwhile, this copy
may lie on top of a newer one, and the source's current state is put back (`_settle`). Whoever lands last checks last,
so the destination ends with what the source holds, in whatever order runs start and copies finish.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from waybill.core.clock import iso
from waybill.replication.errors import (
    SourceNotFoundError,
    SupersededError,
    UploadGoneError,
    VerificationFailedError,
)
from waybill.replication.models import (
    CopyCode,
    CopyTask,
    DestinationRecord,
    DestinationResult,
    ObjectFacts,
    PartRange,
    ReplicationRequest,
    SourceDescription,
    Status,
    Strategy,
    Verification,
)
from waybill.replication.multipart import MultipartCopy, SecondsLeft, open_upload
from waybill.replication.part_plan import CopyLimits, describe
from waybill.replication.ports import Buckets, Tracking
from waybill.replication.verification import comparable, equal, proven_equal, verify

# Each round ends with the destination equal to what the source held a moment ago; a source that is overwritten faster
# than this is brought up to date by the runs of those overwrites.
_SETTLE_ROUNDS = 5


class Landed(NamedTuple):
    """A copy that is at its destination, and what proves that it equals the source."""

    facts: ObjectFacts
    verification: Verification


@dataclass(frozen=True)
class Copier:
    """Copies by the limits given; `now` and `seconds_left` are the function's clock and remaining time."""

    buckets: Buckets
    tracking: Tracking
    limits: CopyLimits
    now: Callable[[], datetime]
    seconds_left: SecondsLeft

    def copy_file(self, task: CopyTask) -> DestinationResult:
        """Bring the source of `task` to its destination, record it, and return the result.

        Raises
        ------
        RetryableError
            The same call may succeed later, and goes on where this one stopped.
        PermanentError
            It will not; one of `waybill.replication.errors`.
        """
        started = self.now()
        if not self._owns_record(task):
            return self._superseded(task, may_have_landed=task.attempt > 1)
        record = self.tracking.destination(task.run.file, task.destination_bucket)
        if identical := self._identical(task, record):
            return self._record(task, CopyCode.SKIPPED_IDENTICAL, identical, started)
        try:
            landed = self._copy(task)
        except SupersededError:
            return self._superseded(task, may_have_landed=task.attempt > 1)
        return self._land(task, landed, started)

    def start_multipart_copy(self, task: CopyTask) -> DestinationResult | str:
        """Return the upload id to copy parts to, or the result when there is nothing to copy."""
        started = self.now()
        if not self._owns_record(task):
            return self._superseded(task, may_have_landed=False)
        record = self.tracking.destination(task.run.file, task.destination_bucket)
        if identical := self._identical(task, record):
            return self._record(task, CopyCode.SKIPPED_IDENTICAL, identical, started)
        return open_upload(self.buckets, self.tracking, task)

    def copy_part_batch(self, task: CopyTask, upload_id: str, span: PartRange) -> None:
        """Copy the parts of `span` that are missing.

        Raises
        ------
        SupersededError
            A later run owns the file, or the source has changed.
        """
        self._require_record(task)
        MultipartCopy(self.buckets, task).copy_parts(
            upload_id, span, concurrency=self.limits.part_concurrency, seconds_left=self.seconds_left
        )

    def complete_multipart_copy(self, task: CopyTask, upload_id: str) -> DestinationResult:
        """Complete the upload if the task still holds the newest state of the source; record and return the result."""
        started = self.now()
        try:
            landed = self._complete(task, upload_id)
        except SupersededError:
            MultipartCopy(self.buckets, task).abort(upload_id)
            return self._superseded(task, may_have_landed=False)
        return self._land(task, landed, started)

    def _copy(self, task: CopyTask) -> Landed:
        if task.description.strategy is Strategy.COPY:
            return self._copy_in_one_call(task)
        upload_id = open_upload(self.buckets, self.tracking, task)
        copy = MultipartCopy(self.buckets, task)
        try:
            # An upload that is gone may be gone because it is done: `_complete` finds out.
            with suppress(UploadGoneError):
                self._copy_all_parts(copy, upload_id)
            return self._complete(task, upload_id)
        except SupersededError:
            copy.abort(upload_id)
            raise

    def _copy_in_one_call(self, task: CopyTask) -> Landed:
        answered = self.buckets.copy(task.source, task.place)
        best = Verification.CHECKSUM if task.source.checksum else Verification.ETAG
        if comparable(task.source, answered) is best:
            return Landed(answered, verify(task.source, answered))
        found = self.buckets.find(task.place)
        if found is None:
            raise VerificationFailedError(f"{task.place.bucket}/{task.place.key} is not there after the copy")
        return Landed(found, verify(task.source, found))

    def _copy_all_parts(self, copy: MultipartCopy, upload_id: str) -> None:
        concurrency = self.limits.part_concurrency
        copy.copy_parts(upload_id, copy.all_parts, concurrency=concurrency, seconds_left=self.seconds_left)

    def _complete(self, task: CopyTask, upload_id: str) -> Landed:
        self._require_record(task)
        source = task.source
        self.buckets.describe_source(source.bucket, source.key, version_id=source.version_id, e_tag=source.e_tag)
        facts = MultipartCopy(self.buckets, task).complete(upload_id)
        return Landed(facts, verify(source, facts))

    def _land(self, task: CopyTask, landed: Landed, started: datetime) -> DestinationResult:
        if not self._owns_record(task) and self._settle(task) != task.source.identity:
            return self._result(task, CopyCode.SUPERSEDED)
        return self._record(task, CopyCode.COPIED, landed, started)

    def _superseded(self, task: CopyTask, *, may_have_landed: bool) -> DestinationResult:
        if may_have_landed:
            self._settle(task)
        return self._result(task, CopyCode.SUPERSEDED)

    def _settle(self, task: CopyTask) -> str | None:
        """Make the destination hold what the source holds now; return that state's identity, None if it is gone.

        An object that takes a workflow of its own to copy is left to its run: that run's upload completes long after
        this moment, and so lands on top of what this task has put there.
        """
        copied = None
        for _ in range(_SETTLE_ROUNDS):
            try:
                current = self._current_state(task)
                found = self.buckets.find(task.place)
                if current.source.identity == copied or (found and proven_equal(current.source, found)):
                    return current.source.identity
                if current.strategy is Strategy.MULTIPART_BATCHES:
                    return current.source.identity
                self._copy_unrecorded(task.model_copy(update={"description": current}))
                copied = current.source.identity
            except SourceNotFoundError:
                return None
            except SupersededError:
                continue
        return None

    def _current_state(self, task: CopyTask) -> SourceDescription:
        source = task.source
        return describe(
            self.buckets.describe_source(source.bucket, source.key, version_id=None, e_tag=None), self.limits
        )

    def _copy_unrecorded(self, task: CopyTask) -> None:
        if task.description.strategy is Strategy.COPY:
            self.buckets.copy(task.source, task.place)
            return
        copy = MultipartCopy(self.buckets, task)
        upload_id = copy.create()
        try:
            self._copy_all_parts(copy, upload_id)
            copy.complete(upload_id)
        except BaseException:
            copy.abort(upload_id)
            raise

    def _owns_record(self, task: CopyTask) -> bool:
        latest = self.tracking.latest_run(task.run.file)
        return latest is None or latest.execution_id == task.run.execution_id

    def _require_record(self, task: CopyTask) -> None:
        if not self._owns_record(task):
            raise SupersededError(f"a later run owns {task.source.bucket}/{task.source.key}")

    def _identical(self, task: CopyTask, record: DestinationRecord | None) -> Landed | None:
        """Return what lies at the destination when it is this very state of the source, copied before."""
        if record is None or record.status != Status.COMPLETED or record.source_identity != task.source.identity:
            return None
        found = self.buckets.find(task.place)
        if found and found.e_tag == record.etag and equal(task.source, found):
            return Landed(found, verify(task.source, found))
        return None

    def _record(self, task: CopyTask, code: CopyCode, landed: Landed, started: datetime) -> DestinationResult:
        moved = task.source.size if code is CopyCode.COPIED else 0
        milliseconds = round((self.now() - started).total_seconds() * 1000)
        result = self._result(task, code).model_copy(
            update={
                "etag": landed.facts.e_tag,
                "version_id": landed.facts.version_id,
                "bytes": moved,
                "strategy": task.description.strategy,
                "verification": landed.verification,
                "duration_ms": milliseconds,
            }
        )
        self.tracking.record_destination(task.run, result, task.source)
        return result

    def _result(self, task: CopyTask, code: CopyCode) -> DestinationResult:
        return DestinationResult(
            destination_bucket=task.destination_bucket,
            source_key=task.run.source_key,
            source_bucket=task.run.source_bucket,
            success=code is not CopyCode.SUPERSEDED,
            code=code,
            timestamp=iso(self.now()),
            execution_id=task.run.execution_id,
            attempts=task.attempt,
        )


def describe_source(buckets: Buckets, request: ReplicationRequest, limits: CopyLimits) -> SourceDescription:
    """Return the source that `request` names, as it is now, with the plan for its size.

    Raises
    ------
    SupersededError
        It no longer has the ETag of the event.
    SourceNotFoundError, SourceArchivedError, SseCUnsupportedError, AccessDeniedError, KmsDeniedError
        It cannot be read.
    """
    source = buckets.describe_source(
        request.source_bucket, request.source_key, version_id=request.version_id, e_tag=request.e_tag
    )
    return describe(source, limits)
