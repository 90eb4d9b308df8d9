"""Deliveries of the end of a job to the address that its request names: signed, at least once, in about 24 hours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from waybill.core.clock import iso
from waybill.core.executions import stable_json
from waybill.scanning.domain.signatures import EVENT_HEADER, SIGNATURE_HEADER, sign, standard_headers
from waybill.scanning.errors import WebhookRefusedError, WebhookUnavailableError
from waybill.scanning.models import Job

WAITS_SECONDS = (60, 900, 40_200, 42_000)
"""How long after each attempt the next one comes: five attempts in 23 hours.

SQS hides a message for 12 hours at most, and counts them from when it was received.
"""


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def save_webhook(self, job_id: str, delivery: Mapping[str, Any]) -> None: ...


class Poster(Protocol):
    """Sends requests out of Waybill."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer.

        Raises
        ------
        WebhookRefusedError
            Nothing is sent there.
        WebhookUnavailableError
            There is no answer.
        """
        ...


@dataclass(frozen=True)
class DeliveryAttempt:
    """How an attempt ended: `again` that it is not over, `wait` seconds until the next attempt.

    Without a `wait`, all attempts are made, and the message is for a person.
    """

    delivered: bool
    again: bool = False
    wait: int | None = None


@dataclass(frozen=True)
class Webhooks:
    """Delivers; `secret` signs."""

    jobs: _Jobs
    poster: Poster
    secret: Callable[[], bytes]
    now: Callable[[], datetime]

    def deliver(self, event: Mapping[str, Any], attempt: int) -> DeliveryAttempt:
        """Make one attempt, the `attempt`th, to deliver `event` (what EventBridge has), and record how it ended.

        An event that was delivered is not sent again, nor one of an end which the job has been resumed from. A crash
        behind the receiver's answer lets it be sent twice, under the same event id.
        """
        job = self.jobs.get(str(event["job_id"]))
        if job is None or not job.request.webhook_url or event["eventId"] != job.event_id:
            return DeliveryAttempt(delivered=True)
        if job.webhook.get("status") == "delivered" and job.webhook.get("event_id") == job.event_id:
            return DeliveryAttempt(delivered=True)
        body = stable_json(event).encode()
        moment = self.now()
        event_id, at, secret = str(event["eventId"]), int(moment.timestamp()), self.secret()
        headers = {
            "Content-Type": "application/json",
            EVENT_HEADER: event_id,
            SIGNATURE_HEADER: sign(secret, body, at),
            **standard_headers(secret, event_id, body, at),
        }
        delivery: dict[str, Any] = {"event_id": job.event_id, "attempts": attempt, "last_attempt_at": iso(moment)}
        try:
            status = self.poster.post(job.request.webhook_url, body, headers)
        except WebhookUnavailableError as error:
            delivery |= {"error": str(error)}
        except WebhookRefusedError as error:
            self.jobs.save_webhook(job.job_id, {**delivery, "status": "refused", "error": str(error)})
            return DeliveryAttempt(delivered=False)
        else:
            delivery |= {"http_status": status}
            if 200 <= status < 300:
                self.jobs.save_webhook(job.job_id, {**delivery, "status": "delivered"})
                return DeliveryAttempt(delivered=True)
        wait = WAITS_SECONDS[attempt - 1] if attempt <= len(WAITS_SECONDS) else None
        self.jobs.save_webhook(job.job_id, {**delivery, "status": "failed" if wait is None else "retrying"})
        return DeliveryAttempt(delivered=False, again=True, wait=wait)
