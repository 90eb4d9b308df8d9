"""What replication takes in, passes between its states, and keeps."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from waybill.core.wire import WireModel, field_problem

# Amazon S3 user guide, "Naming objects": at most 1,024 bytes of UTF-8.
KEY_LIMIT_BYTES = 1024
# One inline Map over this many destinations stays under 25,000 history events and 256 KiB of state.
DESTINATIONS_LIMIT = 1000
# Amazon S3 user guide, "General purpose bucket naming rules", and of the wider ones of us-east-1 before March 2018 the
# characters; with their length of 255, a thousand names would not fit 256 KiB of state.
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}")
_HEX = re.compile(r"[0-9A-Fa-f]+")
# Wider than any sequencer seen (S3 documents no length), so that stored sequencers compare as text.
_SEQUENCER_WIDTH = 64


# Amazon S3 user guide, "Amazon S3 multipart upload limits".
MIB = 1024**2
GIB = 1024**3
SINGLE_COPY_LIMIT = 5 * GIB
MIN_PART_SIZE = 5 * MIB
MAX_PART_SIZE = 5 * GIB
MAX_PARTS = 10_000
MAX_OBJECT_SIZE = MAX_PARTS * MAX_PART_SIZE


def _bucket_name(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    if not _BUCKET_NAME.fullmatch(value):
        raise ValueError("must be an S3 bucket name (3 to 63 letters, digits, '.', '-')")
    return value


def _object_key(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be text that UTF-8 can hold") from None
    if size > KEY_LIMIT_BYTES:
        raise ValueError(f"must be at most {KEY_LIMIT_BYTES} bytes of UTF-8")
    return value


def pad_sequencer(value: str) -> str:
    """Return the sequencer as text that orders as S3 orders: shorter ones are padded with zeros on the right.

    Source: Amazon S3 user guide, "Event message structure", `sequencer`.

    Raises
    ------
    ValueError
        It is not hexadecimal.
    """
    if not _HEX.fullmatch(value):
        raise ValueError("must be hexadecimal")
    return value.upper().rstrip("0").ljust(_SEQUENCER_WIDTH, "0")


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _merge_duplicates(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


# What a schema can say of the rules above; the validators have the last word.
type BucketName = Annotated[
    str,
    AfterValidator(_bucket_name),
    Field(json_schema_extra={"minLength": 3, "maxLength": 63, "pattern": f"^{_BUCKET_NAME.pattern}$"}),
]
# Version ids have at most 1,024 bytes (Amazon S3 user guide); nothing else that is short is longer.
type ShortText = Annotated[str, Field(max_length=1024)]
type ObjectKey = Annotated[
    str, AfterValidator(_object_key), Field(json_schema_extra={"minLength": 1, "maxLength": KEY_LIMIT_BYTES})
]


@dataclass(frozen=True)
class FileId:
    """One source file: the key of its tracking record."""

    source_bucket: str
    source_key: str


@dataclass(frozen=True)
class SourceVersion:
    """One version of an object, or (`removed`) a delete marker among them; `written`: when (ISO 8601)."""

    version_id: str
    written: str
    removed: bool = False


@dataclass(frozen=True)
class ObjectPlace:
    """Where a copy goes."""

    bucket: str
    key: str


class Expected(NamedTuple):
    """What a copy may land on: the object with this ETag; None: nothing at all."""

    e_tag: str | None


class StartRequest(WireModel, extra="forbid"):
    """Which object is to be copied, and where to."""

    # `version_id` or `e_tag` pin what to copy; without both, what the source holds when it is described. `sequencer`
    # orders events of one key. A request without a sequencer looks first. `nonce` and `request_id` tell requests apart
    # that ask for the same: the first makes another run, the second only another input.

    source_bucket: BucketName = Field(description="Where the object is", examples=["waybill-source"])
    source_key: ObjectKey = Field(description="Its key", examples=["reports/2026/annual.pdf"])
    destination_buckets: Annotated[
        tuple[BucketName, ...],
        BeforeValidator(_one_or_many, json_schema_input_type=str | list[BucketName]),
        Field(min_length=1, max_length=DESTINATIONS_LIMIT),
        AfterValidator(_merge_duplicates),
    ] = Field(description="Where copies go: one bucket, or several", examples=[["waybill-copy-eu", "waybill-copy-us"]])
    destination_prefix: ShortText | None = Field(
        default=None, description="What the keys of the copies begin with", examples=["archive/"]
    )
    version_id: ShortText | None = Field(
        default=None, description="The version to copy; without it, the newest", examples=["3HL4kqtJlcpXroDTDmJ"]
    )
    e_tag: ShortText | None = Field(
        default=None,
        description="The ETag that the object must have",
        examples=["9b2cf535f27731c974343645a3985328"],
    )
    size: Annotated[int, Field(ge=0, strict=True)] | None = Field(
        default=None, description="Its size in bytes, as S3's event tells it", examples=[48213]
    )
    sequencer: Annotated[ShortText, AfterValidator(pad_sequencer)] | None = Field(
        default=None,
        description="The place of S3's event among those of the key: hexadecimal digits",
        examples=["0055AED6DCD90281E5"],
    )
    look_first: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Whether a destination is compared before anything is copied there"
    )
    force: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether copies are made whatever lies there"
    )
    nonce: ShortText | None = Field(
        default=None, description="A text that makes another run of the same request", examples=["1f7c11"]
    )
    request_id: ShortText | None = Field(
        default=None, description="A text that tells requests apart that ask for the same", examples=["8e7c11"]
    )

    @field_validator("version_id", "e_tag", "destination_prefix", "nonce", mode="after")
    @classmethod
    def _blank_is_absent(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("version_id", mode="after")
    @classmethod
    def _null_is_no_version(cls, value: str | None) -> str | None:
        # S3 reports version "null" for objects written while versioning was off: nothing to pin, it can be overwritten.
        return None if value == "null" else value

    @field_validator("e_tag", mode="after")
    @classmethod
    def _unquoted(cls, value: str | None) -> str | None:
        return value.strip('"') or None if value else value

    @model_validator(mode="after")
    def _destinations_differ_from_source(self) -> Self:
        if self.source_bucket in self.destination_buckets and not self.destination_prefix:
            raise field_problem("destinationBuckets", f"{self.source_bucket} is the source itself")
        if len(self.destination_key.encode(errors="surrogatepass")) > KEY_LIMIT_BYTES:
            raise field_problem("destinationPrefix", f"with the key it is over {KEY_LIMIT_BYTES} bytes of UTF-8")
        return self

    @property
    def destination_key(self) -> str:
        """The key that the copies get."""
        return f"{self.destination_prefix or ''}{self.source_key}"

    @property
    def is_from_event(self) -> bool:
        """Whether S3 has asked for it: then the source was there, and what is gone since needs no alarm."""
        return self.sequencer is not None or bool(self.look_first)

    @property
    def file(self) -> FileId:
        """The file that the request is about."""
        return FileId(self.source_bucket, self.source_key)


class ReplicationRequest(StartRequest, extra="ignore"):
    """The input of the workflow: copy one object to several buckets.

    `backfill_id` is the job that it is of, by which its failures are told; `event_time` is S3's event's, from which its
    latency is measured. `removed`: what was asked for is a removal. The API and people's own runs do not take
    it, or whoever names a job would decide that nobody is told of them.
    """

    backfill_id: ShortText | None = Field(
        default=None, description="The backfill that it is part of", examples=["bf-2026-11-02"]
    )
    removed: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Whether the object was removed, and its copies are to be"
    )
    event_time: ShortText | None = Field(
        default=None, description="When the object was written, ISO 8601", examples=["2026-11-02T09:15:00.000Z"]
    )


class ReplicationRun(ReplicationRequest):
    """A request with the execution that carries it out; goes from state to state.

    `generation` is its place among all runs that have claimed the file's record, 0 before it has.
    """

    execution_id: str
    execution_name: str
    workflow_start_time: str
    generation: int = 0


class Checksum(WireModel):
    """A checksum that S3 keeps; `composite` ones are over the parts' checksums and depend on the part layout."""

    algorithm: str
    value: str
    composite: bool = False


class ObjectFacts(WireModel):
    """What S3 says about one object, as far as copying and verification need it; sizes in bytes.

    `properties` has a digest of each content header and of the user metadata, by name; a property that the object does
    not have is missing. None where S3's answer says nothing of them. `archived`: nobody can read it before a restore.
    `part_size`: of the parts that it has, all but the last, where its checksum is over those and a copy has to have the
    same.
    """

    bucket: str
    key: str
    size: int
    e_tag: str
    version_id: str | None = None
    last_modified: str | None = None
    storage_class: str = "STANDARD"
    encryption: str | None = None
    checksum: Checksum | None = None
    tag_count: int = 0
    website_redirect: str | None = None
    lock_mode: str | None = None
    lock_until: str | None = None
    legal_hold: str | None = None
    properties: dict[str, str] | None = None
    archived: bool = False
    part_size: int | None = None

    @property
    def identity(self) -> str:
        """Tells this state of the object from every other: the version, or the ETag with the time of its writing.

        The ETag alone is not enough: an upload of the same bytes with other metadata has the same one, and may come
        within the same second. Tags are no part of it: they change without a write of the object.
        """
        if self.version_id:
            return self.version_id
        properties = "".join(f"#{name}={digest}" for name, digest in sorted((self.properties or {}).items()))
        suffix = f"#{hashlib.sha256(properties.encode()).hexdigest()[:16]}" if properties else ""
        return f"{self.e_tag}@{self.last_modified}{suffix}"


@dataclass(frozen=True)
class CopiedPart:
    """A finished part of an upload; `size` in bytes, `checksums` as boto3 names them."""

    number: int
    size: int
    e_tag: str
    checksums: Mapping[str, str]


@dataclass(frozen=True)
class ListedObject:
    """What the listing of a bucket says about one object; `size` in bytes, `e_tag` without its quotes."""

    key: str
    size: int
    e_tag: str


class ObjectHeaders(WireModel):
    """What a multipart upload must be given at its start, since S3 copies none of it; field names are boto3's."""

    headers: dict[str, str]
    metadata: dict[str, str]


class Strategy(StrEnum):
    """How the bytes get to the destination; `REMOVE`: none do, the copy is hidden by a delete marker."""

    COPY = "COPY"
    MULTIPART = "MULTIPART"
    MULTIPART_BATCHES = "MULTIPART_BATCHES"
    REMOVE = "REMOVE"


class DestinationOptions(WireModel, extra="forbid"):
    """What copies to one destination get that differs from their source.

    `kms_key_id`: encrypt with this key instead of the bucket's default. `storage_class`: instead of the source's.
    `acl`: a canned ACL, for buckets of other accounts that have ACLs on. `object_lock`: carry retention and legal hold
    (the bucket must have Object Lock). `tags`: whether tags are copied, which takes permissions of its own. `owner`:
    the account that must own the bucket.
    """

    kms_key_id: str | None = None
    storage_class: str | None = None
    acl: str | None = None
    object_lock: bool = False
    tags: bool = True
    owner: str | None = None


@dataclass(frozen=True)
class CopyLimits:
    """Where the strategies change; sizes in bytes.

    `every_version`: versions are brought one after the other, each by one function in as many calls as it takes.
    """

    single_copy_max: int = SINGLE_COPY_LIMIT
    one_function_max: int = 64 * GIB
    part_size: int = 256 * MIB
    parts_per_batch: int = 100
    part_concurrency: int = 16
    every_version: bool = False


class PartRange(WireModel):
    """Parts `first_part` to `last_part` of an upload, both included; S3 counts parts from 1."""

    first_part: int
    last_part: int


class SourceDescription(WireModel):
    """The source as it was found, and the plan that follows from its size."""

    source: ObjectFacts
    strategy: Strategy
    part_size: int = 0
    batches: tuple[PartRange, ...] = ()


class CopyTask(WireModel):
    """One destination of one run."""

    run: ReplicationRun
    destination_bucket: BucketName
    description: SourceDescription
    attempt: int = 1

    @property
    def source(self) -> ObjectFacts:
        """What is copied."""
        return self.description.source

    @property
    def place(self) -> ObjectPlace:
        """Where it goes."""
        return ObjectPlace(self.destination_bucket, self.run.destination_key)


class FailedCopy(WireModel):
    """A destination of a run whose copy failed; `failure` is Step Functions' `Error` and `Cause`."""

    run: ReplicationRun
    destination_bucket: BucketName
    failure: dict[str, Any]
    attempt: int = 1


class CopyProof(StrEnum):
    """What proves that the copy equals the source, best first."""

    CHECKSUM = "CHECKSUM"
    ETAG = "ETAG"
    SIZE = "SIZE"


class CopyCode(StrEnum):
    """How a copy ended when it did not fail; `ABSENT`: there was nothing to remove.

    `PUT_BACK` and `REMOVED_AGAIN` end no copy: what has landed late is put right so, beside the result of its run.
    """

    COPIED = "COPIED"
    TAGS_COPIED = "TAGS_COPIED"
    REMOVED = "REMOVED"
    ABSENT = "ABSENT"
    SKIPPED_IDENTICAL = "SKIPPED_IDENTICAL"
    SUPERSEDED = "SUPERSEDED"
    PUT_BACK = "PUT_BACK"
    REMOVED_AGAIN = "REMOVED_AGAIN"


class DestinationResult(WireModel):
    """The outcome at one destination, as records and the workflow's result show it; `bytes` moved, durations in ms.

    `versions`: how many were brought, where every version is; this is the newest of them.
    """

    destination_bucket: str
    source_key: str
    source_bucket: str
    success: bool
    code: str
    timestamp: str
    execution_id: str
    attempts: int = 1
    retryable: bool | None = None
    etag: str | None = None
    version_id: str | None = None
    bytes: int | None = None
    strategy: Strategy | None = None
    verification: CopyProof | None = None
    versions: int | None = None
    duration_ms: int | None = None
    error: str | None = None
    cause: str | None = None


class RunTotals(WireModel):
    """The results of all destinations in the order of the input, counted."""

    total_buckets: int
    successful_copies: int
    failed_copies: int
    superseded_copies: int = 0
    results: tuple[dict[str, Any], ...]

    @property
    def bytes_copied(self) -> int:
        """How many bytes the run has brought to all destinations together."""
        return sum(result.get("bytes") or 0 for result in self.results)

    def buckets(self, *, success: bool) -> list[str]:
        """Return the destinations that have the file (`success`), or those that failed."""
        return [
            str(result["destinationBucket"])
            for result in self.results
            if result["success"] is success and (success or result.get("code") != CopyCode.SUPERSEDED)
        ]


class RunOutcome(StrEnum):
    """How a run ended, in the words of the workflow's result."""

    SUCCESS = "SUCCESS"
    PARTIAL_FAILURE = "PARTIAL_FAILURE"
    FAILED = "FAILED"
    SUPERSEDED = "SUPERSEDED"
