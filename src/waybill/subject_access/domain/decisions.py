"""What people decide about a request while it runs: extend, restart, issue without a part."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from secrets import token_hex

from pydantic import Field, StrictBool

from waybill.core.errors import FieldError, InvalidInputError
from waybill.subject_access.domain.audit import Action, sealed
from waybill.subject_access.domain.bodies import Body, day_of, reason_of
from waybill.subject_access.domain.claims import opened_again, released, without_report
from waybill.subject_access.domain.deadlines import deadline, london_day
from waybill.subject_access.domain.endings import ReportCheck
from waybill.subject_access.domain.ports import Catalogue, Change, Reports, RequestLists, RequestStore
from waybill.subject_access.domain.redacting import drawn_again
from waybill.subject_access.errors import ReportDamagedError, RulesChangedError, WrongStateError
from waybill.subject_access.models import (
    ENDED,
    FINISHED,
    RESTARTABLE,
    Gap,
    Part,
    PartStatus,
    RequestState,
    SubjectRequest,
)

_OVER = ENDED | {RequestState.ARCHIVED}
# What a restart does not ask for again.
_KEPT = FINISHED | {PartStatus.FETCHED}


class Extension(Body):
    """That the person was told of two further months; or that this was a mistake."""

    reason: str | None = Field(
        default=None, description="Why, in one line; needed unless it is undone", examples=["Records of many services"]
    )
    on: str | None = Field(
        default=None,
        description="The day on which the person was told, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    undo: StrictBool = Field(default=False, description="Takes the notice back, which was a mistake")


class Without(Body):
    """Which part the report goes without, and why."""

    service: str = Field(description="The service whose part is missing", examples=["keyworker-api"])
    reason: str = Field(description="Why, in one line, as the report says it", examples=["The service was closed down"])


@dataclass(frozen=True)
class Decisions:
    """Decisions of the people who look after requests; each is one write with its audit entry."""

    store: RequestStore
    lists: RequestLists
    reports: Reports
    catalogue: Catalogue
    now: Callable[[], datetime]

    def restart(self, request_id: str, by: str, *, fresh: bool) -> SubjectRequest:
        """Make a request that was given up on `Pending` again, as of now; finished parts are kept unless `fresh`.

        So is a report undone that a reviewer does not let pass: its parts are drawn again.

        So is one that is completed, where its report is not in the bucket any more, is not what was completed, or is
        older than a rule of redaction.

        Raises
        ------
        WrongStateError
            It was not given up on.
        """
        now, parts = self.now(), self.store.parts(request_id)

        def decide(request: SubjectRequest) -> Change:
            if request.state not in RESTARTABLE and not self._has_lost_its_report(request):
                raise WrongStateError(f"is {request.status}, and only what is Errored can be restarted")
            after = replace(opened_again(without_report(request)), requested_at=now, claimed_at=None)
            again = list(_again(parts, fresh=fresh, redraw=request.report is not None))
            return Change(after, Action(by, "RESTARTED", {"fresh": fresh}), again)

        return self.store.change(request_id, decide).request

    def _has_lost_its_report(self, request: SubjectRequest) -> bool:
        if request.state is not RequestState.COMPLETED or request.report is None:
            return False
        try:
            ReportCheck(self.store, self.reports, self.catalogue).report_of(request)
        except (ReportDamagedError, RulesChangedError):
            return True
        return False

    def extend(self, request_id: str, by: str, extension: Extension) -> SubjectRequest:
        """Take the two further months for complex or numerous requests, of which the person was told with this reason.

        UK GDPR Article 12A(4), Data Protection Act 2018, section 54(3B): the person is told within the first month.

        Raises
        ------
        WrongStateError
            It has ended, was extended before, or the month in which the person could be told is over.
        InvalidInputError
            There is no reason, or the day is in the future or before the receipt.
        """
        if extension.undo:
            return self._extension_undone(request_id, by)
        said, salt, today = reason_of(extension.reason), token_hex(), london_day(self.now())
        on = day_of("on", extension.on, today, today)

        def decide(request: SubjectRequest) -> Change:
            if request.extended or request.state in _OVER:
                raise WrongStateError("was extended before, or has ended")
            if on < request.received:
                raise InvalidInputError(FieldError("on", "must not be before the request was received"))
            last = self._notice_by(request, today)
            if on > last:
                raise WrongStateError(f"could be extended until {last.isoformat()}, the end of the first month")
            after = replace(request, extended=True, extended_on=on, extension_reason=said, extension_salt=salt)
            detail = {"on": on.isoformat(), "reasonSha256": sealed(said, salt)}
            return Change(after, Action(by, "EXTENDED", detail))

        return self.store.change(request_id, decide).request

    def _extension_undone(self, request_id: str, by: str) -> SubjectRequest:
        def decide(request: SubjectRequest) -> Change:
            if not request.extended or request.state in _OVER:
                raise WrongStateError("is not extended, or has ended")
            after = replace(request, extended=False, extended_on=None, extension_reason=None, extension_salt=None)
            return Change(after, Action(by, "EXTENSION_UNDONE", {}))

        return self.store.change(request_id, decide).request

    def _notice_by(self, request: SubjectRequest, today: date) -> date:
        # No working day matters to this limit, so no calendar of holidays is needed for it.
        found = deadline(request.received, request.regime, request.holds, extended=False, bank_holidays=(), today=today)
        return found.notice_by

    def issue_without(self, request_id: str, by: str, service: str, reason: str) -> SubjectRequest:
        """Accept that a part is missing; the report says so, and why. The request may be claimed at once.

        Raises
        ------
        WrongStateError
            The request has ended, or the part is there.
        InvalidInputError
            The service is not part of the request, or there is no reason.
        """
        said, now, salt = reason_of(reason), self.now(), token_hex()

        def decide(request: SubjectRequest) -> Change:
            part = request.services.get(service)
            if part is None:
                raise InvalidInputError(FieldError("service", "is not part of this request"))
            if part.finished:
                raise WrongStateError("has answered: its part is in the report", field="service")
            if request.state in _OVER | {RequestState.COMPLETED, RequestState.ERRORED, RequestState.READY_FOR_REVIEW}:
                raise WrongStateError(f"is {request.status}")
            gaps = {**request.accepted_gaps, service: Gap(said, by, now, salt)}
            after = replace(request, accepted_gaps=gaps)
            if request.state is RequestState.NEEDS_ATTENTION:
                after = replace(
                    released(after, RequestState.PENDING), claim_attempts=0, ended_at=None, attention_told=False
                )
            elif request.state is RequestState.PENDING:
                after = replace(after, claim_expires_at=None)
            detail = {"service": service, "reasonSha256": sealed(said, salt)}
            return Change(after, Action(by, "ISSUE_WITHOUT", detail))

        return self.store.change(request_id, decide).request

    def resumed(self, service: str, by: str) -> int:
        """Set the requests free that wait for a suspended service; return how many."""
        freed = 0

        def decide(request: SubjectRequest) -> Change | None:
            part = request.services.get(service)
            waits = request.state is RequestState.PENDING and request.claim_expires_at is not None
            if not waits or part is None or part.status is not PartStatus.SUSPENDED:
                return None
            after = replace(request, claim_expires_at=None)
            return Change(after, Action(by, "SERVICE_RESUMED", {"service": service}))

        for request_id in list(self.lists.queued("PENDING")):
            before = self.store.request(request_id)
            if before is not None and decide(before) is not None:
                self.store.change(request_id, decide)
                freed += 1
        return freed


def _again(parts: Sequence[Part], *, fresh: bool, redraw: bool) -> Iterator[Part]:
    """Yield the parts that change: those that are asked for again, and those that are drawn again."""
    for part in parts:
        if fresh or part.render_status not in _KEPT:
            yield _unasked(part)
        elif redraw and part.render_status is PartStatus.COMPLETE:
            yield drawn_again(part)


def _unasked(part: Part) -> Part:
    return Part(part.service, part.label, part.rank, part.category)
