"""Calls that are made again: until they succeed, until they are stopped, until nobody looks any more."""

import threading
from itertools import islice

import pytest

from waybill.cli.patience import Patience, looks, pauses
from waybill.core.errors import PermanentError, RetryableError


class Failing:
    """Work that fails so many times."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.error = error
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.left:
            raise self.error
        return "done"


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize("times", [0, 1, 4])
def test_what_may_succeed_later_is_tried_again(times: int) -> None:
    work = Failing(times, RetryableError("later"))
    assert Patience(attempts=5).call(work) == "done"
    assert work.calls == times + 1


@pytest.mark.usefixtures("without_pauses")
def test_patience_ends() -> None:
    work = Failing(100, RetryableError("later"))
    with pytest.raises(RetryableError):
        Patience(attempts=5).call(work)
    assert work.calls == 5


def test_what_will_fail_again_is_not_tried_again() -> None:
    work = Failing(100, PermanentError("never"))
    with pytest.raises(PermanentError):
        Patience().call(work)
    assert work.calls == 1


def test_being_told_to_stop_ends_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 3600.0)
    work, patience = Failing(100, RetryableError("later")), Patience()
    errors: list[BaseException] = []

    def call() -> None:
        try:
            patience.call(work)
        except RetryableError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    patience.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert len(errors) == 1


def test_pauses_grow_up_to_the_longest() -> None:
    assert list(islice(pauses(1.0, 3.0), 6)) == [1.0, 1.5, 2.25, 3.0, 3.0, 3.0]
    assert list(pauses(1.0, 3.0, 2)) == [1.0, 1.5]
    assert list(pauses(1.0, 3.0, 0)) == []


def test_looks_are_taken_with_pauses_until_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    numbers = iter(range(10))
    seen = []
    for number in looks(lambda: next(numbers)):
        seen.append(number)
        if number == 3:
            break
    assert seen == [0, 1, 2, 3]
    assert slept == sorted(slept)
    assert len(slept) == 3


@pytest.mark.usefixtures("without_pauses")
def test_a_look_that_fails_for_a_while_is_taken_again() -> None:
    assert next(looks(Failing(2, RetryableError("later")))) == "done"
