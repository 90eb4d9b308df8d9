"""Requests from a queue: results go to another one, lasting failures are recorded and notified, others come back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.bodies import strict_json
from waybill.core.invocations import SqsRecord
from waybill.core.notifications import Notification, Notifier
from waybill.core.text import escaped
from waybill.minting import WORKFLOW
from waybill.minting.domain.answers import MintAnswer, canonical_id_of, note_of
from waybill.minting.models import FailureDocument, MintResponse, NotedIdentifier, QueuedResult

_LISTED_FAILURES = 40
_MAX_WRAPPINGS = 4


class ResultSender(Protocol):
    """The queue of results."""

    def send(self, results: Sequence[QueuedResult], group: str | None) -> None:
        """Send a message per result; raises `ResultsNotSentError`."""
        ...


class FailureRecorder(Protocol):
    """Keeps what a queued request failed of for good."""

    def record_failure(self, message_id: str, record: MintResponse) -> str:
        """Keep the record under the message's id; return its address."""
        ...


@dataclass(frozen=True)
class QueuedRequests:
    """Handles one message at a time; handling one again has the same effects again, and no others."""

    answer: Callable[[object], MintAnswer]
    results: ResultSender
    records: FailureRecorder
    notifier: Notifier

    def handle(self, record: SqsRecord) -> bool:
        """Handle an SQS record; return False when some of its identifiers may succeed on another delivery.

        Raises
        ------
        RetryableError
            The registry, a queue or the topic cannot be reached now.
        PermanentError
            Nothing can be minted until somebody changes something.
        """
        answered = self.answer(payload_of(record.get("body", "")))
        job_id = answered.document.get("jobId")
        results = [_result(text, identifier, job_id) for text, identifier in answered.document["identifiers"].items()]
        self.results.send(results, record.get("attributes", {}).get("MessageGroupId"))
        if answered.retryable:
            return False
        if answered.document["failures"]:
            self._notify(str(record["messageId"]), answered.document)
        return True

    def _notify(self, message_id: str, document: MintResponse) -> None:
        failures = document["failures"]
        address = self.records.record_failure(message_id, document)
        about = escaped(document.get("jobId") or message_id)
        lines = [
            f"❌ {len(failures)} identifiers of a queued request cannot be minted, and will not be tried again",
            "",
            f"Job:     {escaped(document.get('jobId') or 'none given')}",
            f"Message: {message_id}",
            f"Record:  {address}",
            "",
            *(_line(failure) for failure in failures[:_LISTED_FAILURES]),
        ]
        if len(failures) > _LISTED_FAILURES:
            lines.append(f"… and {len(failures) - _LISTED_FAILURES} more, in the record")
        self.notifier.notify(
            Notification(
                workflow=WORKFLOW,
                status="PARTIAL" if document["successes"] else "NONE_SUCCEEDED",
                about=about,
                subject=f"Minting failures: {about}",
                body="\n".join(lines),
                notification_id=message_id,
            )
        )


def payload_of(body: str) -> object:
    """Return the request in a message: JSON, SNS's envelope around it, or the text of one identifier.

    What looks like JSON and is none stays text, which is no request: it must not be minted for good.
    """
    decoded: object = body.removeprefix("\ufeff")
    for _ in range(_MAX_WRAPPINGS):
        if isinstance(decoded, Mapping) and isinstance(decoded.get("Message"), str) and "TopicArn" in decoded:
            decoded = decoded["Message"]
        if not isinstance(decoded, str):
            break
        try:
            inner = strict_json(decoded)
        except (ValueError, RecursionError):
            if decoded.lstrip().startswith(("{", "[", '"')):
                return decoded
            break
        if isinstance(inner, int | float) and not isinstance(inner, bool):
            break
        decoded = inner
    if isinstance(decoded, list):
        return {"sourceIdentifiers": decoded}
    return {"sourceIdentifiers": [decoded]} if isinstance(decoded, str) else decoded


def _result(text: str, identifier: str | NotedIdentifier, job_id: str | None) -> QueuedResult:
    result: QueuedResult = {"sourceIdentifier": text, "canonicalId": canonical_id_of(identifier)}
    if note := note_of(identifier):
        result["note"] = note
    return {**result, "jobId": job_id} if job_id else result


def _line(failure: FailureDocument) -> str:
    reason = failure.get("reason") or failure["error"]
    return escaped(f"{failure['sourceIdentifier'] or '(the request)'}: {failure['code']} ({reason})")
