"""Working on a backfill job, from wherever it stands to its end."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import typer
from rich.console import Group
from rich.filesize import decimal

from waybill.cli.errors import CommandError
from waybill.cli.output import ProgressBar, details
from waybill.cli.replication.reports import ReportPlace, backfill_report
from waybill.cli.replication.runtime import Replication
from waybill.cli.watch import watch
from waybill.core.clock import now
from waybill.core.text import escaped
from waybill.replication.domain.backfill_engine import BackfillEngine, Step
from waybill.replication.domain.backfill_job import BackfillJob, JobInput, JobLostError, JobStatus
from waybill.replication.domain.backfill_progress import JobProgress

REDRAW_SECONDS = 0.1


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
            engine = BackfillEngine(
                self.replication.backfill_tools, progress, now, self.monotonic, watch, show=self._shown
            )
            engine.go(wait=self.wait)
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
        if job.counts.failed and not self.report:
            reasons = command_line(self.replication, ["backfills", "show", job.backfill_id, "--report", "FILE"])
            hint += ["", f"What failed, where and why: {shlex.join(reasons)}"]
        self.replication.cli.output.show(reply_of(job), Group(details(facts_of(job)), *hint))
        if self.report:
            # What became of the job is said, also where its report cannot be written any more.
            self.report.write(backfill_report(self.replication, job))
        if job.counts.failed:
            raise typer.Exit(1)
        if job.prefix and job.input is JobInput.LISTING and not job.counts.compared:
            raise CommandError(f"there is no such object below {escaped(f's3://{job.source_bucket}/{job.prefix}')}")

    @contextmanager
    def _shown(self, doing: str, total: int | None, before: int) -> Iterator[Step]:
        with self.replication.cli.output.progress(doing, total) as bar:
            bar.advance(before)
            pace = _Pace(bar, self.monotonic, total and total - before)
            yield lambda steps: pace.step(doing, steps)


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
