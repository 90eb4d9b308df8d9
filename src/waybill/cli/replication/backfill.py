"""`waybill replicate --backfill`: a new job, or with `--dry-run` a look at what it would do."""

import json
import shlex
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

import typer
from rich.console import Group
from rich.filesize import decimal
from rich.text import Text

from waybill.cli.errors import CommandError
from waybill.cli.output import Output, ProgressBar, details
from waybill.cli.replication.addresses import parse_uri, uri_of
from waybill.cli.replication.backfill_run import REDRAW_SECONDS, BackfillRun, command_line
from waybill.cli.replication.manifests import opened
from waybill.cli.replication.reports import lasting, report_place
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.server_backfills import WorkedBy, hand_over
from waybill.core.clock import iso, now
from waybill.core.text import escaped, json_text
from waybill.replication.domain.backfill import BackfillVerdict, Difference, PlanItem
from waybill.replication.domain.backfill_comparing import Range, compared
from waybill.replication.domain.backfill_job import (
    BackfillJob,
    Entry,
    JobCounts,
    JobInput,
    JobStatus,
    Limits,
    line_of,
    saved_entries,
)
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.models import FileId, ReplicationRequest

_REASONS = {
    Difference.MISSING: "missing",
    Difference.SIZE_DIFFERS: "size differs",
    Difference.ETAG_DIFFERS: "ETag differs",
    Difference.NOT_PROVEN: "not proven",
    Difference.HEADERS_DIFFER: "headers",
    Difference.TAGS_DIFFER: "tags",
    Difference.BYTES_DIFFER: "bytes",
    Difference.NOT_REMOVED: "not removed",
}


@dataclass(frozen=True)
class BackfillCommand:
    """One call of the command: `target` is bucket and prefix, `to` the destinations, else those of the stack."""

    replication: Replication
    target: str
    to: list[str] | None
    start_after: str = ""
    dry_run: bool = False
    content_only: bool = False
    wait: bool = False
    report: str | None = None
    manifest: str | None = None
    keys: KeyFilter = field(default_factory=KeyFilter)
    limits: Limits = field(default_factory=Limits)
    on: WorkedBy = WorkedBy.HERE

    def run(self) -> None:
        """Make the job and work on it, or with `dry_run` show what it would start."""
        under = parse_uri(self.target)
        destinations = self.replication.destinations(self.to)
        request = self.replication.checked(replace(under, source_key=under.source_key or "any"), destinations)
        if self.dry_run:
            self._look(under, request)
            return
        # Names a source that is not there, before there is a job about it.
        self.replication.buckets.list_objects(under.source_bucket, under.source_key)
        place = report_place(self.replication, self.report) if self.report else None
        job = self._job(under, request)
        self.replication.backfills.create(job)
        if self.on is WorkedBy.AWS:
            hand_over(self.replication, job, wait=self.wait, report=place if self.wait else None)
        else:
            BackfillRun(self.replication, job, wait=self.wait, report=place).run()

    def _job(self, under: FileId, request: ReplicationRequest) -> BackfillJob:
        options: JobOptions = {
            "content_only": self.content_only,
            "limits": self.limits,
            "include": self.keys.include,
            "exclude": self.keys.exclude,
            "report": lasting(self.report),
        }
        destinations = request.destination_buckets
        if self.manifest is None:
            options["last_key"] = self.start_after
            return new_job(self.replication, under, destinations, **options)
        options["input"] = JobInput.MANIFEST
        with opened(self.replication, self.manifest, under.source_bucket) as manifest:
            # Read to its end before anything is written: a line of another bucket is a mistake of the whole.
            for _ in manifest.entries(under.source_bucket):
                pass
            wanted = (entry for entry in manifest.entries(under.source_bucket) if self._is_wanted(entry, under))
            job = new_job(self.replication, under, destinations, wanted, **options)
        if not job.entries:
            # A success that has looked at nothing says nothing about any copy.
            raise CommandError(f"{escaped(self.manifest)} names no object below {escaped(uri_of(under))}")
        return job

    def _is_wanted(self, entry: Entry, under: FileId) -> bool:
        if entry.problem:
            return True
        return entry.key.startswith(under.source_key) and self.keys.accepts(entry.key)

    def _look(self, under: FileId, request: ReplicationRequest) -> None:
        preview = BackfillPreview(self.replication.cli.output, request.destination_buckets)
        what = Range(
            under.source_bucket,
            under.source_key,
            request.destination_buckets,
            self.start_after,
            self.content_only,
            self.keys,
            self.limits,
        )
        try:
            with (
                compared(self.replication.backfill_tools, what, start=False) as items,
                self.replication.cli.output.progress("comparing") as bar,
            ):
                preview.follow(items, bar)
        except BrokenPipeError:
            raise
        except BaseException:
            if preview.counts.compared:
                preview.end(complete=False)
                self.replication.cli.output.note(f"Stopped. To go on: {self._go_on(preview.last_key)}")
            raise
        preview.end(complete=True)
        if preview.counts.failed:
            raise typer.Exit(1)
        if under.source_key and not preview.counts.compared:
            raise CommandError(f"there is no such object below {escaped(uri_of(under))}")

    def _go_on(self, last_key: str) -> str:
        words = ["replicate", "--backfill", self.target]
        words += [word for bucket in self.to or [] for word in ("--to", bucket)]
        words += [word for pattern in self.keys.include for word in ("--include", pattern)]
        words += [word for pattern in self.keys.exclude for word in ("--exclude", pattern)]
        words += ["--dry-run", *(["--content-only"] if self.content_only else [])]
        words += ["--start-after", last_key or self.start_after]
        return shlex.join(command_line(self.replication, words))


class JobOptions(TypedDict, total=False):
    """What a job may be asked for, as its record has it."""

    content_only: bool
    limits: Limits
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    report: str | None
    last_key: str
    input: JobInput


def new_job(
    replication: Replication,
    under: FileId,
    destinations: tuple[str, ...],
    entries: Iterable[Entry] = (),
    **options: Unpack[JobOptions],
) -> BackfillJob:
    """Return a job that is about to be created; the objects that it is given by name are written already."""
    started = now()
    job = BackfillJob(
        backfill_id=f"{started:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}",
        status=JobStatus.RUNNING,
        source_bucket=under.source_bucket,
        prefix=under.source_key,
        destination_buckets=destinations,
        start_time=iso(started),
        updated_at=iso(started),
        created_by=replication.user(),
        worked_by=replication.user(),
        **options,
    )
    if job.input is JobInput.LISTING:
        return job
    return job.model_copy(update=saved_entries(replication.backfills, job.backfill_id, entries))


@dataclass
class BackfillPreview:
    """A line per object that would be started, and what there would be to do."""

    output: Output
    destinations: tuple[str, ...]
    counts: JobCounts = field(default_factory=JobCounts)
    last_key: str = ""
    _listed: int = 0

    def follow(self, items: Iterator[PlanItem], bar: ProgressBar) -> None:
        """Count `items` and show them as they come."""
        shown, redrawn = 0, time.monotonic()
        for item in items:
            started = replace(item, verdict=BackfillVerdict.STARTED) if item.differences else item
            self.counts = self.counts.plus([line_of(started, self.destinations)])
            self.last_key = item.source.key
            if item.differences:
                self._list(item)
            if time.monotonic() - redrawn > REDRAW_SECONDS:
                bar.advance(self.counts.compared - shown)
                bar.describe(f"comparing, {self.counts.started:,} would be started")
                shown, redrawn = self.counts.compared, time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Print the totals."""
        counts = self.counts
        data = {
            "compared": counts.compared,
            "identical": counts.identical,
            "inProgress": counts.in_progress,
            "wouldStart": counts.started,
            "copies": counts.copies,
            "bytes": counts.bytes,
            "failed": counts.failed,
            "complete": complete,
            "lastKey": self.last_key or None,
        }
        if self.output.json_wanted:
            # One document that never is in memory as a whole: the list is closed, the totals follow.
            sys.stdout.write(f"{'\n]' if self._listed else '{"objects": []'}, {json.dumps(data)[1:]}\n")
            return
        shown = {
            "Compared": f"{counts.compared:,}",
            "Identical": f"{counts.identical:,}",
            "In progress": f"{counts.in_progress:,}",
            "Would start": f"{counts.started:,}",
            "Copies": f"{counts.copies:,} ({decimal(counts.bytes)})",
        } | ({"Not looked at": f"{counts.failed:,}"} if counts.failed else {})
        self.output.show(data, Group(details(shown)))

    def _list(self, item: PlanItem) -> None:
        self._listed += 1
        if self.output.json_wanted:
            needed = {
                "sourceKey": item.source.key,
                "size": item.source.size,
                "destinations": {bucket: found.value for bucket, found in item.differences.items()},
            }
            opening = '{"objects": [\n' if self._listed == 1 else ",\n"
            sys.stdout.write(f"{opening}{json_text(needed)}")
            return
        for found in dict.fromkeys(item.differences.values()):
            buckets = [bucket for bucket, why in item.differences.items() if why is found]
            where = "" if len(buckets) == len(self.destinations) else f"  → {', '.join(buckets)}"
            line = Text.assemble(
                f"{decimal(item.source.size):>10}  ",
                (f"{_REASONS[found]:<12}", "yellow"),
                f"  {escaped(item.source.key)}{where}",
            )
            self.output.line(line)
