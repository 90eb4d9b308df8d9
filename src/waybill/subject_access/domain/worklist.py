"""What needs somebody, and how much of it there is: states, days and counts, and nothing about the person.

Whoever shows them again and again leaves no entry in a trail for it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import Field

from waybill.subject_access.domain.bodies import Body
from waybill.subject_access.domain.deadlines import LegalClock
from waybill.subject_access.domain.lifecycle import OPEN_QUEUES
from waybill.subject_access.domain.ports import RequestLists
from waybill.subject_access.models import RequestState, SubjectRequest

# For whom or what a request waits, whose clock has not ended.
_WAITS_FOR: Final[Mapping[RequestState, str]] = {
    RequestState.PENDING: "worker",
    RequestState.IN_PROGRESS: "worker",
    RequestState.AWAITING_IDENTITY: "proof of identity",
    RequestState.ON_HOLD: "answer",
    RequestState.NEEDS_ATTENTION: "decision",
    RequestState.READY_FOR_REVIEW: "approval",
    RequestState.COMPLETED: "delivery",
    RequestState.ERRORED: "restart",
}
# What a person can do something about: the others wait for a worker, or for who asked.
_OF_PEOPLE: Final = frozenset(("decision", "approval", "delivery", "restart"))


class RequestSearch(Body):
    """What requests are looked for by."""

    text: str = Field(
        default="",
        max_length=100,
        description="Part of a name, of a case reference or of a number",
        examples=["SAR-2026"],
    )
    page_number: int | None = Field(default=None, ge=0, description="Which page, counted from 0", examples=[0])
    page_size: int | None = Field(
        default=None, ge=1, le=1000, description="How many requests a page has", examples=[50]
    )


@dataclass(frozen=True)
class Wanted:
    """Which tasks are shown: in a state, due before a day, made by somebody, and behind which of the last answer."""

    state: RequestState | None = None
    due_before: date | None = None
    made_by: str | None = None
    after: tuple[str, str] | None = None


def waits_for(request: SubjectRequest) -> str | None:
    """Return what a request waits for; None where its clock has ended."""
    found = _WAITS_FOR.get(request.state)
    if request.state is RequestState.ON_HOLD and request.waits:
        return request.waits[-1].reason.value
    return found


def tasks(
    lists: RequestLists, clock: LegalClock, wanted: Wanted, limit: int
) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:
    """Return the tasks of one page, the first one due first, and behind which the next page begins."""
    found = sorted(_tasks(_open(lists), clock, wanted), key=_place)
    behind = [one for one in found if wanted.after is None or _place(one) > wanted.after]
    page = behind[:limit]
    return page, _place(page[-1]) if len(behind) > limit else None


def _open(lists: RequestLists) -> Sequence[SubjectRequest]:
    # What moves on while the queues are read stands in two of them.
    queued = dict.fromkeys(found for queue in OPEN_QUEUES for found in lists.queued(queue))
    return lists.many(list(queued))


def _place(task: Mapping[str, Any]) -> tuple[str, str]:
    return task["dueDate"], task["id"]


def _tasks(requests: Sequence[SubjectRequest], clock: LegalClock, wanted: Wanted) -> Iterator[dict[str, Any]]:
    for request in requests:
        due = clock.deadline(request)
        if request.law_ended_on is not None or (wanted.state and request.state is not wanted.state):
            continue
        if (wanted.due_before and due.due >= wanted.due_before) or wanted.made_by not in (None, request.requested_by):
            continue
        yield {
            "id": request.request_id,
            "sarCaseReferenceNumber": request.sar_case_reference_number,
            "state": request.state.value,
            "waitsFor": waits_for(request),
            "needsSomebody": waits_for(request) in _OF_PEOPLE,
            "dueDate": due.due.isoformat(),
            "provisional": due.provisional,
            "clockStopped": bool(request.waits),
            "overdue": clock.is_past_due(request),
            "dueSoon": clock.is_due_soon(request),
        }


def statistics(lists: RequestLists, clock: LegalClock) -> dict[str, Any]:
    """Count the requests whose clock has not ended: by state, by what they wait for, by law."""
    found = [request for request in _open(lists) if request.law_ended_on is None]
    return {
        "open": len(found),
        "byState": dict(sorted(Counter(request.state.value for request in found).items())),
        "waitsFor": dict(sorted(Counter(str(waits_for(request)) for request in found).items())),
        "overdue": sum(map(clock.is_past_due, found)),
        "dueSoon": sum(map(clock.is_due_soon, found)),
    }


def progress(request: SubjectRequest, clock: LegalClock) -> dict[str, Any]:
    """Return how far a request is."""
    parts = sorted(request.services.items(), key=lambda item: item[1].rank)
    return {
        "id": request.request_id,
        "state": request.state.value,
        "waitsFor": waits_for(request),
        "dueDate": clock.deadline(request).due.isoformat(),
        "overdue": clock.is_past_due(request),
        "dueSoon": clock.is_due_soon(request),
        "pages": request.pages,
        "services": [{"serviceName": name, "renderStatus": part.status.value} for name, part in parts],
    }
