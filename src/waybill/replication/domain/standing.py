"""How a file stands at all its destinations: what the status of its record follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waybill.replication.domain.records import DestinationItem, RecordStatus
from waybill.replication.models import CopyCode, ReplicationRun, RunTotals


@dataclass(frozen=True)
class Standing:
    """How a file stands at its destinations, by bucket name: which have it, which failed last, which were let be."""

    status: RecordStatus
    successful: tuple[str, ...]
    failed: tuple[str, ...]
    dismissed: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The number of destinations."""
        return len(self.successful) + len(self.failed) + len(self.dismissed) + len(self.superseded)


def standing_of(items: Sequence[DestinationItem], run: ReplicationRun, totals: RunTotals) -> Standing:
    """Return how the file stands after `run`: by its results, and elsewhere by what is recorded of the destination.

    The list of failures is what people work off: it loses an entry when the file has arrived there, or somebody has
    dismissed it, and never because a run to other destinations went well.
    """
    found = {item["destinationBucket"]: item["status"] for item in items if item["executionId"] != run.execution_id}
    recorded = {item["destinationBucket"]: item for item in items}
    for result in totals.results:
        bucket = str(result["destinationBucket"])
        item = recorded.get(bucket)
        if item is not None and item.get("generation", 0) > run.generation > 0:
            continue
        superseded = result.get("code") == CopyCode.SUPERSEDED
        if superseded and bucket in found and found[bucket] != RecordStatus.COMPLETED:
            continue
        ended = RecordStatus.COMPLETED if result["success"] else RecordStatus.FAILED
        found[bucket] = RecordStatus.SUPERSEDED if superseded else ended
    return standing_by_status(found)


def standing_by_status(statuses: Mapping[str, str]) -> Standing:
    """Return how a file stands whose destinations have these statuses."""
    by_status: dict[str, list[str]] = {}
    for bucket, status in statuses.items():
        by_status.setdefault(status, []).append(bucket)
    for status in (RecordStatus.FAILED, RecordStatus.DISMISSED, RecordStatus.SUPERSEDED):
        if by_status.get(status):
            break
    else:
        status = RecordStatus.COMPLETED
    return Standing(
        status,
        successful=tuple(by_status.get(RecordStatus.COMPLETED, ())),
        failed=tuple(by_status.get(RecordStatus.FAILED, ())),
        dismissed=tuple(by_status.get(RecordStatus.DISMISSED, ())),
        superseded=tuple(by_status.get(RecordStatus.SUPERSEDED, ())),
    )
