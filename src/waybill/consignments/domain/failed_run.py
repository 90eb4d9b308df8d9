"""A run that broke: recorded on its consignment, and told."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.consignments.domain.notifications import process_failed
from waybill.consignments.domain.ports import RunRecords
from waybill.consignments.domain.requests import consignment_id_of
from waybill.consignments.domain.states import FailedRun, FailureReason, RecordedFailure, run_of
from waybill.core.errors import InvalidInputError
from waybill.core.notifications import Notification, Notifier

if TYPE_CHECKING:
    from waybill.consignments.models import RunFailure

_CAUSE_LIMIT = 4000


def reason_of(error: Mapping[str, object]) -> FailureReason:
    """Return what Step Functions caught: a function's exception comes as JSON in the cause."""
    name, cause = str(error.get("Error", "unknown")), str(error.get("Cause", ""))
    try:
        raised = json.loads(cause)
    except ValueError:
        raised = None
    if isinstance(raised, Mapping) and "errorMessage" in raised:
        cause = str(raised["errorMessage"])
    return {"error": name, "cause": cause[:_CAUSE_LIMIT]}


@dataclass(frozen=True)
class RunFailureRecorder:
    """Sets `ClientChecks = Failed` and tells people; neither keeps the other from being done."""

    records: RunRecords
    notifier: Notifier
    stage: str
    log: Callable[[str], None]

    def record(self, event: FailedRun) -> RecordedFailure:
        """Record the failure as far as it can be recorded, and tell people."""
        reason = reason_of(event["error"])
        failure: RunFailure = {"step": event["step"], "executionName": event["executionName"], **reason}
        recorded = False
        try:
            consignment_id = consignment_id_of(event["consignmentId"])
            recorded = self.records.fail(consignment_id, run_of(event), failure)
        except InvalidInputError:
            consignment_id = str(event["consignmentId"])[:100]
        notification = process_failed(
            consignment_id, event["step"], reason["error"], event["executionName"], self.stage
        )
        return {
            "consignmentId": consignment_id,
            "backEndChecksProcess": event["step"],
            **reason,
            "recorded": recorded,
            "notified": self._tell(notification),
        }

    def _tell(self, notification: Notification) -> bool:
        try:
            self.notifier.notify(notification)
        except Exception:  # whatever keeps it from being told: the net below the workflows tells, then
            self.log("the failure could not be told")
            return False
        return True
