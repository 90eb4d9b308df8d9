"""What has become of the runs that a backfill has started, or has found under way.

A run's own records tell, where it has ended and recorded its destinations. Where it has not (it died, it was overtaken
by a newer run, it went to other destinations), the destination itself is looked at, and a run is started again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from waybill.core.clock import iso
from waybill.replication.domain.backfill import Backfill, BackfillVerdict, Difference, PlanItem
from waybill.replication.domain.backfill_job import ObjectLine, PlaceResult, Result
from waybill.replication.domain.reconciler import ABANDONED
from waybill.replication.domain.records import FileRunRecords, RecordStatus
from waybill.replication.models import CopyCode, FileId

# A run that dies every time, or a source that never rests, ends as a failure.
_ATTEMPTS = 4
# Step Functions developer guide: Express executions end within five minutes, and cannot be described.
_EXPRESS_LIFETIME = timedelta(seconds=330)


@dataclass(frozen=True)
class Settling:
    """Looks at the lines of a job of which something is pending."""

    records: FileRunRecords
    backfill: Backfill

    def look(self, line: ObjectLine, now: datetime, *, ask: bool = True) -> ObjectLine:
        """Return the line as it stands now; what is still under way stays pending.

        Without `ask` Step Functions is not asked, which few may do in a second: a run that ended without a final record
        stays pending.
        """
        file, arn = FileId(self.backfill.source_bucket, line.key), line.execution or ""
        record: Mapping[str, Any] = self.records.record(file) or {}
        if not line.pending or self._is_under_way(record, line, now, ask=ask):
            return line
        # Read after the end of the run: what it has recorded by now is all that it will.
        record = self.records.record(file) or {}
        found: dict[str, Mapping[str, object]] = {
            item["destinationBucket"]: item for item in self.records.destinations(file) if _is_of(item, arn)
        }
        if _is_of(record, arn):
            found |= {one["destinationBucket"]: one for one in json.loads(record.get("copyResults", "[]"))}
        results = dict(line.results)
        for bucket in line.pending:
            if bucket in found and (ended := _ended(found[bucket])):
                results[bucket] = ended.model_copy(update={"difference": line.results[bucket].difference})
        return self._again(line.model_copy(update={"results": results}), now)

    def _is_under_way(self, record: Mapping[str, Any], line: ObjectLine, now: datetime, *, ask: bool) -> bool:
        arn = line.execution or ""
        owned = _is_of(record, arn)
        if owned and record["status"] != RecordStatus.IN_PROGRESS:
            return False
        if ":express:" not in arn:
            return not ask or self.backfill.starter.is_running(arn)
        since = line.since or ""
        if not owned and record.get("startTime", "") > since:
            # Another run has the record by now: this one never gets it back.
            return bool(record["status"] == RecordStatus.IN_PROGRESS) and self._is_young(record["startTime"], now)
        # It may not have come to its record yet.
        return self._is_young(record["startTime"] if owned else since, now)

    @staticmethod
    def _is_young(start: str, now: datetime) -> bool:
        return bool(start) and now - datetime.fromisoformat(start) < _EXPRESS_LIFETIME

    def _again(self, line: ObjectLine, now: datetime) -> ObjectLine:
        """Look at the destinations of which no run has told anything, and start what is still needed there."""
        unknown = line.pending
        if not unknown:
            return line
        removals = any(line.results[bucket].difference == Difference.NOT_REMOVED for bucket in unknown)
        item = self.backfill.plan_named(line.key, unknown, removals=removals)
        if item.verdict is BackfillVerdict.GONE:
            return _with(line, dict.fromkeys(unknown, PlaceResult(result=Result.GONE)))
        if item.verdict is BackfillVerdict.NEEDED:
            if line.attempts >= _ATTEMPTS:
                failed = dict.fromkeys(item.differences, PlaceResult(result=Result.FAILED, code=ABANDONED))
                return _with(_without(line, item), failed)
            item = self.backfill.start(item)
        if item.verdict in {BackfillVerdict.STARTED, BackfillVerdict.IN_PROGRESS}:
            started = _without(line, item) if item.differences else line
            again = {"execution": item.execution, "since": iso(now), "attempts": line.attempts + 1}
            return started.model_copy(update=again)
        return _without(line, item)


def _is_of(item: Mapping[str, object], arn: str) -> bool:
    """Return whether the run has written it; Express executions of one name are several, which do one thing."""
    name = arn.split(":")[7] if arn.count(":") >= 7 else arn
    return item.get("executionId") == arn or item.get("executionName") == name


def _ended(item: Mapping[str, object]) -> PlaceResult | None:
    code = item.get("code")
    if code is None or code == CopyCode.SUPERSEDED:
        return None
    return PlaceResult(result=Result.SUCCEEDED if item.get("success") else Result.FAILED, code=str(code))


def _without(line: ObjectLine, item: PlanItem) -> ObjectLine:
    """Return the line with what is settled by `item`: failures, and the destinations that have the object."""
    settled: dict[str, PlaceResult] = {}
    for bucket in line.pending:
        if bucket in item.failures:
            settled[bucket] = PlaceResult(result=Result.FAILED, code=item.failures[bucket])
        elif bucket not in item.differences:
            settled[bucket] = PlaceResult(result=Result.SUCCEEDED, code=CopyCode.SKIPPED_IDENTICAL)
    return _with(line, settled)


def _with(line: ObjectLine, results: Mapping[str, PlaceResult]) -> ObjectLine:
    return line.model_copy(update={"results": {**line.results, **results}})
