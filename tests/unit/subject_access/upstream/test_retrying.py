from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError, TransientServiceError
from waybill.subject_access.domain.upstream.models import Limits
from waybill.subject_access.domain.upstream.ports import InvocationClock
from waybill.subject_access.domain.upstream.retry import Tries, retry_after

NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


@dataclass
class Time:
    draws: Iterator[float]
    at: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds

    def clock(self) -> InvocationClock:
        return InvocationClock(
            lambda: self.at,
            lambda: 900.0,
            self.sleep,
            lambda low, high: low + (high - low) * next(self.draws),
            lambda: NOW,
        )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("-3", None),
        ("3.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(
    st.lists(st.none() | st.floats(0, 500), min_size=1, max_size=8),
    st.integers(1, 6),
    st.floats(1, 600),
    st.lists(st.floats(0, 1), min_size=10, max_size=10),
)
def test_tries_stay_within_their_number_and_their_time(
    wishes: list[float | None], tries: int, budget: float, draws: list[float]
) -> None:
    time = Time(iter(draws))
    limits = Limits(tries=tries)
    runs = Tries(time.clock(), limits, budget)
    failures = iter(wishes)

    def call() -> str:
        for wish in failures:
            raise TransientServiceError(Code.SERVICE_FAILED, "failed", 503, wish)
        return "done"

    try:
        succeeded = runs.run(call) == "done"
    except TransientServiceError:
        succeeded = False
    assert runs.made <= tries
    assert time.at < budget
    assert len(time.waits) in {runs.made - 1, runs.made}
    ceiling = limits.first_wait
    for wait, wish in zip(time.waits, wishes, strict=False):
        assert (wish or 0.0) <= wait <= max(min(ceiling, limits.longest_wait), wish or 0.0)
        ceiling *= 2
    if succeeded:
        assert runs.made == len(wishes) + 1


def test_what_will_not_pass_is_not_repeated() -> None:
    time = Time(iter([]))
    runs = Tries(time.clock(), Limits(), 100)

    def refused() -> None:
        raise ServiceError(Code.REFUSED_BY_SERVICE, "refused", 403)

    with pytest.raises(ServiceError):
        runs.run(refused)
    assert (runs.made, time.waits) == (1, [])
