"""What people decide about a request while it runs: hold and release, extend, restart, issue without a part."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel
from waybill.subject_access.domain.audit import Action, sealed
from waybill.subject_access.domain.claims import released
from waybill.subject_access.domain.intake import today
from waybill.subject_access.domain.ports import Change, RequestLists, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import (
    CLAIMABLE,
    FINISHED,
    HELD,
    RESTARTABLE,
    Gap,
    Hold,
    HoldReason,
    Part,
    PartStatus,
    RequestState,
    SubjectRequest,
)

_OVER = frozenset({RequestState.COMPLETED, RequestState.DELIVERED, RequestState.ARCHIVED})
# What a restart does not ask for again.
_KEPT = FINISHED | {PartStatus.FETCHED}


class HoldOrder(WireModel):
    """`PATCH …/hold`."""

    reason: HoldReason


class Extension(WireModel):
    """`PATCH …/extend`."""

    reason: str


class Without(WireModel):
    """`PATCH …/issue-without`."""

    service: str
    reason: str


@dataclass(frozen=True)
class Decisions:
    """Decisions of the people who look after requests; each is one write with its audit entry."""

    store: RequestStore
    lists: RequestLists
    now: Callable[[], datetime]

    def restart(self, request_id: str, by: str, *, fresh: bool) -> SubjectRequest:
        """Make a request that was given up on `Pending` again, as of now; finished parts are kept unless `fresh`.

        So is a report undone that a reviewer does not let pass: with `fresh`, since its parts are gone.

        Raises
        ------
        WrongStateError
            It was not given up on.
        """
        now, parts = self.now(), self.store.parts(request_id)

        def decide(request: SubjectRequest) -> Change:
            if request.state not in RESTARTABLE:
                raise WrongStateError(f"is {request.status}, and only what is Errored can be restarted")
            if request.state is RequestState.READY_FOR_REVIEW and not fresh:
                raise WrongStateError("has a report, whose parts are not kept: restart it with fresh=true")
            after = replace(_open_again(request), requested_at=now, claimed_at=None, report_key=None, report_etag=None)
            again = [
                _unasked(part)
                for part in parts
                if fresh or not (part.finished or part.render_status is PartStatus.FETCHED)
            ]
            return Change(after, Action(by, "RESTARTED", {"fresh": fresh}), again)

        return self.store.change(request_id, decide)

    def hold(self, request_id: str, by: str, reason: HoldReason) -> SubjectRequest:
        """Stop the clock, and the work: a worker that has the request loses it.

        Raises
        ------
        WrongStateError
            It has ended, or is held already.
        """
        now = self.now()

        def decide(request: SubjectRequest) -> Change:
            if request.state not in CLAIMABLE | {RequestState.NEEDS_ATTENTION}:
                raise WrongStateError(f"is {request.state.value} and cannot be put on hold")
            holds = (*request.holds, Hold(today(now), reason))
            after = replace(released(request, reason.state), holds=holds)
            return Change(after, Action(by, "HELD", {"reason": reason.value}))

        return self.store.change(request_id, decide)

    def release(self, request_id: str, by: str) -> SubjectRequest:
        """Let the clock and the work go on.

        Raises
        ------
        WrongStateError
            It is not on hold.
        """
        now = self.now()

        def decide(request: SubjectRequest) -> Change:
            if request.state not in HELD:
                raise WrongStateError("is not on hold")
            *earlier, last = request.holds
            holds = (*earlier, replace(last, until=max(today(now), last.since)))
            after = replace(_open_again(request), holds=holds, active_since=now)
            return Change(after, Action(by, "RELEASED", {}))

        return self.store.change(request_id, decide)

    def extend(self, request_id: str, by: str, reason: str) -> SubjectRequest:
        """Take the two further months for complex or numerous requests; the person is to be told with this reason.

        Raises
        ------
        WrongStateError
            It has ended, or was extended before.
        """
        said, salt = _reason(reason), token_hex()

        def decide(request: SubjectRequest) -> Change:
            if request.extended or request.state in _OVER:
                raise WrongStateError("was extended before, or has ended")
            after = replace(request, extended=True, extension_reason=said, extension_salt=salt)
            return Change(after, Action(by, "EXTENDED", {"reasonSha256": sealed(said, salt)}))

        return self.store.change(request_id, decide)

    def issue_without(self, request_id: str, by: str, service: str, reason: str) -> SubjectRequest:
        """Accept that a part is missing; the report says so, and why. The request may be claimed at once.

        Raises
        ------
        WrongStateError
            The request has ended, or the part is there.
        InvalidInputError
            The service is not part of the request, or there is no reason.
        """
        said, now, salt = _reason(reason), self.now(), token_hex()

        def decide(request: SubjectRequest) -> Change:
            part = request.services.get(service)
            if part is None:
                raise InvalidInputError(FieldError("service", "is not part of this request"))
            if part.finished:
                raise WrongStateError("is there", field="service")
            if request.state in _OVER | {RequestState.ERRORED, RequestState.READY_FOR_REVIEW}:
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

        return self.store.change(request_id, decide)

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

        for request_id in list(self.lists.standing("PENDING")):
            before = self.store.request(request_id)
            if before is not None and decide(before) is not None:
                self.store.change(request_id, decide)
                freed += 1
        return freed


def _reason(text: str) -> str:
    said = text.strip()
    if not 1 <= len(said) <= 500 or not said.isprintable():
        raise InvalidInputError(FieldError("reason", "must be one line of 1 to 500 characters"))
    return said


def _open_again(request: SubjectRequest) -> SubjectRequest:
    """Return the request as workers may claim it, with all attempts before it."""
    return replace(
        released(request, RequestState.PENDING),
        claim_attempts=0,
        error_code=None,
        ended_at=None,
        attention_told=False,
    )


def _unasked(part: Part) -> Part:
    return Part(part.service, part.label, part.rank, part.category)
