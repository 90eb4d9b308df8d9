"""The completion report of a backfill: a header, and a line for each object and destination."""

from collections.abc import Iterable, Iterator

from waybill.core.spreadsheets import TextFile, write_rows
from waybill.replication.domain.backfill_job import BackfillJob, ObjectLine

COLUMNS = ("bucket", "key", "version", "destination", "result", "code", "difference")


def write_report(job: BackfillJob, lines: Iterable[ObjectLine], file: TextFile) -> int:
    """Write the report of `job` and return how many lines it has besides its header."""
    write_rows(file, [COLUMNS])
    return write_rows(file, _rows(job, lines))


def _rows(job: BackfillJob, lines: Iterable[ObjectLine]) -> Iterator[tuple[str | None, ...]]:
    for line in lines:
        for bucket, place in line.results.items():
            yield (
                *(job.source_bucket, line.key, line.version_id, bucket),
                *(place.result.value, place.code, place.difference),
            )
