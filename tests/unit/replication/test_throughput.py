"""Files by the hour. Percentiles by the nearest rank (NIST/SEMATECH e-Handbook, 7.2.6.2, and its Wikipedia article)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from waybill.replication.domain.throughput import Hour, throughput_of

SINCE = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def record(start: str, seconds: int = 1, status: str = "COMPLETED") -> Any:
    return {
        "startTime": f"2026-11-02T{start}.000Z",
        "completedAt": f"2026-11-02T{start[:-2]}{int(start[-2:]) + seconds:02}.000Z",
        "status": status,
    }


@pytest.mark.parametrize(("percent", "expected"), [(5, 15), (30, 20), (40, 20), (50, 35), (95, 50), (100, 50)])
def test_percentiles_are_of_the_nearest_rank(percent: int, expected: float) -> None:
    assert Hour([35, 20, 15, 50, 40]).percentile(percent) == expected
    assert Hour().percentile(percent) == 0


def test_files_are_counted_in_the_hour_of_their_run() -> None:
    records = [
        record("10:00:01", 7),
        record("09:59:00", 3),
        record("09:00:00", 1),
        record("09:00:00", 1, "FAILED"),
        record("08:00:00"),
    ]
    counted = throughput_of(records, SINCE)
    assert {hour[11:13]: (each.seconds, each.failed) for hour, each in counted.hours.items()} == {
        "10": ([7.0], 0),
        "09": ([3.0, 1.0], 1),
    }
    assert counted.since == "2026-11-02T08:30:00.000Z"


def test_an_hour_that_was_not_read_to_its_end_is_left_out_and_that_is_said() -> None:
    records = [record(f"10:00:{second:02}") for second in range(30, 0, -1)] + [record("09:30:00"), record("09:29:00")]
    counted = throughput_of(records, SINCE, limit=31)
    assert [len(hour.seconds) for hour in counted.hours.values()] == [30]
    assert counted.since == "2026-11-02T09:59:59.999Z"
