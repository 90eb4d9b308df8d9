"""New objects of chosen buckets, scanned as they come: each version once, and those of a few minutes in one job.

What is uploaded is noted in the window of time that it is noted in. When a window is over, a job is made of it, whose
list is what was noted: the newest version of each key. Of a key, only what is newer than all that was noted before is
noted: a version that is told of again is not, nor one that is told of behind a newer one, which has taken its place.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

from waybill.core.clock import iso
from waybill.core.errors import WaybillError
from waybill.core.executions import ExecutionStarter
from waybill.scanning.domain.jobs import NewJobs, start_listing
from waybill.scanning.keys import KEY_LIMIT_BYTES, KeyRange
from waybill.scanning.models import Entry, Job, Status
from waybill.scanning.request_models import ScanRequest, WindowRequest

WINDOW = timedelta(minutes=5)
_LONGEST_CALL = timedelta(minutes=1)
"""Lambda ends a call of the function that notes uploads before: what it notes is in its window by then."""
_LONGEST_TEXT = 1024
_WIDEST_SEQUENCER = 64


@dataclass(frozen=True)
class UploadedVersion:
    """A version of an object; `sequencer` orders those of a key, as text."""

    bucket: str
    key: str
    size: int
    etag: str
    sequencer: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self | None:
        """Return the upload that an event of EventBridge tells of; None where it tells of none.

        Source: Amazon S3 user guide, "EventBridge event message structure".
        """
        detail = event.get("detail")
        if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
            return None
        try:
            described = detail["object"]  # type: ignore[index]
            texts = (
                detail["bucket"]["name"],  # type: ignore[index]
                described["key"],
                described.get("etag", ""),
                described.get("sequencer", ""),
            )
            size = described["size"]
        except (KeyError, TypeError, AttributeError):
            return None
        if type(size) is not int or size < 0 or not all(_is_short(text) for text in texts) or not texts[1]:
            return None
        bucket, key, etag, sequencer = texts
        # Shorter ones are padded on the right (Amazon S3 user guide, "Event message structure").
        return cls(bucket, key, size, etag.strip('"'), sequencer.upper().ljust(_WIDEST_SEQUENCER, "0"))


def _is_short(text: object) -> bool:
    return isinstance(text, str) and len(text.encode(errors="surrogatepass")) <= max(_LONGEST_TEXT, KEY_LIMIT_BYTES)


class UploadWindows(Protocol):
    """Where uploads are noted."""

    def open(self, bucket: str, window: str) -> None:
        """Record that a bucket has uploads in a window."""
        ...

    def note(self, upload: UploadedVersion, window: str) -> bool:
        """Note an upload in a window; False where it, or a newer one of its key, was noted before in any window."""
        ...

    def waiting(self, before: str) -> Sequence[tuple[str, str]]:
        """Return the buckets and windows, of those up to a window, of which no job is made yet."""
        ...

    def close(self, bucket: str, window: str, job_id: str) -> None:
        """Record the job that is made of a window, if any; the window is forgotten in time."""
        ...

    def page(self, bucket: str, window: str, after: str, limit: int) -> tuple[list[Entry], str, bool]:
        """Return uploads of a window behind a position, the position behind them, and whether these are the last."""
        ...


@dataclass(frozen=True)
class UploadNotes:
    """Notes what is uploaded into `buckets`."""

    uploads: UploadWindows
    buckets: frozenset[str]
    now: Callable[[], datetime]

    def note(self, event: Mapping[str, Any]) -> bool:
        """Note what an event tells of, once; False where there is nothing to note, or it was noted before."""
        upload = UploadedVersion.of(event)
        if upload is None or upload.bucket not in self.buckets:
            return False
        window = window_of(self.now())
        # First: uploads in a window that nobody knows of would never be scanned.
        self.uploads.open(upload.bucket, window)
        return self.uploads.note(upload, window)


@dataclass(frozen=True)
class UploadScans:
    """Makes the jobs of what was uploaded into `buckets`; `own` returns the own detectors that count now."""

    uploads: UploadWindows
    buckets: frozenset[str]
    jobs: NewJobs
    executions: ExecutionStarter
    workflow_arn: str
    now: Callable[[], datetime]
    own: Callable[[], Mapping[str, int]]

    def start(self) -> list[str]:
        """Make a job of each window that is over, and return their ids.

        A job's id tells of which window it is, so that a repeated call finds it made: the window is closed last. A
        window that meets a fault does not keep the others waiting: the fault is raised when all have had their turn.
        """
        if not self.buckets:
            return []
        moment = self.now()
        started: list[str] = []
        faults: list[WaybillError] = []
        for bucket, window in self.uploads.waiting(window_of(moment - WINDOW - _LONGEST_CALL)):
            try:
                if bucket not in self.buckets:
                    # It was taken out of the buckets to scan, and what waited with it.
                    self.uploads.close(bucket, window, "")
                elif job_id := self._start(bucket, window, iso(moment)):
                    started.append(job_id)
            except WaybillError as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return started

    def _start(self, bucket: str, window: str, created: str) -> str:
        """Make the job of a window, and return its id; none where all that came in it was noted before."""
        noted, _, final = self.uploads.page(bucket, window, "", 1)
        if final and not noted:
            self.uploads.close(bucket, window, "")
            return ""
        named = hashlib.sha256(f"uploads:{bucket}:{window}".encode()).digest()
        job_id = str(uuid.UUID(bytes=named[:16], version=5))
        request = WindowRequest(bucket=bucket, uploads=window)
        job = self.jobs.create(Job(job_id, request, Status.LISTING, created, created, own=self.own()))
        start_listing(job, self.jobs, self.executions, self.workflow_arn)
        self.uploads.close(bucket, window, job_id)
        return job_id


@dataclass(frozen=True)
class NotedUploads:
    """`Source` of what was uploaded in a window; positions are those of `UploadWindows`."""

    uploads: UploadWindows

    def check(self, request: ScanRequest) -> None:
        """They can be listed: they are in the table."""

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` uploads in `bounds`, the position behind them, and whether these are the last."""
        window = request.uploads if isinstance(request, WindowRequest) else ""
        return self.uploads.page(request.bucket, window, bounds.after, limit)

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return none: what comes in a few minutes is listed in one go."""
        del request, bounds, pieces, page_keys
        return []


def window_of(moment: datetime) -> str:
    """Return the window that a moment is in, as it is stored: its beginning."""
    seconds = int(moment.timestamp())
    return iso(datetime.fromtimestamp(seconds - seconds % int(WINDOW.total_seconds()), UTC))
