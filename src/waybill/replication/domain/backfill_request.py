"""What a backfill on the server is asked for."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from waybill.core.clock import iso
from waybill.core.errors import ConflictError, NotFoundError
from waybill.core.executions import stable_json
from waybill.core.wire import WireModel, field_problem
from waybill.replication.domain.backfill_job import BackfillJob, Entry, JobInput, JobStatus, Limits
from waybill.replication.domain.failures import failed_buckets
from waybill.replication.domain.records import FileRecords
from waybill.replication.domain.requests import guard_against_loops
from waybill.replication.models import BucketName, FileId, ObjectKey, ReplicationRequest, ShortText

_BUCKET, _COPY = "waybill-source", "waybill-copy-eu"
type _Buckets = Annotated[tuple[BucketName, ...], Field(max_length=50)]
type _Patterns = Annotated[tuple[ShortText, ...], Field(max_length=50)]
type _PerSecond = Annotated[int, Field(ge=1, strict=True)]


class NamedObject(WireModel, extra="forbid"):
    """An object of the source."""

    key: ObjectKey = Field(description="Its key", examples=["reports/2026/annual.pdf"])
    version_id: ShortText | None = Field(
        default=None, description="The version that has to be the current one", examples=["3HL4kqtJlcpXroDTDmJ"]
    )


_BACKFILL_EXAMPLE: JsonDict = {"prefix": "reports/", "include": ["*.pdf"], "destinationBuckets": [_COPY]}


class BackfillRequest(WireModel, extra="forbid", json_schema_extra={"examples": [_BACKFILL_EXAMPLE]}):
    """Which copies to bring; without a source or destinations, those of the stack."""

    source_bucket: BucketName | None = Field(
        default=None, description="The bucket of the sources; without it, the stack's", examples=[_BUCKET]
    )
    prefix: ShortText = Field(default="", description="What their keys begin with", examples=["reports/"])
    destination_buckets: _Buckets | None = Field(
        default=None, description="Where copies go; without it, to all of the stack", examples=[[_COPY]]
    )
    content_only: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether headers, metadata and tags are left aside"
    )
    include: _Patterns = Field(default=(), description="Only keys like one of these", examples=[["*.pdf"]])
    exclude: _Patterns = Field(default=(), description="No keys like one of these", examples=[["*.tmp"]])
    start_after: ShortText = Field(default="", description="Begin behind this key", examples=["reports/2025/zz"])
    objects: Annotated[tuple[NamedObject, ...], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="These objects and no others, without a listing; more at once: `waybill replicate`"
    )
    requests_per_second: _PerSecond | None = Field(
        default=None, description="At most so many requests to S3 in a second", examples=[100]
    )
    bytes_per_second: _PerSecond | None = Field(
        default=None, description="At most so many bytes copied in a second", examples=[50_000_000]
    )

    @model_validator(mode="after")
    def _names_objects_or_describes_them(self) -> Self:
        described = {"prefix": self.prefix, "include": self.include, "exclude": self.exclude}
        for name, given in (described | {"startAfter": self.start_after}).items():
            if self.objects is not None and given:
                raise field_problem(name, "does not go with objects")
        return self


class FailedFile(WireModel, extra="forbid"):
    """A file that has failed."""

    source_bucket: BucketName = Field(description="The bucket of the source", examples=[_BUCKET])
    source_key: ObjectKey = Field(description="Its key", examples=["reports/2026/annual.pdf"])


_RETRY_EXAMPLE: JsonDict = {"cause": "ACCESS_DENIED", "prefix": "reports/", "to": [_COPY]}


class RetryRequest(WireModel, extra="forbid", json_schema_extra={"examples": [_RETRY_EXAMPLE]}):
    """What of the failures is started once more: these files, or those of one cause, or all."""

    files: Annotated[tuple[FailedFile, ...], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="These files, all of one source bucket"
    )
    cause: ShortText | None = Field(default=None, description="What failed with this code", examples=["ACCESS_DENIED"])
    source_bucket: BucketName | None = Field(
        default=None, description="Without `files`: of this source; without it, of the stack's", examples=[_BUCKET]
    )
    prefix: ShortText = Field(
        default="", description="Without `files`: what the keys begin with", examples=["reports/"]
    )
    to: _Buckets | None = Field(default=None, description="Only at these destinations", examples=[[_COPY]])

    @model_validator(mode="after")
    def _names_files_or_describes_them(self) -> Self:
        if self.files is None:
            return self
        for name, given in (("cause", self.cause), ("sourceBucket", self.source_bucket), ("prefix", self.prefix)):
            if given:
                raise field_problem(name, "does not go with files")
        for number, file in enumerate(self.files):
            if file.source_bucket != self.files[0].source_bucket:
                raise field_problem(f"files[{number}].sourceBucket", "is another one than that of files[0]")
        return self


def backfill_asked(
    request: BackfillRequest, backfill_id: str, source: str, destinations: tuple[str, ...], by: str, at: datetime
) -> BackfillJob:
    """Return the job that `request` asks for; `source` and `destinations` are the stack's.

    Raises
    ------
    InvalidInputError
        A destination is the source, or one whose uploads start this workflow.
    """
    bucket, to = request.source_bucket or source, request.destination_buckets or destinations
    asked = {"sourceBucket": bucket, "sourceKey": request.prefix or "any", "destinationBuckets": list(to)}
    guard_against_loops(ReplicationRequest.parse(asked), frozenset({source}))
    return _job(request, backfill_id, bucket, by, at).model_copy(
        update={
            "prefix": request.prefix,
            "destination_buckets": to,
            "content_only": request.content_only,
            "include": request.include,
            "exclude": request.exclude,
            "last_key": request.start_after,
            "input": JobInput.LISTING if request.objects is None else JobInput.MANIFEST,
            "limits": Limits(
                requests_per_second=request.requests_per_second, bytes_per_second=request.bytes_per_second
            ),
        }
    )


def retry_asked(
    request: RetryRequest, backfill_id: str, source: str, destinations: tuple[str, ...], by: str, at: datetime
) -> BackfillJob:
    """Return the job that goes through what has failed; which objects these are is found when it is worked on."""
    bucket = request.files[0].source_bucket if request.files else request.source_bucket or source
    return _job(request, backfill_id, bucket, by, at).model_copy(
        update={
            "input": JobInput.FAILED,
            "prefix": request.prefix,
            "destination_buckets": request.to or destinations,
            "only_to": request.to or (),
            "cause": request.cause,
        }
    )


def named_entries(request: BackfillRequest) -> list[Entry]:
    """Return the objects that `request` names; those of a listing are found when it is worked on."""
    return [Entry(key=named.key, version_id=named.version_id) for named in request.objects or ()]


def failed_entries(request: RetryRequest, records: FileRecords) -> list[Entry]:
    """Return the files that `request` names, each with the destinations where it has failed.

    Raises
    ------
    NotFoundError
        A file has no record.
    ConflictError
        None of them has failed.
    """
    entries = list(_failed(request, records))
    if request.files and not entries:
        raise ConflictError("none of these files has failed")
    return entries


def _failed(request: RetryRequest, records: FileRecords) -> Iterator[Entry]:
    for file in dict.fromkeys(FileId(each.source_bucket, each.source_key) for each in request.files or ()):
        record = records.record(file)
        if record is None:
            raise NotFoundError(f"{file.source_key} of {file.source_bucket} has no record")
        if buckets := tuple(bucket for bucket in failed_buckets(record) if not request.to or bucket in request.to):
            yield Entry(key=file.source_key, destination_buckets=buckets)


def _job(request: WireModel, backfill_id: str, bucket: str, by: str, at: datetime) -> BackfillJob:
    return BackfillJob(
        backfill_id=backfill_id,
        status=JobStatus.RUNNING,
        source_bucket=bucket,
        destination_buckets=(),
        start_time=iso(at),
        updated_at=iso(at),
        created_by=by,
        worked_by=by,
        asked=hashlib.sha256(stable_json(request.wire()).encode(errors="surrogatepass")).hexdigest(),
    )
