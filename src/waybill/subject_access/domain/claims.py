"""The rules of a claim: who may take a request, for how long, and what a failed attempt leads to.

The lease outlasts the longest single step, one run of a Lambda function (15 minutes), and every result extends it. A
claim's token goes with every write, so that one who has lost the claim can change nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import CLAIMABLE, Claim, RequestState, SubjectRequest

LEASE_SECONDS = 960
# Two clocks may differ by so much; a lease counts as ended when it has by both.
SKEW_SECONDS = 5
MOST_ATTEMPTS = 5
GAPS = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 60))


def lapsed_before(now: datetime) -> int:
    """Return the epoch second before which a lease must have ended for its request to be claimable at `now`."""
    return int(now.timestamp()) - SKEW_SECONDS


def may_be_claimed(request: SubjectRequest, now: datetime) -> bool:
    """Return whether nobody has the request, or has had it for longer than the lease, and it may be tried again."""
    free = request.claim_expires_at is None or request.claim_expires_at < lapsed_before(now)
    return request.state in CLAIMABLE and free and request.claim_attempts < MOST_ATTEMPTS


def claimed(request: SubjectRequest, token: str, by: str, now: datetime) -> SubjectRequest:
    """Return the request as the one who has claimed it leaves it."""
    return replace(
        request,
        state=RequestState.IN_PROGRESS,
        claim_token=token,
        claimed_by=by,
        claimed_at=now,
        claim_expires_at=lease_end(now),
        claim_attempts=request.claim_attempts + 1,
        generation=request.generation + 1,
        error_code=None,
    )


def lease_end(now: datetime) -> int:
    """Return the epoch second up to which a claim holds that was made or extended at `now`."""
    return int(now.timestamp()) + LEASE_SECONDS


def held(request: SubjectRequest, claim: Claim) -> SubjectRequest:
    """Return the request.

    Raises
    ------
    ClaimLostError
        The claim is not the one that holds it.
    """
    if request.state is not RequestState.IN_PROGRESS or request.claim_token != claim.claim_token:
        raise ClaimLostError(f"the claim of generation {claim.generation} does not hold request {request.request_id}")
    return request


def released(request: SubjectRequest, state: RequestState) -> SubjectRequest:
    """Return the request in `state`, held by nobody."""
    return replace(request, state=state, claim_token=None, claimed_by=None, claim_expires_at=None)


def opened_again(request: SubjectRequest) -> SubjectRequest:
    """Return the request as workers may claim it, with all attempts before it."""
    return replace(
        released(request, RequestState.PENDING),
        claim_attempts=0,
        error_code=None,
        ended_at=None,
        attention_told=False,
    )


def without_report(request: SubjectRequest) -> SubjectRequest:
    """Return a request whose report, if it has one, does not count any more."""
    return replace(
        request,
        report_key=None,
        subject_copy=None,
        package=None,
        report_etag=None,
        completed_at=None,
        approved_by=None,
        approved_at=None,
        approved_sha256=None,
    )


def after_failure(request: SubjectRequest, code: str, now: datetime, retry_at: int | None = None) -> SubjectRequest:
    """Return the request after a failed attempt: to be tried again after a gap, or for a person to look at.

    Parameters
    ----------
    retry_at
        Where the attempt failed for the one reason that a service must not be asked before this epoch second: then
        it does not count.
    """
    if retry_at is not None:
        waiting = replace(request, claim_attempts=max(0, request.claim_attempts - 1))
        return replace(released(waiting, RequestState.PENDING), claim_expires_at=retry_at, error_code=code)
    if request.claim_attempts >= MOST_ATTEMPTS:
        return replace(released(request, RequestState.NEEDS_ATTENTION), error_code=code, ended_at=now)
    gap = GAPS[min(request.claim_attempts, len(GAPS)) - 1]
    again = int((now + gap).timestamp())
    return replace(released(request, RequestState.PENDING), claim_expires_at=again, error_code=code)
