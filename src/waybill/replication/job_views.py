"""What the routes of backfills and verifications answer."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.views import View, optional
from waybill.replication.domain.backfill_job import BackfillJob
from waybill.replication.domain.verification import VerificationCheck
from waybill.replication.domain.verification_job import VerificationJob

# What the index of jobs is read on from.
_POSITION = {"fileKey", "sourceBucket", "statusPartition", "startTime"}
_BUCKET, _COPY, _KEY = "waybill-source", "waybill-copy-eu", "reports/2026/annual.pdf"
_ID, _BEGUN, _ENDED = "20261102-091500-1f7c11aa", "2026-11-02T09:15:00.000Z", "2026-11-02T09:16:00.000Z"
_CURSOR = Field(
    description="For the next page, as `cursor` of the next request; null at the end",
    examples=["eyJwb3NpdGlvbiI6IjIwMjYifQ"],
)


class BackfillCountsView(View):
    """What a backfill has done: objects, and of what it had copied the places (object and destination)."""

    compared: int = Field(description="Objects that were compared", ge=0)
    identical: int = Field(description="Objects that are equal everywhere", ge=0)
    in_progress: int = Field(description="Objects that were left to a run under way", ge=0)
    started: int = Field(description="Objects whose run was started", ge=0)
    copies: int = Field(description="Copies that were asked for", ge=0)
    bytes: int = Field(description="Their bytes", ge=0)
    succeeded: int = Field(description="Places that have their copy since", ge=0)
    failed: int = Field(description="Places where it failed", ge=0)
    pending: int = Field(description="Places of which nobody knows yet", ge=0)


class BackfillView(View, extra="ignore"):
    """A backfill as it stands."""

    backfill_id: str = Field(description="Its id", examples=[_ID])
    status: str = Field(
        description="`RUNNING`, `STOPPED`, `STARTED` (nobody waited), `COMPLETED`, `COMPLETED_WITH_ERRORS` or "
        "`CANCELLED`",
        examples=["COMPLETED"],
    )
    source_bucket: str = Field(description="The bucket of the sources", examples=[_BUCKET])
    prefix: str = Field(description="What their keys begin with", examples=["reports/"])
    destination_buckets: tuple[str, ...] = Field(description="Where copies go", examples=[[_COPY]])
    content_only: bool = Field(description="Whether headers, metadata and tags were left aside")
    input: str = Field(description="Of what it is: `LISTING`, `FAILED` or `MANIFEST`", examples=["LISTING"])
    start_time: str = Field(description="When it was begun, ISO 8601", examples=[_BEGUN])
    updated_at: str = Field(description="When it last changed, ISO 8601", examples=[_ENDED])
    completed_at: str | None = optional("When it ended, ISO 8601", examples=[_ENDED])
    created_by: str = Field(description="Who has begun it", examples=["waybill:alice"])
    worked_by: str = Field(description="Who has last worked on it", examples=["waybill:alice"])
    entries: int | None = optional("How many objects it was given by name", ge=0)
    report: str | None = optional("Where in S3 its report goes", examples=["s3://reports/backfill.csv"])
    problem: str | None = optional("Why the server has stopped working on it", examples=["s3:ListBucket is denied"])
    last_key: str = Field(description="The last object that was compared", examples=[_KEY])
    counts: BackfillCountsView = Field(description="What it has done")

    @classmethod
    def of_job(cls, job: BackfillJob) -> Self:
        """Return the view of a job."""
        return cls.of(job.wire())


class BackfillList(View):
    """Backfills, newest first."""

    backfills: tuple[BackfillView, ...] = Field(description="Some backfills")
    cursor: str | None = _CURSOR


class VerificationCountsView(View):
    """What was found: objects, and of their places (object and destination) how they stand."""

    compared: int = Field(description="Objects that were compared", ge=0)
    equal: int = Field(description="Copies that are what their source is", ge=0)
    differs: int = Field(description="Copies that differ", ge=0)
    missing: int = Field(description="Copies that are not there", ge=0)
    not_proven: int = Field(description="Copies of the same size of which nothing else compares", ge=0)
    not_checked: int = Field(description="Copies that could not be looked at", ge=0)
    without_source: int = Field(description="Copies whose source is not there", ge=0)
    in_progress: int = Field(description="Of those that differ or are missing: a run is bringing them", ge=0)


class VerificationView(View, extra="ignore"):
    """A verification as it stands."""

    verification_id: str = Field(description="Its id", examples=[_ID])
    status: str = Field(
        description="`RUNNING`, `STOPPED`, `COMPLETED`, or "
        "`COMPLETED_WITH_FINDINGS`: not every copy is known to be equal",
        examples=["COMPLETED"],
    )
    source_bucket: str = Field(description="The bucket of the sources", examples=[_BUCKET])
    prefix: str = Field(description="What their keys begin with", examples=["reports/"])
    destination_buckets: tuple[str, ...] = Field(description="Where the copies are", examples=[[_COPY]])
    deep: bool = Field(description="Whether both were read, and not only what S3 keeps of them compared")
    sample: int = Field(
        default=100, description="With `deep`: of how many objects in a hundred", ge=1, le=100, examples=[100]
    )
    start_time: str = Field(description="When it was begun, ISO 8601", examples=[_BEGUN])
    updated_at: str = Field(description="When it last changed, ISO 8601", examples=[_ENDED])
    completed_at: str | None = optional("When it ended, ISO 8601", examples=[_ENDED])
    created_by: str = Field(description="Who has begun it", examples=["alice"])
    last_key: str = Field(description="Up to where everything was compared", examples=[_KEY])
    counts: VerificationCountsView = Field(description="What was found")

    @classmethod
    def of_job(cls, job: VerificationJob) -> Self:
        """Return the view of a job."""
        return cls.of(job.wire())


class CopyFinding(View, extra="ignore"):
    """A copy that was not found to be equal."""

    key: str = Field(description="The key of the object", examples=[_KEY])
    destination_bucket: str = Field(description="Where its copy is, or should be", examples=[_COPY])
    result: str = Field(
        description="`DIFFERS`, `MISSING`, `NOT_PROVEN`, `NOT_CHECKED` or `WITHOUT_SOURCE`", examples=["DIFFERS"]
    )
    at: str = Field(description="When it was looked at, ISO 8601", examples=[_BEGUN])
    way: str | None = optional("`STATED`: by what S3 keeps; `DEEP`: both were read", examples=["STATED"])
    proof: str | None = optional("By what contents were compared: `CHECKSUM`, `ETAG` or `SIZE`", examples=["CHECKSUM"])
    code: str | None = optional("Why it was not checked; `IN_PROGRESS`: a run is bringing it", examples=["THROTTLED"])
    difference: str | None = optional("What differs", examples=["content, tags"])
    size: int | None = optional("The size of the source in bytes", ge=0)
    source_version_id: str | None = optional("The version of the source", examples=["3HL4kqtJlcpXroDTDmJ"])
    version_id: str | None = optional("The version of the copy", examples=["3HL4kqtJlcpXroDTDmJ"])
    sha256: str | None = optional("Of the source, where it was read, in hexadecimal", examples=["ba7816bf8f01cfea"])


class VerificationReport(VerificationView):
    """A verification with the first of its findings."""

    findings: tuple[CopyFinding, ...] = Field(description="What was not found to be equal, at most 200 of it, by key")

    @classmethod
    def of_findings(cls, job: VerificationJob, findings: list[VerificationCheck]) -> Self:
        """Return the view of a job with these findings."""
        return cls.of(job.wire() | {"findings": [finding.wire() for finding in findings]})


class VerificationList(View):
    """Verifications, newest first."""

    verifications: tuple[VerificationView, ...] = Field(description="Some verifications")
    cursor: str | None = _CURSOR


def job_position(decoded: Mapping[str, object], record: str, field: str = "cursor") -> Mapping[str, str]:
    """Return the position in a list of jobs whose records have the range key `record`.

    Raises
    ------
    InvalidInputError
        It is one of another list; names `field`.
    """
    if decoded.keys() != _POSITION or decoded["sourceBucket"] != record:
        raise InvalidInputError(FieldError(field, "is not a cursor of this list"))
    return {name: str(value) for name, value in decoded.items()}
