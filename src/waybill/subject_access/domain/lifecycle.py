"""What happens to requests as they age: given up after 48 hours, archived days after their end, deleted after a year.

Nothing is removed while the clock of the law runs, stands still, or has run out without an end: what lies in the bucket
is needed until the person has the report, was refused, or does not want it any more (UK GDPR Article 5(1)(e)).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from waybill.subject_access.domain.audit import SCHEDULE, Action
from waybill.subject_access.domain.claims import MOST_ATTEMPTS, lapsed_before, released
from waybill.subject_access.domain.keys import generation_of, reports_prefix, uploads_prefix, work_prefix
from waybill.subject_access.domain.ports import Change, Reports, RequestLists, RequestStore
from waybill.subject_access.errors import ContendedError, UnknownRequestError
from waybill.subject_access.models import CLAIMABLE, ENDED, RequestState, SubjectRequest

if TYPE_CHECKING:
    from pydantic import JsonValue

EXPIRES_AFTER = timedelta(hours=48)
LONG_WAIT = timedelta(hours=12)
BACKLOG = 100
# How often people are told of a backlog, and of requests that have waited for long, while it lasts.
TOLD_OF_WAITING_EVERY = timedelta(minutes=120)
# The queues of all requests whose clock has not ended.
OPEN_QUEUES = ("PENDING", "HELD", "ATTENTION", "REVIEW", "COMPLETED", "ERRORED")


def waits_since(request: SubjectRequest) -> datetime:
    """Return since when somebody could have worked on the request: its request time, or the end of its last hold."""
    return max(request.requested_at, request.active_since or request.requested_at)


def has_waited_long(request: SubjectRequest, now: datetime) -> bool:
    """Return whether a request has been waiting to be fulfilled for more than 12 hours; the law knows nothing of it."""
    return request.state in CLAIMABLE and now - waits_since(request) > LONG_WAIT


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
        return [found for found in list(self.lists.queued("PENDING", due)) if self._moved(found, self._expired)]

    def attend(self) -> list[str]:
        """Hand requests to a person whose last permitted attempt died without a word; return their ids."""
        return [found for found in list(self.lists.queued("PENDING")) if self._moved(found, self._given_up)]

    def archive(self) -> list[str]:
        """Archive requests whose clock ended long enough ago, their reports and parts removed; return their ids.

        The request is archived first, so that nothing of one that was restarted meanwhile is removed; one whose
        clean-up was interrupted stands in a queue of its own until the objects are gone.
        """
        ended = list(self.lists.queued("ENDED", self.now() - self.ages.archive_after))
        moved = [found for found in ended if self._moved(found, self._archived)]
        unfinished = [found for found in self.lists.queued("ARCHIVING") if found not in set(moved)]
        for found in (*moved, *unfinished):
            removed = 0
            for prefix in (reports_prefix(found), work_prefix(found), uploads_prefix(found)):
                self.reports.tag_archived(prefix)
                removed += self.reports.forget(prefix)
            self._moved(found, partial(_emptied, removed=removed, interrupted=found not in moved))
        return moved

    def delete(self) -> list[str]:
        """Delete requests whose archive is old enough; return their ids. Their audit trails stay."""
        old = self.lists.queued("ARCHIVED", self.now() - self.ages.delete_after)
        return [found for found in list(old) if self._delete(found)]

    def _delete(self, request_id: str) -> bool:
        try:
            self.store.forget(request_id, Action(SCHEDULE, "DELETED", {}))
        except ContendedError:
            return False
        return True

    def _moved(self, request_id: str, decide: Callable[[SubjectRequest], Change | None]) -> bool:
        try:
            return self.store.change(request_id, decide).change is not None
        except (UnknownRequestError, ContendedError):
            return False

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

    def _archived(self, request: SubjectRequest) -> Change | None:
        # One whose end was taken back since it was listed may have ended again.
        ended = request.state in ENDED and request.law_ended_at is not None
        if not ended or request.law_ended_at is None or self.now() - request.law_ended_at < self.ages.archive_after:
            return None
        kept = replace(
            request,
            state=RequestState.ARCHIVED,
            subject_name=None,
            requester_name=None,
            requester_authority=None,
            # Who knows the rest of the request could try names until one has this hash.
            fingerprint="",
            seal_salt="",
            # Until it is removed: which report that was is recorded then.
            report_key=request.report.key if request.report else None,
            subject_copy=None,
            package=None,
            services={name: replace(part, withheld=()) for name, part in request.services.items()},
            claim_token=None,
            end_reason=None,
            end_salt=None,
            correction_salt=None,
            state_before=None,
            holds=tuple(replace(hold, note=None) for hold in request.holds),
        )
        detail = {"after": request.state.value, "days": self.ages.archive_after.days}
        return Change(kept, Action(SCHEDULE, "ARCHIVED", detail))


def _emptied(request: SubjectRequest, *, removed: int, interrupted: bool) -> Change | None:
    """Return the end of a clean-up: how many objects it has `removed`, and which report was among them.

    What an earlier clean-up removed that was `interrupted` nobody has counted.
    """
    if request.state is not RequestState.ARCHIVED or request.objects_removed:
        return None
    detail: dict[str, JsonValue] = {"objects": removed}
    if interrupted:
        detail["interrupted"] = True
    if request.report_key is not None:
        detail |= {
            "generation": generation_of(request.report_key),
            "bytes": request.report_bytes,
            "sha256": request.report_sha256,
        }
    gone = replace(request, objects_removed=True, report_key=None)
    return Change(gone, Action(SCHEDULE, "OBJECTS_REMOVED", detail))
