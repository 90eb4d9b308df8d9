"""How the duty to answer ends: the person has the report, was refused, or does not want it any more.

UK GDPR Articles 12(3) to 12(5) and 12A; Data Protection Act 2018, sections 45, 53 and 54: the clock stops when the copy
was *given*, not when it was made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictBool

from waybill.core.errors import FieldError, InvalidInputError
from waybill.subject_access.domain.audit import Action, sealed
from waybill.subject_access.domain.bodies import Body, day_of, reason_of
from waybill.subject_access.domain.claims import released
from waybill.subject_access.domain.deadlines import london_day
from waybill.subject_access.domain.ports import Catalogue, Change, Reports, RequestStore
from waybill.subject_access.domain.unseen import DrawnParts, Unseen
from waybill.subject_access.errors import (
    ApproverError,
    ReportDamagedError,
    RulesChangedError,
    UnseenError,
    WrongStateError,
)
from waybill.subject_access.models import (
    CLAIMABLE,
    ENDED,
    RefusalGround,
    RequestState,
    StoredReport,
    SubjectRequest,
)
from waybill.subject_access.service_models import rules_digest

if TYPE_CHECKING:
    from pydantic import JsonValue


class Approval(Body):
    """Which report was read."""

    sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="The SHA-256 of the report that was read: what was drawn again meanwhile is not approved",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    near_misses: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many near misses were looked at that nobody has decided about: as many as there are",
        examples=[0],
    )
    not_searched: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="How many attachments were looked at that were not searched for what is taken out: all of them",
        examples=[0],
    )


class Delivery(Body):
    """When the person got the report, and why it was late."""

    on: str | None = Field(
        default=None,
        description="The day on which the person got it, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    late_reason: str | None = Field(
        default=None,
        description="Why it was late, in one line, where it was: the cover letter says it",
        examples=["Waited for a service"],
    )


class Refusal(Body):
    """On what ground the person was refused; or that this was a mistake."""

    ground: str | None = Field(
        default=None,
        description=f"The ground in law, one of {', '.join(RefusalGround)}; needed unless it is undone",
        examples=["excessive"],
    )
    reason: str | None = Field(
        default=None, description="Why, in one line; needed", examples=["The same was asked for last week"]
    )
    on: str | None = Field(
        default=None,
        description="The day on which the person was told, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    undo: StrictBool = Field(default=False, description="Takes the refusal back, which was a mistake")


class Withdrawal(Body):
    """That the person does not want an answer any more; or that this was a mistake."""

    reason: str | None = Field(
        default=None, description="What was said, in one line; needed", examples=["The person has said so by letter"]
    )
    on: str | None = Field(
        default=None,
        description="The day on which it was said, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    undo: StrictBool = Field(default=False, description="Takes the withdrawal back, which was a mistake")


@dataclass(frozen=True)
class ReportCheck:
    """Looks at a report where it lies."""

    store: RequestStore
    reports: Reports
    catalogue: Catalogue

    def report_of(self, request: SubjectRequest) -> StoredReport:
        """Return the report, after a look that it is there now, and is the one that the request points at.

        Raises
        ------
        ReportDamagedError, RulesChangedError
            It is not there or not what was made; a rule of redaction is newer.
        """
        report = request.report
        if report is None:
            raise ReportDamagedError("the request has no report; restart it")
        if request.approved_sha256 not in (None, report.sha256):
            raise ReportDamagedError("the report is not the one that was approved; restart the request")
        try:
            found, *_ = [self.reports.verify(one) for one in report.files]
        except ReportDamagedError as error:
            raise ReportDamagedError(f"{error}; restart the request") from None
        if found != request.report_etag:
            raise ReportDamagedError("the report was written to since it was made; restart the request")
        self._refuse_older_than_rules(request)
        return report

    def _refuse_older_than_rules(self, request: SubjectRequest) -> None:
        parts = self.store.parts(request.request_id)
        for part in parts:
            if part.part_key and part.redactions_sha256 != request.redactions_sha256:
                raise RulesChangedError("what is taken out of the report changed since it was made; draw it again")
        drawn = [part for part in parts if part.rules_sha256]
        services = {service.name: service for service in self.catalogue.services()} if drawn else {}
        for part in drawn:
            rules = services[part.service].redactions if part.service in services else ()
            if rules_digest(rules) != part.rules_sha256:
                raise RulesChangedError(
                    f"the rules of redaction of {part.service} changed since the report was made; restart the request"
                )


@dataclass(frozen=True)
class Endings(ReportCheck):
    """Approval and ends; each is one write with its audit entry."""

    drawn: DrawnParts
    now: Callable[[], datetime]

    def approve(self, request_id: str, by: str, approval: Approval | None = None) -> SubjectRequest:
        """Let a report that was to be reviewed count as completed: the bytes that are there now, and no others.

        `approval` says what was read: the SHA-256 of the report, and how much of what nobody had seen.

        Raises
        ------
        WrongStateError
            It is not ready for review.
        ApproverError
            `by` made the request, or has said what is taken out of it.
        ReportDamagedError
            The report is not there, or is not what was made.
        RulesChangedError
            A rule of redaction is newer than the report.
        UnseenError
            Near misses or attachments that were not searched have been seen by nobody.
        """
        now, said = self.now(), approval or Approval()

        def decide(request: SubjectRequest) -> Change:
            if request.state is not RequestState.READY_FOR_REVIEW:
                raise WrongStateError(f"is {request.state.value}, not ready for review")
            if by == request.requested_by or by in request.redacted_by:
                raise ApproverError("Whoever made a request, or what is taken out of it, cannot approve its report")
            report = self.report_of(request)
            if said.sha256 not in (None, report.sha256):
                raise ReportDamagedError("the report was drawn again since it was read: read it, then approve it")
            unseen = self.drawn.unseen(request)
            if unseen != Unseen(said.near_misses, said.not_searched):
                raise UnseenError(_told(unseen))
            done = replace(
                request,
                state=RequestState.COMPLETED,
                completed_at=now,
                ended_at=now,
                approved_by=by,
                approved_at=now,
                approved_sha256=report.sha256,
            )
            detail: dict[str, JsonValue] = {"sha256": report.sha256, "pages": report.pages}
            if unseen != Unseen():
                detail |= {"nearMissesSeen": unseen.near_misses, "notSearchedSeen": unseen.not_searched}
            return Change(done, Action(by, "APPROVED", detail))

        return self.store.change(request_id, decide).request

    def deliver(self, request_id: str, by: str, delivery: Delivery) -> SubjectRequest:
        """Note that the person has the report, which ends the clock of the law.

        Raises
        ------
        WrongStateError
            It is not completed, or was delivered before.
        InvalidInputError
            The day is in the future, or before the report was made.
        ReportDamagedError, RulesChangedError
            As in `approve`.
        """
        now = self.now()
        on = day_of("on", delivery.on, london_day(now), london_day(now))
        late = reason_of(delivery.late_reason, "lateReason") if delivery.late_reason is not None else None

        def decide(request: SubjectRequest) -> Change:
            if request.state is not RequestState.COMPLETED:
                raise WrongStateError(f"is {request.state.value}, and only what is completed can be delivered")
            if request.completed_at and on < london_day(request.completed_at):
                raise InvalidInputError(FieldError("on", "must not be before the report was completed"))
            report = self.report_of(request)
            ended = replace(_ended(request, RequestState.DELIVERED, on, now), delivered_at=now, late_reason=late)
            detail = {"on": on.isoformat(), "sha256": report.sha256}
            if report.copy is not None:
                detail["copySha256"] = report.copy.sha256
            return Change(ended, Action(by, "DELIVERED", detail))

        return self.store.change(request_id, decide).request

    def refuse(self, request_id: str, by: str, refusal: Refusal) -> SubjectRequest:
        """End the clock since the request is refused, or take a refusal back.

        Raises
        ------
        WrongStateError
            It has ended; or it is not refused, which is to be taken back.
        InvalidInputError
            There is no ground or no reason, or the day is in the future or before the receipt.
        """
        if refusal.undo:
            return self._taken_back(request_id, by, RequestState.REFUSED)
        ground, reason = _ground(refusal.ground), reason_of(refusal.reason)
        end = _End(RequestState.REFUSED, reason, refusal.on, {"ground": ground.value})
        return self._end(request_id, by, end, ground.value)

    def withdraw(self, request_id: str, by: str, withdrawal: Withdrawal) -> SubjectRequest:
        """End the clock since the person does not want an answer any more, or take that back.

        Raises
        ------
        WrongStateError, InvalidInputError
            As in `refuse`.
        """
        if withdrawal.undo:
            return self._taken_back(request_id, by, RequestState.WITHDRAWN)
        return self._end(
            request_id, by, _End(RequestState.WITHDRAWN, reason_of(withdrawal.reason), withdrawal.on, {}), None
        )

    def _end(self, request_id: str, by: str, end: "_End", ground: str | None) -> SubjectRequest:
        now, salt = self.now(), token_hex()
        on = day_of("on", end.on, london_day(now), london_day(now))

        def decide(request: SubjectRequest) -> Change:
            if request.state in ENDED or request.state is RequestState.ARCHIVED:
                raise WrongStateError(f"is {request.state.value}, which is an end already")
            if on < request.received:
                raise InvalidInputError(FieldError("on", "must not be before the request was received"))
            after = replace(
                _ended(request, end.state, on, now), refusal_ground=ground, end_reason=end.reason, end_salt=salt
            )
            detail = {**end.detail, "on": on.isoformat(), "reasonSha256": sealed(end.reason, salt)}
            return Change(after, Action(by, f"REQUEST_{end.state.value.upper()}", detail))

        return self.store.change(request_id, decide).request

    def _taken_back(self, request_id: str, by: str, state: RequestState) -> SubjectRequest:
        now = self.now()

        def decide(request: SubjectRequest) -> Change:
            if request.state is not state:
                raise WrongStateError(f"is {request.state.value}, not {state.value}")
            before = RequestState(request.state_before or RequestState.PENDING.value)
            reopened = replace(
                request,
                state=before,
                state_before=None,
                law_ended_on=None,
                law_ended_at=None,
                refusal_ground=None,
                end_reason=None,
                end_salt=None,
                active_since=now if before in CLAIMABLE else request.active_since,
            )
            return Change(reopened, Action(by, f"REQUEST_{state.value.upper()}_UNDONE", {}))

        return self.store.change(request_id, decide).request


@dataclass(frozen=True)
class _End:
    state: RequestState
    reason: str
    on: str | None
    detail: Mapping[str, "JsonValue"]


def _told(unseen: Unseen) -> str:
    if unseen == Unseen():
        return "nothing of the report is left to be looked at: nearMisses and notSearched are to be 0"
    counts = f"nearMisses {unseen.near_misses} and notSearched {unseen.not_searched}"
    return f"the report has {unseen}: look at them in its parts, then decide, or say with {counts} that you have"


def _ground(text: str | None) -> RefusalGround:
    try:
        return RefusalGround((text or "").strip().lower().replace("_", " "))
    except ValueError:
        grounds = ", ".join(ground.value for ground in RefusalGround)
        raise InvalidInputError(FieldError("ground", f"must be one of {grounds}")) from None


def _ended(request: SubjectRequest, state: RequestState, on: date, now: datetime) -> SubjectRequest:
    """Return the request as it is when the clock has ended: nobody works on it any more."""
    # One that a worker had is claimable when its end is taken back.
    before = RequestState.PENDING if request.state in CLAIMABLE else request.state
    return replace(
        released(request, state),
        state_before=before.value,
        law_ended_on=on,
        law_ended_at=now,
        ended_at=request.ended_at or now,
    )
