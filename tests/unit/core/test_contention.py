"""Pauses between the tries of a write that others were faster than."""

from dataclasses import replace

from tests.fakes.waiting import StillClock
from waybill.core.retry import CONTENTION


def test_pauses_grow_and_none_follows_the_last_try() -> None:
    still = StillClock()
    assert list(replace(CONTENTION, clock=still.clock()).attempts()) == list(range(1, 13))
    assert still.pauses == [0.025, 0.05, 0.1, 0.2, *[0.4] * 7]


def test_who_succeeds_does_not_wait() -> None:
    still = StillClock()
    for _ in replace(CONTENTION, clock=still.clock()).attempts():
        break
    assert still.pauses == []
