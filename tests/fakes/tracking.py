"""The tracking records in memory; `test_tracking.py` holds them to what the real table does."""

import json
from collections.abc import Iterator
from typing import Any

from tests.fakes.clock import Clock
from tests.fakes.probe import Probe
from waybill.core.clock import iso
from waybill.replication.domain.copy_result import CopyResult
from waybill.replication.domain.every_version import VersionsAt
from waybill.replication.domain.records import Claimed, ClaimOutcome, DestinationRecord, LatestRun, RecordStatus
from waybill.replication.domain.standing import Standing, standing_by_status, standing_of
from waybill.replication.models import (
    CopyCode,
    CopyTask,
    DestinationResult,
    FileId,
    ObjectFacts,
    ReplicationRun,
    RunOutcome,
    RunTotals,
    SourceVersion,
)

_STATUS_OF = {
    RunOutcome.SUCCESS: RecordStatus.COMPLETED,
    RunOutcome.PARTIAL_FAILURE: RecordStatus.FAILED,
    RunOutcome.FAILED: RecordStatus.FAILED,
    RunOutcome.SUPERSEDED: RecordStatus.SUPERSEDED,
}

type Item = dict[str, Any]


class Table:
    """The items, shared by all functions."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.records: dict[FileId, Item] = {}
        self.destinations: dict[tuple[FileId, str], Item] = {}
        self.history: list[Item] = []
        self.put_back: list[Item] = []
        self.turns: dict[tuple[FileId, str], VersionsAt] = {}
        self.versions: list[Item] = []


class FakeTracking:
    """What one function sees of the table; every call goes through its `probe`."""

    def __init__(self, table: Table, probe: Probe) -> None:
        self.table = table
        self.probe = probe

    def claim(self, run: ReplicationRun) -> Claimed:
        with self.probe.call("claim"):
            record = self.table.records.get(run.file, {})
            if record and not self._may_claim(run, record):
                same = record["executionName"] == run.execution_name or record.get("sequencer") == run.sequencer
                return Claimed(ClaimOutcome.DUPLICATE if same else ClaimOutcome.STALE)
            told = {"sequencer": run.sequencer, "newestEventRun": run.execution_id, "removed": run.removed}
            event = told if run.sequencer else {}
            self.table.records[run.file] = {
                "fileKey": run.source_key,
                "sourceBucket": run.source_bucket,
                "sequencer": record.get("sequencer"),
                "newestEventRun": record.get("newestEventRun"),
                "executionId": run.execution_id,
                "executionName": run.execution_name,
                "status": RecordStatus.IN_PROGRESS,
                "startTime": run.workflow_start_time,
                "destinationBuckets": json.dumps(run.destination_buckets),
                "destinationPrefix": run.destination_prefix,
                "generation": record.get("generation", 0) + 1,
                "removed": record.get("removed"),
                **event,
            }
            return Claimed(ClaimOutcome.STARTED, self.table.records[run.file]["generation"])

    @staticmethod
    def _may_claim(run: ReplicationRun, record: Item) -> bool:
        if record["executionId"] == run.execution_id:
            return True
        if not run.sequencer:
            return bool(record["executionName"] != run.execution_name)
        if record["newestEventRun"] == run.execution_id:
            return True
        return record["executionName"] != run.execution_name and (record["sequencer"] or "") < run.sequencer

    def latest_run(self, file: FileId) -> LatestRun | None:
        with self.probe.call("latest_run"):
            record = self.table.records.get(file)
            if not record:
                return None
            return LatestRun(
                record["executionId"],
                record["status"],
                record["newestEventRun"] == record["executionId"],
                tuple(json.loads(record["destinationBuckets"])),
                record["destinationPrefix"],
                record["startTime"],
                record.get("backfillId"),
                bool(record.get("removed")),
            )

    def destination(self, file: FileId, bucket: str) -> DestinationRecord | None:
        with self.probe.call("destination"):
            item = self.table.destinations.get((file, bucket))
            if not item:
                return None
            return DestinationRecord(
                item["executionId"], item["status"], item["sourceIdentity"], item.get("etag"), item.get("uploadId")
            )

    def record_upload(self, run: ReplicationRun, bucket: str, source: ObjectFacts, upload_id: str) -> str | None:
        with self.probe.call("record_upload"):
            item = {"status": RecordStatus.IN_PROGRESS, "sourceIdentity": source.identity, "uploadId": upload_id}
            return self._put(run, bucket, item)

    def record_destination(
        self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None
    ) -> str | None:
        with self.probe.call("record_destination"):
            status = RecordStatus.COMPLETED if result.success else RecordStatus.FAILED
            item = {**result.wire(), "status": status, "sourceIdentity": source and source.identity}
            return self._put(run, result.destination_bucket, item)

    def record_put_back(self, run: ReplicationRun, result: DestinationResult, source: ObjectFacts | None) -> None:
        with self.probe.call("record_put_back"):
            self.table.put_back.append(result.wire() | {"sourceIdentity": source and source.identity})

    def _put(self, run: ReplicationRun, bucket: str, item: Item) -> str | None:
        before = self.table.destinations.get((run.file, bucket), {})
        if before.get("generation", 0) > run.generation:
            return item.get("uploadId")
        owned = {"destinationBucket": bucket, "executionId": run.execution_id, "generation": run.generation}
        self.table.destinations[run.file, bucket] = item | owned
        return before.get("uploadId") if before.get("executionId") != run.execution_id else None

    def versions_at(self, file: FileId, bucket: str) -> VersionsAt | None:
        with self.probe.call("versions_at"):
            return self.table.turns.get((file, bucket))

    def save_versions(self, file: FileId, bucket: str, versions: VersionsAt) -> bool:
        with self.probe.call("save_versions"):
            before = self.table.turns.get((file, bucket))
            if before and before.revision != versions.revision - 1:
                return False
            self.table.turns[file, bucket] = versions
            return True

    def record_version(
        self, task: CopyTask, version: SourceVersion, code: CopyCode | str, landed: CopyResult | None
    ) -> None:
        with self.probe.call("record_version"):
            self.table.versions.append(
                {"bucket": task.destination_bucket, "sourceVersionId": version.version_id, "code": str(code)}
            )

    def has_version(self, file: FileId, bucket: str, version_id: str) -> bool:
        with self.probe.call("has_version"):
            return any(
                (item["bucket"], item["sourceVersionId"]) == (bucket, version_id) for item in self.table.versions
            )

    def finish(self, run: ReplicationRun, totals: RunTotals, outcome: RunOutcome) -> bool:
        with self.probe.call("finish"):
            summary = {"status": _STATUS_OF[outcome], "outcome": outcome, "totals": totals}
            self.table.history.append({"executionId": run.execution_id, **summary})
            record = self.table.records.get(run.file, {})
            items: list[Any] = [item for (file, _), item in self.table.destinations.items() if file == run.file]
            if record.get("executionId") != run.execution_id:
                if record and record["status"] != RecordStatus.IN_PROGRESS:
                    statuses = {item["destinationBucket"]: item["status"] for item in items}
                    record |= self._standing(standing_by_status(statuses))
                return False
            standing = self._standing(standing_of(items, run, totals))
            record |= summary | standing | {"completedAt": iso(self.table.clock.now())}
            return True

    @staticmethod
    def _standing(standing: Standing) -> Item:
        return {"status": standing.status, "failed": standing.failed, "successful": standing.successful}

    def open_runs(self, *, started_before: str) -> Iterator[Item]:
        with self.probe.call("open_runs"):
            found = [
                dict(record)
                for record in self.table.records.values()
                if record["status"] == RecordStatus.IN_PROGRESS and record["startTime"] <= started_before
            ]
        yield from found

    def destinations_of(self, run: ReplicationRun) -> list[Item]:
        with self.probe.call("destinations_of"):
            return [
                item
                for (file, _), item in self.table.destinations.items()
                if file == run.file and item["executionId"] == run.execution_id
            ]
