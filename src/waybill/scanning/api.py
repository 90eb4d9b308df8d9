"""The HTTP routes of the scanner. Field names are those of its first version, with underscores."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from waybill.core.api import Role, build_api, caller, fails, idempotency_header
from waybill.core.cursors import CURSOR_LIMIT, open_cursor, seal_cursor
from waybill.scanning import WORKFLOW
from waybill.scanning.domain.detection.models import Confidence
from waybill.scanning.domain.objects import STATUSES
from waybill.scanning.domain.own_detectors import OwnDetector
from waybill.scanning.domain.schedules import Schedule
from waybill.scanning.domain.triage import STATES as TRIAGE_STATES
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import (
    DetectorRequest,
    ScanRequest,
    ScheduleChangeRequest,
    ScheduleRequest,
    TriageRequest,
    TrialRequest,
)
from waybill.scanning.runtime import deployed
from waybill.scanning.views import (
    CoverageView,
    DetectorList,
    DetectorView,
    ExportStarted,
    FindingList,
    JobList,
    JobSummary,
    JobView,
    ListedView,
    LiveJobView,
    ObjectList,
    ScheduleList,
    ScheduleView,
    StartedView,
    TrialFinding,
    TrialView,
    ValueList,
    ValueView,
)

if TYPE_CHECKING:
    from waybill.scanning.domain.detection.rules import Detector

app = build_api(
    WORKFLOW,
    title="Scanner",
    description="Finds sensitive data in buckets, and says what was and was not looked at.",
    roles=[Role.SCANNING],
)

_STARTED: dict[int, OpenAPIResponse] = {
    200: {
        "description": "The bucket was listed within the request",
        "content": {"application/json": {"model": ListedView}},
    },
    202: {
        "description": "The bucket is listed in the background",
        "content": {"application/json": {"model": StartedView}},
    },
}
# No job has a longer one, and none that is longer is found.
_JOB_ID_LENGTH: dict[str, Any] = {"maxLength": 60}
_JobId = Annotated[
    str,
    Path(
        json_schema_extra=_JOB_ID_LENGTH,
        description="The id that POST /scan has given",
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    ),
]
_ScheduleId = Annotated[str, Query(min_length=1, max_length=60, description="The id of the schedule")]
_DetectorId = Annotated[
    str,
    Path(
        pattern="^[A-Z][A-Z0-9_]{1,63}$",
        description="The id of the detector, in capitals",
        examples=["TOWN_HALL_BADGE"],
    ),
]
_Cursor = Annotated[
    str | None, Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its cursor, unchanged")
]


@app.post("/scan", summary="Scan a bucket", status_code=202, responses=_STARTED)
@fails({404: "There is no such bucket", 409: "The idempotency key was used for another request"})
def start_scan(
    request: ScanRequest,
    idempotency_key: Annotated[
        str | None,
        idempotency_header(
            "The same key again is answered with the same job, for as long as the job is kept", "weekly-2026-45"
        ),
    ] = None,
) -> Response[ListedView | StartedView]:
    """Start a job: 202 when it is listed in the background, 200 when it was listed within the request."""
    jobs = deployed().jobs
    job = jobs.create(request, caller(app).subject, idempotency_key)
    workflow_arn = deployed().workflow_arn
    if not workflow_arn:
        return Response(200, content_type="application/json", body=_list_now(job))
    arn = jobs.start(job, deployed().executions, workflow_arn)
    return Response(202, content_type="application/json", body=_started(job, arn))


@app.get("/scans", summary="List jobs")
@app.get("/jobs", summary="List jobs", operation_id="listJobs")
def list_scans(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50, cursor: _Cursor = None
) -> JobList:
    """List the jobs of scans, the newest first."""
    before: Any = open_cursor(cursor, deployed().secret, "scans")["before"] if cursor else None
    jobs, position = deployed().table.jobs.newest(limit, before)
    shown = [
        JobSummary(
            job_id=job.job_id,
            bucket=job.request.bucket,
            prefix=job.request.prefix,
            status=job.status.value,
            created_at=job.created_at,
            total=job.total,
        )
        for job in jobs
    ]
    return JobList(
        scans=shown, cursor=seal_cursor({"before": position}, deployed().secret, "scans") if position else None
    )


@app.get("/scans/schedules", summary="List schedules of scans")
def list_schedules(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50, cursor: _Cursor = None
) -> ScheduleList:
    """List the scans that are made again and again, and when each is due next."""
    found = [(each.id, _scheduled(each)) for each in deployed().table.schedules.all()]
    shown, further = _page(found, "schedules", limit, cursor)
    return ScheduleList(schedules=shown, cursor=further)


@app.post("/scans/schedules", summary="Schedule a scan", status_code=201)
@fails(
    {
        404: "There is no such bucket",
        409: "There are as many schedules as there may be, or the idempotency key was used for another one",
    }
)
def create_schedule(
    request: ScheduleRequest,
    idempotency_key: Annotated[
        str | None, idempotency_header("The same key again is answered with the same schedule", "weekly-archive")
    ] = None,
) -> ScheduleView:
    """Let a scan be made every hour, day or week; each time makes one job, within minutes of when it is due."""
    return _scheduled(deployed().planning.create(request, caller(app).subject, idempotency_key))


@app.patch("/scans/schedules", summary="Suspend or resume a schedule of scans")
@fails({404: "There is no such schedule", 409: "Others are changing it"})
def change_schedule(id: _ScheduleId, change: ScheduleChangeRequest) -> ScheduleView:
    """Let a schedule make no scan, or go on at the next of its times; those that have passed are not made up."""
    planning = deployed().planning
    return _scheduled(planning.suspend(id) if change.suspended else planning.resume(id))


@app.delete("/scans/schedules", summary="Delete a schedule of scans")
@fails({404: "There is no such schedule"})
def delete_schedule(id: _ScheduleId) -> ScheduleView:
    """Delete a schedule; the answer is what it was. The jobs that it has made stay."""
    return _scheduled(deployed().planning.delete(id))


@app.get("/jobs/<job_id>", summary="Show a job")
def show_job(
    job_id: _JobId,
    real_time: Annotated[
        bool, Query(description="Taken for older callers: every answer is as of now", deprecated=True)
    ] = True,
) -> LiveJobView:
    """Tell how far a job is and, once it has ended, what came of it; every answer is as of now."""
    return LiveJobView.of(deployed().jobs.report(job_id) | {"data_source": "live"})


@app.post("/jobs/<job_id>/cancel", summary="Cancel a job")
@fails({409: "The job has ended otherwise"})
def cancel_job(job_id: _JobId) -> JobView:
    """Cancel a job: what was found so far stays, and nothing more is looked at."""
    jobs = deployed().jobs
    jobs.cancel(job_id)
    return JobView.of(jobs.report(job_id))


@app.post("/jobs/<job_id>/resume", summary="Go on with a job that has failed", status_code=202)
@fails({409: "The job has ended otherwise"})
def resume_job(job_id: _JobId) -> JobView:
    """Go on with a job that has failed, from where it was; what was scanned is not scanned again."""
    jobs = deployed().jobs
    jobs.resume(job_id, deployed().restarter)
    return JobView.of(jobs.report(job_id))


@app.get("/jobs/<job_id>/coverage", summary="What was and was not looked at")
def show_coverage(job_id: _JobId) -> CoverageView:
    """Show objects and bytes by outcome and by reason."""
    return CoverageView.of(deployed().jobs.coverage(job_id))


@app.get("/jobs/<job_id>/objects", summary="What became of each object")
def show_objects(
    job_id: _JobId,
    status: Annotated[str | None, Query(pattern=f"^({'|'.join(STATUSES)})$", description="Only this status")] = None,
    reason: Annotated[
        str | None,
        Query(max_length=100, description="Only what was not read for this reason", examples=["OVERSIZE"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: _Cursor = None,
) -> ObjectList:
    """List the objects of a job in the order of its listing, each with its outcome and what of it was not read."""
    job = deployed().jobs.find(job_id)
    return ObjectList.of(deployed().objects.page(job, limit, cursor, status, reason))


@app.post("/jobs/<job_id>/export", summary="Export the findings of a job", status_code=202)
def export_findings(job_id: _JobId) -> ExportStarted:
    """Write all findings to the bucket of exports as lines of JSON; `export` of the job tells where they are."""
    job = deployed().jobs.find(job_id)
    deployed().export_queue.send(job.job_id, {})
    return ExportStarted(job_id=job.job_id, status="exporting")


@app.get("/results", summary="Findings of a job", operation_id="listFindings")
@fails({404: "There is no such job"})
def show_results(  # noqa: PLR0917 (Powertools passes parameters by name)
    job_id: Annotated[
        str,
        Query(
            min_length=1,
            json_schema_extra=_JOB_ID_LENGTH,
            description="The job whose findings are wanted",
            examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
        ),
    ],
    bucket: Annotated[
        str | None,
        Query(max_length=255, description="Only if it is this bucket's job", examples=["town-hall-exports"]),
    ] = None,
    key: Annotated[
        str | None,
        Query(max_length=1024, description="How the object's key begins, to the letter", examples=["2026/"]),
    ] = None,
    detector: Annotated[
        str | None, Query(max_length=100, description="Only findings of this detector", examples=["EMAIL"])
    ] = None,
    min_confidence: Annotated[
        str | None, Query(pattern="^(LOW|MEDIUM|HIGH)$", description="Only findings that are as sure as this")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most")] = 50,
    cursor: _Cursor = None,
) -> FindingList:
    """Page through findings in a stable order."""
    job = deployed().jobs.find(job_id)
    wanted: dict[str, Any] = {"key": key, "detector": detector}
    wanted["certainty"] = int(Confidence[min_confidence]) if min_confidence else None
    if bucket is not None and bucket != job.request.bucket:
        return FindingList(findings=[], total=0, limit=limit, has_more=False, next_cursor=None)
    chosen = {name: value for name, value in wanted.items() if value}
    return FindingList.of(deployed().results.page(job, limit, cursor, chosen))


@app.get("/findings", summary="Values that were found, and what people say of them", operation_id="listValues")
def list_values(
    state: Annotated[str | None, Query(pattern=f"^({'|'.join(TRIAGE_STATES)})$", description="Only this state")] = None,
    bucket: Annotated[
        str | None,
        Query(max_length=255, description="Only what was seen in this bucket", examples=["town-hall-exports"]),
    ] = None,
    detector: Annotated[
        str | None, Query(max_length=100, description="Only values of this detector", examples=["EMAIL"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: _Cursor = None,
) -> ValueList:
    """List the values that any job has found, in the order of their fingerprints."""
    wanted = {"state": state, "bucket": bucket, "detector": detector}
    chosen = {name: value for name, value in wanted.items() if value}
    return ValueList.of(deployed().triage.page(limit, cursor, chosen, deployed().secret))


@app.put("/findings/<fingerprint>", summary="Say something of a value", operation_id="triageValue")
@fails({404: "No finding has this fingerprint", 409: "Others are saying something of it"})
def triage_value(
    fingerprint: Annotated[
        str,
        Path(
            json_schema_extra={"maxLength": 64},
            description="What findings of this value have as `fingerprint`",
            examples=["6f1f7c11a0b3c4d5" * 4],
        ),
    ],
    decision: TriageRequest,
) -> ValueView:
    """Say that a value is accepted, a false alarm or dealt with; it holds in every job and bucket until it runs out."""
    triage = deployed().triage
    value = triage.decide(fingerprint, decision.state, decision.reason, decision.until or "", caller(app).subject)
    return ValueView.of(triage.document(value))


@app.get("/detectors", summary="List detectors")
def list_detectors(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50, cursor: _Cursor = None
) -> DetectorList:
    """List the detectors of the stack's own, allow lists among them, and then those that Waybill brings, by id."""
    from waybill.scanning.domain.detection.rules import detectors

    found = [(f"0{each.id}", _own(each)) for each in deployed().detectors.listed()]
    found += [(f"1{each.id}", _brought(each)) for each in sorted(detectors(), key=lambda each: each.id)]
    shown, further = _page(found, "detectors", limit, cursor)
    return DetectorList(detectors=shown, cursor=further)


@app.get("/detectors/<detector_id>", summary="Show a detector")
@fails({404: "There is no such detector"})
def show_detector(detector_id: _DetectorId) -> DetectorView:
    """Show a detector; of one of the stack's own, its definition too."""
    from waybill.scanning.domain.detection.rules import detectors

    for each in detectors():
        if each.id == detector_id:
            return _brought(each)
    return _own(deployed().detectors.find(detector_id))


@app.put("/detectors/<detector_id>", summary="Define a detector or an allow list")
@fails({409: "There are as many as there may be, or others are changing it"})
def put_detector(detector_id: _DetectorId, definition: DetectorRequest) -> DetectorView:
    """Define a detector of the stack's own, or an allow list: the work that begins from now on uses it."""
    return _own(deployed().detectors.put(detector_id, definition, caller(app).subject))


@app.delete("/detectors/<detector_id>", summary="Delete a detector")
@fails({404: "There is no such detector of the stack's own", 409: "Others are changing it, or a schedule names it"})
def delete_detector(detector_id: _DetectorId) -> DetectorView:
    """Delete a detector of the stack's own; the answer is what it was. What was found by it stays."""
    return _own(deployed().detectors.delete(detector_id, caller(app).subject))


@app.post("/detectors/<detector_id>/test", summary="Try a detector on a text")
@fails({404: "There is no such detector"})
def test_detector(detector_id: _DetectorId, trial: TrialRequest) -> TrialView:
    """Say what a detector, alone, finds in a text: of an allow list, what it lets pass. The text is kept nowhere."""
    from waybill.scanning.domain.trial import tried

    found = tried(detector_id, trial.text, deployed().detectors, trial.definition)
    shown = [
        TrialFinding.model_validate({name: getattr(each, name) for name in TrialFinding.model_fields})
        for each in found.findings
    ]
    return TrialView(findings=shown, total=found.total, allowed=found.allowed)


def _page[View](
    ordered: Sequence[tuple[str, View]], about: str, limit: int, cursor: str | None
) -> tuple[list[View], str | None]:
    """Return some of what is listed whole, each behind what it is ordered by, and the cursor of the next ones."""
    secret = deployed().secret
    after = str(open_cursor(cursor, secret, about)["after"]) if cursor else ""
    left = [each for each in ordered if each[0] > after]
    further = seal_cursor({"after": left[limit - 1][0]}, secret, about) if len(left) > limit else None
    return [view for _, view in left[:limit]], further


def _brought(found: "Detector") -> DetectorView:
    return DetectorView(id=found.id, shipped=True, description=found.description, version=None, definition=None)


def _own(found: OwnDetector) -> DetectorView:
    definition = DetectorRequest.model_validate_json(found.definition)
    return DetectorView(
        id=found.id,
        shipped=False,
        description=definition.description,
        version=found.version,
        definition=definition,
    )


def _scheduled(schedule: Schedule) -> ScheduleView:
    return ScheduleView(
        id=schedule.id,
        every=schedule.every,
        request=schedule.request,
        created_at=schedule.created_at,
        next_at=schedule.next_at,
        suspended=schedule.suspended,
        last_job=schedule.last_job or None,
    )


def _started(job: Job, execution_arn: str) -> StartedView:
    message = "The bucket is being listed; GET /jobs/{job_id} shows how far it is"
    if job.status == Status.FAILED:
        message = "This job has failed; POST /jobs/{job_id}/resume goes on with it"
    elif job.status != Status.LISTING:
        message = "The bucket is listed; GET /jobs/{job_id} shows what came of it"
    return StartedView(
        job_id=job.job_id,
        bucket=job.request.bucket,
        prefix=job.request.prefix,
        status=job.status.value,
        execution_arn=execution_arn,
        message=message,
        is_async=True,
    )


def _list_now(job: Job) -> ListedView:
    lister = deployed().lister_within_a_request()
    batch = lister.process_batch(job.job_id)
    if not batch.done:
        lister.stop(job.job_id)
    ended = deployed().completion.finish_if_done(job.job_id) or job
    warning = "No state machine is configured: the bucket was listed within the request, for 20 seconds at most."
    if ended.truncated:
        warning += " Time was up before the end: objects behind the last one listed are not part of this job."
    return ListedView(
        job_id=job.job_id,
        bucket=job.request.bucket,
        prefix=job.request.prefix,
        total_objects=ended.total,
        messages_enqueued=batch.messages,
        status="queued" if ended.status == Status.PROCESSING else ended.status.value,
        truncated=ended.truncated,
        warning=warning,
        is_async=False,
    )
