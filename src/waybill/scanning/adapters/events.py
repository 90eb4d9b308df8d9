"""The end of a job on EventBridge, and on the failure topic when it did not go well."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.errors import NotificationUnavailableError
from waybill.core.executions import stable_json
from waybill.core.notifications import Notification, Notifier
from waybill.scanning import WORKFLOW
from waybill.scanning.models import Job, Status, Tally

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_TROUBLED = frozenset({Status.FAILED, Status.COMPLETED_WITH_ERRORS})


class EventAnnouncer:
    """`Announcer` on the default bus, which is every `stack`'s; `notifier` tells people of jobs with trouble."""

    def __init__(self, client: "EventBridgeClient", notifier: Notifier, stack: str) -> None:
        self._client = client
        self._notifier = notifier
        self._stack = stack

    def announce(self, job: Job, tally: Tally) -> None:
        """Send `ScanCompleted`, whose `eventId` is the same however often it is sent.

        Raises
        ------
        NotificationUnavailableError
            EventBridge or SNS could not take it now.
        """
        detail = {
            "eventId": job.event_id,
            "stack": self._stack,
            "job_id": job.job_id,
            "bucket": job.request.bucket,
            "prefix": job.request.prefix,
            "status": job.status.value,
            "truncated": job.truncated,
            "total": job.total,
            "succeeded": tally.succeeded,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "total_findings": tally.findings,
            "triaged": dict(tally.triaged),
            # What the rules that pass it on ask for: see the template.
            "wants": {"webhook": bool(job.request.webhook_url), "export": job.request.export},
        }
        event: PutEventsRequestEntryTypeDef = {
            "Source": "waybill.scanning",
            "DetailType": "ScanCompleted",
            "Detail": stable_json(detail),
        }
        try:
            answer = self._client.put_events(Entries=[event])
        except (ClientError, BotoCoreError) as error:
            raise NotificationUnavailableError(type(error).__name__) from error
        if answer.get("FailedEntryCount"):
            raise NotificationUnavailableError("EventBridge refused the event")
        if job.status in _TROUBLED:
            self._notifier.notify(_notification(job, tally))


def _notification(job: Job, tally: Tally) -> Notification:
    lines = [
        f"❌ The scan of s3://{job.request.bucket} ended as {job.status.value}.",
        "",
        f"Job:      {job.job_id}",
        f"Objects:  {job.total} listed, {tally.succeeded} scanned, {tally.skipped} skipped, {tally.failed} failed",
        f"Findings: {tally.findings}",
        *([f"Error:    {job.error}"] if job.error else []),
        *(f"{reason}: {count}" for reason, count in sorted(tally.reasons.items())),
        "",
        f"🔎 waybill scans show {job.job_id}",
    ]
    return Notification(
        workflow=WORKFLOW,
        status=job.status.value.upper(),
        about=job.job_id,
        subject=f"Scan {job.status.value}: {job.request.bucket}",
        body="\n".join(lines),
        notification_id=job.event_id,
    )
