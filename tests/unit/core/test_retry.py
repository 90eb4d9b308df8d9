"""Trying again.

Source of the pauses: AWS Architecture Blog, "Exponential Backoff And Jitter" ("full jitter":
sleep = random_between(0, min(cap, base * 2 ** attempt))). Source of the bounds: what `Retry`'s
attributes promise.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.waiting import StillClock
from waybill.core.clock import Clock
from waybill.core.errors import PermanentError, RetryableError
from waybill.core.retry import Retry, looks, poll


class Busy(RetryableError):
    def __init__(self, wish: float = 0.0) -> None:
        super().__init__("busy")
        self.wish = wish


def failing(*errors: Exception) -> Callable[[], str]:
    """Return work that raises these and then succeeds."""
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_what_succeeds_does_not_wait() -> None:
    still = StillClock()
    assert Retry(clock=still.clock()).call(failing()) == "done"
    assert still.pauses == []


def test_limits_of_pauses_double_up_to_the_longest() -> None:
    still = StillClock()
    retry = Retry(tries=7, first_pause=0.1, longest_pause=1.0, clock=still.clock())
    assert retry.call(failing(*[Busy()] * 6)) == "done"
    assert still.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_the_last_error_is_raised_without_a_pause_behind_it() -> None:
    still, errors = StillClock(), [Busy() for _ in range(3)]
    with pytest.raises(Busy) as raised:
        Retry(tries=3, clock=still.clock()).call(failing(*errors))
    assert raised.value is errors[2]
    assert len(still.pauses) == 2


def test_what_repetition_does_not_mend_is_raised_at_once() -> None:
    still = StillClock()
    with pytest.raises(PermanentError):
        Retry(clock=still.clock()).call(failing(PermanentError("no")))
    assert still.pauses == []


def test_others_errors_are_repeated_where_they_are_named() -> None:
    assert Retry(clock=StillClock().clock()).call(failing(OSError()), on=OSError) == "done"


def test_a_wish_to_wait_longer_is_kept() -> None:
    # RFC 9110, 10.2.3: Retry-After is how long the client ought to wait.
    still = StillClock()
    assert Retry(clock=still.clock()).call(failing(Busy(30.0)), on=Busy, at_least=lambda error: error.wish) == "done"  # type: ignore[attr-defined]
    assert still.pauses == [30.0]


def test_a_wish_behind_the_deadline_ends_it_at_once() -> None:
    still = StillClock()
    with pytest.raises(Busy):
        Retry(seconds=20, clock=still.clock()).call(failing(Busy(30.0)), at_least=lambda error: error.wish)  # type: ignore[attr-defined]
    assert still.pauses == []


def test_the_earlier_of_two_deadlines_counts() -> None:
    still = StillClock(at=100.0)
    retry = Retry(tries=10**6, seconds=50, clock=still.clock())
    with pytest.raises(Busy):
        retry.call(failing(*[Busy()] * 1000), deadline=120.0)
    assert 100.0 < still.at < 120.0


def test_a_course_that_is_stopped_ends_after_the_pause_that_it_is_in() -> None:
    still, stopped = StillClock(), [False]

    def interrupted(seconds: float) -> None:
        still.sleep(seconds)
        stopped[0] = True

    retry = Retry(clock=Clock(lambda: still.at, interrupted, lambda _low, high: high), stopped=lambda: stopped[0])
    with pytest.raises(Busy):
        retry.call(failing(Busy()))
    assert len(still.pauses) == 1


def test_attempts_are_numbered_and_end() -> None:
    still = StillClock()
    assert list(Retry(tries=3, clock=still.clock()).attempts()) == [1, 2, 3]
    assert len(still.pauses) == 2


def test_a_loop_that_is_left_does_not_wait() -> None:
    still = StillClock()
    for _ in Retry(clock=still.clock()).attempts():
        break
    assert still.pauses == []


def test_progress_lets_the_count_begin_again_but_not_the_time() -> None:
    still = StillClock()
    course = Retry(tries=2, first_pause=1, longest_pause=4, seconds=10, clock=still.clock()).begin()
    made = 0
    while course.pause():
        course.progress()
        made += 1
    assert made == 9  # pauses of a second each: the tenth would end at the deadline
    assert still.at < course.deadline


@pytest.mark.parametrize(
    "wrong", [{"tries": 0}, {"first_pause": 0.0}, {"first_pause": 2.0, "longest_pause": 1.0}, {"seconds": 0.0}]
)
def test_a_retry_without_bounds_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least once"):
        Retry(**wrong)  # type: ignore[arg-type]


@given(
    tries=st.integers(1, 200),
    first=st.floats(0.001, 2),
    more=st.floats(0, 20),
    seconds=st.floats(0.01, 100),
    chance=st.floats(0, 1),
    wish=st.floats(0, 5),
)
def test_it_ends_within_its_attempts_and_its_time(
    tries: int, first: float, more: float, seconds: float, chance: float, wish: float
) -> None:
    still = StillClock(chance=chance)
    began, calls = still.at, 0

    def work() -> None:
        nonlocal calls
        calls += 1
        assert still.at - began < seconds
        raise Busy(wish)

    retry = Retry(tries, first, first + more, seconds, still.clock())
    with pytest.raises(Busy):
        retry.call(work, at_least=lambda _error: wish)
    assert calls == len(still.pauses) + 1 <= tries
    limits = [max(wish, min(first * 2**number, first + more)) for number in range(len(still.pauses))]
    assert all(wish <= pause <= limit * (1 + 1e-9) for pause, limit in zip(still.pauses, limits, strict=True))


@given(failures=st.integers(1, 10**9))
def test_no_number_of_failures_is_too_large_for_a_pause(failures: int) -> None:
    assert 0 <= Retry(longest_pause=900).draw(failures) <= 900


class TestPolling:
    def test_it_ends_with_the_first_that_is_done(self) -> None:
        states = iter(["RUNNING", "RUNNING", "SUCCEEDED", "never seen"])
        still = StillClock()
        found = poll(lambda: next(states), lambda state: state != "RUNNING", seconds=60, clock=still.clock())
        assert found == ("SUCCEEDED", True)
        assert still.pauses == pytest.approx([0.2, 0.3])

    def test_it_looks_once_more_when_time_is_up(self) -> None:
        still, seen = StillClock(), []

        def look() -> float:
            seen.append(still.at)
            return still.at

        found = poll(look, lambda _: False, seconds=10, clock=still.clock())
        assert found == (pytest.approx(1010.0), False)
        assert len(seen) == len(still.pauses) + 1

    def test_pauses_grow_up_to_the_longest(self) -> None:
        still = StillClock()
        seen = looks(lambda: None, first_pause=1, longest_pause=2, clock=still.clock())
        for _ in range(5):
            next(seen)
        assert still.pauses == pytest.approx([1, 1.5, 2, 2])

    @given(seconds=st.floats(0, 1000), first=st.floats(0.01, 5))
    def test_it_never_looks_later_than_it_may(self, seconds: float, first: float) -> None:
        still = StillClock()
        for _ in looks(lambda: None, seconds=seconds, first_pause=first, longest_pause=10, clock=still.clock()):
            assert still.at <= 1000.0 + seconds + 1e-6
        assert still.at == pytest.approx(1000.0 + seconds)
