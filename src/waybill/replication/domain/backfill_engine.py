"""Working on a backfill job, from wherever it stands to its end: a command does so, a function as far as it gets."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import Protocol

from waybill.core.clock import Clock, iso
from waybill.replication.domain.backfill_comparing import (
    WORKERS,
    BackfillTools,
    Range,
    backfill_of,
    compared,
    named,
)
from waybill.replication.domain.backfill_job import (
    BackfillJob,
    JobInput,
    ObjectLine,
    line_of,
    saved_entries,
)
from waybill.replication.domain.backfill_progress import JobProgress
from waybill.replication.domain.backfill_settling import Settling
from waybill.replication.domain.failures import failures_below
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.throttle import Throttle

# What has become of runs is written down that often while they are waited for.
_SAVE_SECONDS = 5.0
# Step Functions developer guide, "Quotas related to API action throttling": DescribeExecution is refilled with 15 a
# second; between two looks there are up to 3 seconds.
_ASKED_AT_ONCE = 25

# Looks at the lines of a part, at its turn, and returns them as they stand now.
type _Look = Callable[[list[ObjectLine], int], list[ObjectLine]]
# Takes so many steps forward.
type Step = Callable[[int], None]
# Shows a phase of the work while it lasts: what is done, the steps in all, and those that were made before.
type Show = Callable[[str, int | None, int], AbstractContextManager[Step]]


class Turns(Protocol):
    """Looks again and again, with pauses."""

    def __call__[T](self, look: Callable[[], T]) -> Iterator[T]:
        """Yield what `look` returns, for as long as somebody waits."""
        ...


def _unseen(_doing: str, _total: int | None, _before: int) -> AbstractContextManager[Step]:
    return nullcontext(lambda _steps: None)


def _never() -> bool:
    return False


def _nothing(_job: BackfillJob) -> None:
    return None


@dataclass
class BackfillEngine:
    """One worker of a job, the one that its record names; `stop` says that its time is up.

    `beside`: there are others who work on the parts of a large job (`work_on_part`). `before_end` is done when
    everything is known, again after a death, and returns what has gone wrong with it, for the record.
    """

    tools: BackfillTools
    progress: JobProgress
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    turns: Turns
    stop: Callable[[], bool] = _never
    show: Show = _unseen
    beside: bool = False
    before_end: Callable[[BackfillJob], str | None] = _nothing

    @property
    def parts_left(self) -> range | None:
        """The parts that somebody has to work on beside each other, where `go` has come to one."""
        job = self.progress.job
        return range(job.chunks, job.entry_parts) if self.beside and self._missing else None

    def __post_init__(self) -> None:
        self._missing = False

    def go(self, *, wait: bool) -> bool:
        """Go on with the job, and return whether it is at its end; with `wait` that is the end of its runs.

        Raises
        ------
        JobLostError
            Somebody else works on it by now, or has cancelled it.
        """
        self._gather()
        if self.beside and self.progress.job.is_large and not self.progress.job.by_parts:
            self.progress.change(by_parts=True)
        if not self.progress.job.compared_all and not self._compare():
            return False
        if wait and not self._settle():
            return False
        if problem := self.before_end(self.progress.job):
            self.progress.change(problem=problem)
        self.progress.end(iso(self.now()))
        return True

    def _gather(self) -> None:
        """Find what has failed, where the job is about that and nobody has found it yet."""
        job = self.progress.job
        if job.input is not JobInput.FAILED or job.entries is not None:
            return
        failed = failures_below(
            self.tools.records, job.source_bucket, job.prefix, to=job.only_to, cause=job.cause or None
        )
        # Whoever has lost the job to this worker may still be writing theirs.
        found = saved_entries(self.tools.jobs, job.backfill_id, failed, f"{job.generation}")
        buckets = dict.fromkeys(bucket for entry in failed for bucket in entry.destination_buckets or ())
        self.progress.change(**found, destination_buckets=tuple(buckets))

    def work_on_part(self, part: int) -> list[ObjectLine]:
        """Start what is needed of one part of the objects that the job was given by name; return its lines."""
        jobs, job = self.tools.jobs, self.progress.job
        if (known := jobs.find_lines(job.backfill_id, part)) is not None:
            return known
        with named(self.tools, job, jobs.entries_of(job, part)) as lines:
            jobs.add_lines(job.backfill_id, part, list(lines))
        return jobs.lines(job.backfill_id, part)

    def _compare(self) -> bool:
        return self._compare_parts() if self.progress.job.by_parts else self._compare_in_order()

    def _compare_parts(self) -> bool:
        """Count the parts that are done, and do those that are not, or leave them to others."""
        job = self.progress.job
        with self.show("comparing", job.entries, job.counts.compared) as step:
            for part in range(job.chunks, job.entry_parts):
                lines = self._part(part)
                if lines is not None:
                    self.progress.count(lines)
                    step(len(lines))
                if lines is None or self.stop():
                    self.progress.change()
                    return False
        self.progress.compared_all()
        return True

    def _part(self, part: int) -> list[ObjectLine] | None:
        if not self.beside:
            return self.work_on_part(part)
        lines = self.tools.jobs.find_lines(self.progress.job.backfill_id, part)
        self._missing = lines is None
        return lines

    def _compare_in_order(self) -> bool:
        job, total = self.progress.job, self.progress.job.entries
        with self._lines() as lines, self.show("comparing", total, job.counts.compared if total else 0) as step:
            for line in lines:
                self.progress.add(line)
                step(1)
                if self.stop():
                    self.progress.write()
                    return False
        self.progress.compared_all()
        return True

    @contextmanager
    def _lines(self) -> Iterator[Iterator[ObjectLine]]:
        """Yield a line for each object of the job that has none yet."""
        job = self.progress.job
        if job.input is not JobInput.LISTING:
            # Each entry has exactly one line, in the same order.
            rest = islice(self.tools.jobs.entries(job), job.counts.compared, None)
            with named(self.tools, job, rest) as lines:
                yield lines
            return
        what = Range(
            job.source_bucket,
            job.prefix,
            job.destination_buckets,
            job.last_key,
            job.content_only,
            KeyFilter(job.include, job.exclude),
            job.limits,
            job.backfill_id,
        )
        with compared(self.tools, what, start=True) as items:
            yield (line_of(item, job.destination_buckets, iso(self.now())) for item in items)

    def _settle(self) -> bool:
        """Wait for the runs, part by part, and write down what has become of each."""
        job, stopping = self.progress.job, threading.Event()
        requests = Throttle(job.limits.requests_per_second, Clock(sleep=stopping.wait))
        settling = Settling(self.tools.records, backfill_of(self.tools, job, requests))
        retry = self.tools.retry(stopping)

        def look(line: ObjectLine, ask: bool) -> ObjectLine:
            return retry.call(lambda: settling.look(line, self.now(), ask=ask)) if line.pending else line

        with (
            _set_at_the_end(stopping),
            ThreadPoolExecutor(WORKERS) as pool,
            self.show("waiting", job.counts.pending, 0) as step,
        ):

            def looked(lines: list[ObjectLine], turn: int) -> list[ObjectLine]:
                after = list(pool.map(look, lines, asked(lines, turn)))
                step(_pending(lines) - _pending(after))
                return after

            return all(self._settle_part(chunk, looked) for chunk in range(job.settled_chunks, job.chunks))

    def _settle_part(self, chunk: int, looked: _Look) -> bool:
        saved = self.tools.jobs.lines(self.progress.job.backfill_id, chunk)
        written, part = self.monotonic(), _Part(saved, looked)
        for lines in self.turns(part.look):
            done, stop = not _pending(lines), self.stop()
            if done or stop or self.monotonic() - written > _SAVE_SECONDS:
                self.progress.settled(chunk, saved, lines)
                saved, written = lines, self.monotonic()
            if done or stop:
                return done
        return False


class _Part:
    """Some lines of a job, looked at turn by turn."""

    def __init__(self, lines: list[ObjectLine], looked: _Look) -> None:
        self._lines, self._looked = lines, looked
        self._turns = count()

    def look(self) -> list[ObjectLine]:
        """Return the lines as they stand now."""
        self._lines = self._looked(self._lines, next(self._turns))
        return self._lines


@contextmanager
def _set_at_the_end(event: threading.Event) -> Iterator[None]:
    """Set `event` when the block ends, however it does."""
    try:
        yield
    finally:
        event.set()


def asked(lines: Sequence[ObjectLine], turn: int) -> list[bool]:
    """Return for which lines Step Functions is asked at this turn: some of the pending ones, each in its time."""
    pending = [position for position, line in enumerate(lines) if line.pending]
    begin = turn * _ASKED_AT_ONCE % max(len(pending), 1)
    chosen = set((pending[begin:] + pending[:begin])[:_ASKED_AT_ONCE])
    return [position in chosen for position in range(len(lines))]


def _pending(lines: Sequence[ObjectLine]) -> int:
    return sum(len(line.pending) for line in lines)
