"""What people do with a report that is made: approve it after a review, note that the person has it."""

from dataclasses import replace
from datetime import datetime

from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.ports import Change, RequestStore
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import RequestState, SubjectRequest


def approve(store: RequestStore, request_id: str, by: str, now: datetime) -> SubjectRequest:
    """Let a report that was to be reviewed count as completed.

    Raises
    ------
    UnknownRequestError
        There is no such request.
    WrongStateError
        It is not ready for review.
    """

    def decide(request: SubjectRequest) -> Change:
        if request.state is not RequestState.READY_FOR_REVIEW:
            raise WrongStateError(f"is {request.state.value}, not ready for review")
        done = replace(request, state=RequestState.COMPLETED, completed_at=now, ended_at=now)
        return Change(done, Action(by, "APPROVED", {}))

    return store.change(request_id, decide)


def deliver(store: RequestStore, request_id: str, by: str, now: datetime) -> SubjectRequest:
    """Note that the person has the report.

    Raises
    ------
    UnknownRequestError
        There is no such request.
    WrongStateError
        It is not completed, or was delivered before.
    """

    def decide(request: SubjectRequest) -> Change:
        if request.state is not RequestState.COMPLETED:
            raise WrongStateError(f"is {request.state.value}, and only what is completed can be delivered")
        return Change(replace(request, state=RequestState.DELIVERED, delivered_at=now), Action(by, "DELIVERED", {}))

    return store.change(request_id, decide)
