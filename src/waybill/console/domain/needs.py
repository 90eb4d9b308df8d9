"""What needs somebody: one list over all workflows, the most urgent first. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from waybill.console.domain.format import day_of, days_left, moment
from waybill.core.text import count

type Json = Mapping[str, Any]

_LATE, _SOON, _BROKEN, _DUE, _REST = range(5)
_SOON_DAYS, _DUE_DAYS = 3, 14


@dataclass(frozen=True)
class Need:
    """One thing for somebody; `path` and `query` lead to where it is done. `rank` is its urgency, 0 the most."""

    workflow: str
    what: str
    why: str
    path: str
    query: Mapping[str, str]
    rank: int
    since: datetime | None
    time: str
    note: str = ""

    @property
    def tone(self) -> str:
        """The colour beside it; `rank` and words say the same."""
        return {_LATE: "red", _SOON: "red", _BROKEN: "red", _DUE: "amber"}.get(self.rank, "slate")


def ordered(needs: Iterable[Need]) -> list[Need]:
    """Return them by urgency, of one urgency the oldest first."""
    return sorted(needs, key=lambda need: (need.rank, need.since.timestamp() if need.since else float("inf")))


def of_consignments(consignments: Iterable[Json], now: datetime, *, sends: bool) -> list[Need]:
    """Return what consignments need: of those who send them, or of those who decide on exceptions alone."""
    found = []
    for each in consignments:
        since = moment(each["createdAt"])
        query: dict[str, str] = {}
        path, reference = f"consignments/{each['consignmentId']}", each["reference"]
        match each["status"]:
            case "CompletedWithIssues":
                what, rank = f"{reference}: some files cannot be accepted yet", _REST
                why = "Each file says what to do." if sends else "See which of them you can make an exception for."
            case _ if not sends:
                continue
            case "Failed":
                what, why = f"{reference}: the checks could not be finished", "Look at why, then start them again."
                rank = _BROKEN
            case "Registered":
                what, why = f"{reference}: not all sent, or not checked", "Go on sending, or start the checks."
                rank = _REST
            case _:
                continue
        found.append(Need("Consignment", what, why, path, query, rank, since, ago(since, now)))
    return found


def of_replication(failed: Iterable[Json], now: datetime, cut: bool) -> list[Need]:
    """Return what copies need: those that failed, as one thing."""
    rows = list(failed)
    if not rows:
        return []
    since = min((at for row in rows if (at := moment(row["startTime"]))), default=None)
    number = f"{len(rows)} or more files" if cut else count(len(rows), "file")
    why = "Put the cause right, then copy again. Or say that nobody will."
    return [
        Need("Replication", f"{number} could not be copied", why, "replication", {}, _BROKEN, since, ago(since, now))
    ]


def of_findings(findings: Iterable[Json], now: datetime, cut: bool) -> list[Need]:
    """Return what open findings need, those of high confidence as one thing."""
    high = [each for each in findings if each["confidence"] == "HIGH"]
    if not high:
        return []
    times = [at for each in high for place in each["places"][:1] if (at := moment(place["seen_at"]))]
    since = min(times, default=None)
    number = f"{len(high)} or more open findings" if cut else count(len(high), "open finding")
    kinds = ", ".join(sorted({each["detector"] for each in high})[:4])
    query = {"state": "open"}
    return [
        Need(
            "Findings",
            f"{number} of high confidence",
            f"Decide on each: {kinds}.",
            "findings",
            query,
            _REST,
            since,
            ago(since, now),
        )
    ]


@dataclass(frozen=True)
class Rights:
    """What somebody may do about requests, and the ids of those that are their own."""

    own: frozenset[str]
    works: bool
    approves: bool
    administers: bool


def of_requests(tasks: Iterable[Json], rights: Rights, today: date) -> list[Need]:
    """Return what requests (the API's tasks) need of somebody, by the date that the law sets."""
    found = []
    for each in tasks:
        left = (date.fromisoformat(each["dueDate"]) - today).days
        step = _step(each, rights)
        if step is None and not (rights.works and (each["overdue"] or left <= _DUE_DAYS)):
            continue
        rank = _LATE if each["overdue"] else _SOON if left <= _SOON_DAYS else _DUE if left <= _DUE_DAYS else _REST
        if each["state"] in {"NeedsAttention", "Errored"} and rank > _BROKEN:
            rank = _BROKEN
        what, why = step or ("is on the clock", "Nothing for you to do now: it is being put together.")
        note = f"due {day_of(each['dueDate'])}" + (", which will move: the clock is stopped" if will_move(each) else "")
        reference, since = each["sarCaseReferenceNumber"], moment(each["dueDate"])
        found.append(
            Need(
                "Request", f"{reference} {what}", why, f"requests/{each['id']}", {}, rank, since, days_left(left), note
            )
        )
    return found


def will_move(task: Json) -> bool:
    """Return whether the date of the law moves on, which a report in review may wait for too."""
    return bool(task["provisional"] or task["clockStopped"])


def _step(task: Json, rights: Rights) -> tuple[str, str] | None:
    """Return what somebody can do about a request: None where it is for others, or for nobody yet."""
    match task["state"]:
        case "ReadyForReview" if rights.approves and task["id"] not in rights.own:
            return "waits for approval", "Read the report, then approve exactly that file, if you redacted none of it."
        case "ReadyForReview" if rights.works:
            return "waits for approval", "See that nothing has to be taken out. Then somebody else approves it."
        case "Completed" if rights.works:
            return "is ready to hand over", "Give the report to the person, then say when you did."
        case "NeedsAttention" | "Errored" if rights.administers:
            return "needs attention", "A part failed. Start it again, or issue the report without that part."
        case "NeedsAttention" | "Errored" if rights.works:
            return "needs attention", "A part failed. See which; somebody with the role sar-admin can start it again."
        case "OnHold" | "AwaitingIdentity" if rights.works:
            return "is on hold", "Let the clock run again when what it waits for has come."
    return None


def ago(since: datetime | None, now: datetime) -> str:
    """Return how long something has waited: `for 2 days`."""
    if since is None:
        return ""
    days = (now - since).days
    hours = int((now - since).total_seconds() // 3600)
    return f"for {count(days, 'day') if days else count(hours, 'hour') if hours else 'under an hour'}"
