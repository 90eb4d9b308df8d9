"""How many files were replicated in each hour, and how long that took, by the records of the files."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from waybill.core.clock import iso
from waybill.replication.domain.records import RecordItem, RecordStatus

# A page of the index holds some hundred records: so many are read while a request waits.
COUNTED = 10_000
# Records of what has ended, whatever it came to.
ENDED = (RecordStatus.COMPLETED, RecordStatus.FAILED, RecordStatus.DISMISSED)


@dataclass
class Hour:
    """What began in an hour: files that arrived everywhere with their seconds, and files that have failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile(self, percent: int) -> float:
        """Return the time within which so many in a hundred arrived (the nearest rank); 0 where none did."""
        ordered = sorted(self.seconds)
        return ordered[math.ceil(percent / 100 * len(ordered)) - 1] if ordered else 0.0


@dataclass(frozen=True)
class Throughput:
    """The hours, by their beginning (ISO 8601, UTC); what began before `since` is not counted."""

    hours: dict[str, Hour]
    since: str


def throughput_of(newest_first: Iterable[RecordItem], since: datetime, limit: int = COUNTED) -> Throughput:
    """Return what the records of ended runs come to that began at `since` or later; of the newest `limit` alone.

    A file counts once, in the hour of its last run.
    """
    found: Sequence[RecordItem] = list(islice(newest_first, limit + 1))
    begun = iso(since)
    if len(found) > limit:
        # The hour that the limit cuts is not whole.
        begun = max(begun, f"{_hour_of(found[-1])[:13]}:59:59.999Z")
    hours: dict[str, Hour] = {}
    for record in found:
        if record["startTime"] < begun:
            break
        hour = hours.setdefault(_hour_of(record), Hour())
        if record["status"] == RecordStatus.COMPLETED and (ended := record.get("completedAt")):
            taken = datetime.fromisoformat(ended) - datetime.fromisoformat(record["startTime"])
            hour.seconds.append(max(taken.total_seconds(), 0.0))
        else:
            hour.failed += record["status"] != RecordStatus.COMPLETED
    return Throughput(hours, begun)


def _hour_of(record: RecordItem) -> str:
    return f"{record['startTime'][:13]}:00:00.000Z"
