"""Copying one object to one destination, so that repeating it, or finishing late, changes nothing.

Two guards keep the newest content at the destination. Before a copy, and before an upload is completed, the run looks
whether a later event's run has taken over the file, and leaves the destination to it; the first run of a file has just
looked when it claimed the record. After a copy has landed it looks
again: if any other run owns the record by now, this copy may lie on top of a newer one, and the source's current state
is put back (`Restorer`). Whoever lands last looks last, so the destination ends with what the source holds, in whatever
order runs start and copies finish.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.core.clock import iso, moment_of
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.comparison import compare
from waybill.replication.domain.copy_proof import verify
from waybill.replication.domain.copy_result import CopyResult, copy_in_one_call
from waybill.replication.domain.every_version import EveryVersion, VersionsTurn
from waybill.replication.domain.multipart import MultipartCopy, SecondsLeft, new_upload, open_upload, recorded_upload
from waybill.replication.domain.newest import Writes, orders_writes
from waybill.replication.domain.part_plan import describe
from waybill.replication.domain.records import Tracking
from waybill.replication.domain.restore import Restorer
from waybill.replication.errors import (
    CopyUnfinishedError,
    SourceArchivedError,
    SourceNotFoundError,
    SupersededError,
    UploadGoneError,
    VerificationFailedError,
    VersionNotCopiedError,
)
from waybill.replication.models import (
    CopyCode,
    CopyLimits,
    CopyTask,
    DestinationResult,
    Expected,
    ObjectFacts,
    ObjectPlace,
    PartRange,
    ReplicationRequest,
    SourceDescription,
    Strategy,
)

# Tags that change faster than this are looked at again by the next attempt.
_TAG_ROUNDS = 5
# A run that started no longer ago has claimed its file's record since.
_JUST_CLAIMED = timedelta(seconds=5)


@dataclass(frozen=True)
class Copier:
    """Copies by the limits given; `now` and `seconds_left` are the function's clock and remaining time."""

    buckets: Buckets
    tracking: Tracking
    limits: CopyLimits
    now: Callable[[], datetime]
    seconds_left: SecondsLeft
    every_version: EveryVersion | None = None

    @property
    def _restorer(self) -> Restorer:
        return Restorer(self.buckets, self.tracking, self.limits, self.seconds_left, self.now, self._put_back)

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
        if self.every_version and self.every_version.applies(task):
            return self._bring_every_version(self.every_version, task, started)
        if not self._was_just_claimed(task) and self._outranked(task):
            self._abort_recorded(task)
            return self._superseded(task)
        if task.description.strategy is Strategy.REMOVE:
            return self._remove(task, started)
        looked = self._done_without_a_copy(task, started)
        if isinstance(looked, DestinationResult):
            return looked
        try:
            landed = self._copy(task, looked)
        except SourceNotFoundError:
            if not task.run.is_from_event:
                raise
            # It was there when the event was sent: whoever deletes it has no use for its copy.
            return self._superseded(task)
        except SupersededError:
            # The SDK repeats a CopyObject whose answer it missed, and tells only what the last one came to.
            return self._superseded(task, may_have_landed=task.description.strategy is Strategy.COPY)
        return self._land(task, landed, started)

    def _bring_every_version(self, every: EveryVersion, task: CopyTask, started: datetime) -> DestinationResult:
        """Bring all versions that are missing, then look at what lies on top; see `EveryVersion`."""
        if self._outranked(task):
            # The run of the later event brings this version too, in its place.
            every.leave(task)
            return self._result(task, CopyCode.SUPERSEDED)
        turn = every.turn(task)
        try:
            result = self._take_turn(turn, task, started)
        except Exception:
            turn.give_back()
            raise
        turn.give_back()
        return result

    def _take_turn(self, turn: VersionsTurn, task: CopyTask, started: datetime) -> DestinationResult:
        brought = turn.bring()
        if brought and (brought[-1].landed is None) is bool(task.run.removed):
            last = brought[-1]
            code = CopyCode.COPIED if last.landed else CopyCode.REMOVED
            return self._record(last.task, code, last.landed, started, versions=len(brought))
        newest = turn.newest()
        if newest is None or newest.removed is not bool(task.run.removed):
            return self._result(task, CopyCode.SUPERSEDED)
        if newest.removed:
            return self._record(task, self._hide(task), None, started)
        if task.run.sequencer and not turn.has(task.run.version_id):
            raise VersionNotCopiedError(
                f"version {task.run.version_id} was begun before versions that are there, and completed after them"
            )
        current = self.buckets.describe_source(
            task.source.bucket, task.source.key, version_id=newest.version_id, e_tag=None
        )
        again = task.model_copy(
            update={
                "run": task.run.model_copy(update={"look_first": True}),
                "description": describe(current, self.limits),
            }
        )
        looked = self._done_without_a_copy(again, started)
        if isinstance(looked, DestinationResult):
            return looked
        return self._record(again, CopyCode.COPIED, self._copy(again, looked), started)

    def start_multipart_copy(self, task: CopyTask) -> DestinationResult | str:
        """Return the upload id to copy parts to, or the result when there is nothing to copy."""
        started = self.now()
        if self._outranked(task):
            self._abort_recorded(task)
            return self._result(task, CopyCode.SUPERSEDED)
        looked = self._done_without_a_copy(task, started)
        if isinstance(looked, DestinationResult):
            return looked
        try:
            return open_upload(self.buckets, self.tracking, task)
        except SupersededError:
            return self._result(task, CopyCode.SUPERSEDED)

    def copy_part_batch(self, task: CopyTask, upload_id: str, span: PartRange) -> None:
        """Copy the parts of `span` that are missing.

        Raises
        ------
        SupersededError
            A later event's run owns the file, or the source has changed.
        """
        self._require_rank(task)
        try:
            MultipartCopy(self.buckets, task).copy_parts(
                upload_id, span, concurrency=self.limits.part_concurrency, seconds_left=self.seconds_left
            )
        except UploadGoneError:
            self._require_place(task)
            raise

    def complete_multipart_copy(self, task: CopyTask, upload_id: str) -> DestinationResult:
        """Complete the upload if the task still holds the newest state of the source; record and return the result."""
        started = self.now()
        try:
            landed = self._complete(task, upload_id)
        except SupersededError:
            MultipartCopy(self.buckets, task).abort(upload_id)
            return self._superseded(task)
        result = self._land(task, landed, started)
        if result.success:
            self._require_still_there(task, landed)
        return result

    def _copy(self, task: CopyTask, expected: Expected | None) -> CopyResult:
        if task.description.strategy is Strategy.COPY:
            return copy_in_one_call(self.buckets, task, expected)
        upload_id = open_upload(self.buckets, self.tracking, task)
        copy = MultipartCopy(self.buckets, task)
        try:
            # An upload that is gone may be gone because it is done: `_complete` finds out.
            with suppress(UploadGoneError):
                copy.copy_all_parts(upload_id, self.limits, self.seconds_left)
            return self._complete(task, upload_id)
        except SupersededError:
            copy.abort(upload_id)
            raise
        except (UploadGoneError, VerificationFailedError):
            # It was aborted, or made something else: the next attempt is to find another one.
            new_upload(self.buckets, self.tracking, task)
            raise

    def _complete(self, task: CopyTask, upload_id: str) -> CopyResult:
        self._require_rank(task)
        source = task.source
        self.buckets.describe_source(source.bucket, source.key, version_id=source.version_id, e_tag=source.e_tag)
        expected = self._require_newest(task)
        try:
            facts = MultipartCopy(self.buckets, task).complete(upload_id, expected)
            return CopyResult(facts, verify(source, facts))
        except (UploadGoneError, VerificationFailedError):
            self._require_place(task)
            raise

    def _land(
        self, task: CopyTask, landed: CopyResult, started: datetime, code: CopyCode = CopyCode.COPIED
    ) -> DestinationResult:
        if not self._owns_record(task) and self._restorer.restore(task) != task.source.identity:
            return self._result(task, CopyCode.SUPERSEDED)
        return self._record(task, code, landed, started)

    def _remove(self, task: CopyTask, started: datetime) -> DestinationResult:
        """Hide the copy of a source that was removed, unless a newer one has come meanwhile."""
        code = self._hide(task)
        if not self._owns_record(task) and self._restorer.restore(task):
            return self._result(task, CopyCode.SUPERSEDED)
        return self._record(task, code, None, started)

    def _hide(self, task: CopyTask) -> CopyCode:
        if self.buckets.find(task.place):
            self.buckets.remove(task.place)
            return CopyCode.REMOVED
        if (task.attempt > 1 or not task.run.sequencer) and self.buckets.is_hidden(task.place):
            # An earlier attempt, or the run that this one repeats, has put the marker there and died before it told.
            return CopyCode.REMOVED
        return CopyCode.ABSENT

    def _abort_recorded(self, task: CopyTask) -> None:
        if upload_id := recorded_upload(self.tracking, task):
            MultipartCopy(self.buckets, task).abort(upload_id)

    def _superseded(self, task: CopyTask, *, may_have_landed: bool = False) -> DestinationResult:
        # An earlier attempt may have landed and died before it looked.
        if (may_have_landed or task.attempt > 1) and not self._owns_record(task):
            self._restorer.restore(task)
        return self._result(task, CopyCode.SUPERSEDED)

    def _owns_record(self, task: CopyTask) -> bool:
        latest = self.tracking.latest_run(task.run.file)
        return latest is None or latest.execution_id == task.run.execution_id

    def _outranked(self, task: CopyTask) -> bool:
        latest = self.tracking.latest_run(task.run.file)
        return latest is not None and latest.outranks(task.run, task.destination_bucket)

    def _was_just_claimed(self, task: CopyTask) -> bool:
        """Return whether the claim of a file's first run has looked so lately that looking again is for nothing.

        What takes the file over in these seconds is found after the copy, like everything that does later.
        """
        if task.run.generation != 1 or task.attempt > 1 or task.description.strategy is not Strategy.COPY:
            return False
        started = moment_of(task.run.workflow_start_time)
        return started is not None and timedelta() <= self.now() - started < _JUST_CLAIMED

    def _require_rank(self, task: CopyTask) -> None:
        if self._outranked(task):
            raise SupersededError(f"the run of a later event owns {task.source.bucket}/{task.source.key}")

    def _require_newest(self, task: CopyTask) -> Expected | None:
        """Let nothing that was written there while parts were copied be overwritten by something older.

        Return what the upload may be completed on.
        """
        bucket = task.destination_bucket
        if not orders_writes(self.buckets, task.run, bucket):
            return None
        if not (found := self.buckets.find(task.place)):
            return Expected(None)
        record = self.tracking.destination(task.run.file, bucket)
        if (
            compare(self.buckets, task.source, found).differences
            and Writes(task, found, record, self.now).newer_is_there()
        ):
            raise SupersededError(f"{task.place.bucket}/{task.place.key} was written after its source")
        return Expected(found.e_tag)

    def _require_place(self, task: CopyTask) -> None:
        """Tell an upload or a copy that a later run has put away from one that nobody should have touched."""
        self._require_rank(task)
        record = self.tracking.destination(task.run.file, task.destination_bucket)
        if record and record.execution_id != task.run.execution_id:
            raise SupersededError(f"a later run copies to {task.place.bucket}/{task.place.key}")

    def _require_still_there(self, task: CopyTask, landed: CopyResult) -> None:
        """Make sure that nothing landed on top before the copy was recorded: till then `Restorer` leaves it there."""
        found = self.buckets.find(task.place)
        if (found is None or found.e_tag != landed.facts.e_tag) and self._owns_record(task):
            raise VerificationFailedError(f"{task.place.bucket}/{task.place.key} was overwritten while it was recorded")

    def _done_without_a_copy(self, task: CopyTask, started: datetime) -> DestinationResult | Expected | None:
        """Return the result when the destination has the file, or has it as soon as its tags are mended.

        Otherwise what a copy may land on, where the destination is written by others too.
        """
        # Before the first run of a file nobody can have recorded a destination, nor this one before its first attempt.
        first = task.run.generation == 1 and task.attempt == 1
        record = None if first else self.tracking.destination(task.run.file, task.destination_bucket)
        holds = record is not None and record.holds(task.source)
        in_order = orders_writes(self.buckets, task.run, task.destination_bucket)
        # A new upload has no copy to look at; it would cost a request per destination and upload.
        looks = not task.run.force and (holds or task.run.look_first or not task.run.sequencer or in_order)
        found = self.buckets.find(task.place) if looks else None
        if found:
            made_here = holds and record is not None and found.e_tag == record.etag
            state = compare(self.buckets, task.source, found, made_here=made_here)
            if state.equal:
                return self._record(task, CopyCode.SKIPPED_IDENTICAL, CopyResult(found, state.proof), started)
            if state.lacks_tags_alone:
                return self._mend_tags(task, CopyResult(found, state.proof), started)
            if in_order and state.differences and Writes(task, found, record, self.now).newer_is_there():
                # Its own event brings it to where this source is.
                if task.attempt > 1:
                    self._abort_recorded(task)
                return self._superseded(task)
        if task.source.archived:
            raise SourceArchivedError(
                f"{task.source.bucket}/{task.source.key} is in {task.source.storage_class} and not restored"
            )
        return Expected(found.e_tag if found else None) if in_order else None

    def _mend_tags(self, task: CopyTask, result: CopyResult, started: datetime) -> DestinationResult:
        """Give the copy the tags that the source has, until the source has not changed them meanwhile."""
        source = ObjectPlace(task.source.bucket, task.source.key)
        tags = self.buckets.tags(source, version_id=task.source.version_id)
        for _ in range(_TAG_ROUNDS):
            self.buckets.put_tags(task.place, tags)
            current = self.buckets.tags(source, version_id=task.source.version_id)
            if current == tags:
                return self._land(task, result, started, code=CopyCode.TAGS_COPIED)
            tags = current
        raise CopyUnfinishedError(f"the tags of {source.bucket}/{source.key} change faster than they can be copied")

    def _record(
        self,
        task: CopyTask,
        code: CopyCode,
        landed: CopyResult | None,
        started: datetime,
        *,
        versions: int | None = None,
    ) -> DestinationResult:
        milliseconds = round((self.now() - started).total_seconds() * 1000)
        result = self._done(task, code, landed).model_copy(update={"duration_ms": milliseconds, "versions": versions})
        if lost := self.tracking.record_destination(task.run, result, task.source):
            self.buckets.abort_upload(task.place, lost)
        return result

    def _put_back(self, task: CopyTask, landed: CopyResult | None) -> None:
        """Record what has put right a copy that landed late; the record of the destination is the later run's."""
        code = CopyCode.PUT_BACK if landed else CopyCode.REMOVED_AGAIN
        self.tracking.record_put_back(task.run, self._done(task, code, landed), task.source if landed else None)

    def _done(self, task: CopyTask, code: CopyCode, landed: CopyResult | None) -> DestinationResult:
        return self._result(task, code).model_copy(
            update={
                "etag": landed and landed.facts.e_tag,
                "version_id": landed and landed.facts.version_id,
                "bytes": task.source.size if code in {CopyCode.COPIED, CopyCode.PUT_BACK} else 0,
                "strategy": task.description.strategy,
                "verification": landed and landed.verification,
            }
        )

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
        It no longer has the ETag of the event, or is gone since.
    SourceNotFoundError, SseCUnsupportedError, AccessDeniedError, KmsDeniedError
        It cannot be read.
    """
    if request.removed:
        return _described_as_removed(buckets, request)
    try:
        source = buckets.describe_source(
            request.source_bucket, request.source_key, version_id=request.version_id, e_tag=request.e_tag
        )
    except SourceNotFoundError as error:
        if request.is_from_event:
            raise SupersededError(f"{error}: it was deleted after the event") from error
        raise
    return describe(source, limits, len(request.destination_buckets))


def _described_as_removed(buckets: Buckets, request: ReplicationRequest) -> SourceDescription:
    """Return that there is nothing; what is there again has an event of its own, which brings it."""
    bucket, key = request.source_bucket, request.source_key
    try:
        buckets.describe_source(bucket, key, version_id=None, e_tag=None)
    except SourceNotFoundError:
        return SourceDescription(source=ObjectFacts(bucket=bucket, key=key, size=0, e_tag=""), strategy=Strategy.REMOVE)
    raise SupersededError(f"{bucket}/{key} is there again")
