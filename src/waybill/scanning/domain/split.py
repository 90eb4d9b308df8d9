"""Cutting what is left of a range into pieces, and starting an execution for each, so that they are listed at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from waybill.core.executions import ExecutionStarter
from waybill.scanning.domain.ranges import PAGE_KEYS, cut, pieces_for
from waybill.scanning.domain.source import Source
from waybill.scanning.models import Job, ListingRange, Page
from waybill.scanning.request_models import ScanRequest


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...


class _Ranges(Protocol):
    def get(self, job_id: str, number: int) -> ListingRange | None: ...
    def all(self, job_id: str) -> list[ListingRange]: ...
    def split(self, job_id: str, part: ListingRange, pieces: Sequence[ListingRange], upto: str) -> bool: ...
    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None: ...


@dataclass(frozen=True)
class Splitter:
    """Cuts ranges; of a job at most `fan_out` are open at a time."""

    jobs: _Jobs
    ranges: _Ranges
    source: Callable[[ScanRequest], Source]
    executions: ExecutionStarter
    workflow_arn: str
    fan_out: int
    batch_keys: int

    def split(self, job_id: str, number: int) -> list[int]:
        """Cut what is left of a range, and start the executions of all pieces; return the pieces' numbers.

        A repeated call starts what an earlier one has cut and not started: names follow from the pieces, so nothing is
        started twice. A range that has changed meanwhile is left as it is; its next batch asks again.
        """
        job, part = self.jobs.get(job_id), self.ranges.get(job_id, number)
        if job is None or part is None or job.ended or part.done:
            return []
        waiting = self._waiting(job_id, number)
        if not waiting:
            self._cut(job, part)
            waiting = self._waiting(job_id, number)
        for piece in waiting:
            name = execution_name(job_id, piece.number, 1)
            self.executions.start(self.workflow_arn, name, first_state(job, piece.number))
        return [piece.number for piece in waiting]

    def _waiting(self, job_id: str, number: int) -> list[ListingRange]:
        ranges = self.ranges.all(job_id)
        return [piece for piece in ranges if piece.parent == number and not piece.execution_arn and not piece.done]

    def _cut(self, job: Job, part: ListingRange) -> None:
        ranges = self.ranges.all(job.job_id)
        pieces = pieces_for(sum(not each.done for each in ranges), self.fan_out, first=len(ranges) == 1)
        # A page that is stored and not counted belongs to this range: the cuts lie behind it.
        stored = self.ranges.page(job.job_id, part, part.next_page)
        left = part.bounds._replace(after=stored.last_key) if stored else part.bounds
        page_keys = min(PAGE_KEYS, self.batch_keys)
        cuts = self.source(job.request).cuts(job.request, left, pieces, page_keys) if pieces > 1 else []
        found = cut(left, cuts)
        if len(found) > 1:
            first = ranges[-1].number + 1
            new = [
                ListingRange(first + index, bounds.after, bounds.upto, parent=part.number)
                for index, bounds in enumerate(found[1:])
            ]
            self.ranges.split(job.job_id, part, new, found[0].upto)


def execution_name(job_id: str, number: int, generation: int) -> str:
    """Return the name of the `generation`th execution of a range; a repeated start or hand-over finds it taken."""
    return f"scan-{job_id}-{f'r{number}-' if number else ''}{generation}"


def first_state(job: Job, number: int = 0) -> dict[str, Any]:
    """Return the workflow's input for a range."""
    state: dict[str, Any] = {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "continuation_token": None,
        "objects_processed": 0,
    }
    return state | ({"range": number} if number else {})
