"""The completion report of a backfill: CSV (RFC 4180) with a header, and a line for each object and destination."""

import csv
from collections.abc import Iterable
from typing import Protocol

from waybill.replication.domain.backfill_job import BackfillJob, ObjectLine

COLUMNS = ("bucket", "key", "version", "destination", "result", "code", "difference")
# OWASP, "CSV injection": a cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TextFile(Protocol):
    """What a report is written to; opened with `newline=""`, since the lines have their ends."""

    def write(self, text: str, /) -> object:
        """Write `text`."""
        ...


def write_report(job: BackfillJob, lines: Iterable[ObjectLine], file: TextFile) -> int:
    """Write the report of `job` and return how many lines it has besides its header."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    written = 0
    for line in lines:
        for bucket, place in line.results.items():
            values = (
                *(job.source_bucket, line.key, line.version_id or "", bucket),
                *(place.result.value, place.code or "", place.difference or ""),
            )
            writer.writerow([_cell(value) for value in values])
            written += 1
    return written


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
