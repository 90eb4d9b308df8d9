"""Keeping a job's record while it is worked on: lines are written in parts, each with how far the job has got."""

import time
from collections.abc import Callable

from waybill.replication.domain.backfill_job import (
    PART_BYTES,
    PART_LENGTH,
    BackfillJob,
    BackfillJobs,
    JobStatus,
    ObjectLine,
    size_of,
)

# What is looked at in this time is looked at again after a crash.
_PART_SECONDS = 5.0


class JobProgress:
    """The job as it is worked on; all methods raise `JobLostError` when somebody else has taken it over."""

    def __init__(
        self, jobs: BackfillJobs, job: BackfillJob, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.job = job
        self._jobs = jobs
        self._monotonic = monotonic
        self._lines: list[ObjectLine] = []
        self._bytes = 0
        self._written = monotonic()

    def add(self, line: ObjectLine) -> None:
        """Take the line of the next object; written with those before it, at the latest after some seconds."""
        self._lines.append(line)
        self._bytes += size_of(line)
        late = self._monotonic() - self._written > _PART_SECONDS
        if late or self._bytes >= PART_BYTES or len(self._lines) >= PART_LENGTH:
            self.write()

    def count(self, lines: list[ObjectLine]) -> None:
        """Count the lines of the next part, which are written; the record follows at the latest after some seconds."""
        self.job = self._grown(lines)
        if self._monotonic() - self._written > _PART_SECONDS:
            self._written = self._monotonic()
            self.job = self._jobs.save(self.job)

    def _grown(self, lines: list[ObjectLine]) -> BackfillJob:
        last = {"last_key": lines[-1].key} if lines else {}
        more = {"chunks": self.job.chunks + 1, "counts": self.job.counts.plus(lines)}
        return self.job.model_copy(update=last | more)

    def write(self) -> None:
        """Write the lines that are not written yet."""
        self._written = self._monotonic()
        if not self._lines:
            return
        self.job = self._jobs.save(self._grown(self._lines), self.job.chunks, self._lines)
        self._lines, self._bytes = [], 0

    def change(self, **changes: object) -> None:
        """Write other fields of the job's record."""
        self.job = self._jobs.save(self.job.model_copy(update=changes))

    def compared_all(self) -> None:
        """Note that every object has its line."""
        self.write()
        if not self.job.compared_all:
            self.job = self._jobs.save(self.job.model_copy(update={"compared_all": True}))

    def settled(self, chunk: int, before: list[ObjectLine], after: list[ObjectLine]) -> None:
        """Write what has become of the lines of one part; the next part follows when nothing is pending in it."""
        done = not any(line.pending for line in after)
        if before == after:
            # Nothing to write: the next change, or the end, brings it along.
            self.job = self.job.model_copy(update={"settled_chunks": chunk + 1 if done else chunk})
            return
        changed = self.job.model_copy(
            update={
                "settled_chunks": chunk + 1 if done else chunk,
                "counts": self.job.counts.settled(before, after),
            }
        )
        self.job = self._jobs.save(changed, chunk, after)

    def stop(self) -> None:
        """Note that nobody works on the job for now."""
        self.write()
        self.job = self._jobs.save(self.job.model_copy(update={"status": JobStatus.STOPPED}))

    def end(self, at: str) -> None:
        """Note what the job has come to."""
        self.job = self._jobs.save(self.job.ended().model_copy(update={"completed_at": at}))
