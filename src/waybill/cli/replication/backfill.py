"""`waybill replicate --backfill`: many objects compared and started at a time, in the order of their keys."""

import json
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Group
from rich.filesize import decimal
from rich.text import Text

from waybill.cli.output import Output, ProgressBar, details
from waybill.cli.parallel import in_order, prefetched
from waybill.cli.replication.addresses import parse_uri, printable
from waybill.cli.replication.collaborators import Replication
from waybill.cli.watch import command_retry
from waybill.replication.domain.backfill import Backfill, BackfillVerdict, Comparison, Difference, PlanItem, compare
from waybill.replication.models import FileId, ReplicationRequest

# Fewer than the 32 connections of a client; lookups and starts take some 20 ms each.
_WORKERS = 16
_READERS = 16
_WINDOW = 8 * _WORKERS
_REDRAW_SECONDS = 0.1

_REASONS = {
    Difference.MISSING: "missing",
    Difference.SIZE_DIFFERS: "size differs",
    Difference.ETAG_DIFFERS: "ETag differs",
}


@dataclass
class BackfillTotals:
    """What has been done so far; `copies` counts objects by destination, `bytes` the content of these copies."""

    compared: int = 0
    identical: int = 0
    in_progress: int = 0
    started: int = 0
    copies: int = 0
    bytes: int = 0
    last_key: str = ""

    def add(self, item: PlanItem) -> None:
        """Count one object."""
        self.compared += 1
        self.last_key = item.source.key
        match item.verdict:
            case BackfillVerdict.IDENTICAL:
                self.identical += 1
            case BackfillVerdict.IN_PROGRESS:
                self.in_progress += 1
            case BackfillVerdict.NEEDED | BackfillVerdict.STARTED:
                self.started += 1
                self.copies += len(item.differences)
                self.bytes += item.source.size * len(item.differences)


@dataclass
class BackfillCommand:
    """One call of the command: `target` is bucket and prefix, `to` the destinations, else those of the stack."""

    replication: Replication
    target: str
    to: list[str] | None
    start_after: str
    dry_run: bool
    totals: BackfillTotals = field(default_factory=BackfillTotals)

    def run(self) -> None:
        """Compare, start what is needed (with `dry_run` only show it) and tell what has been done."""
        under = parse_uri(self.target)
        destinations = self.replication.destinations(self.to)
        request = self.replication.checked(replace(under, source_key=under.source_key or "any"), destinations)
        report = BackfillReport(self.output, self.totals, request.destination_buckets, dry_run=self.dry_run)
        try:
            with self._items(under, request) as items, self.output.progress("comparing") as bar:
                report.follow(items, bar)
        except BrokenPipeError:
            raise
        except BaseException:
            if self.totals.compared:
                report.end(complete=False)
                self.output.note(f"Stopped. To go on: {self._go_on()}")
            raise
        report.end(complete=True)

    @property
    def output(self) -> Output:
        """Where results go."""
        return self.replication.cli.output

    @contextmanager
    def _items(self, under: FileId, request: ReplicationRequest) -> Iterator[Iterator[PlanItem]]:
        """Yield what has become of each object, in order; what is under way then is finished or given up."""
        replication, stopping = self.replication, threading.Event()
        retry = command_retry(stopping)
        backfill = Backfill(
            under.source_bucket,
            replication.tracking,
            replication.buckets,
            replication.starter,
            replication.executions,
        )

        def handled(comparison: Comparison) -> PlanItem:
            item = retry.call(lambda: backfill.plan(comparison))
            if item.verdict is not BackfillVerdict.NEEDED or self.dry_run:
                return item
            return replace(item, verdict=retry.call(lambda: backfill.start(item)))

        readers, workers = ThreadPoolExecutor(_READERS), ThreadPoolExecutor(_WORKERS)

        def listed(bucket: str) -> Any:
            pages = replication.buckets.list_objects(bucket, under.source_key, start_after=self.start_after)
            return prefetched(pages, readers)

        try:
            source = listed(under.source_bucket)
            comparisons = compare(source, {bucket: listed(bucket) for bucket in request.destination_buckets})
            yield in_order(comparisons, handled, workers, window=_WINDOW, trivial=_unchanged)
        finally:
            stopping.set()
            workers.shutdown(cancel_futures=True)
            readers.shutdown(cancel_futures=True)

    def _go_on(self) -> str:
        options = self.replication.cli.options
        given = {"--stack": options.stack, "--profile": options.profile}
        words = ["waybill", "replicate", "--backfill", self.target]
        words += [word for bucket in self.to or [] for word in ("--to", bucket)]
        words += [word for option, value in given.items() if value for word in (option, value)]
        words += ["--dry-run"] if self.dry_run else []
        if key := self.totals.last_key or self.start_after:
            words += ["--start-after", key]
        return shlex.join(words)


def _unchanged(comparison: Comparison) -> PlanItem | None:
    return None if comparison.copies else PlanItem(comparison.source, BackfillVerdict.IDENTICAL)


@dataclass
class BackfillReport:
    """What is printed while a backfill runs and at its end; with `dry_run` a line per object that would be started."""

    output: Output
    totals: BackfillTotals
    destinations: tuple[str, ...]
    dry_run: bool
    _listed: int = 0

    def follow(self, items: Iterator[PlanItem], bar: ProgressBar) -> None:
        """Count `items` and show them as they come."""
        shown, redrawn = 0, time.monotonic()
        for item in items:
            self.totals.add(item)
            if item.verdict is BackfillVerdict.NEEDED:
                self._list(item)
            if time.monotonic() - redrawn > _REDRAW_SECONDS:
                bar.advance(self.totals.compared - shown)
                bar.describe(f"comparing, {self.totals.started:,} {self._started.lower()}")
                shown, redrawn = self.totals.compared, time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Print the totals."""
        totals = self.totals
        data = {
            "compared": totals.compared,
            "identical": totals.identical,
            "inProgress": totals.in_progress,
            "wouldStart" if self.dry_run else "started": totals.started,
            "copies": totals.copies,
            "bytes": totals.bytes,
            "complete": complete,
            "lastKey": totals.last_key or None,
        }
        if self.output.json_wanted and self.dry_run:
            # One document that never is in memory as a whole: the list is closed, the totals follow.
            sys.stdout.write(f"{'\n]' if self._listed else '{"objects": []'}, {json.dumps(data)[1:]}\n")
            return
        shown = {
            "Compared": f"{totals.compared:,}",
            "Identical": f"{totals.identical:,}",
            "In progress": f"{totals.in_progress:,}",
            self._started: f"{totals.started:,}",
            "Copies": f"{totals.copies:,} ({decimal(totals.bytes)})",
        }
        hint = "Objects in progress were left to their runs; another backfill tells whether they arrived."
        self.output.show(data, Group(details(shown), *(["", hint] if totals.in_progress else [])))

    @property
    def _started(self) -> str:
        return "Would start" if self.dry_run else "Started"

    def _list(self, item: PlanItem) -> None:
        self._listed += 1
        if self.output.json_wanted:
            needed = {
                "sourceKey": item.source.key,
                "size": item.source.size,
                "destinations": {bucket: found.value for bucket, found in item.differences.items()},
            }
            opening = '{"objects": [\n' if self._listed == 1 else ",\n"
            sys.stdout.write(f"{opening}{json.dumps(needed, ensure_ascii=False)}")
            return
        for found in dict.fromkeys(item.differences.values()):
            buckets = [bucket for bucket, why in item.differences.items() if why is found]
            where = "" if len(buckets) == len(self.destinations) else f"  → {', '.join(buckets)}"
            line = Text.assemble(
                f"{decimal(item.source.size):>10}  ",
                (f"{_REASONS[found]:<12}", "yellow"),
                f"  {printable(item.source.key)}{where}",
            )
            self.output.line(line)
