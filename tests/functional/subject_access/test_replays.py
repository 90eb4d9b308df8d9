"""A worker that dies between two effects, and what comes after it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.subject_access import Clock, a_part
from tests.functional.subject_access.conftest import PDF_SHA256, SubjectAccess, claim_of
from waybill.subject_access.domain.claims import LEASE_SECONDS, SKEW_SECONDS
from waybill.subject_access.domain.holds import HoldOrder, Release
from waybill.subject_access.domain.keys import report_key
from waybill.subject_access.errors import ClaimLostError, PartsMissingError, ReportDamagedError
from waybill.subject_access.models import Claim, HoldReason, PartStatus, RequestState, StoredReport


class Died(Exception):
    """The process is gone."""


def effects(sar: SubjectAccess, claim: Claim) -> list[Callable[[], Any]]:
    """What a worker does after its claim, one effect after the other."""
    reports: list[StoredReport] = []
    return [
        lambda: sar.store.save_part(claim, a_part("G1", 0, PartStatus.COMPLETE)),
        lambda: sar.store.save_part(claim, a_part("G2", 1, PartStatus.NO_DATA)),
        lambda: sar.fulfilment.missing(claim),
        lambda: reports.append(sar.put_report(claim)),
        lambda: sar.fulfilment.save_report(claim, sar.put_report(claim)),
        lambda: sar.fulfilment.complete(claim),
    ]


def is_whole(sar: SubjectAccess) -> None:
    """The request is completed once, with one report that is there, and a trail that holds."""
    request = sar.now()
    assert request.state is RequestState.COMPLETED
    assert sar.keys("reports/") == [request.report_key]
    assert sar.actions().count("COMPLETED") == 1
    assert sar.trail_holds("request-1")


@pytest.mark.parametrize("done", range(6))
def test_a_worker_that_dies_after_any_effect_is_followed_by_another(sar: SubjectAccess, done: int) -> None:
    sar.create("request-1", "G1", "G2")
    first = sar.claim()
    for effect in effects(sar, first)[:done]:
        effect()
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    taken = sar.claimer().claim_oldest("another")
    assert taken is not None
    assert len(taken.missing) == max(0, 2 - done)
    for effect in effects(sar, claim_of(taken))[min(done, 2) :]:
        effect()
    is_whole(sar)
    assert sar.now().report_key == report_key("request-1", 2, PDF_SHA256)


@pytest.mark.parametrize("repeated", range(6))
def test_an_effect_whose_answer_was_lost_is_repeated(sar: SubjectAccess, repeated: int) -> None:
    sar.create("request-1", "G1", "G2")
    claim = sar.claim()
    for number, effect in enumerate(effects(sar, claim)):
        effect()
        if number == repeated:
            effect()
    is_whole(sar)


def test_a_completion_that_died_before_it_cleaned_up_is_repeated(
    sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sar.create("request-1", "G1", "G2")
    claim = sar.claim()
    *before, complete = effects(sar, claim)
    for effect in before:
        effect()
    sar.s3.put_object(Bucket="subject-access-reports", Key="work/request-1/1/G1/part.pdf", Body=b"part")

    def dies(*_: Any, **__: Any) -> int:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("waybill.subject_access.adapters.s3.ReportsBucket.forget", dies)
        with pytest.raises(Died):
            complete()
    assert sar.now().state is RequestState.COMPLETED
    complete()
    is_whole(sar)


def test_a_claim_whose_answer_was_lost_holds_until_its_lease_ends(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.claimer().claim_oldest("worker")
    assert sar.claimer().claim_oldest("worker") is None
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    assert sar.claimer().claim_oldest("worker") is not None


def test_nothing_is_completed_without_all_parts_and_its_own_report(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", "G2")
    claim = sar.claim()
    sar.fulfilment.save_report(claim, sar.put_report(claim))
    with pytest.raises(PartsMissingError):
        sar.fulfilment.complete(claim)
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    later = sar.claim()
    sar.finish(later)
    # The report that the request points at is the earlier claim's.
    with pytest.raises(ReportDamagedError):
        sar.fulfilment.complete(later)
    stored = sar.put_report(claim)
    with pytest.raises(ReportDamagedError):
        sar.fulfilment.save_report(later, stored)


STEPS = ("claim", "lapse", "part", "heartbeat", "report", "complete", "fail", "hold", "release", "expire", "restart")


class Play:
    """Steps of several workers and of people, in any order; each may be refused, none may break what holds."""

    def __init__(self, sar: SubjectAccess) -> None:
        self.sar = sar
        self.claims: list[Claim] = []
        self.completed: list[Claim] = []

    def step(self, name: str, which: int) -> None:
        claim = self.claims[which % len(self.claims)] if self.claims else None
        try:
            self._act(name, claim)
        except (ClaimLostError, PartsMissingError, ReportDamagedError):
            pass
        except Exception as error:
            if getattr(error, "code", "") != "WRONG_STATE":
                raise

    def _act(self, name: str, claim: Claim | None) -> None:
        sar = self.sar
        match name:
            case "claim":
                taken = sar.claimer().claim("request-1", "worker")
                if taken:
                    self.claims.append(claim_of(taken))
            case "lapse":
                sar.clock.advance(hours=2)
            case "hold":
                sar.holds.hold("request-1", "alice", HoldOrder(reason=HoldReason.FEE))
            case "release":
                sar.holds.release("request-1", "alice", Release())
            case "expire":
                sar.lifecycle.expire()
            case "restart":
                sar.decisions.restart("request-1", "alice", fresh=False)
            case _ if claim:
                self._work(name, claim)

    def _work(self, name: str, claim: Claim) -> None:
        match name:
            case "part":
                self.sar.finish(claim)
            case "heartbeat":
                self.sar.store.heartbeat(claim)
            case "report":
                self.sar.fulfilment.save_report(claim, self.sar.put_report(claim))
            case "complete":
                if self.sar.fulfilment.complete(claim):
                    self.completed.append(claim)
            case "fail":
                self.sar.fulfilment.fail(claim, "Died")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=14))
def test_whatever_happens_one_claim_completes_and_the_trail_holds(
    sar: SubjectAccess, steps: list[tuple[str, int]]
) -> None:
    sar.clock.time = Clock().time
    for item in sar.client.scan(TableName="SubjectAccessTable")["Items"]:
        sar.client.delete_item(TableName="SubjectAccessTable", Key={name: item[name] for name in ("pk", "sk")})
    sar.create("request-1", "G1")
    play = Play(sar)
    for name, which in steps:
        play.step(name, which)
    request = sar.now()
    assert len(play.completed) == (request.state is RequestState.COMPLETED)
    if play.completed:
        assert request.report_key == report_key("request-1", play.completed[0].generation, PDF_SHA256)
        assert request.report_key in set(sar.keys())
    assert request.generation == len(play.claims)
    assert sar.trail_holds("request-1")
