"""The report of a verification: a header, and a line for each object and destination."""

from collections.abc import Iterable, Iterator

from waybill.core.spreadsheets import TextFile, write_rows
from waybill.replication.domain.verification import VerificationCheck

COLUMNS = (
    *("bucket", "key", "version", "destination", "copyVersion", "result"),
    *("way", "proof", "code", "difference", "size", "sha256", "checkedAt"),
)


def begin_report(file: TextFile) -> None:
    """Write the header."""
    write_rows(file, [COLUMNS])


def add_to_report(file: TextFile, source_bucket: str, checks: Iterable[VerificationCheck]) -> int:
    """Write a line for each check and return how many there are."""
    return write_rows(file, _rows(source_bucket, checks))


def _rows(source_bucket: str, checks: Iterable[VerificationCheck]) -> Iterator[tuple[str | None, ...]]:
    for check in checks:
        yield (
            *(source_bucket, check.key, check.source_version_id, check.destination_bucket, check.version_id),
            *(check.result.value, check.way, check.proof, check.code, check.difference),
            *(None if check.size is None else str(check.size), check.sha256, check.at),
        )
