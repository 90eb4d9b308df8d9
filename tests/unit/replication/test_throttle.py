"""What is let through in a second."""

import threading

import pytest

from waybill.core.clock import Clock
from waybill.replication.domain.throttle import Throttle


class Time:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self.sleep)


# A bound of N a second: no interval from the beginning has more than N times its length, and what begins in it.
@pytest.mark.parametrize(("per_second", "amount", "times", "seconds"), [(10, 1, 101, 10.0), (1_000, 500, 5, 2.0)])
def test_so_much_a_second_goes_through(per_second: int, amount: int, times: int, seconds: float) -> None:
    time = Time()
    throttle = Throttle(per_second, time.clock)
    for _ in range(times):
        throttle.take(amount)
    assert time.now - 100.0 == pytest.approx(seconds)


def test_what_is_larger_than_a_second_makes_the_next_wait_for_as_long_as_it_counts() -> None:
    time = Time()
    throttle = Throttle(10, time.clock)
    throttle.take(1_000)
    assert time.now == 100.0
    throttle.take(1)
    assert time.now == 200.0


def test_time_that_was_not_used_is_not_saved_up() -> None:
    time = Time()
    throttle = Throttle(1, time.clock)
    time.sleep(50)
    throttle.take(1)
    throttle.take(1)
    assert time.now == 151.0


def test_without_a_bound_nothing_waits() -> None:
    time = Time()
    throttle = Throttle(None, time.clock)
    throttle.take(10**12)
    throttle.take(10**12)
    assert time.now == 100.0
