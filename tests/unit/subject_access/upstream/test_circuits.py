from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from waybill.subject_access.domain.upstream.circuits import Breaker, BreakerRules
from waybill.subject_access.domain.upstream.ports import Circuit

RULES = BreakerRules(threshold=3, window=100, rest=50, probe=30)


class Kept:
    """Circuits in memory; `intruder` runs once between a read and the write that follows."""

    def __init__(self) -> None:
        self.known: dict[str, Circuit] = {}
        self.intruder = lambda: None

    def circuit(self, service: str) -> Circuit:
        found = self.known.get(service, Circuit())
        intruder, self.intruder = self.intruder, lambda: None
        intruder()
        return found

    def move(self, service: str, before: Circuit, after: Circuit) -> bool:
        if self.known.get(service, Circuit()).version != before.version:
            return False
        self.known[service] = replace(after, version=before.version + 1)
        return True


class Bench:
    def __init__(self) -> None:
        self.now = 1_000
        self.kept = Kept()
        self.breaker = Breaker(self.kept, lambda: self.now, RULES)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failed("a")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_opens_after_the_threshold_and_for_that_service_alone(bench: Bench) -> None:
    bench.fail(2)
    assert bench.breaker.retry_at("a") is None
    bench.fail()
    assert bench.breaker.retry_at("a") == 1_050
    assert bench.breaker.retry_at("b") is None


def test_a_success_between_failures_starts_the_count_again(bench: Bench) -> None:
    bench.fail(2)
    bench.breaker.succeeded("a")
    bench.fail(2)
    assert bench.breaker.retry_at("a") is None


def test_failures_far_apart_do_not_add_up(bench: Bench) -> None:
    for _ in range(10):
        bench.fail()
        bench.now += 101
    assert bench.breaker.retry_at("a") is None


def test_one_probe_at_a_time_when_its_rest_is_over(bench: Bench) -> None:
    bench.fail(3)
    bench.now += 50
    assert bench.breaker.retry_at("a") is None
    assert bench.breaker.retry_at("a") == bench.now + 30
    bench.breaker.succeeded("a")
    assert bench.breaker.retry_at("a") is None


def test_a_probe_that_fails_opens_it_again(bench: Bench) -> None:
    bench.fail(3)
    bench.now += 50
    assert bench.breaker.retry_at("a") is None
    bench.fail()
    assert bench.breaker.retry_at("a") == bench.now + 50


def test_a_probe_that_dies_is_followed_by_another(bench: Bench) -> None:
    bench.fail(3)
    bench.now += 50
    assert bench.breaker.retry_at("a") is None
    bench.now += 30
    assert bench.breaker.retry_at("a") is None


def test_of_two_that_want_to_probe_at_once_one_does(bench: Bench) -> None:
    bench.fail(3)
    bench.now += 50
    others: list[int | None] = []
    bench.kept.intruder = lambda: others.append(bench.breaker.retry_at("a"))
    mine = bench.breaker.retry_at("a")
    assert sorted([mine is None, others[0] is None]) == [False, True]


def test_failures_at_the_same_time_are_both_counted(bench: Bench) -> None:
    bench.kept.intruder = bench.fail
    bench.fail()
    assert bench.kept.known["a"].failures == 2


def test_a_healthy_service_costs_no_write(bench: Bench) -> None:
    bench.breaker.succeeded("a")
    assert bench.kept.known == {}


class BreakerMachine(RuleBasedStateMachine):
    """Never more than one probe in the time of one, and never an open circuit after a success."""

    @initialize()
    def start(self) -> None:
        self.bench = Bench()
        self.probed_at: int | None = None

    @rule(seconds=st.integers(0, 120))
    def wait(self, seconds: int) -> None:
        self.bench.now += seconds

    @rule(fails=st.booleans())
    def ask(self, fails: bool) -> None:
        before = self.bench.kept.known.get("a", Circuit())
        if self.bench.breaker.retry_at("a") is not None:
            return
        if before.open_until is not None:
            assert before.open_until <= self.bench.now
        if fails:
            self.bench.fail()
        else:
            self.bench.breaker.succeeded("a")
            assert self.bench.breaker.retry_at("a") is None

    @rule()
    def probe_and_die(self) -> None:
        open_before = self.bench.kept.known.get("a", Circuit()).open_until is not None
        if self.bench.breaker.retry_at("a") is None and open_before:
            assert self.bench.breaker.retry_at("a") == self.bench.now + RULES.probe


TestBreakerMachine = BreakerMachine.TestCase
