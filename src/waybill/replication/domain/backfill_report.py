"""The completion report of a backfill: a header, and a line for each object and destination."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from typing import NamedTuple

from waybill.core.spreadsheets import TextFile, write_rows
from waybill.replication.domain.backfill_job import BackfillJob, ObjectLine

COLUMNS = ("bucket", "key", "version", "destination", "result", "code", "difference")

# Lambda answers with 6 MB at most, in which a text is written as JSON.
_PAGE = 4_000_000


def write_report(job: BackfillJob, lines: Iterable[ObjectLine], file: TextFile) -> int:
    """Write the report of `job` and return how many lines it has besides its header."""
    write_rows(file, [COLUMNS])
    return write_rows(file, _rows(job, lines))


class ReportPlace(NamedTuple):
    """A place in a report: the `line` of a job's `part` from which on it goes on."""

    part: int
    line: int


def report_page(
    job: BackfillJob, lines_of: Callable[[int], Sequence[ObjectLine]], begin: ReportPlace
) -> tuple[str, ReportPlace | None]:
    """Return the report of `job` from `begin` on, as much as fits an answer, and where it goes on.

    `lines_of` reads a part. The header is before the first line; the pages after each other are the report.
    """
    room, file = _PAGE, StringIO(newline="")
    if begin == ReportPlace(0, 0):
        write_rows(file, [COLUMNS])
    for part in range(begin.part, job.chunks):
        first = begin.line if part == begin.part else 0
        for number, line in enumerate(lines_of(part)[first:], start=first):
            rows = StringIO(newline="")
            write_rows(rows, _rows(job, [line]))
            room -= len(json.dumps(rows.getvalue()))
            if room < 0 and file.tell():
                return file.getvalue(), ReportPlace(part, number)
            file.write(rows.getvalue())
    return file.getvalue(), None


def _rows(job: BackfillJob, lines: Iterable[ObjectLine]) -> Iterator[tuple[str | None, ...]]:
    for line in lines:
        for bucket, place in line.results.items():
            yield (
                *(job.source_bucket, line.key, line.version_id, bucket),
                *(place.result.value, place.code, place.difference),
            )
