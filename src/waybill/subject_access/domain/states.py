"""What the states of the workflow are given, where it is more than a claim."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class ServiceEvent(TypedDict):
    """A claim with the service that one state is about; `rank` is its place in the report."""

    requestId: str
    claimToken: str
    generation: int
    service: str
    rank: int


class FailedAttemptEvent(TypedDict):
    """A claim with what Step Functions caught: `{Error, Cause}`."""

    requestId: str
    claimToken: str
    generation: int
    failure: NotRequired[Mapping[str, object] | None]


class FailedAttempt(TypedDict):
    """A request whose attempt has ended; `code` is what is recorded, `counted` whether this call has done so."""

    requestId: str
    state: str
    code: str
    counted: bool
    notified: bool
