"""Who gets a request: one of many, the oldest first, and nobody who has lost it."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.subject_access import START, a_part, a_request
from tests.functional.subject_access.conftest import PDF_SHA256, SubjectAccess, claim_of
from waybill.subject_access.domain.claims import LEASE_SECONDS, MOST_ATTEMPTS, SKEW_SECONDS
from waybill.subject_access.domain.keys import report_key
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import Attachment, Claim, PartStatus, RequestState, SubjectRequest


def claim_all_at_once(sar: SubjectAccess, workers: int, wanted: str | None = None) -> list[SubjectRequest | None]:
    """What so many workers get that start at the same moment."""
    start = threading.Barrier(workers)

    def work(number: int) -> SubjectRequest | None:
        claimer = replace(sar.claimer(), draw=random.Random(number).randrange)
        start.wait()
        by = f"worker-{number}"
        return claimer.claim(wanted, by) if wanted else claimer.claim_oldest(by)

    with ThreadPoolExecutor(workers) as threads:
        return list(threads.map(work, range(workers)))


def test_fifty_workers_want_one_request_and_one_gets_it(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    taken = [request for request in claim_all_at_once(sar, 50, "request-1") if request]
    assert len(taken) == 1
    stored = sar.now()
    assert (stored.claim_attempts, stored.generation, stored.claim_token) == (1, 1, taken[0].claim_token)
    assert sar.actions() == ["CREATED", "CLAIMED"]


@pytest.mark.long
def test_a_hundred_workers_take_a_hundred_requests_each_once(sar: SubjectAccess) -> None:
    sar.place(*(a_request(f"request-{number:03}", at=START + timedelta(seconds=number)) for number in range(100)))
    sar.clock.advance(minutes=5)
    taken = claim_all_at_once(sar, 100)
    assert None not in taken
    assert Counter(request.request_id for request in taken if request).most_common(1)[0][1] == 1
    assert {sar.now(f"request-{number:03}").claim_attempts for number in range(100)} == {1}


def test_the_oldest_is_taken_first(sar: SubjectAccess) -> None:
    for name in ("third", "first", "second"):
        sar.create(name, "G1", requested_at=sar.clock.time.replace(minute={"first": 1, "second": 2, "third": 3}[name]))
    taken = [sar.claimer().claim_oldest("worker") for _ in range(4)]
    assert [request.request_id if request else None for request in taken] == ["first", "second", "third", None]


def late_writes(sar: SubjectAccess, claim: Claim) -> dict[str, Any]:
    attachment = Attachment("G1", 1, "a name", "image/png", "a.png")
    return {
        "part": lambda: sar.store.save_part(claim, a_part("G1", 0, PartStatus.ERRORED)),
        "attachments": lambda: sar.store.save_attachments(claim, [attachment]),
        "heartbeat": lambda: sar.store.heartbeat(claim),
        "missing": lambda: sar.fulfilment.missing(claim),
        "report": lambda: sar.fulfilment.save_report(claim, sar.put_report(claim)),
        "complete": lambda: sar.fulfilment.complete(claim),
        "fail": lambda: sar.fulfilment.fail(claim, "anything"),
    }


@pytest.mark.parametrize("write", ["part", "attachments", "heartbeat", "missing", "report", "complete", "fail"])
def test_who_lost_the_claim_changes_nothing(sar: SubjectAccess, write: str) -> None:
    sar.create("request-1", "G1")
    first = sar.claim()
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    second = sar.claim()
    before, trail = sar.now(), sar.actions()
    with pytest.raises(ClaimLostError):
        late_writes(sar, first)[write]()
    assert (sar.now(), sar.actions()) == (before, trail)
    sar.finish(second)
    assert sar.complete(second)
    assert sar.now().report_key == report_key("request-1", 2, PDF_SHA256)
    assert sar.keys() == [report_key("request-1", 2, PDF_SHA256)]


@pytest.mark.parametrize("write", ["part", "attachments", "heartbeat", "report", "complete", "fail"])
def test_nobody_writes_to_what_is_on_hold_or_given_up_on(sar: SubjectAccess, write: str) -> None:
    sar.create("request-1", "G1")
    claim = sar.claim()
    sar.clock.advance(hours=49)
    assert sar.lifecycle.expire() == ["request-1"]
    with pytest.raises(ClaimLostError):
        late_writes(sar, claim)[write]()
    assert sar.now().state is RequestState.ERRORED


def test_a_lease_ends_by_both_clocks(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.claim()
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS)
    assert sar.claimer().claim("request-1", "another") is None
    assert sar.lists.claimable(int(sar.clock().timestamp()) - SKEW_SECONDS, MOST_ATTEMPTS, 10) == []
    sar.clock.advance(seconds=1)
    assert sar.claimer().claim("request-1", "another") is not None


def test_every_result_extends_the_lease(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    claim = sar.claim()
    for write in ("part", "heartbeat"):
        sar.clock.advance(seconds=LEASE_SECONDS - 1)
        late_writes(sar, claim)[write]()
    sar.clock.advance(seconds=LEASE_SECONDS - 1)
    assert sar.claimer().claim("request-1", "another") is None


def test_five_failed_attempts_with_growing_gaps_then_a_person_is_told_once(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    waited = []
    for _ in range(MOST_ATTEMPTS):
        while (taken := sar.claimer().claim_oldest("worker")) is None:
            sar.clock.advance(minutes=1)
            waited.append(1)
        waited.append(0)
        claim = claim_of(taken)
        sar.finish(claim, PartStatus.ERRORED)
        sar.fulfilment.fail(claim, "PartsMissingError")
    gaps = [len(run) for run in "".join(map(str, waited)).split("0")[1:-1]]
    # 2, 5, 15 and 60 minutes, and the minute after the skew of clocks.
    assert gaps == [3, 6, 16, 61]
    assert sar.now().state is RequestState.NEEDS_ATTENTION
    assert [news.status for news in sar.told.notifications] == ["NEEDS_ATTENTION"]
    sar.clock.advance(days=1)
    assert sar.claimer().claim_oldest("worker") is None
    assert sar.claimer().claim("request-1", "worker") is None


def test_a_failure_that_is_said_twice_is_one(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", claim_attempts=MOST_ATTEMPTS - 1)
    claim = sar.claim()
    sar.told.failing = True
    with pytest.raises(ConnectionError):
        sar.fulfilment.fail(claim, "PartsMissingError")
    sar.told.failing = False
    for _ in range(3):
        assert sar.fulfilment.fail(claim, "PartsMissingError").state is RequestState.NEEDS_ATTENTION
    assert len(sar.told.notifications) == 1
    assert sar.actions() == ["CREATED", "CLAIMED", "NEEDS_ATTENTION", "PEOPLE_TOLD"]


def test_workers_that_die_without_a_word_use_up_the_attempts_too(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    for _ in range(MOST_ATTEMPTS):
        sar.claim()
        sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    assert sar.claimer().claim_oldest("worker") is None
    assert sar.lifecycle.attend() == ["request-1"]
    assert sar.lifecycle.attend() == []
    assert sar.now().state is RequestState.NEEDS_ATTENTION
