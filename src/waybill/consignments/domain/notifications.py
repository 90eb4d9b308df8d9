"""What people are told of a consignment: the events that TDR's notifications have (README, "Notifications").

Each notification is text for people, and ends with one line of JSON that has the fields of TDR's.
"""

import json
from collections.abc import Mapping
from typing import Any

from waybill.consignments import WORKFLOW
from waybill.consignments.domain.ports import Reader
from waybill.consignments.domain.statuses import VIRUS_DETECTED
from waybill.consignments.models import Consignment, ConsignmentStatus, StatusName
from waybill.core.notifications import Notification

_CAUSE_LENGTH = 50
UNKNOWN_BODY = "Unknown"
PROBLEMS, PROBLEMS_IN_REHEARSAL = "PROBLEMS", "PROBLEMS_IN_REHEARSAL"
_MALWARE = f"{StatusName.ANTIVIRUS} {VIRUS_DETECTED}"
_NO_CAUSE = "no result came back"
_SEE_EXECUTION = "See step function execution for details"


def notifications_of(
    consignment: Consignment,
    reader: Reader,
    statuses: Mapping[str, str],
    problems: Mapping[str, int],
    incomplete: int,
    stage: str,
) -> list[Notification]:
    """Return what people are told when the results of a run are written; nothing when all is well."""
    notifications = []
    if incomplete:
        errors = reader.group_errors(consignment)
        notifications.append(file_checks_failed(consignment, incomplete, errors[0] if errors else _NO_CAUSE, stage))
    if any(value != ConsignmentStatus.COMPLETED for value in statuses.values()):
        notifications.append(problems_found(consignment, statuses, problems, stage))
    return notifications


def shortened(cause: str) -> str:
    """Return `cause` cut to 50 characters, the last three of them full stops."""
    return cause if len(cause) <= _CAUSE_LENGTH else f"{cause[: _CAUSE_LENGTH - 3]}..."


def problems_found(
    consignment: Consignment, statuses: Mapping[str, str], counts: Mapping[str, int], stage: str
) -> Notification:
    """Return the notifications that the checks of a consignment found problems; `counts` are files by problem."""
    document = {
        "consignmentType": consignment.type.value,
        "consignmentReference": consignment.reference,
        "consignmentId": consignment.consignment_id,
        "transferringBodyName": consignment.transferring_body or UNKNOWN_BODY,
        "userId": consignment.user_id,
        "environment": stage,
        "resolutionPath": f"/consignments/{consignment.consignment_id}/files",
        "statuses": dict(statuses),
        "counts": dict(counts),
    }
    lines = [
        f"The checks of consignment {consignment.reference} found problems.",
        "",
        f"Body:        {document['transferringBodyName']}",
        f"Type:        {consignment.type}",
        f"Consignment: {consignment.consignment_id}",
        "",
        *(f"{name}: {value}" for name, value in statuses.items()),
        "",
        *(f"{number} {'file' if number == 1 else 'files'}: {what}" for what, number in counts.items()),
    ]
    # Malware is always told: who has sent it does not decide that it goes unheard.
    quiet = consignment.rehearsal and not counts.get(_MALWARE)
    status = PROBLEMS_IN_REHEARSAL if quiet else PROBLEMS
    return _notification(consignment, status, f"Checks found problems: {consignment.reference}", lines, document)


def file_checks_failed(consignment: Consignment, files: int, cause: str, stage: str) -> Notification:
    """Return the notifications that `files` files could not be checked, through no fault of their own."""
    document = {
        "consignmentId": consignment.consignment_id,
        "error": "The file checks lambda has failed",
        "cause": shortened(cause),
        "environment": stage,
        "files": files,
    }
    lines = [
        f"{files} files of consignment {consignment.reference} could not be checked; their statuses are Failed.",
        "",
        f"Consignment: {consignment.consignment_id}",
        f"Cause:       {document['cause']}",
    ]
    return _notification(consignment, "CHECK_FAILED", f"Files not checked: {consignment.reference}", lines, document)


def process_failed(consignment_id: str, step: str, error: str, execution_name: str, stage: str) -> Notification:
    """Return the notifications that the checks of a consignment broke at `step`."""
    document = {
        "consignmentId": consignment_id,
        "environment": stage,
        "failureCause": _SEE_EXECUTION,
        "backEndChecksProcess": step,
    }
    lines = [
        f"❌ The checks of a consignment broke at the step {step!r}.",
        "",
        f"Consignment: {consignment_id}",
        f"Execution:   {execution_name}",
        f"Error:       {shortened(error)}",
    ]
    return Notification(
        workflow=WORKFLOW,
        status=ConsignmentStatus.FAILED.upper(),
        about=consignment_id,
        subject=f"Checks broke at {step}: {consignment_id}",
        body=_body(lines, document),
        notification_id=f"{execution_name}-failed",
    )


def _notification(
    consignment: Consignment, status: str, subject: str, lines: list[str], document: Mapping[str, Any]
) -> Notification:
    return Notification(
        workflow=WORKFLOW,
        status=status,
        about=consignment.consignment_id,
        subject=subject,
        body=_body(lines, document),
        notification_id=f"{consignment.execution_name}-{status.lower()}",
    )


def _body(lines: list[str], document: Mapping[str, Any]) -> str:
    return "\n".join([*lines, "", json.dumps(document, ensure_ascii=False)])
