"""What the scanner takes in, sends to its workers, and keeps. Field names are those of its HTTP answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha1, sha256
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

KEY_LIMIT_BYTES = 1024


def _prefix(value: str) -> str:
    if len(value.encode(errors="surrogatepass")) > KEY_LIMIT_BYTES:
        raise ValueError(f"must be at most {KEY_LIMIT_BYTES} bytes of UTF-8")
    return value


class Sample(BaseModel):
    """Which part of the objects is scanned: the same keys every time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    percent: Annotated[float, Field(gt=0, le=100)]


class ScanRequest(BaseModel):
    """`POST /scan`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    detectors: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    include: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    exclude: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    max_object_bytes: Annotated[int, Field(ge=1)] | None = None
    sample: Sample | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_prefix_is_the_empty_one(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("prefix", "") is None:
            return {**value, "prefix": ""}
        return value

    def fingerprint(self) -> str:
        """Return what tells this request from any other."""
        return sha256(self.model_dump_json().encode()).hexdigest()

    def reason_to_skip(self, key: str, size: int) -> str | None:
        """Return why the options leave out an object, None when they do not."""
        if self.include and not any(fnmatchcase(key, glob) for glob in self.include):
            return "EXCLUDED"
        if any(fnmatchcase(key, glob) for glob in self.exclude):
            return "EXCLUDED"
        if self.max_object_bytes is not None and size > self.max_object_bytes:
            return "OVERSIZE"
        if self.sample and int(key_hash(key)[:8], 16) >= self.sample.percent / 100 * 2**32:
            return "NOT_SAMPLED"
        return None


class Status(StrEnum):
    """Status of a job."""

    LISTING = "listing"
    PROCESSING = "processing"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.COMPLETED_WITH_ERRORS, Status.FAILED, Status.CANCELLED})


class ObjectStatus(StrEnum):
    """What became of an object: scanned and clean, scanned with findings, scanned in part, not scanned, failed."""

    SCANNED = "SCANNED"
    FINDINGS = "FINDINGS"
    PARTIAL = "PARTIAL"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class Entry(NamedTuple):
    """One object of a listing; `storage_class` is empty for classes that can be read at once."""

    key: str
    size: int
    etag: str
    storage_class: str = ""


@dataclass(frozen=True)
class Page:
    """Some listed objects, as stored: `last_key` is where the listing goes on, `final` that there is nothing more."""

    number: int
    entries: tuple[Entry, ...]
    last_key: str
    final: bool

    @property
    def size(self) -> int:
        """Bytes of all objects."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True)
class Slice:
    """The work of one message: objects of one page, or one object from a checkpoint on."""

    job_id: str
    bucket: str
    page: int
    entries: tuple[Entry, ...]
    resume: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the message's JSON."""
        body: dict[str, Any] = {"job_id": self.job_id, "bucket": self.bucket, "page": self.page}
        body["objects"] = [list(entry) if entry.storage_class else list(entry[:3]) for entry in self.entries]
        return body | ({"resume": dict(self.resume)} if self.resume else {})

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the slice that a message describes, None when it describes none."""
        try:
            return cls.of(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Return the slice of a message's JSON; raises KeyError, TypeError or ValueError when it is none."""
        entries = tuple(Entry(*entry) for entry in body["objects"])
        if not all(type(entry.key) is str and type(entry.size) is int for entry in entries):
            raise TypeError("objects")
        return cls(str(body["job_id"]), str(body["bucket"]), int(body["page"]), entries, body.get("resume"))


@dataclass(frozen=True)
class ObjectOutcome:
    """How one object ended; `counts` is findings by detector, sizes in bytes."""

    key: str
    etag: str
    size: int
    status: ObjectStatus
    reason: str = ""
    bytes_scanned: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    truncated: bool = False
    from_cache: bool = False


@dataclass(frozen=True)
class Job:
    """A job as stored."""

    job_id: str
    request: ScanRequest
    status: Status
    created_at: str
    updated_at: str
    created_by: str = ""
    execution_arn: str = ""
    total: int = 0
    total_bytes: int = 0
    start_after: str = ""
    next_page: int = 1
    listing_done: bool = False
    truncated: bool = False
    error: str = ""
    announced: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED


@dataclass(frozen=True)
class Tally:
    """The outcomes of a job so far, summed over its counters."""

    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    findings: int = 0
    bytes_scanned: int = 0
    from_cache: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    bytes_by_reason: Mapping[str, int] = field(default_factory=dict)
    detectors: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Objects that have an outcome."""
        return self.succeeded + self.skipped + self.failed


def key_hash(key: str) -> str:
    """Return what stands for an object's key in sort keys, which keys may be too long for."""
    return sha1(key.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
