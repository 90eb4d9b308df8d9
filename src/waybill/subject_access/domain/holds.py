"""What is waited for from the person: proof of identity, a fee, clarification.

The law's clock follows from the days on which something was asked for and came, whatever the state of the work. The
work stops while it has not come, unless there is a report already: what is drawn stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from waybill.core.errors import FieldError, InvalidInputError
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.bodies import Body, day_of, reason_of
from waybill.subject_access.domain.claims import opened_again, released
from waybill.subject_access.domain.deadlines import london_day
from waybill.subject_access.domain.ports import Change, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import (
    CLAIMABLE,
    ENDED,
    HELD,
    Hold,
    HoldReason,
    RequestState,
    SubjectRequest,
)

_STOPPED = CLAIMABLE | HELD | {RequestState.NEEDS_ATTENTION}


class HoldOrder(Body):
    """What the person was asked for, and when."""

    reason: HoldReason = Field(description="What is waited for")
    from_: Annotated[str | None, Field(alias="from")] = Field(
        default=None,
        description="The day on which the person was asked, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    note: str | None = Field(
        default=None, description="What else there is to say, in one line", examples=["Asked by letter"]
    )


class Release(Body):
    """What has come, and when."""

    on: str | None = Field(
        default=None,
        description="The day on which it came, yyyy-MM-dd or dd/MM/yyyy; without it, today",
        examples=["2026-11-30"],
    )
    reason: HoldReason | None = Field(default=None, description="What has come, where several things are waited for")


@dataclass(frozen=True)
class Holds:
    """Holds and their ends; each is one write with its audit entry."""

    store: RequestStore
    now: Callable[[], datetime]

    def hold(self, request_id: str, by: str, order: HoldOrder) -> SubjectRequest:
        """Note that something is waited for; a worker that has the request loses it.

        Raises
        ------
        WrongStateError
            It has ended, or the same is waited for already.
        InvalidInputError
            The day is in the future, or before the request was received.
        """
        now = self.now()
        since = day_of("from", order.from_, london_day(now), london_day(now))
        note = reason_of(order.note, "note") if order.note is not None else None

        def decide(request: SubjectRequest) -> Change:
            _refuse_ended(request)
            if since < request.received:
                raise InvalidInputError(FieldError("from", "must not be before the request was received"))
            if any(hold.reason is order.reason for hold in request.waits):
                raise WrongStateError(f"waits for {order.reason.value} already")
            holds = (*request.holds, Hold(since, order.reason, note=note))
            after = released(request, order.reason.state) if request.state in _STOPPED else request
            detail = {"reason": order.reason.value, "from": since.isoformat()}
            return Change(replace(after, holds=holds), Action(by, "HELD", detail))

        return self.store.change(request_id, decide).request

    def release(self, request_id: str, by: str, release: Release) -> SubjectRequest:
        """Note that what was waited for has come; the work goes on when nothing else is waited for.

        Raises
        ------
        WrongStateError
            Nothing of the kind is waited for, or several things are and `release` does not say which.
        InvalidInputError
            The day is in the future, or before it was asked for.
        """
        now = self.now()
        on = day_of("on", release.on, london_day(now), london_day(now))

        def decide(request: SubjectRequest) -> Change:
            _refuse_ended(request)
            ended = _waited_for(request, release.reason)
            if release.on is not None and on < ended.since:
                raise InvalidInputError(FieldError("on", "must not be before it was asked for"))
            holds = tuple(_until(hold, on) if hold is ended else hold for hold in request.holds)
            detail = {"reason": ended.reason.value, "on": on.isoformat()}
            return Change(_going_on(replace(request, holds=holds), now), Action(by, "RELEASED", detail))

        return self.store.change(request_id, decide).request


def _until(hold: Hold, on: date) -> Hold:
    return replace(hold, until=max(on, hold.since))


def _waited_for(request: SubjectRequest, reason: HoldReason | None) -> Hold:
    waits = [hold for hold in request.waits if reason in (None, hold.reason)]
    if not waits:
        raise WrongStateError(f"does not wait for {reason.value}" if reason else "is not on hold")
    if len(waits) > 1:
        names = ", ".join(hold.reason.value for hold in waits)
        raise WrongStateError(f"must say which of {names} has come", field="reason")
    return waits[0]


def _going_on(request: SubjectRequest, now: datetime) -> SubjectRequest:
    if request.state not in HELD:
        return request
    if request.waits:
        return replace(request, state=request.waits[-1].reason.state)
    return replace(opened_again(request), active_since=now)


def _refuse_ended(request: SubjectRequest) -> None:
    if request.state in ENDED or request.state is RequestState.ARCHIVED:
        raise WrongStateError(f"is {request.state.value}: its time limit has ended")
