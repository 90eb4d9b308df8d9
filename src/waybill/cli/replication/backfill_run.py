"""Working on a backfill job, from wherever it stands to its end."""

import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import typer
from rich.console import Group
from rich.filesize import decimal

from waybill.cli.errors import CommandError
from waybill.cli.output import ProgressBar, details
from waybill.cli.replication.collaborators import Replication
from waybill.cli.replication.comparing import WORKERS, Range, backfill_of, compared, named
from waybill.cli.replication.reports import ReportPlace, backfill_report
from waybill.cli.watch import command_retry, watch
from waybill.core.clock import Clock, iso, now
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import (
    BackfillJob,
    JobInput,
    JobLostError,
    JobStatus,
    ObjectLine,
    line_of,
)
from waybill.replication.domain.backfill_progress import JobProgress
from waybill.replication.domain.backfill_settling import Settling
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.throttle import Throttle

# Looks at the lines of a part, at its turn, and returns them as they stand now.
type _Look = Callable[[list[ObjectLine], int], list[ObjectLine]]

REDRAW_SECONDS = 0.1
# What has become of runs is written down that often while they are waited for.
_SAVE_SECONDS = 5.0
# Step Functions developer guide, "Quotas related to API action throttling": DescribeExecution is refilled with 15 a
# second; between two looks there are up to 3 seconds.
_ASKED_AT_ONCE = 25


def command_line(replication: Replication, words: Sequence[str]) -> list[str]:
    """Return the words of a command of the program that goes to the same stack."""
    options = replication.cli.options
    given = {"--stack": options.stack, "--profile": options.profile}
    return ["waybill", *words, *(word for option, value in given.items() if value for word in (option, value))]


def facts_of(job: BackfillJob) -> dict[str, object]:
    """Return what a person reads of the counts of a job."""
    counts = job.counts
    facts: dict[str, object] = {
        "Backfill": job.backfill_id,
        "Status": job.status,
        "Compared": f"{counts.compared:,}",
        "Identical": f"{counts.identical:,}",
        "In progress": f"{counts.in_progress:,}",
        "Started": f"{counts.started:,}",
        "Copies": f"{counts.copies:,} ({decimal(counts.bytes)})",
    }
    told = {"Arrived": counts.succeeded, "Failed": counts.failed, "Pending": counts.pending}
    return facts | {name: f"{count:,}" for name, count in told.items() if count}


def reply_of(job: BackfillJob) -> dict[str, object]:
    """Return what a script reads of a job."""
    document: dict[str, object] = job.wire()
    complete = job.status in {JobStatus.STARTED, JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_ERRORS}
    return document | job.counts.wire() | {"complete": complete, "lastKey": job.last_key or None}


@dataclass
class BackfillRun:
    """One worker of a job, which is its record's worker; with `wait` it waits for the runs, `report` gets the end."""

    replication: Replication
    job: BackfillJob
    wait: bool
    report: ReportPlace | None = None
    monotonic: Callable[[], float] = field(default=time.monotonic)

    def run(self) -> None:
        """Work on the job to its end and tell of it; exit status 1 when anything failed."""
        self._tell(self.work())

    def work(self) -> BackfillJob:
        """Work on the job to its end, and return it."""
        output = self.replication.cli.output
        progress = JobProgress(self.replication.backfills, self.job)
        try:
            if not progress.job.compared_all:
                self._compare(progress)
            if self.wait:
                self._settle(progress)
            progress.end(iso(now()))
        except JobLostError:
            raise
        except BaseException:
            # It is resumable even where the table cannot be told that it was stopped.
            with suppress(Exception):
                progress.stop()
            if progress.job.counts.compared:
                output.show(reply_of(progress.job), details(facts_of(progress.job)))
            words = ["backfills", "resume", progress.job.backfill_id, *(["--wait"] if self.wait else [])]
            output.note(f"Stopped. To go on: {shlex.join(command_line(self.replication, words))}")
            raise
        return progress.job

    def _tell(self, job: BackfillJob) -> None:
        words = shlex.join(command_line(self.replication, ["backfills", "resume", job.backfill_id]))
        pending = f"Their runs are under way. To wait for them and see what became of them: {words}"
        hint = ["", pending] if job.counts.pending else []
        self.replication.cli.output.show(reply_of(job), Group(details(facts_of(job)), *hint))
        if self.report:
            # What became of the job is said, also where its report cannot be written any more.
            self.report.write(backfill_report(self.replication, job))
        if job.counts.failed:
            raise typer.Exit(1)
        if job.prefix and job.input is JobInput.LISTING and not job.counts.compared:
            raise CommandError(f"there is no such object below {escaped(f's3://{job.source_bucket}/{job.prefix}')}")

    def _compare(self, progress: JobProgress) -> None:
        job, total = self.job, self.job.entries
        with self._lines() as lines, self.replication.cli.output.progress("comparing", total) as bar:
            bar.advance(job.counts.compared if total else 0)
            pace = _Pace(bar, self.monotonic, total and total - job.counts.compared)
            for line in lines:
                progress.add(line)
                pace.step("comparing")
        progress.compared_all()

    @contextmanager
    def _lines(self) -> Iterator[Iterator[ObjectLine]]:
        """Yield a line for each object of the job that has none yet."""
        job = self.job
        if job.input is not JobInput.LISTING:
            with named(self.replication, job) as lines:
                yield lines
            return
        keys = KeyFilter(job.include, job.exclude)
        what = Range(
            job.source_bucket,
            job.prefix,
            job.destination_buckets,
            job.last_key,
            job.content_only,
            keys,
            job.limits,
            job.backfill_id,
        )
        with compared(self.replication, what, start=True) as items:
            yield (line_of(item, job.destination_buckets, iso(now())) for item in items)

    def _settle(self, progress: JobProgress) -> None:
        """Wait for the runs, part by part, and write down what has become of each."""
        job, stopping = progress.job, threading.Event()
        requests = Throttle(job.limits.requests_per_second, Clock(sleep=stopping.wait))
        settling = Settling(self.replication.tracking, backfill_of(self.replication, job, requests))
        retry = command_retry(stopping)

        def look(line: ObjectLine, ask: bool) -> ObjectLine:
            return retry.call(lambda: settling.look(line, now(), ask=ask)) if line.pending else line

        with (
            _set_at_the_end(stopping),
            ThreadPoolExecutor(WORKERS) as pool,
            self.replication.cli.output.progress("waiting", job.counts.pending) as bar,
        ):
            pace = _Pace(bar, self.monotonic, job.counts.pending)

            def looked(lines: list[ObjectLine], turn: int) -> list[ObjectLine]:
                after = list(pool.map(look, lines, _asked(lines, turn)))
                pace.step("waiting", _pending(lines) - _pending(after))
                return after

            for chunk in range(job.settled_chunks, job.chunks):
                self._settle_part(progress, chunk, looked)

    def _settle_part(self, progress: JobProgress, chunk: int, looked: _Look) -> None:
        saved = self.replication.backfills.lines(progress.job.backfill_id, chunk)
        written, part = self.monotonic(), _Part(saved, looked)
        for lines in watch(part.look):
            done = not _pending(lines)
            if done or self.monotonic() - written > _SAVE_SECONDS:
                progress.settled(chunk, saved, lines)
                saved, written = lines, self.monotonic()
            if done:
                return


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


def _asked(lines: Sequence[ObjectLine], turn: int) -> list[bool]:
    """Return for which lines Step Functions is asked at this turn: some of the pending ones, each in its time."""
    pending = [position for position, line in enumerate(lines) if line.pending]
    begin = turn * _ASKED_AT_ONCE % max(len(pending), 1)
    asked = set((pending[begin:] + pending[:begin])[:_ASKED_AT_ONCE])
    return [position in asked for position in range(len(lines))]


def _pending(lines: Sequence[ObjectLine]) -> int:
    return sum(len(line.pending) for line in lines)


class _Pace:
    """The progress bar of one pass: how many a second, and how long it will take where the end is known."""

    def __init__(self, bar: ProgressBar, monotonic: Callable[[], float], total: int | None = None) -> None:
        self._bar, self._monotonic, self._total = bar, monotonic, total
        self._begun = self._drawn = monotonic()
        self._done = self._shown = 0

    def step(self, doing: str, steps: int = 1) -> None:
        self._done += steps
        moment = self._monotonic()
        if moment - self._drawn <= REDRAW_SECONDS:
            return
        self._bar.advance(self._done - self._shown)
        self._bar.describe(f"{doing}, {pace_of(self._done, moment - self._begun, self._total)}")
        self._shown, self._drawn = self._done, moment


def pace_of(done: int, seconds: float, total: int | None) -> str:
    """Return the rate so far, and the time that the rest takes at this rate."""
    rate = done / seconds if seconds > 0 else 0.0
    told = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    if total is None or not rate:
        return told
    left = round(max(total - done, 0) / rate)
    hours, minutes = divmod(left // 60, 60)
    return f"{told}, {f'{hours}:{minutes:02}:{left % 60:02}' if hours else f'{minutes}:{left % 60:02}'} left"
