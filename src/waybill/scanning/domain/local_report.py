"""What is said of files of this machine that were scanned."""

from typing import TypedDict

from waybill.scanning.domain.finding_documents import FindingDocument


class LocalFileOutcome(TypedDict):
    """How a file was read; each of `not_read` is `{member, reason}`, of the file itself where `member` is empty."""

    file: str
    outcome: str
    not_read: list[dict[str, str]]


class FilesCoverage(TypedDict):
    """How much of the files was looked at; counts by name."""

    files: int
    bytes_total: int
    bytes_scanned: int
    outcomes: dict[str, int]
    reasons: dict[str, int]
    detectors: dict[str, int]
    truncated_findings: bool


class FilesReport(TypedDict):
    """What the command line prints of local files."""

    findings: list[FindingDocument]
    coverage: FilesCoverage
    objects: list[LocalFileOutcome]
