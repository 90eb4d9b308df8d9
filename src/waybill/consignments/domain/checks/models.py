"""What is checked, and what the checks say about it.

Shapes are those of section 1 of the prior art ("The document, step by step"), with additions that are documented in
the README beside this package.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from waybill.consignments.domain.file_records import CheckedRecord, RegisteredRecord
from waybill.consignments.models import Check
from waybill.core.frozen_model import FrozenModel


class Reason(StrEnum):
    """Why a check of one file has no result."""

    INVALID_RECORD = "INVALID_RECORD"
    OBJECT_MISSING = "OBJECT_MISSING"
    OBJECT_REPLACED = "OBJECT_REPLACED"
    ACCESS_DENIED = "ACCESS_DENIED"
    OBJECT_REFUSED = "OBJECT_REFUSED"
    S3_UNAVAILABLE = "S3_UNAVAILABLE"
    TIME_LIMIT = "TIME_LIMIT"
    CRASHED = "CRASHED"
    UNREADABLE = "UNREADABLE"
    NO_SCAN_TAG = "NO_SCAN_TAG"
    OUT_OF_TIME = "OUT_OF_TIME"
    NO_DISK = "NO_DISK"
    SCANNER_UNAVAILABLE = "SCANNER_UNAVAILABLE"
    RULES_UNUSABLE = "RULES_UNUSABLE"


@dataclass(frozen=True)
class Failure:
    """Why a check of one file has no result; `sentence` is for people and holds nothing of the file.

    `of_the_file` means that it happens the same way each time with these bytes: it is a verdict on the file then.
    """

    reason: Reason
    sentence: str
    of_the_file: bool = False


RULES_UNUSABLE = Failure(
    Reason.RULES_UNUSABLE,
    "The malware rules or the signatures of formats in use are missing or damaged: they have to be built again.",
)
CHECKS_UNAVAILABLE = Failure(
    Reason.SCANNER_UNAVAILABLE, "S3, the rules or the scanners could not be used, however often that was tried."
)
OUT_OF_TIME = Failure(Reason.OUT_OF_TIME, "The function had no time left for the file.")


class FileRecord(FrozenModel):
    """What the checks need of a record; whatever else it holds is passed on as it is."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    file_id: str = Field(min_length=1)
    original_path: str = ""
    # The names hold a digit, which the generator of aliases takes for a word.
    bucket: str = Field(alias="s3SourceBucket", min_length=1)
    key: str = Field(alias="s3SourceBucketKey", min_length=1)
    version_id: str | None = None
    e_tag: str | None = None
    # Bytes that S3 holds, when they were listed; what was registered may be wrong.
    object_size: int | None = None
    # Whether what an archive holds is to be listed.
    inside: bool = False

    @property
    def extension(self) -> str:
        """The extension as supplied: what stands behind the last dot of the name; empty without a dot."""
        name = self.original_path.rpartition("/")[2]
        return name.rpartition(".")[2] if "." in name else ""


@dataclass(frozen=True)
class Digest:
    """What the one pass over the bytes has found; `blank` means no bytes, or nothing but BOM and white space."""

    sha256: str
    size: int
    blank: bool


type PartAnswer = Any | Failure
"""What a parser says of a file: as `interpret`, `scan`, `inspect` or `members_of` return it; or why it says nothing."""
type PartAnswers = dict[str, PartAnswer]
"""The answers of the parts that were asked for, by their names."""


@dataclass(frozen=True)
class Examination:
    """What is asked about the file at `path`.

    `parts` are `identify`, `scan`, `inspect` and `members`, with seconds for each.
    """

    path: Path
    parts: Mapping[str, float]
    extension: str = ""
    partial: bool = False


@dataclass
class Findings:
    """Results of one file's checks by `Check`, and why there is none."""

    results: dict[Check, dict[str, Any]] = field(default_factory=dict)
    failures: dict[Check, Failure] = field(default_factory=dict)
    reading: dict[str, Any] | None = None

    @classmethod
    def failed(cls, failure: Failure) -> "Findings":
        """Return that no check has a result."""
        return cls(failures=dict.fromkeys(Check, failure))

    def add(self, check: Check, outcome: "dict[str, Any] | Failure") -> None:
        """Note the outcome of a check."""
        if isinstance(outcome, Failure):
            self.failures[check] = outcome
        else:
            self.results[check] = outcome

    def document(self, record: RegisteredRecord) -> CheckedRecord:
        """Return `record` with the results."""
        checked = cast("CheckedRecord", dict(record))
        checked["fileCheckResults"] = {
            check.value: [self.results[check]] if check in self.results else [] for check in Check
        }
        checked["failures"] = {check.value: failure.sentence for check, failure in self.failures.items()}
        checked["failureReasons"] = {check.value: failure.reason.value for check, failure in self.failures.items()}
        if self.reading is not None:
            checked["reading"] = self.reading
        return checked
