"""One event per file that is on its way for too long. Source: S3 user guide, S3 Replication Time Control."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from waybill.core.clock import iso
from waybill.core.errors import NotificationUnavailableError
from waybill.replication.domain.overdue import OverdueWatch
from waybill.replication.domain.records import RecordItem

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
THRESHOLD = timedelta(minutes=15)


class Runs:
    """Records in progress, oldest first, and how far they were told of."""

    def __init__(self, *minutes: float) -> None:
        self.until = ""
        self.records: list[Any] = [
            {"fileKey": f"k{number}", "startTime": iso(NOW - timedelta(minutes=ago))}
            for number, ago in enumerate(sorted(minutes, reverse=True))
        ]
        self.told: list[str] = []
        self.refuses = False

    def notified_until(self) -> str:
        return self.until

    def open_between(self, after: str, until: str) -> Iterable[RecordItem]:
        return [record for record in self.records if after < record["startTime"] <= until]

    def save_notified_until(self, until: str) -> None:
        self.until = until

    def announce(self, records: Sequence[RecordItem], threshold: timedelta) -> None:
        if self.refuses:
            raise NotificationUnavailableError("EventBridge refused events")
        self.told += [record["fileKey"] for record in records]

    def tell(self, minutes_later: float = 0) -> int:
        return OverdueWatch(self, self, THRESHOLD, lambda: NOW + timedelta(minutes=minutes_later)).tell()


def test_each_file_is_told_of_once_when_it_is_older_than_the_threshold() -> None:
    runs = Runs(40, 16, 14, 2)
    assert [runs.tell(), runs.tell(), runs.tell(5), runs.tell(20)] == [2, 0, 1, 1]
    assert runs.told == ["k0", "k1", "k2", "k3"]


def test_what_could_not_be_told_is_told_the_next_time() -> None:
    runs = Runs(40)
    runs.refuses = True
    with pytest.raises(NotificationUnavailableError):
        runs.tell()
    runs.refuses = False
    assert runs.tell() == 1


def test_what_started_at_one_moment_is_told_of_together() -> None:
    runs = Runs(*[30.0] * 999, *[20.0] * 5, 16)
    assert [runs.tell(), runs.tell(), runs.tell()] == [999, 6, 0]
    assert len(set(runs.told)) == 1005
