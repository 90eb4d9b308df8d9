"""What is on its way: how many files, how many bytes, and since when the oldest of them.

S3's replication metrics and its time control are the model (S3 user guide, "Using S3 Replication metrics", "Meeting
compliance requirements with S3 Replication Time Control": 15 minutes).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from waybill.core.wire import WireModel
from waybill.replication.domain.records import RecordItem

# The oldest come first: of more than these, the count is a lower bound.
COUNTED = 20_000


class Pending(WireModel):
    """Files in progress; `bytes` of those whose size is known; `overdue` are older than the threshold."""

    objects: int = 0
    bytes: int = 0
    overdue: int = 0
    oldest_seconds: int = 0


def pending_of(records: Iterable[RecordItem], now: datetime, threshold: timedelta) -> Pending:
    """Return what the records in progress come to at the time `now`."""
    objects = size = overdue = oldest = 0
    for record in records:
        age = now - datetime.fromisoformat(record["startTime"])
        objects, size = objects + 1, size + int(record.get("size", 0))
        overdue += age > threshold
        oldest = max(oldest, round(age.total_seconds()))
    return Pending(objects=objects, bytes=size, overdue=overdue, oldest_seconds=oldest)
