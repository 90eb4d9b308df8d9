"""What is on its way. Source of the threshold: S3 user guide, S3 Replication Time Control."""

from datetime import UTC, datetime, timedelta
from typing import Any

from waybill.replication.domain.pending import Pending, pending_of

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
THRESHOLD = timedelta(minutes=15)


def record(minutes: int, **more: Any) -> Any:
    return {"startTime": (NOW - timedelta(minutes=minutes)).isoformat(), **more}


def test_nothing_is_nothing() -> None:
    assert pending_of([], NOW, THRESHOLD) == Pending()


def test_objects_bytes_and_the_oldest_are_counted() -> None:
    found = pending_of([record(20, size=5), record(16), record(15, size=7), record(0, size=0)], NOW, THRESHOLD)
    assert found == Pending(objects=4, bytes=12, overdue=2, oldest_seconds=1200)
