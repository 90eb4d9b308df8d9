"""Commands repeat what may succeed later, and wait for what others bring about."""

import threading

import pytest

from waybill.cli import watch as watching
from waybill.cli.watch import command_retry, watch
from waybill.core.clock import Clock
from waybill.core.errors import RetryableError


class Failing:
    """Work that fails so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise RetryableError("later")
        return "done"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, in no time."""
    made: list[float] = []
    monkeypatch.setattr(threading.Event, "wait", lambda _, seconds=None: made.append(seconds or 0.0))
    return made


def test_a_call_is_made_eight_times_at_most(pauses: list[float]) -> None:
    assert command_retry().call(Failing(7)) == "done"
    with pytest.raises(RetryableError):
        command_retry().call(Failing(8))
    assert len(pauses) == 14


def test_being_told_to_stop_ends_the_pause() -> None:
    stopping, ended = threading.Event(), threading.Event()
    retry = command_retry(stopping)

    def call() -> None:
        with pytest.raises(RetryableError):
            retry.call(Failing(1000))
        ended.set()

    thread = threading.Thread(target=call)
    thread.start()
    stopping.set()
    assert ended.wait(10)
    thread.join()


def test_looks_are_taken_with_growing_pauses_until_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(watching, "Clock", lambda **_: Clock(sleep=slept.append))
    numbers = iter(range(10))
    seen = []
    for number in watch(lambda: next(numbers)):
        seen.append(number)
        if number == 3:
            break
    assert seen == [0, 1, 2, 3]
    assert slept == sorted(slept)
    assert len(slept) == 3
