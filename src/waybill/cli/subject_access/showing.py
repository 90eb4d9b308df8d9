"""A request as a person reads it."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group

from waybill.cli.output import details, table
from waybill.core.text import count


def readable(told: dict[str, Any]) -> Group:
    """Return a request, as the API tells it, with its parts."""
    facts = {
        "Id": told["id"],
        "Reference": told["sarCaseReferenceNumber"],
        "Person": " · ".join(filter(None, (told["subjectName"], told["nomisId"], told["ndeliusCaseReferenceId"]))),
        "Asked for by": told["requesterName"],
        "Related": ", ".join(told.get("related", ())) or None,
        "State": told["state"],
        "Approved by": told["approvedBy"],
        "Range": f"{told['dateFrom'] or 'start of record'} to {told['dateTo']}",
        "Received": f"{told['receivedDate']}, {told['regime']}",
        "Due": _due(told),
        "Extended": f"on {told['extendedDate']}" if told["extended"] else None,
        "Waits for": ", ".join(_waits(told)) or None,
        "Ended": _ended(told),
        "Attempts": told["claimAttempts"],
        "Error": told["errorCode"],
        "Pages": told["pages"],
    }
    services: Sequence[dict[str, Any]] = told["services"]
    rows = [(each["serviceName"], each["renderStatus"], each["errorCode"], _not_in_it(each)) for each in services]
    present = {name: value for name, value in facts.items() if value is not None}
    return Group(details(present), "", table(("Service", "State", "Error", "Not in the report"), rows))


def _not_in_it(part: dict[str, Any]) -> str | None:
    named = "\n".join(f"{one['number']} {one['name']}: {one['reason']}" for one in part["withheldAttachments"])
    more = part["withheldCount"] - len(part["withheldAttachments"])
    return f"{named}\nand {more} more" if more > 0 else named or None


def _due(told: dict[str, Any]) -> str:
    if told["provisional"]:
        return f"{told['dueDate']} if what is waited for came today"
    if told["endedDate"]:
        return f"{told['dueDate']}, {count(told['daysLate'], 'day')} late" if told["overdue"] else told["dueDate"]
    left = f"{told['dueDate']} ({_time_left(told['daysLeft'])})"
    # Days of clarification do not count (UK GDPR, Article 12A(5)): nobody is to plan by a day that moves.
    return f"{left}, a day later with each day that clarification is waited for" if _waits(told) else left


def _time_left(days: int) -> str:
    if days < 0:
        return f"OVERDUE by {count(-days, 'day')}"
    return f"{count(days, 'day')} left" if days else "today is the last day"


def _waits(told: dict[str, Any]) -> list[str]:
    return [hold["reason"] for hold in told["holds"] if not hold["until"]]


def _ended(told: dict[str, Any]) -> str | None:
    if not told["endedDate"]:
        return None
    ground = f", {told['refusalGround']}" if told["refusalGround"] else ""
    return f"{told['endedDate']}{ground}"
