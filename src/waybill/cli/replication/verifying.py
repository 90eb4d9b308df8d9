"""`waybill verify`: compares copies with their sources now, tells of what differs, and mends it where that is asked."""

import shlex
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TextIO

import typer
from rich.console import Group
from rich.text import Text

from waybill.cli.errors import CommandError
from waybill.cli.output import details, table
from waybill.cli.replication.addresses import parse_uri, uri_of
from waybill.cli.replication.backfill import new_job
from waybill.cli.replication.backfill_run import BackfillRun, command_line
from waybill.cli.replication.job_lists import begin_of, show_page
from waybill.cli.replication.reports import ReportPlace, report_place
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.showing import reading
from waybill.cli.watch import command_retry
from waybill.core.clock import iso, now
from waybill.core.spreadsheets import TextFile
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import Entry, JobInput
from waybill.replication.domain.comparison import CONTENT
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.verification import (
    Sides,
    VerificationCheck,
    VerificationChecker,
    VerificationResult,
    VerificationWay,
)
from waybill.replication.domain.verification_job import RECORD as JOB
from waybill.replication.domain.verification_job import (
    THREADS,
    VerificationCounts,
    VerificationJob,
    VerificationRun,
    new_verification_job,
)
from waybill.replication.domain.verification_report import add_to_report, begin_report
from waybill.replication.models import FileId

_ALL = 100
_COLUMNS = {
    "compared": "Compared",
    "equal": "Equal",
    "differs": "Differ",
    "missing": "Missing",
    "not_proven": "Not proven",
    "not_checked": "Not checked",
    "without_source": "Without a source",
    "in_progress": "On their way",
}


@dataclass(frozen=True)
class VerifyCommand:
    """One call of the command: `target` is bucket and prefix, `to` the destinations, else those of the stack."""

    replication: Replication
    target: str
    to: list[str] | None
    deep: bool
    repair: bool
    report: str | None
    keys: KeyFilter
    sample: int = 100

    def resume(self, verification_id: str) -> None:
        """Go on behind the last object that was compared; the report has the findings of before, and all from there."""
        seen = self.replication.verifications.read(verification_id)
        if seen.ended:
            raise CommandError(f"verification {verification_id} has ended: {seen.status}")
        place = report_place(self.replication, self.report) if self.report else None
        self._work(self.replication.verifications.take_over(verification_id), place)

    def run(self) -> None:
        """Compare everything; exit status 0 when every copy was found to be equal, or is after its repair."""
        under = parse_uri(self.target)
        destinations = self.replication.destinations(self.to)
        self.replication.checked(replace(under, source_key=under.source_key or "any"), destinations)
        place = report_place(self.replication, self.report) if self.report else None
        started = now()
        job = new_verification_job(
            f"{started:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}",
            under.source_bucket,
            under.source_key,
            destinations,
            created_by=self.replication.user(),
            start_time=iso(started),
            deep=self.deep,
            sample=self.sample,
            keys=self.keys,
        )
        # Names a source that is not there, before there is a job about it.
        first = next(self.replication.buckets.list_objects(job.source_bucket, job.prefix), [])
        done = self._work(self.replication.verifications.create(job), place)
        if job.prefix and not done.counts.compared and not first:
            raise CommandError(f"there is no such object below {escaped(f's3://{job.source_bucket}/{job.prefix}')}")

    def _work(self, job: VerificationJob, place: ReportPlace | None) -> VerificationJob:
        """Compare what has not been compared, repair it where that is asked for, and tell of it."""
        with _checking(self.replication, job) as checker:
            job = self._compare(job, checker, place)
            left = self._repair(job, checker) if self.repair else job.counts.findings
        if left:
            raise typer.Exit(1)
        return job

    def _compare(
        self, job: VerificationJob, checker: VerificationChecker, place: ReportPlace | None
    ) -> VerificationJob:
        replication, output = self.replication, self.replication.cli.output
        run = VerificationRun(
            replication.verifications,
            job,
            checker,
            replication.buckets.listed,
            lambda: iso(now()),
        )
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace", newline="") as lines:
            begin_report(lines)
            add_to_report(lines, job.source_bucket, replication.verifications.findings(job))
            try:
                with output.progress("comparing") as bar:
                    for checks in run.go():
                        bar.advance()
                        self._tell(job, checks, lines)
            except BaseException:
                with suppress(Exception):
                    run.interrupt()
                words = shlex.join(command_line(replication, ["verify", "--resume", job.verification_id]))
                output.note(f"Stopped. To go on: {words}")
                raise
            _show(replication, run.job, quiet=self.repair)
            if place:
                place.write(lambda file: _copied(lines, file))
        return run.job

    def _tell(self, job: VerificationJob, checks: Sequence[VerificationCheck], lines: TextFile) -> None:
        add_to_report(lines, job.source_bucket, checks)
        output = self.replication.cli.output
        for check in checks:
            if check.result is not VerificationResult.EQUAL and not output.json_wanted:
                output.line(_line(check))

    def _repair(self, job: VerificationJob, checker: VerificationChecker) -> int:
        """Copy what is missing or differs once more, look again, and return how many copies are not equal still."""
        damaged: dict[str, list[VerificationCheck]] = {}
        for check in self.replication.verifications.findings(job):
            if check.repairable:
                damaged.setdefault(check.key, []).append(check)
        mended = VerificationCounts()
        if damaged:
            places = dict.fromkeys(check.destination_bucket for checks in damaged.values() for check in checks)
            entries = (_entry(key, checks, force=force) for key, checks in damaged.items() for force in (False, True))
            under = FileId(job.source_bucket, job.prefix)
            wanted = (entry for entry in entries if entry.destination_buckets)
            repair = new_job(self.replication, under, tuple(places), wanted, input=JobInput.FAILED)
            self.replication.backfills.create(repair)
            BackfillRun(self.replication, repair, wait=True).work()
            mended = _looked_again(checker, damaged)
        repairable = sum(len(checks) for checks in damaged.values())
        left = job.counts.findings - repairable + mended.findings
        told = {"verificationId": job.verification_id, "repaired": repairable - mended.findings, "left": left}
        shown = {"Repaired": f"{told['repaired']:,}", "Not equal still": f"{left:,}"}
        self.replication.cli.output.show(_reply(job) | told, details(shown))
        return left


def _entry(key: str, checks: Iterable[VerificationCheck], *, force: bool) -> Entry:
    """Return what is to be repaired of a file; `force`: only what S3's own statements do not tell from its source."""
    buckets = tuple(check.destination_bucket for check in checks if _is_hidden(check) is force)
    return Entry(key=key, destination_buckets=buckets, force=force)


def _is_hidden(check: VerificationCheck) -> bool:
    return check.way is VerificationWay.DEEP and CONTENT in (check.difference or "").split(", ")


def _looked_again(
    checker: VerificationChecker, damaged: Mapping[str, Sequence[VerificationCheck]]
) -> VerificationCounts:
    """Return how the places stand that were damaged."""

    def look(key: str) -> Iterable[VerificationCheck]:
        places = {check.destination_bucket for check in damaged[key]}
        again = replace(checker, destination_buckets=tuple(sorted(places)))
        return again.check(Sides(key, frozenset(), {}))

    with ThreadPoolExecutor(THREADS) as pool:
        checks = [check for found in pool.map(look, damaged) for check in found]
    return VerificationCounts().plus(len(damaged), checks)


@contextmanager
def _checking(replication: Replication, job: VerificationJob) -> Iterator[VerificationChecker]:
    stopping = threading.Event()
    try:
        yield VerificationChecker(
            job.source_bucket,
            job.destination_buckets,
            job.verification_id,
            replication.buckets,
            replication.verifications,
            command_retry(stopping),
            job.deep,
            now,
            job.sample,
        )
    finally:
        stopping.set()


def _copied(lines: TextIO, file: TextFile) -> None:
    lines.seek(0)
    shutil.copyfileobj(lines, file)


def _line(check: VerificationCheck) -> Text:
    why = ", ".join(each for each in (check.code, check.difference) if each)
    told = f"{check.result}{f' ({why})' if why else ''}"
    colour = "yellow" if check.result in {VerificationResult.NOT_CHECKED, VerificationResult.NOT_PROVEN} else "red"
    return Text.assemble((f"{told:<24}", colour), f"  {check.destination_bucket}  {escaped(check.key)}")


def _facts(job: VerificationJob) -> dict[str, object]:
    counts = job.counts.model_dump()
    told = {label: f"{counts[name]:,}" for name, label in _COLUMNS.items() if counts[name] or name == "compared"}
    return {"Verification": job.verification_id, "Status": job.status, **told}


def _reply(job: VerificationJob) -> dict[str, object]:
    document: dict[str, object] = job.wire()
    return document | {"complete": job.ended}


def _show(replication: Replication, job: VerificationJob, *, quiet: bool = False) -> None:
    """Print how a verification has ended, with its findings for scripts; `quiet`: scripts get another document."""
    output = replication.cli.output
    hint = ["", "--deep reads what is not proven."] if job.counts.not_proven and not job.deep else []
    if output.json_wanted and quiet:
        return
    findings = [check.wire() for check in replication.verifications.findings(job)] if output.json_wanted else []
    output.show(_reply(job) | {"findings": findings}, Group(details(_facts(job)), *hint))


def list_verifications(replication: Replication, limit: int, cursor: str | None) -> None:
    """Print the newest verifications, or those after `cursor`."""
    page = replication.verifications.newest(limit, begin_of(cursor, JOB))
    rows = (
        (
            job.verification_id,
            job.status,
            reading(job.start_time),
            f"{job.counts.compared:,}",
            f"{job.counts.findings:,}",
            escaped(uri_of(FileId(job.source_bucket, job.prefix))),
        )
        for job in page.jobs
    )
    listed = table(("Verification", "Status", "Started (UTC)", "Compared", "Findings", "Source"), rows)
    show_page(replication.cli.output, "verifications", [_reply(job) for job in page.jobs], listed, page.position)


def _way(job: VerificationJob) -> str:
    stated = "what S3 keeps of both"
    if not job.deep:
        return stated
    return "reading both" if job.sample >= _ALL else f"reading both of {job.sample} objects in a hundred, else {stated}"


def show_verification(replication: Replication, verification_id: str, report: str | None) -> None:
    """Print how a verification stood when it ended; `report` gets what it has found."""
    job, verifications = replication.verifications.read(verification_id), replication.verifications
    if report:

        def fill(file: TextFile) -> None:
            begin_report(file)
            add_to_report(file, job.source_bucket, verifications.findings(job))

        report_place(replication, report).write(fill)
    facts = {
        "Source": escaped(uri_of(FileId(job.source_bucket, job.prefix))),
        "Destinations": "\n".join(job.destination_buckets),
        "By": _way(job),
        "Begun (UTC)": f"{reading(job.start_time)} by {escaped(job.created_by)}",
        "Ended (UTC)": reading(job.completed_at),
    }
    findings = [check.wire() for check in verifications.findings(job)] if replication.cli.output.json_wanted else []
    shown = _facts(job) | {name: value for name, value in facts.items() if value}
    replication.cli.output.show(_reply(job) | {"findings": findings}, details(shown))
