"""The HTTP routes of the scanner. Field names are those of its first version, with underscores."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from waybill.core.cursors import open_cursor, seal_cursor
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.executions import stable_json
from waybill.core.http import Role, build_api, caller
from waybill.scanning import WORKFLOW
from waybill.scanning.domain.detection.models import Confidence
from waybill.scanning.domain.objects import STATUSES
from waybill.scanning.models import Job, ScanRequest, Status
from waybill.scanning.runtime import deployed
from waybill.scanning.settings import WebhookAddressSettings

app = build_api(WORKFLOW, title="Scanner", roles=[Role.SCANNING])


@app.post("/scan", summary="Scan a bucket", status_code=202)
def start_scan(
    request: ScanRequest,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=256)] = None,
) -> Response[str]:
    """Start a job: 202 when it is listed in the background, 200 when it was listed within the request."""
    _known_names(request)
    if request.webhook_url and not request.webhook_url.startswith("https:"):
        _allowed_webhook()
    jobs = deployed().jobs
    job = jobs.create(request, caller(app).subject, idempotency_key)
    workflow_arn = deployed().workflow_arn
    if not workflow_arn:
        return _json(200, _list_now(job))
    arn = jobs.start(job, deployed().executions, workflow_arn)
    return _json(202, _started(job, arn))


@app.get("/scans", summary="List jobs")
@app.get("/jobs", summary="List jobs")
def list_scans(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> dict[str, Any]:
    """List jobs, newest first."""
    before: Any = open_cursor(cursor, deployed().secret, "scans")["before"] if cursor else None
    jobs, position = deployed().table.jobs.newest(limit, before)
    shown = [
        {
            "job_id": job.job_id,
            "bucket": job.request.bucket,
            "prefix": job.request.prefix,
            "status": job.status.value,
            "created_at": job.created_at,
            "total": job.total,
        }
        for job in jobs
    ]
    return {
        "scans": shown,
        "cursor": seal_cursor({"before": position}, deployed().secret, "scans") if position else None,
    }


@app.get("/jobs/<job_id>", summary="Show a job")
def show_job(
    job_id: str,
    real_time: Annotated[bool, Query(description="Taken for older callers: every answer is as of now")] = True,
) -> dict[str, Any]:
    """Show the status of a job and how far it is."""
    return deployed().jobs.report(job_id) | {"data_source": "live"}


@app.post("/jobs/<job_id>/cancel", summary="Cancel a job")
def cancel_job(job_id: str) -> dict[str, Any]:
    """Cancel a job; 409 when it has ended otherwise."""
    jobs = deployed().jobs
    jobs.cancel(job_id)
    return jobs.report(job_id)


@app.post("/jobs/<job_id>/resume", summary="Go on with a job that has failed", status_code=202)
def resume_job(job_id: str) -> dict[str, Any]:
    """Go on with a job that has failed, from where it was; 409 when it has ended otherwise."""
    jobs = deployed().jobs
    jobs.resume(job_id, deployed().restarter)
    return jobs.report(job_id)


@app.get("/jobs/<job_id>/coverage", summary="What was and was not looked at")
def show_coverage(job_id: str) -> dict[str, Any]:
    """Show objects and bytes by outcome and by reason."""
    return deployed().jobs.coverage(job_id)


@app.get("/jobs/<job_id>/objects", summary="What became of each object")
def show_objects(
    job_id: str,
    status: Annotated[str | None, Query(pattern=f"^({'|'.join(STATUSES)})$", description="Only this status")] = None,
    reason: Annotated[str | None, Query(max_length=100, description="Only what was not read for this reason")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> dict[str, Any]:
    """List the objects of a job in the order of its listing, each with its outcome and what of it was not read."""
    job = deployed().jobs.find(job_id)
    return deployed().objects.page(job, limit, cursor, status, reason)


@app.post("/jobs/<job_id>/export", summary="Export the findings of a job", status_code=202)
def export_findings(job_id: str) -> dict[str, Any]:
    """Write all findings to the bucket of exports as lines of JSON; `export` of the job tells where they are."""
    job = deployed().jobs.find(job_id)
    deployed().export_queue.send(job.job_id, {})
    return {"job_id": job.job_id, "status": "exporting"}


@app.get("/results", summary="Findings of a job")
def show_results(  # noqa: PLR0917 (Powertools passes parameters by name)
    job_id: Annotated[str, Query(min_length=1)],
    bucket: Annotated[str | None, Query(description="Only if it is this bucket's job")] = None,
    key: Annotated[str | None, Query(description="How the object's key begins, to the letter")] = None,
    detector: Annotated[str | None, Query(description="A detector's id")] = None,
    min_confidence: Annotated[str | None, Query(pattern="^(LOW|MEDIUM|HIGH)$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="Where an earlier answer ended")] = None,
) -> dict[str, Any]:
    """Page through findings in a stable order."""
    job = deployed().jobs.find(job_id)
    wanted: dict[str, Any] = {"key": key, "detector": detector}
    wanted["certainty"] = int(Confidence[min_confidence]) if min_confidence else None
    if bucket is not None and bucket != job.request.bucket:
        return {"findings": [], "total": 0, "limit": limit, "has_more": False, "next_cursor": None}
    chosen = {name: value for name, value in wanted.items() if value}
    return deployed().results.page(job, limit, cursor, chosen)


def _started(job: Job, execution_arn: str) -> dict[str, Any]:
    message = "The bucket is being listed; GET /jobs/{job_id} shows how far it is"
    if job.status == Status.FAILED:
        message = "This job has failed; POST /jobs/{job_id}/resume goes on with it"
    elif job.status != Status.LISTING:
        message = "The bucket is listed; GET /jobs/{job_id} shows what came of it"
    return {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "status": job.status.value,
        "execution_arn": execution_arn,
        "message": message,
        "async": True,
    }


def _list_now(job: Job) -> dict[str, Any]:
    lister = deployed().lister_within_a_request()
    batch = lister.process_batch(job.job_id)
    if not batch.done:
        lister.stop(job.job_id)
    ended = deployed().completion.finish_if_done(job.job_id) or job
    warning = "No state machine is configured: the bucket was listed within the request, for 20 seconds at most."
    if ended.truncated:
        warning += " Time was up before the end: objects behind the last one listed are not part of this job."
    return {
        "job_id": job.job_id,
        "bucket": job.request.bucket,
        "prefix": job.request.prefix,
        "total_objects": ended.total,
        "messages_enqueued": batch.messages,
        "status": "queued" if ended.status == Status.PROCESSING else ended.status.value,
        "truncated": ended.truncated,
        "warning": warning,
        "async": False,
    }


def _allowed_webhook() -> None:
    if not deployed().settings(WebhookAddressSettings).scan_webhook_private:
        raise InvalidInputError(FieldError("webhook_url", "must be an https address"))


def _known_names(request: ScanRequest) -> None:
    unknown: list[FieldError] = []
    if request.detectors:
        from waybill.scanning.domain.detection.rules import detectors

        known = {detector.id for detector in detectors()}
        unknown += _unknown("detectors", request.detectors, known, "is not a detector")
    if request.regions:
        from waybill.scanning.domain.detection.validators import regions_known

        unknown += _unknown("regions", request.regions, regions_known(), "is not a region with telephone numbers")
    if unknown:
        raise InvalidInputError(*unknown)


def _unknown(field: str, names: Sequence[str], known: Collection[str], message: str) -> list[FieldError]:
    return [FieldError(f"{field}[{index}]", message) for index, name in enumerate(names) if name not in known]


def _json(status: int, document: dict[str, Any]) -> Response[str]:
    return Response(status, content_type="application/json", body=stable_json(document))
