"""One event for each file that is on its way for too long.

S3's replication time control has the same (S3 user guide, "Receiving replication failure events":
`s3:Replication:OperationMissedThreshold`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from waybill.core.clock import iso
from waybill.replication.domain.records import RecordItem

# What is left comes with the next look, five minutes later.
_AT_ONCE = 1_000


class OverdueRuns(Protocol):
    """The records of what is on its way, and up to which start their files have been told of."""

    def notified_until(self) -> str:
        """Return the start (ISO 8601) of the last run that was told of, or what comes before every start."""
        ...

    def open_between(self, after: str, until: str) -> Iterable[RecordItem]:
        """Return the records in progress that started after the one time and no later than the other, oldest first."""
        ...

    def save_notified_until(self, until: str) -> None:
        """Remember that everything which started till then was told of."""
        ...


class OverdueAnnouncer(Protocol):
    """Who wants to know of each."""

    def announce(self, records: Sequence[RecordItem], threshold: timedelta) -> None:
        """Tell of each file; raises `NotificationUnavailableError`, and then all are told of again."""
        ...


@dataclass(frozen=True)
class OverdueWatch:
    """Tells of what started longer than `threshold` ago and has not ended: of each run once, or again after a death."""

    runs: OverdueRuns
    announcer: OverdueAnnouncer
    threshold: timedelta
    now: Callable[[], datetime]

    def tell(self) -> int:
        """Tell of what has become overdue since the last time; return how many files."""
        until = iso(self.now() - self.threshold)
        found = list(islice(self.runs.open_between(self.runs.notified_until(), until), _AT_ONCE + 1))
        if len(found) > _AT_ONCE:
            # Others may have started at the same moment as the last of these: they are told of together.
            last = found[-1]["startTime"]
            found = [record for record in found if record["startTime"] < last] or found
        if found:
            self.announcer.announce(found, self.threshold)
            self.runs.save_notified_until(found[-1]["startTime"])
        return len(found)
