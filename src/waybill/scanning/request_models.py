"""What is asked of the scanner over HTTP and by commands. Field names are those of its HTTP requests."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from waybill.core.clock import iso
from waybill.core.frozen_model import FrozenModel
from waybill.scanning.keys import KEY_LIMIT_BYTES, key_hash


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


class Sample(FrozenModel):
    """Which part of the objects is scanned, either a share or a number: the same keys every time."""

    model_config = ConfigDict(extra="forbid")

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


_BUCKET, _BUCKET_LENGTH = r"[A-Za-z0-9][A-Za-z0-9._-]*", 255
# RFC 8259, section 6: integers up to this are the same to every program.
_LARGEST = 2**53 - 1


def _manifest(value: str) -> str:
    bucket, _, key = value.removeprefix("s3://").partition("/")
    if not value.startswith("s3://") or not re.fullmatch(_BUCKET, bucket) or not key.endswith("manifest.json"):
        raise ValueError("must be of the form s3://BUCKET/…/manifest.json")
    if not 3 <= len(bucket) <= _BUCKET_LENGTH or len(key.encode()) > KEY_LIMIT_BYTES:
        raise ValueError(f"must name a bucket, and a key of at most {KEY_LIMIT_BYTES} bytes of UTF-8")
    return value


_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)


# Unicode Technical Standard 46, section 7.2: IDNA 2003 and IDNA 2008 make different names of these.
_DEVIATING = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
# What ends so is an address of IPv4 to whoever calls it (WHATWG, URL Standard, section 3.5).
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)


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
    if not address._replace(netloc="").geturl().isascii():
        raise ValueError("must have percent-encoding for what is not ASCII behind its host, as RFC 3986 asks for it")
    if host.isascii():
        return value
    if _DEVIATING & set(host):
        raise ValueError("must name its host in ASCII (xn--…): ß, ς and joiners are read as another host by some")
    name = host.encode("idna").decode("ascii")
    return address._replace(netloc=f"{name}:{port}" if port else name).geturl()


def _is_host(host: str) -> bool:
    """Return whether a host can be called: RFC 1123, section 2.1; RFC 5890 (IDNA); an address of IPv6."""
    if ":" in host or _ENDS_IN_NUMBER.fullmatch(host):
        try:
            ip_address(host)
        except ValueError:
            return False
        return "%" not in host
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


class ScanRequest(FrozenModel):
    """What is to be scanned, and for what."""

    model_config = ConfigDict(extra="forbid")

    bucket: Annotated[str, Field(min_length=3, max_length=_BUCKET_LENGTH, pattern=f"^{_BUCKET}$")] = Field(
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
    max_object_bytes: Annotated[int, Field(strict=True, ge=1, le=_LARGEST)] | None = Field(
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


class WindowRequest(ScanRequest):
    """What was uploaded into a bucket in a window of time, which is made of events and by nobody else."""

    uploads: Annotated[str, Field(min_length=1, max_length=40)]


def stored_request(text: str) -> ScanRequest:
    """Return a request as it was stored."""
    if '"uploads"' in text and isinstance(fields := json.loads(text), dict) and "uploads" in fields:
        return WindowRequest.model_validate_json(text)
    return ScanRequest.model_validate_json(text)


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


class RuleRequest(FrozenModel):
    """One shape of the values of a detector."""

    model_config = ConfigDict(extra="forbid")

    pattern: _Pattern = Field(description="The exact shape; every quantifier is bounded", examples=["B-[A-Z]{8}"])
    gates: Annotated[tuple[_Pattern, ...], Field(max_length=20)] = Field(
        default=(), description="Short patterns, one of which is in the beginning of each value", examples=[["B-[A-Z]"]]
    )
    needs_keyword: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether it is nothing without a keyword near; keywords are its gates then"
    )
    confidence: _Certainty = Field(default="LOW", description="How sure it is without a keyword", examples=["MEDIUM"])
    with_keyword: _Certainty | None = Field(default=None, description="How sure it is with one", examples=["HIGH"])


class ExampleRequest(FrozenModel):
    """A text, and what is found in it: nothing, or a value."""

    model_config = ConfigDict(extra="forbid")

    text: _Line = Field(description="The text", examples=["badge B-QWERTZUI"])
    finds: _Line | None = Field(default=None, description="What is found; without it, nothing", examples=["B-QWERTZUI"])
    confidence: _Certainty | None = Field(default=None, description="How sure it is", examples=["HIGH"])


class AllowRequest(FrozenModel):
    """Values that are no findings."""

    model_config = ConfigDict(extra="forbid")

    texts: Annotated[tuple[_Line, ...], Field(max_length=1000)] = Field(
        default=(), description="Whole values", examples=[["help@corp-mail.org"]]
    )
    patterns: Annotated[tuple[_Pattern, ...], Field(max_length=50)] = Field(
        default=(), description="Patterns of whole values", examples=[["[a-z]{1,20}@corp-mail[.]org"]]
    )
    detectors: Annotated[tuple[_Line, ...], Field(max_length=200)] = Field(
        default=(), description="Only values of these detectors; empty: of all", examples=[["EMAIL"]]
    )


class DetectorRequest(FrozenModel):
    """A detector of your own, in the format of the shipped ones, or an allow list."""

    model_config = ConfigDict(extra="forbid")

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


class ScheduleChangeRequest(FrozenModel):
    """What is to become of a schedule."""

    model_config = ConfigDict(extra="forbid")

    suspended: Annotated[bool, Field(strict=True)] = Field(
        description="`true`: no scan is made; `false`: again at the next of its times", examples=[True]
    )


TRIAL_LENGTH = 10_000


class TrialRequest(FrozenModel):
    """A text that a detector is tried on."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[Name, Field(max_length=TRIAL_LENGTH)] = Field(
        description="The text; it is not kept", examples=["badge B-QWERTZUI"]
    )
    definition: DetectorRequest | None = Field(
        default=None,
        description="One that is not saved yet, as PUT takes it; without it, the detector of this id",
        examples=[None],
    )


class TriageRequest(FrozenModel):
    """What somebody says of a value."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "accepted", "false_positive", "resolved"] = Field(
        description="What it is: `open` takes back what was said", examples=["accepted"]
    )
    reason: Annotated[Name, Field(max_length=1000, pattern=r"\S")] = Field(
        description="Why", examples=["the address of our own help desk"]
    )
    until: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None, description="When it runs out, ISO 8601; without it, never", examples=["2027-01-31"]
    )
