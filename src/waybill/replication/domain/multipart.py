"""Copying what is too large for one CopyObject: parts that can be resumed, and no upload left open.

S3 itself is the record of finished parts (`ListParts`); the tracking record only remembers the upload id. That makes
every step repeatable: a repeated batch copies what is missing, a repeated completion finds the finished object.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.part_plan import PartPlan
from waybill.replication.domain.records import Tracking
from waybill.replication.errors import CopyUnfinishedError, SupersededError, UploadGoneError, VerificationFailedError
from waybill.replication.models import CopiedPart, CopyLimits, CopyTask, Expected, ObjectFacts, PartRange

# The time that a function keeps to report that it could not finish.
_RESERVE_SECONDS = 20.0

type SecondsLeft = Callable[[], float]


class MultipartCopy:
    """Copies the source of `task` to its destination in parts."""

    def __init__(self, buckets: Buckets, task: CopyTask) -> None:
        self._buckets = buckets
        self._source = task.source
        self._place = task.place
        self._since = task.run.workflow_start_time
        self._plan = PartPlan(task.source.size, task.description.part_size)

    def create(self) -> str:
        """Start an upload that carries the source's metadata, headers, tags and storage class; return its id."""
        return self._buckets.create_upload(self._source, self._buckets.headers(self._source), self._place)

    def copy_parts(self, upload_id: str, span: PartRange, *, concurrency: int, seconds_left: SecondsLeft) -> None:
        """Copy those parts of `span` that the upload does not have yet, `concurrency` at a time.

        Raises
        ------
        CopyUnfinishedError
            The time would not do; what is finished stays.
        UploadGoneError
            The upload was completed or aborted meanwhile.
        """
        finished = self._buckets.parts(self._place, upload_id)
        missing = [
            number
            for number in range(span.first_part, span.last_part + 1)
            if number not in finished or finished[number].size != self._plan.length(number)
        ]

        failed = Event()

        def copy_one(number: int) -> None:
            if failed.is_set():
                return
            try:
                if seconds_left() < _RESERVE_SECONDS:
                    raise CopyUnfinishedError(f"time is up before part {number} of {self._plan.count}")
                self._buckets.copy_part(self._source, self._place, upload_id, number, self._plan.byte_range(number))
            except BaseException:
                # Parts that are under way go on to their end; none is begun any more.
                failed.set()
                raise

        with ThreadPoolExecutor(max_workers=concurrency) as pool:
            for outcome in [pool.submit(copy_one, number) for number in missing]:
                outcome.result()

    def copy_all_parts(self, upload_id: str, limits: CopyLimits, seconds_left: SecondsLeft) -> None:
        """Copy every part that is missing; see `copy_parts`."""
        everything = PartRange(first_part=1, last_part=self._plan.count)
        self.copy_parts(upload_id, everything, concurrency=limits.part_concurrency, seconds_left=seconds_left)

    def complete(self, upload_id: str, expected: Expected | None = None) -> ObjectFacts:
        """Make the object and return its facts as S3 then reports them, or those of the object that is there already.

        Raises
        ------
        VerificationFailedError
            Parts are missing or have other sizes.
        UploadGoneError
            The upload is gone, and nothing is there that was written since the run began.
        DestinationUnsettledError
            Something else than what is `expected` is there; the upload stays.
        """
        try:
            parts = self._buckets.parts(self._place, upload_id)
            self._check_complete(parts)
            self._buckets.complete_upload(self._place, upload_id, parts, expected)
        except UploadGoneError:
            # An earlier call may have completed it and died before it could say so.
            found = self._buckets.find(self._place)
            if found is None or (found.last_modified or "") < self._since[:19]:
                raise
            return found
        found = self._buckets.find(self._place)
        if found is None:
            raise VerificationFailedError(f"{self._place.bucket}/{self._place.key} is not there after completion")
        return found

    def abort(self, upload_id: str) -> None:
        """Give up the upload and its parts."""
        self._buckets.abort_upload(self._place, upload_id)

    def orphans(self) -> list[str]:
        """Return the uploads to the destination that were started since the run began.

        A run owns its key at the destination while it owns the file's record: then they are its own, of a call that
        died before it could record them, or of runs that have lost the record.
        """
        return self._buckets.open_uploads(self._place, since=self._since)

    def _check_complete(self, parts: Mapping[int, CopiedPart]) -> None:
        expected = {number: self._plan.length(number) for number in range(1, self._plan.count + 1)}
        if {number: part.size for number, part in parts.items()} != expected:
            raise VerificationFailedError(
                f"the upload to {self._place.bucket}/{self._place.key} has {len(parts)} parts that do not add up to "
                f"{self._plan.count} parts of {self._plan.part_size} bytes"
            )


def recorded_upload(tracking: Tracking, task: CopyTask) -> str | None:
    """Return the id of the upload that the task's run has recorded for this state of the source."""
    record = tracking.destination(task.run.file, task.destination_bucket)
    if record and record.execution_id == task.run.execution_id and record.source_identity == task.source.identity:
        return record.upload_id
    return None


def open_upload(buckets: Buckets, tracking: Tracking, task: CopyTask) -> str:
    """Return the recorded upload of the task's run, or a new one, recorded before any part is copied.

    Raises
    ------
    SupersededError
        A later run has been at this destination.
    """
    return recorded_upload(tracking, task) or new_upload(buckets, tracking, task)


def new_upload(buckets: Buckets, tracking: Tracking, task: CopyTask) -> str:
    """Return a new upload, recorded in the place of any other.

    Raises
    ------
    SupersededError
        A later run has been at this destination.
    """
    copy = MultipartCopy(buckets, task)
    upload_id = copy.create()
    # Not before: the SDK repeats a CreateMultipartUpload whose answer it missed, and knows only the last one.
    if orphans := [orphan for orphan in copy.orphans() if orphan != upload_id]:
        # Looked up after they were listed: what a later run starts, it starts after it has become the owner.
        latest = tracking.latest_run(task.run.file)
        for orphan in orphans if latest is None or latest.execution_id == task.run.execution_id else ():
            copy.abort(orphan)
    if lost := tracking.record_upload(task.run, task.destination_bucket, task.source, upload_id):
        copy.abort(lost)
    if lost == upload_id:
        raise SupersededError(f"a later run copies to {task.place.bucket}/{task.place.key}")
    return upload_id
