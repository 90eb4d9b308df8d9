"""The admin's view of all requests."""

from dataclasses import dataclass
from typing import Any

from waybill.subject_access.domain.answers import Answers
from waybill.subject_access.domain.lifecycle import has_waited_long
from waybill.subject_access.domain.paging import page_of
from waybill.subject_access.domain.ports import RequestLists
from waybill.subject_access.models import SubjectRequest


@dataclass(frozen=True)
class AdminFilter:
    """Which requests are shown: by state, by text, by page."""

    completed: bool
    errored: bool
    overdue: bool
    pending: bool
    search: str
    page_number: int | None
    page_size: int | None

    def shows(self, kind: str) -> bool:
        """Return whether requests of this kind are wanted."""
        return {
            "Completed": self.completed,
            "Errored": self.errored,
            "Overdue": self.overdue,
            "Pending": self.pending,
        }[kind]


def admin_view(lists: RequestLists, answers: Answers, wanted: AdminFilter) -> dict[str, Any]:
    """Return the counts over all requests that match the search, and those that the filter shows, by page."""

    def kind(request: SubjectRequest) -> str:
        return "Overdue" if has_waited_long(request, answers.clock.now) else request.status

    found = lists.many(list(lists.newest(wanted.search)))
    kinds = [kind(request) for request in found]
    counts = {
        "totalCount": len(found),
        **{f"{one.lower()}Count": kinds.count(one) for one in ("Completed", "Errored", "Pending", "Overdue")},
    }
    shown = [request for request, one in zip(found, kinds, strict=True) if wanted.shows(one)]
    return answers.admin(page_of(shown, wanted.page_number, wanted.page_size), counts, len(shown))
