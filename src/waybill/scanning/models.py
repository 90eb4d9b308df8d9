"""What the scanner sends to its workers, and keeps. Field names are those of its HTTP answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeGuard

from waybill.scanning.keys import KeyRange
from waybill.scanning.request_models import ScanRequest

READ_AT_ONCE = frozenset({"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY"})
"""Storage classes whose objects can be read without being restored first."""
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")

REPEATED = "DUPLICATE"
"""Why an object is skipped that another page of an inventory has told of before."""


def is_job_id(value: object) -> TypeGuard[str]:
    """Return whether a job may have this id; it becomes part of the names of executions."""
    return isinstance(value, str) and _JOB_ID.fullmatch(value) is not None


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
    `triaged` counts the stored findings whose value somebody has said something of, by state; `rules` tells the rules
    by which it was read from any others, empty where it was not read.
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
    rules: str = ""

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
    """A job as stored; its totals are those of its ranges, frozen when all are listed.

    `own` are the stack's own detectors that it is scanned by, the version of each: those that counted when it was made.
    `ended_at` is when it ended last, which exports and webhooks do not change as they do `updated_at`.
    """

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
    ended_at: str = ""
    own: Mapping[str, int] = field(default_factory=dict)

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
        """What the notification of its end is known by; a job that was resumed has another end."""
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

    `taken` is the objects that workers have begun with, `truncated` those that hold more findings than are stored,
    `rules` those that were read, by the rules that they were read by.
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
    rules: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Objects that have an outcome."""
        return self.succeeded + self.skipped + self.failed
