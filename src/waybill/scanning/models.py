"""What the scanner takes in, sends to its workers, and keeps. Field names are those of its HTTP answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha1, sha256
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeGuard
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from waybill.core.clock import iso

KEY_LIMIT_BYTES = 1024
READ_AT_ONCE = frozenset({"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY"})
"""Storage classes whose objects can be read without being restored first."""

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")

REPEATED = "DUPLICATE"
"""Why an object is skipped that another page of an inventory has told of before."""


def _text(value: str) -> str:
    # JSON may escape halves of characters, which no key has and nothing can send.
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without lone surrogates") from None
    return value


def _prefix(value: str) -> str:
    if len(_text(value).encode()) > KEY_LIMIT_BYTES:
        raise ValueError(f"must be at most {KEY_LIMIT_BYTES} bytes of UTF-8")
    return value


Name = Annotated[str, Field(min_length=1), AfterValidator(_text)]


class KeyRange(NamedTuple):
    """The keys behind `after` up to `upto`, that one included; an empty `upto` is no bound."""

    after: str = ""
    upto: str = ""

    def ends_before(self, key: str) -> bool:
        """Return whether `key` lies behind this range."""
        return bool(self.upto) and key > self.upto


def is_job_id(value: object) -> TypeGuard[str]:
    """Return whether a job may have this id; it becomes part of the names of executions."""
    return isinstance(value, str) and _JOB_ID.fullmatch(value) is not None


class Sample(BaseModel):
    """Which part of the objects is scanned, either a share or a number: the same keys every time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    percent: Annotated[float, Field(strict=True, gt=0, le=100)] | None = Field(
        default=None, description="The share of the objects, in per cent", examples=[10]
    )
    objects: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = Field(
        default=None, description="The number of objects, instead of a share", examples=[None]
    )

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.percent is None) == (self.objects is None):
            raise ValueError("must have either percent or objects")
        return self


def _manifest(value: str) -> str:
    bucket, _, key = value.removeprefix("s3://").partition("/")
    if not value.startswith("s3://") or not bucket or not key.endswith("manifest.json"):
        raise ValueError("must be of the form s3://BUCKET/…/manifest.json")
    return value


_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)


def _webhook_url(value: str) -> str:
    """Refuse what cannot be called when it is asked for, and not at every attempt."""
    if not value.isprintable() or " " in value:
        raise ValueError("must not hold spaces or control characters")
    try:
        address = urlsplit(value)
        host, port = address.hostname or "", address.port
    except ValueError:
        raise ValueError("must be an address with a port from 1 to 65535, where it has one") from None
    if address.scheme not in {"https", "http"} or not host or address.username is not None or address.fragment:
        raise ValueError("must be an address of the form https://HOST/PATH, without a name or a password")
    if port == 0 or address.netloc.endswith(":") or not _is_host(host):
        raise ValueError("must name a host by labels of 1 to 63 letters, digits and hyphens, or by its number")
    if host.isascii():
        return value
    name = host.encode("idna").decode("ascii")
    return address._replace(netloc=f"{name}:{port}" if port else name).geturl()


def _is_host(host: str) -> bool:
    """Return whether a host can be called: RFC 1123, section 2.1; RFC 5890 (IDNA); an address of IPv6."""
    if ":" in host:
        return re.fullmatch(r"[0-9a-f:.]{2,45}", host) is not None
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = ascii_host.removesuffix(".").split(".")
    return len(ascii_host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


# A pattern that is longer than any key matches none; each of its wildcards may be tried at each place of a key.
_GLOB_BYTES, _GLOB_WILDCARDS = KEY_LIMIT_BYTES, 16


def _glob(value: str) -> str:
    if len(_text(value).encode()) > _GLOB_BYTES:
        raise ValueError(f"must be at most {_GLOB_BYTES} bytes of UTF-8")
    if value.count("*") + value.count("[") > _GLOB_WILDCARDS:
        raise ValueError(f"must have at most {_GLOB_WILDCARDS} wildcards")
    return value


Glob = Annotated[str, Field(min_length=1), AfterValidator(_glob)]


class ScanRequest(BaseModel):
    """What is to be scanned, and for what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="The bucket to scan", examples=["town-hall-exports"]
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", description="What the keys begin with that are scanned; empty: all", examples=["2026/"]
    )
    detectors: Annotated[tuple[Annotated[Name, Field(max_length=100)], ...], Field(max_length=200)] = Field(
        default=(), description="The detectors to use; empty: all", examples=[["EMAIL", "IBAN"]]
    )
    regions: Annotated[tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...], Field(max_length=10)] = Field(
        default=(), description="Where telephone numbers without a country code are from", examples=[["GB"]]
    )
    include: Annotated[tuple[Glob, ...], Field(max_length=50)] = Field(
        default=(), description="Patterns of keys: only these are scanned; empty: all", examples=[["*.csv"]]
    )
    exclude: Annotated[tuple[Glob, ...], Field(max_length=50)] = Field(
        default=(), description="Patterns of keys that are not scanned", examples=[["*.tmp"]]
    )
    max_object_bytes: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        default=None, description="Larger objects are not scanned", examples=[1073741824]
    )
    sample: Sample | None = Field(
        default=None, description="Scan a part of the objects only", examples=[{"percent": 10}]
    )
    source: Literal["list", "inventory"] = Field(
        default="list", description="Where the list of objects comes from: the bucket, or a report of S3 Inventory"
    )
    manifest: Annotated[Name, Field(max_length=2048), AfterValidator(_manifest)] | None = Field(
        default=None,
        description="With `inventory`: the report's `manifest.json`, as `s3://BUCKET/…/manifest.json`",
        examples=[None],
    )
    webhook_url: Annotated[Name, Field(max_length=2048), AfterValidator(_webhook_url)] | None = Field(
        default=None, description="An https address that is told of the end", examples=["https://example.org/scans"]
    )
    export: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether the findings are exported when the job has ended"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_prefix_is_the_empty_one(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("prefix", "") is None:
            return {**value, "prefix": ""}
        return value

    @model_validator(mode="after")
    def _a_manifest_for_an_inventory(self) -> Self:
        if (self.source == "inventory") != (self.manifest is not None):
            raise ValueError("manifest must be given with source inventory, and with no other")
        return self

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
        if self.sample and self.sample.percent and int(key_hash(key)[:8], 16) >= self.sample.percent / 100 * 2**32:
            return "NOT_SAMPLED"
        return None


def _moment(value: str) -> str:
    """Return a moment in UTC as it is stored; a day is its beginning."""
    try:
        moment = datetime.fromisoformat(value)
        return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        # The first and the last day of the calendar are none of it in UTC where an offset takes them out.
        raise ValueError("must be a day or a moment, such as 2027-01-31 or 2027-01-31T12:00:00Z") from None


EVERY = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
"""How often a schedule may be due."""


class ScheduleRequest(ScanRequest):
    """A scan that is made again and again."""

    every: Literal["hour", "day", "week"] = Field(description="How often the scan is made", examples=["week"])
    first_at: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None,
        description="When it is made first, a day or a moment; without it, at once",
        examples=["2027-01-31T02:00:00Z"],
    )

    @model_validator(mode="after")
    def _of_what_is_there_each_time(self) -> Self:
        # A manifest is of one report: each time it would be the same objects, and none that came later.
        if self.source != "list":
            raise ValueError("source must be list: a report of S3 Inventory says what was there once")
        return self

    def scan(self) -> ScanRequest:
        """Return the request that is made each time."""
        return ScanRequest.model_validate(self.model_dump(exclude={"every", "first_at"}))


_Line = Annotated[Name, Field(max_length=500)]
_Pattern = Annotated[Name, Field(max_length=2000)]
_Certainty = Literal["LOW", "MEDIUM", "HIGH"]


class RuleRequest(BaseModel):
    """One shape of the values of a detector."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: _Pattern = Field(description="The exact shape; every quantifier is bounded", examples=["B-[A-Z]{8}"])
    gates: Annotated[tuple[_Pattern, ...], Field(max_length=20)] = Field(
        default=(), description="Short patterns, one of which is in the beginning of each value", examples=[["B-[A-Z]"]]
    )
    needs_keyword: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether it is nothing without a keyword near; keywords are its gates then"
    )
    confidence: _Certainty = Field(default="LOW", description="How sure it is without a keyword", examples=["MEDIUM"])
    with_keyword: _Certainty | None = Field(default=None, description="How sure it is with one", examples=["HIGH"])


class ExampleRequest(BaseModel):
    """A text, and what is found in it: nothing, or a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: _Line = Field(description="The text", examples=["badge B-QWERTZUI"])
    finds: _Line | None = Field(default=None, description="What is found; without it, nothing", examples=["B-QWERTZUI"])
    confidence: _Certainty | None = Field(default=None, description="How sure it is", examples=["HIGH"])


class AllowRequest(BaseModel):
    """Values that are no findings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    texts: Annotated[tuple[_Line, ...], Field(max_length=1000)] = Field(
        default=(), description="Whole values", examples=[["help@corp-mail.org"]]
    )
    patterns: Annotated[tuple[_Pattern, ...], Field(max_length=50)] = Field(
        default=(), description="Patterns of whole values", examples=[["[a-z]{1,20}@corp-mail[.]org"]]
    )
    detectors: Annotated[tuple[_Line, ...], Field(max_length=200)] = Field(
        default=(), description="Only values of these detectors; empty: of all", examples=[["EMAIL"]]
    )


class DetectorRequest(BaseModel):
    """A detector of your own, in the format of the shipped ones, or an allow list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: _Line = Field(description="What it finds", examples=["Badge of the town hall"])
    source: Annotated[str, Field(max_length=500)] = Field(
        default="", description="Where its facts come from", examples=["the handbook, section 3"]
    )
    mask: Annotated[str, Field(max_length=100)] = Field(
        default="****", description="What is shown instead; may hold `{last4}` and the like", examples=["B-****"]
    )
    validator: Annotated[str, Field(max_length=50)] = Field(
        default="anything", description="A check that Waybill has, such as `random_token`", examples=["anything"]
    )
    keywords: Annotated[tuple[_Line, ...], Field(max_length=50)] = Field(
        default=(), description="Words that make a value likelier", examples=[["badge"]]
    )
    keyword_distance: Annotated[int, Field(strict=True, ge=1, le=200)] = Field(
        default=50, description="How near they are, in bytes"
    )
    rules: Annotated[tuple[RuleRequest, ...], Field(max_length=20)] = Field(
        default=(), description="Shapes of its values; none for an allow list"
    )
    examples: Annotated[tuple[ExampleRequest, ...], Field(max_length=100)] = Field(
        default=(), description="What is found and what is not: both must hold"
    )
    allows: AllowRequest | None = Field(
        default=None, description="Values that are no findings: of this detector, or of whichever without rules"
    )


class TriageRequest(BaseModel):
    """What somebody says of a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["open", "accepted", "false_positive", "resolved"] = Field(
        description="What it is: `open` takes back what was said", examples=["accepted"]
    )
    reason: Annotated[Name, Field(max_length=1000, pattern=r"\S")] = Field(
        description="Why", examples=["the address of our own help desk"]
    )
    until: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None, description="When it runs out, ISO 8601; without it, never", examples=["2027-01-31"]
    )


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
    """Some listed objects of a range, as stored: behind `last_key` it goes on, `final` that there is nothing more."""

    number: int
    entries: tuple[Entry, ...]
    last_key: str
    final: bool

    def within(self, bounds: KeyRange) -> "Page":
        """Return what of the page lies in `bounds`: the range may have been cut since the page was stored."""
        if not bounds.upto or self.last_key <= bounds.upto:
            return replace(self, final=self.final or bool(bounds.upto and self.last_key == bounds.upto))
        inside = tuple(entry for entry in self.entries if not bounds.ends_before(entry.key))
        return replace(self, entries=inside, last_key=bounds.upto, final=True)

    @property
    def size(self) -> int:
        """Bytes of all objects."""
        return sum(entry.size for entry in self.entries)


class Attempts(NamedTuple):
    """How often a slice was begun, this time included, and how many of these ended with a fault that was handled."""

    begun: int
    faults: int

    @property
    def deaths(self) -> int:
        """How often its worker died: what was begun before this time, and has not ended."""
        return self.begun - 1 - self.faults


@dataclass(frozen=True)
class Slice:
    """The work of one message: objects of one page, or one object from a checkpoint on.

    `rest` is what an earlier delivery had no time for, `alone` that a slice with this object has killed its worker.
    """

    job_id: str
    bucket: str
    page: str
    entries: tuple[Entry, ...]
    resume: Mapping[str, Any] | None = None
    rest: bool = False
    alone: bool = False

    def body(self) -> dict[str, Any]:
        """Return the message's JSON."""
        body: dict[str, Any] = {"job_id": self.job_id, "bucket": self.bucket, "page": self.page}
        body["objects"] = [list(entry) if entry.storage_class else list(entry[:3]) for entry in self.entries]
        if self.rest:
            body["rest"] = True
        if self.alone:
            body["alone"] = True
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
        resume, rest, alone = body.get("resume"), bool(body.get("rest")), bool(body.get("alone"))
        return cls(str(body["job_id"]), str(body["bucket"]), str(body["page"]), entries, resume, rest, alone)


@dataclass(frozen=True)
class ObjectOutcome:
    """How one object ended; `counts` is findings by detector, sizes in bytes, `page` the page that it was listed in.

    `not_read` counts by reason what was not looked at of it; `unread` names some of it, a member and a reason each.
    `triaged` counts the stored findings whose value somebody has said something of, by state.
    """

    key: str
    etag: str
    size: int
    status: ObjectStatus
    reason: str = ""
    bytes_scanned: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    truncated: bool = False
    from_cache: bool = False
    page: str = ""
    not_read: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()
    triaged: Mapping[str, int] = field(default_factory=dict)

    @property
    def repeats(self) -> bool:
        """Whether it stands for a row of an inventory whose object has an outcome, by another row, already."""
        return self.reason == REPEATED

    @property
    def looked_at(self) -> str:
        """The ETag of the state that findings are about; empty when the object was not scanned."""
        return "" if self.status in {ObjectStatus.SKIPPED, ObjectStatus.FAILED} else self.etag


@dataclass(frozen=True)
class Job:
    """A job as stored; its totals are those of its ranges, frozen when all are listed."""

    job_id: str
    request: ScanRequest
    status: Status
    created_at: str
    updated_at: str
    created_by: str = ""
    execution_arn: str = ""
    total: int = 0
    total_bytes: int = 0
    listing_done: bool = False
    truncated: bool = False
    error: str = ""
    announced: bool = False
    webhook: Mapping[str, Any] = field(default_factory=dict)
    exported: Mapping[str, Any] = field(default_factory=dict)
    resumed: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will be listed."""
        return self.status in ENDED

    @property
    def scanned_on(self) -> bool:
        """Whether objects of it are still scanned: of a failed one too, so that none is missing when it goes on."""
        return not self.ended or self.status == Status.FAILED

    @property
    def event_id(self) -> str:
        """What the news of its end is known by; a job that was resumed has another end."""
        return f"{self.job_id}-ended" + (f"-{self.resumed}" if self.resumed else "")


@dataclass(frozen=True)
class ListingRange:
    """A range of a job's keys and how far it is listed: up to `after`, in `next_page - 1` pages.

    `parent` is the range that it was cut from. A sample of a number of objects is sent when all are listed: `smallest`
    are the least hashes so far, `next_sent` is the first page that is not sent.
    """

    number: int
    after: str = ""
    upto: str = ""
    next_page: int = 1
    total: int = 0
    total_bytes: int = 0
    done: bool = False
    parent: int = -1
    execution_arn: str = ""
    updated_at: str = ""
    smallest: tuple[str, ...] = ()
    next_sent: int = 1

    @property
    def bounds(self) -> KeyRange:
        """What is still to be listed."""
        return KeyRange(self.after, self.upto)

    def page_name(self, number: int) -> str:
        """Return what stands for one of its pages in messages."""
        return f"{self.number:03}#{number:09}"


@dataclass(frozen=True)
class Tally:
    """The outcomes of a job so far, summed over its counters.

    `taken` is the objects that workers have begun with, `truncated` those that hold more findings than are stored.
    """

    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    findings: int = 0
    bytes_scanned: int = 0
    from_cache: int = 0
    truncated: int = 0
    taken: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    bytes_by_reason: Mapping[str, int] = field(default_factory=dict)
    not_read: Mapping[str, int] = field(default_factory=dict)
    detectors: Mapping[str, int] = field(default_factory=dict)
    triaged: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Objects that have an outcome."""
        return self.succeeded + self.skipped + self.failed


def key_hash(key: str) -> str:
    """Return what stands for an object's key in sort keys, which keys may be too long for."""
    return sha1(key.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
