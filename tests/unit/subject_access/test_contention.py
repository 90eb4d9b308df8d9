"""Pauses between the tries of a write that others were faster than."""

from waybill.subject_access.adapters.contention import Contention


def test_pauses_grow_and_none_follows_the_last_try() -> None:
    slept: list[float] = []
    contention = Contention(slept.append, lambda low, high: high, attempts=5, longest_pause=0.4)
    assert list(contention.tries()) == [0, 1, 2, 3, 4]
    assert [round(pause, 6) for pause in slept] == [0.1, 0.2, 0.3, 0.4]


def test_who_succeeds_does_not_wait() -> None:
    slept: list[float] = []
    for _ in Contention(slept.append).tries():
        break
    assert slept == []
