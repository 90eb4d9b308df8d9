"""What happens to requests as they age: given up after 48 hours, archived after days, deleted after a year."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from waybill.subject_access.domain.audit import SCHEDULE, Action
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, lapsed_before, released
from waybill.subject_access.domain.keys import reports_prefix, uploads_prefix, work_prefix
from waybill.subject_access.domain.ports import Change, Reports, RequestLists, RequestStore
from waybill.subject_access.errors import ContendedError, UnknownRequestError
from waybill.subject_access.models import CLAIMABLE, RESTARTABLE, RequestState, SubjectRequest

EXPIRES_AFTER = timedelta(hours=48)
OVERDUE_AFTER = timedelta(hours=12)
BACKLOG = 100
# How often people are told of a backlog, and of requests that are overdue, while it lasts.
TOLD_OF_WAITING_EVERY = timedelta(minutes=120)
# What was given up on is kept for longer than what was delivered: a person has to decide about it.
_GIVEN_UP_KEPT = timedelta(days=30)


_WAITING_FOR_PEOPLE = ("ERRORED", "ATTENTION", "REVIEW")


def waits_since(request: SubjectRequest) -> datetime:
    """Return since when somebody could have worked on the request: its request time, or the end of its last hold."""
    return max(request.requested_at, request.active_since or request.requested_at)


@dataclass(frozen=True)
class Ages:
    """How long an ended request is kept whole, and how long its archived row."""

    archive_after: timedelta
    delete_after: timedelta


@dataclass(frozen=True)
class Lifecycle:
    """Moves requests on by their age. Every step may be repeated, and is left to the next run when it fails."""

    store: RequestStore
    lists: RequestLists
    reports: Reports
    ages: Ages
    now: Callable[[], datetime]

    def expire(self) -> list[str]:
        """Give up on requests that have waited for more than 48 hours; return their ids."""
        due = self.now() - EXPIRES_AFTER
        return [found for found in list(self.lists.standing("PENDING", due)) if self._moved(found, self._expired)]

    def attend(self) -> list[str]:
        """Hand requests to a person whose last permitted attempt died without a word; return their ids."""
        return [found for found in list(self.lists.standing("PENDING")) if self._moved(found, self._given_up)]

    def archive(self) -> list[str]:
        """Archive requests that ended long enough ago, their reports and parts removed; return their ids.

        The request is archived first, so that nothing of one that was restarted meanwhile is removed; one whose
        clean-up was interrupted stands in a queue of its own until the objects are gone.
        """
        completed = self.lists.standing("COMPLETED", self.now() - self.ages.archive_after)
        given_up = self.now() - _GIVEN_UP_KEPT
        forgotten = (found for queue in _WAITING_FOR_PEOPLE for found in self.lists.standing(queue, given_up))
        ended = [*completed, *forgotten]
        moved = [found for found in ended if self._moved(found, self._archived)]
        unfinished = [found for found in self.lists.standing("ARCHIVING") if found not in set(moved)]
        for found in (*moved, *unfinished):
            self.reports.forget(reports_prefix(found))
            self.reports.forget(work_prefix(found))
            self.reports.forget(uploads_prefix(found))
            self._moved(found, self._emptied)
        return moved

    def delete(self) -> list[str]:
        """Delete requests whose archive is old enough; return their ids. Their audit trails stay."""
        old = self.lists.standing("ARCHIVED", self.now() - self.ages.delete_after)
        return [found for found in list(old) if self._delete(found)]

    def _delete(self, request_id: str) -> bool:
        try:
            self.store.forget(request_id, Action(SCHEDULE, "DELETED", {}))
        except ContendedError:
            return False
        return True

    def _moved(self, request_id: str, decide: Callable[[SubjectRequest], Change | None]) -> bool:
        made: list[Change | None] = []

        def remembered(request: SubjectRequest) -> Change | None:
            made.append(decide(request))
            return made[-1]

        try:
            self.store.change(request_id, remembered)
        except (UnknownRequestError, ContendedError):
            return False
        return made[-1] is not None

    def _expired(self, request: SubjectRequest) -> Change | None:
        if request.state not in CLAIMABLE or self.now() - waits_since(request) <= EXPIRES_AFTER:
            return None
        gone = replace(released(request, RequestState.ERRORED), ended_at=self.now(), error_code="TIMED_OUT")
        return Change(gone, Action(SCHEDULE, "EXPIRED", {"generation": request.generation}))

    def _given_up(self, request: SubjectRequest) -> Change | None:
        spent = request.claim_attempts >= MOST_ATTEMPTS and request.state in CLAIMABLE
        if not spent or (request.claim_expires_at or 0) >= lapsed_before(self.now()):
            return None
        after = replace(released(request, RequestState.NEEDS_ATTENTION), ended_at=self.now(), error_code="WORKER_LOST")
        return Change(after, Action(SCHEDULE, "NEEDS_ATTENTION", {"error": "WORKER_LOST"}))

    def _emptied(self, request: SubjectRequest) -> Change | None:
        if request.state is not RequestState.ARCHIVED or request.objects_removed:
            return None
        return Change(replace(request, objects_removed=True), Action(SCHEDULE, "OBJECTS_REMOVED", {}))

    def _archived(self, request: SubjectRequest) -> Change | None:
        delivered = dict.fromkeys((RequestState.COMPLETED, RequestState.DELIVERED), self.ages.archive_after)
        kept_for = (delivered | dict.fromkeys(RESTARTABLE, _GIVEN_UP_KEPT)).get(request.state)
        # One that was restarted since it was listed may have ended again.
        if kept_for is None or request.ended_at is None or self.now() - request.ended_at < kept_for:
            return None
        kept = replace(
            request,
            state=RequestState.ARCHIVED,
            subject_name=None,
            # Who knows the rest of the request could try names until one has this hash.
            fingerprint="",
            report_key=None,
            claim_token=None,
        )
        return Change(kept, Action(SCHEDULE, "ARCHIVED", {}))
