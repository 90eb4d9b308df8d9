"""What the routes answer. Field names are those of the scanner's first version, with underscores."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from waybill.core.views import View, optional
from waybill.scanning.request_models import DetectorRequest, ScanRequest

_JOB = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"
_BUCKET, _PREFIX, _KEY = "town-hall-exports", "2026/", "2026/people.csv"
_RUN = "arn:aws:states:eu-west-1:123456789012:execution:waybill-scan:0b7e6f0a"
_BEGUN, _ENDED = "2026-11-02T09:15:00.000Z", "2026-11-02T09:21:04.000Z"
_CURSOR = "eyJuZXh0IjpbMCwxLDUwXX0.6f1f7c11a0b3c4d5e6f708192a3b4c5d"

_STATUS = (
    "`listing` and `processing` go on; the others are final, though a `failed` job can be resumed, and one that is "
    "`completed_with_errors` has objects that failed or were not listed"
)
_TRIAGED = (
    "How many of the findings are of values that people had called `accepted`, `false_positive` or `resolved` when "
    "they were found; the others are open"
)
type TriageState = Annotated[
    Literal["open", "accepted", "false_positive", "resolved"], Field(description="What people say of a value")
]
type JobStatus = Annotated[
    Literal["listing", "processing", "completed", "completed_with_errors", "failed", "cancelled"],
    Field(description=_STATUS),
]
type ObjectStatusName = Annotated[
    Literal["SCANNED", "FINDINGS", "PARTIAL", "SKIPPED", "FAILED", "PENDING"],
    Field(description="What became of an object of a job"),
]


class _ScanView(View):
    model_config = ConfigDict(alias_generator=None)


class WebhookView(_ScanView):
    """How the last delivery to the webhook of a job ended."""

    event_id: str = Field(description="The notification that was delivered", examples=[f"{_JOB}-ended"])
    attempts: int = Field(description="How often it was tried", ge=1)
    last_attempt_at: str = Field(description="When it was tried last, ISO 8601", examples=[_ENDED])
    status: Literal["delivered", "refused", "retrying", "failed"] = Field(
        description="`refused`: the address must not be called; `retrying`: it is tried again"
    )
    http_status: int | None = optional("What the receiver answered", examples=[204])
    error: str | None = optional("Why it could not be called", examples=["the receiver did not answer"])


class RefusedView(_ScanView):
    """A finding that Security Hub did not take."""

    id: str = Field(description="Its id there", examples=["waybill/town-hall-exports/5d1f8b0c/EMAIL"])
    code: str = Field(description="Why, for programs", examples=["InvalidInput"])
    message: str = Field(description="Why, for people", examples=["Title is too long"])


class SecurityHubView(_ScanView):
    """What AWS Security Hub was told of a job."""

    status: Literal["telling", "told"] = Field(description="Whether it was told of everything")
    imported: int = Field(description="How many findings, one for each object and detector, it was sent", ge=0)
    archived: int = Field(description="How many that it knew were archived: this job has seen that they are gone", ge=0)
    refused: int = Field(description="How many of those that it was sent it did not take", ge=0)
    errors: list[RefusedView] = Field(description="The first ten of these", examples=[[]])


class ExportView(_ScanView):
    """Where the findings of a job are exported to."""

    status: Literal["exported"] = Field(description="Always `exported`")
    uri: str = Field(
        description="The list of the exported parts", examples=[f"s3://waybill-scan-exports/{_JOB}/manifest.json"]
    )
    findings: int = Field(description="How many findings were exported", ge=0, examples=[12])
    objects: int | None = Field(
        default=None,
        description="How many objects, each with its outcome; null where their list was not kept any more",
        ge=0,
        examples=[40],
    )
    security_hub: SecurityHubView | None = optional("What Security Hub was told; without it, nothing")


class JobView(_ScanView):
    """A job as it is now. Counts are of objects, unless they say otherwise."""

    job_id: str = Field(description="The id that POST /scan has given", examples=[_JOB])
    bucket: str = Field(description="The bucket that is scanned", examples=[_BUCKET])
    prefix: str = Field(description="What the keys begin with that are scanned; empty: all", examples=[_PREFIX])
    created_at: str = Field(description="When the job was created, ISO 8601", examples=[_BEGUN])
    updated_at: str = Field(description="When the job or its listing last changed, ISO 8601", examples=[_ENDED])
    status: JobStatus = Field(description=_STATUS, examples=["completed"])
    status_message: str = Field(description="The same for people", examples=["All 40 objects have an outcome"])
    step_function_status: Literal["RUNNING", "SUCCEEDED", "FAILED", "ABORTED"] | None = Field(
        description="How the execution that lists the bucket stands; null without one", examples=["SUCCEEDED"]
    )
    execution_arn: str | None = Field(
        description="The execution that lists the bucket; null without one", examples=[_RUN]
    )
    total: int = Field(description="How many are listed, so far", ge=0, examples=[40])
    queued: int = Field(description="How many wait", ge=0, examples=[0])
    processing: int = Field(description="How many are being scanned", ge=0, examples=[0])
    succeeded: int = Field(
        description="How many were scanned; with `skipped` and `failed` it adds up to `total` when the job has ended",
        ge=0,
        examples=[37],
    )
    skipped: int = Field(description="How many were left out", ge=0, examples=[2])
    failed: int = Field(description="How many could not be scanned", ge=0, examples=[1])
    total_findings: int = Field(description="How many findings there are", ge=0, examples=[12])
    progress_percent: float = Field(description="How much has an outcome", ge=0, le=100, examples=[100.0])
    detectors: dict[str, int] = Field(description="Findings by detector", examples=[{"EMAIL": 9, "IBAN": 3}])
    triaged: dict[str, int] = Field(description=_TRIAGED, examples=[{"accepted": 2}])
    truncated: bool = Field(description="Whether the listing was cut short")
    error: str | None = optional("Why the job failed", examples=["the bucket was deleted"])
    webhook: WebhookView | None = optional("How its notification was delivered")
    export: ExportView | None = optional("Where its findings are exported to")


class LiveJobView(JobView):
    """A job as it is now, and a word on how fresh the answer is."""

    data_source: Literal["live"] = Field(description="Always `live`: every answer is as of now")


class JobSummary(_ScanView):
    """A job in a list."""

    job_id: str = Field(description="Its id", examples=[_JOB])
    bucket: str = Field(description="The bucket that is scanned", examples=[_BUCKET])
    prefix: str = Field(description="What the keys begin with that are scanned; empty: all", examples=[_PREFIX])
    status: JobStatus = Field(description=_STATUS, examples=["completed"])
    created_at: str = Field(description="When the job was created, ISO 8601", examples=[_BEGUN])
    total: int = Field(description="How many objects were listed when its listing was last looked at", ge=0)


class JobList(_ScanView):
    """Jobs, the newest first."""

    scans: list[JobSummary] = Field(description="Some jobs")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[_CURSOR]
    )


class StartedView(_ScanView):
    """A job that lists its bucket in the background."""

    job_id: str = Field(description="The id of the job", examples=[_JOB])
    bucket: str = Field(description="The bucket that is scanned", examples=[_BUCKET])
    prefix: str = Field(description="What the keys begin with that are scanned; empty: all", examples=[_PREFIX])
    status: JobStatus = Field(description=_STATUS, examples=["listing"])
    execution_arn: str = Field(description="The execution that lists the bucket", examples=[_RUN])
    message: str = Field(
        description="What to do next",
        examples=["The bucket is being listed; GET /jobs/{job_id} shows how far it is"],
    )
    is_async: Literal[True] = Field(alias="async", description="Always true: the listing goes on after this answer")


class ListedView(_ScanView):
    """A job whose bucket was listed within the request."""

    job_id: str = Field(description="The id of the job", examples=[_JOB])
    bucket: str = Field(description="The bucket that is scanned", examples=[_BUCKET])
    prefix: str = Field(description="What the keys begin with that are scanned; empty: all", examples=[_PREFIX])
    total_objects: int = Field(description="How many objects were listed", ge=0, examples=[40])
    messages_enqueued: int = Field(description="How many pieces of work were sent to the workers", ge=0)
    status: Literal["queued", "completed", "completed_with_errors", "failed", "cancelled", "listing"] = Field(
        description="`queued`: the workers have it; otherwise as the status of a job"
    )
    truncated: bool = Field(description="Whether time was up before the end of the listing")
    warning: str = Field(
        description="Why it was listed within the request", examples=["No state machine is configured"]
    )
    is_async: Literal[False] = Field(alias="async", description="Always false: the listing has ended")


class ExportStarted(_ScanView):
    """An export that is under way."""

    job_id: str = Field(description="The job whose findings are exported", examples=[_JOB])
    status: Literal["exporting"] = Field(description="Always `exporting`; `export` of the job says when it is done")


class ReasonView(_ScanView):
    """What was not looked at for one reason."""

    objects: int = Field(description="How many objects", ge=0, examples=[2])
    bytes_not_scanned: int = Field(description="How many of their bytes", ge=0, examples=[1048576])


class CoverageView(_ScanView):
    """What of the listed objects was looked at, and why the rest was not."""

    job_id: str = Field(description="The job", examples=[_JOB])
    status: JobStatus = Field(description=_STATUS, examples=["completed"])
    listing_complete: bool = Field(description="Whether every object of the bucket was listed", examples=[True])
    objects_total: int = Field(description="How many objects are listed, so far", ge=0, examples=[40])
    objects_pending: int = Field(description="How many have no outcome yet", ge=0, examples=[0])
    bytes_total: int = Field(description="Their size", ge=0, examples=[52428800])
    bytes_scanned: int = Field(description="How many bytes were looked at", ge=0, examples=[51380224])
    outcomes: dict[str, int] = Field(
        description="Objects by outcome: `SCANNED`, `FINDINGS`, `PARTIAL`, `SKIPPED` or `FAILED`",
        examples=[{"SCANNED": 32, "FINDINGS": 5, "SKIPPED": 2, "FAILED": 1}],
    )
    reasons: dict[str, ReasonView] = Field(
        description="What was not looked at, by reason",
        examples=[{"OVERSIZE": {"objects": 2, "bytes_not_scanned": 1048576}}],
    )
    members_not_read: dict[str, int] = Field(
        description="Members, attachments and parts of objects that were not read, by reason",
        examples=[{"ENCRYPTED": 1}],
    )
    detectors: dict[str, int] = Field(description="Findings by detector", examples=[{"EMAIL": 9, "IBAN": 3}])
    own_detectors: dict[str, int] = Field(
        description="The version of each detector and allow list of the stack's own that the job is scanned by: those "
        "that counted when it was made",
        examples=[{"TOWN_HALL_BADGE": 2}],
    )
    rules: dict[str, int] = Field(
        description="How many objects were read by which rules, shipped ones and the stack's own together: more than "
        "one name where another version of Waybill was deployed meanwhile",
        examples=[{"3f9a0c51d2e4b687": 37}],
    )
    triaged: dict[str, int] = Field(description=_TRIAGED, examples=[{"accepted": 2}])
    truncated_findings: int = Field(
        description="How many objects hold more findings than are stored", ge=0, examples=[0]
    )
    from_cache: int = Field(description="How many objects had not changed since an earlier job", ge=0, examples=[0])


class UnreadView(_ScanView):
    """A part of an object that was not read."""

    member: str = Field(description="Where it is in the object", examples=["backup.zip/people.csv"])
    reason: str = Field(description="Why it was not read, for programs", examples=["ENCRYPTED"])


class ObjectView(_ScanView):
    """What became of one object."""

    key: str = Field(description="Its key", examples=[_KEY])
    size: int = Field(description="Its size in bytes", ge=0, examples=[48213])
    status: ObjectStatusName = Field(
        description="`SCANNED` and `FINDINGS`: all of it was read, without and with findings; `PARTIAL`: some of it "
        "was not read; `SKIPPED`: left out; `FAILED`: it could not be read; `PENDING`: not yet",
        examples=["FINDINGS"],
    )
    reason: str | None = Field(
        description="Why it was not read, or not all of it; null where it was", examples=["OVERSIZE"]
    )
    bytes_scanned: int = Field(description="How many of its bytes were looked at", ge=0, examples=[48213])
    findings: int = Field(description="How many findings it has", ge=0, examples=[3])
    not_read: dict[str, int] = Field(
        description="Members, attachments and parts of it that were not read, by reason", examples=[{}]
    )
    unread: list[UnreadView] = Field(description="Some of these by name", examples=[[]])


class ObjectList(_ScanView):
    """Objects of a job, in the order of its listing."""

    objects: list[ObjectView] = Field(
        description="Some objects; fewer than `limit`, or none, though there is a cursor, where a filter is given"
    )
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[_CURSOR]
    )


class FindingView(_ScanView):
    """Something sensitive that was found, masked."""

    id: str = Field(description="Its id within the job", examples=["5d1f8b0c#EMAIL"])
    job_id: str = Field(description="The job that found it", examples=[_JOB])
    bucket: str = Field(description="The bucket of the object", examples=[_BUCKET])
    key: str = Field(description="The key of the object", examples=[_KEY])
    detector: str = Field(description="What kind of thing it is", examples=["EMAIL"])
    masked_match: str = Field(description="What was found, masked", examples=["a****@e******.org"])
    context: str = Field(description="What stands around it, masked too", examples=["contact: a****@e******.org;"])
    byte_offset: int = Field(description="Where it begins, in bytes", ge=0, examples=[2041])
    byte_length: int = Field(description="How long it is, in bytes", ge=0, examples=[17])
    line: int | None = Field(description="The line that it begins on, counted from 1; null where there are none")
    column: int | None = Field(
        description="Where it begins in its line, counted from 1; null where there are no lines", examples=[10]
    )
    confidence: Literal["LOW", "MEDIUM", "HIGH"] = Field(
        description="How sure it is that this is such a thing", examples=["HIGH"]
    )
    fingerprint: str = Field(
        description="The same for the same thing in the same object, in every job", examples=["6f1f7c11a0b3c4d5"]
    )
    created_at: str = Field(description="When it was found, ISO 8601", examples=[_ENDED])
    state: TriageState = Field(
        description="What people say of the value now: `open` where they have said nothing, or it has run out",
        examples=["open"],
    )
    sample: bool | None = optional("Whether it is a well-known example, such as a number of a card for tests")
    decoded_from: list[str] | None = optional("How it was encoded, the outermost first", examples=[["base64"]])
    member: str | None = optional("Where it is in the object, such as a file of an archive", examples=["people.csv"])
    cell: str | None = optional("Which cell of a table it is in", examples=["column ssn, row 12"])


class FindingList(_ScanView):
    """Findings of a job, in a stable order."""

    findings: list[FindingView] = Field(description="Some findings")
    total: int | None = Field(
        description="How many there were when the first page was asked for; null where a filter by key or confidence "
        "leaves it unknown",
        ge=0,
        examples=[12],
    )
    limit: int = Field(description="How many were asked for", ge=1, examples=[100])
    has_more: bool = Field(description="Whether there is another page", examples=[True])
    next_cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[_CURSOR]
    )


class DecisionView(_ScanView):
    """What somebody has said of a value."""

    state: TriageState = Field(description="What it was called", examples=["accepted"])
    reason: str = Field(description="Why", examples=["the address of our own help desk"])
    until: str | None = Field(description="When it runs out, ISO 8601; null for never", examples=[None])
    by: str = Field(description="Who has said it", examples=["j.doe"])
    at: str = Field(description="When, ISO 8601", examples=[_ENDED])


class SeenPlaceView(_ScanView):
    """Where a value was seen last in a bucket."""

    bucket: str = Field(description="The bucket", examples=[_BUCKET])
    key: str = Field(description="The key of the object", examples=[_KEY])
    job_id: str = Field(description="The job that has seen it", examples=[_JOB])
    seen_at: str = Field(description="When, ISO 8601", examples=[_ENDED])


class ValueView(_ScanView):
    """A value that was found, masked, and what people say of it."""

    fingerprint: str = Field(description="What is the same for equal values", examples=["6f1f7c11a0b3c4d5" * 4])
    state: TriageState = Field(
        description="What holds now: `open` where nothing was said, or what was said has run out", examples=["accepted"]
    )
    reason: str | None = Field(description="Why; null where nothing was said", examples=["our own help desk"])
    until: str | None = Field(description="When it runs out, ISO 8601; null for never", examples=[None])
    by: str | None = Field(description="Who has said it", examples=["j.doe"])
    decided_at: str | None = Field(description="When it was said, ISO 8601", examples=[_ENDED])
    detector: str = Field(description="What kind of thing it is", examples=["EMAIL"])
    masked_match: str = Field(description="The value, masked", examples=["****@****"])
    confidence: Literal["LOW", "MEDIUM", "HIGH"] = Field(description="How sure the last finding of it was")
    places: list[SeenPlaceView] = Field(description="Where it was seen last, a place a bucket")
    history: list[DecisionView] = Field(description="All that was said of it, the newest last; at most the last fifty")


class ValueList(_ScanView):
    """Values that were found, in the order of their fingerprints."""

    findings: list[ValueView] = Field(
        description="Some values; fewer than `limit`, or none, though there is a cursor, where a filter is given"
    )
    passed_over: dict[str, int] = Field(
        description="With `state`: how many more the other filters let through on the way here, by their state",
        examples=[{"accepted": 3}],
    )
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[_CURSOR]
    )


class DetectorView(_ScanView):
    """A detector, or an allow list."""

    id: str = Field(description="Its id, as findings have it", examples=["TOWN_HALL_BADGE"])
    shipped: bool = Field(description="Whether Waybill brings it")
    description: str = Field(description="What it finds", examples=["Badge of the town hall"])
    version: int | None = Field(description="How often it was defined; null for those that Waybill brings", ge=1)
    definition: DetectorRequest | None = Field(
        description="As it was given to PUT; null for those that Waybill brings", examples=[None]
    )


class DetectorList(_ScanView):
    """Detectors: those of the stack's own first."""

    detectors: list[DetectorView] = Field(description="Some of them, by id")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[None]
    )


class TrialFinding(_ScanView):
    """A value in a text that was tried; where it is, and its mask."""

    detector: str = Field(description="The detector that has found it", examples=["TOWN_HALL_BADGE"])
    confidence: Literal["LOW", "MEDIUM", "HIGH"] = Field(description="How sure it is", examples=["HIGH"])
    line: int = Field(description="Its line, from 1", ge=1, examples=[1])
    column: int = Field(description="Its first character in that line, from 1", ge=1, examples=[7])
    byte_offset: int = Field(description="Where it begins, in bytes of UTF-8", ge=0, examples=[6])
    byte_length: int = Field(description="How long it is, in bytes of UTF-8", ge=0, examples=[10])
    masked_match: str = Field(description="What is shown of it in findings", examples=["B-****"])
    sample: bool = Field(description="Whether it is a value that everybody knows from documentation")


class TrialView(_ScanView):
    """What a detector finds in a text; the text is not kept."""

    findings: list[TrialFinding] = Field(description="What is found, 100 at most")
    total: int = Field(description="How many values are found", ge=0, examples=[1])
    allowed: int = Field(description="How many more there are that an allow list lets pass", ge=0, examples=[0])


class ScheduleView(_ScanView):
    """A scan that is made again and again."""

    id: str = Field(description="Its id", examples=["5d0f6c1e-7a51-4c0b-9a7e-1f0e2d3c4b5a"])
    every: Literal["hour", "day", "week"] = Field(description="How often the scan is made", examples=["week"])
    request: ScanRequest = Field(description="The scan, as `POST /scan` takes it")
    created_at: str = Field(description="When it was made", examples=[_BEGUN])
    next_at: str = Field(
        description="When the scan is due next, unless the schedule is suspended", examples=["2026-11-09T02:00:00.000Z"]
    )
    suspended: bool = Field(description="Whether no scan is made until it is resumed", examples=[False])
    last_job: str | None = Field(description="The job that it has made last; null before the first", examples=[_JOB])


class ScheduleList(_ScanView):
    """Schedules of scans."""

    schedules: list[ScheduleView] = Field(description="Some of them, by id")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end", examples=[None]
    )
