"""Who may take a request, for how long, and what a failed attempt leads to (README, "The claim")."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.subject_access import a_request
from waybill.subject_access.domain.claims import (
    LEASE_SECONDS,
    MOST_ATTEMPTS,
    after_failure,
    claimed,
    held,
    may_be_claimed,
)
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import CLAIMABLE, Claim, RequestState, SubjectRequest

NOW = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


def request(**facts: Any) -> SubjectRequest:
    return replace(a_request(at=NOW), **facts)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("state", RequestState)
def test_only_what_is_to_be_done_is_claimable(state: RequestState) -> None:
    assert may_be_claimed(request(state=state), NOW) == (state in CLAIMABLE)


@pytest.mark.parametrize(("seconds", "free"), [(0, False), (959, False), (965, False), (966, True), (9999, True)])
def test_a_claim_holds_for_its_lease_and_what_two_clocks_may_differ_by(seconds: int, free: bool) -> None:
    taken = claimed(request(), "token", "worker", NOW)
    assert may_be_claimed(taken, at(seconds)) is free


def test_the_lease_outlasts_the_longest_run_of_a_function() -> None:
    assert LEASE_SECONDS > 15 * 60


def test_each_claim_has_a_generation_of_its_own() -> None:
    first = claimed(request(error_code="x"), "one", "worker", NOW)
    second = claimed(first, "two", "other", at(2000))
    assert (first.generation, first.claim_attempts, first.error_code) == (1, 1, None)
    assert (second.generation, second.claim_attempts, second.claimed_at) == (2, 2, at(2000))


@pytest.mark.parametrize("state", [state for state in RequestState if state is not RequestState.IN_PROGRESS])
def test_a_request_that_is_not_in_progress_is_held_by_nobody(state: RequestState) -> None:
    taken = claimed(request(), "token", "worker", NOW)
    claim = Claim(request_id=taken.request_id, claim_token="token", generation=1)
    assert held(taken, claim) is taken
    with pytest.raises(ClaimLostError):
        held(replace(taken, state=state), claim)


def test_an_older_claim_does_not_hold_what_a_newer_one_took() -> None:
    first = claimed(request(), "one", "worker", NOW)
    second = claimed(first, "two", "other", at(2000))
    with pytest.raises(ClaimLostError, match="generation 1"):
        held(second, Claim(request_id=first.request_id, claim_token="one", generation=1))


def test_what_was_tried_as_often_as_may_be_is_claimed_no_more() -> None:
    assert may_be_claimed(replace(request(), claim_attempts=MOST_ATTEMPTS - 1), NOW)
    assert not may_be_claimed(replace(request(), claim_attempts=MOST_ATTEMPTS), NOW)


def test_attempts_grow_apart_and_end_with_a_person() -> None:
    now, found, waits = NOW, request(), []
    while found.state in CLAIMABLE:
        assert may_be_claimed(found, now)
        failed = after_failure(claimed(found, "token", "worker", now), "error", now)
        assert failed.claim_token is None
        if failed.claim_expires_at is not None:
            end = datetime.fromtimestamp(failed.claim_expires_at, UTC)
            assert not may_be_claimed(failed, end)
            waits.append((end - now) / timedelta(minutes=1))
            now = end + timedelta(seconds=6)
        found = failed
    assert waits == [2, 5, 15, 60]
    assert found.state is RequestState.NEEDS_ATTENTION
    assert (found.claim_attempts, found.error_code, found.ended_at) == (MOST_ATTEMPTS, "error", now)


@given(st.integers(1, MOST_ATTEMPTS), st.integers(0, 10**6))
def test_waiting_for_a_service_counts_no_attempt(attempts: int, wait: int) -> None:
    taken = claimed(request(claim_attempts=attempts - 1), "token", "worker", NOW)
    again = int(NOW.timestamp()) + wait
    waiting = after_failure(taken, "request_10106", NOW, again)
    assert (waiting.state, waiting.claim_attempts) == (RequestState.PENDING, attempts - 1)
    assert not may_be_claimed(waiting, datetime.fromtimestamp(again, UTC))
    assert may_be_claimed(waiting, datetime.fromtimestamp(again + 6, UTC))
