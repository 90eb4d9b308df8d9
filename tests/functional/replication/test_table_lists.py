"""Lists of records: newest first over all partitions of the index, page by page."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.functions import PHYSICAL
from tests.fakes.runs import DESTINATIONS, SOURCE, a_run, ended, failure, result
from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.core.aws.dynamodb import to_item
from waybill.core.errors import NotificationUnavailableError
from waybill.replication.adapters.items import SHARDS, partitions_of, status_partition
from waybill.replication.adapters.overdue_events import OverdueEvents
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.overdue import OverdueWatch
from waybill.replication.domain.records import RecordStatus, position_of
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import FileId, ReplicationRun
from waybill.replication.views import is_position, list_records

TABLE = PHYSICAL["FileCopyTrackingTable"]
A, B = DESTINATIONS

type Record = dict[str, Any]


def record(key: str, status: RecordStatus, start: str, bucket: str = SOURCE) -> Record:
    """Return what the lists need of a record."""
    return {
        "fileKey": key,
        "sourceBucket": bucket,
        "status": status.value,
        "startTime": start,
        "statusPartition": status_partition(status, FileId(bucket, key)),
        "destinationBuckets": "[]",
        "totalDestinationBuckets": 0,
        "executionId": f"run of {key}",
    }


def store(dynamodb: Any, records: Sequence[Record]) -> None:
    for one in records:
        dynamodb.put_item(TableName=TABLE, Item=to_item(one))


def clear(dynamodb: Any, records: Sequence[Record]) -> None:
    for one in records:
        key = {name: one[name] for name in ("fileKey", "sourceBucket")}
        dynamodb.delete_item(TableName=TABLE, Key=to_item(key))


def positions(records: Sequence[Record]) -> list[str]:
    return [position_of(one) for one in records]


def all_pages(tracking: TrackingTable, status: RecordStatus | None, limit: int) -> list[list[Record]]:
    pages, position = [], None
    while True:
        page = list_records(tracking, status, limit, position)
        pages.append([item.wire() for item in page.items])
        position = page.position
        if position is None:
            return pages
        assert is_position(position)


# Few moments, so that many records share one; two years, so that order is not that of insertion.
STARTS = [
    "2024-12-31T23:59:59.999Z",
    "2026-10-31T23:59:59.999Z",
    "2026-11-01T00:00:00.000Z",
    "2026-11-01T00:00:00.001Z",
]
KEYS = st.sampled_from(["a", "a|b", "a/b", "b", "é", "😀", "|", "z" * 1024])
RECORDS = st.lists(
    st.builds(
        record, KEYS, st.sampled_from(RecordStatus), st.sampled_from(STARTS), st.sampled_from([SOURCE, "b-builds"])
    ),
    max_size=10,
    unique_by=lambda one: (one["fileKey"], one["sourceBucket"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, limit=st.integers(1, 6), status=st.none() | st.sampled_from(RecordStatus))
def test_paging_yields_every_record_once_in_order(
    tracking: TrackingTable, dynamodb: Any, records: list[Record], limit: int, status: RecordStatus | None
) -> None:
    store(dynamodb, records)
    try:
        pages = all_pages(tracking, status, limit)
    finally:
        clear(dynamodb, records)
    wanted = [one for one in records if status is None or one["status"] == status]
    expected = sorted(positions(wanted), reverse=True)
    assert [position for page in pages for position in positions(page)] == expected
    assert all(len(page) == limit for page in pages[:-1])
    assert len(pages) == max(1, -(-len(expected) // limit))


def test_ended_runs_are_spread_over_shards_and_open_ones_are_not() -> None:
    assert SHARDS > 1
    files = [FileId(SOURCE, str(index)) for index in range(200)]
    for status in (RecordStatus.COMPLETED, RecordStatus.SUPERSEDED):
        assert len({status_partition(status, file) for file in files}) == SHARDS
    for status in (RecordStatus.IN_PROGRESS, RecordStatus.FAILED):
        assert {status_partition(status, file) for file in files} == {status.value}


def test_records_are_listed_whatever_became_of_their_runs(tracking: TrackingTable) -> None:
    def run(key: str, minute: int) -> ReplicationRun:
        started = a_run(key, key=key, start=f"2026-11-21T10:{minute:02}:00.000Z")
        tracking.claim(started)
        return started

    run("running", 0)
    good, bad, late = run("good", 1), run("bad", 2), run("late", 3)
    tracking.finish(good, *ended(result(good, A), result(good, B)))
    tracking.finish(bad, *ended(result(bad, A), failure(bad, B)))
    tracking.finish(late, *ended(*(result(late, bucket, code="SUPERSEDED", success=False) for bucket in (A, B))))
    page = list_records(tracking, None, 10, None)
    assert [(item.file_key, item.status) for item in page.items] == [
        ("late", "SUPERSEDED"),
        ("bad", "FAILED"),
        ("good", "COMPLETED"),
        ("running", "IN_PROGRESS"),
    ]
    failed = page.items[1].wire()
    assert failed["failedBuckets"] == [B]
    assert failed["destinationBuckets"] == [A, B]
    assert not {"statusPartition", "expiresAt", "sequencer", "generation", "newestEventRun"} & set(failed)
    for status, key in (
        (RecordStatus.FAILED, "bad"),
        (RecordStatus.IN_PROGRESS, "running"),
        (RecordStatus.COMPLETED, "good"),
    ):
        assert [item.file_key for item in list_records(tracking, status, 10, None).items] == [key]


def test_side_items_are_in_no_list(tracking: TrackingTable) -> None:
    run = a_run()
    tracking.claim(run)
    tracking.record_destination(run, failure(run, A), None)
    tracking.finish(run, *ended(failure(run, A)))
    assert [item["sourceBucket"] for item in tracking.newest(RecordStatus)] == [SOURCE]


def test_a_record_that_the_index_shows_twice_is_listed_once(tracking: TrackingTable, wire: Wire) -> None:
    # The index follows its table: for a moment a record may be in its old partition and in its new one.
    run = a_run()
    tracking.claim(run)
    in_progress = next(tracking.newest([RecordStatus.IN_PROGRESS]))
    tracking.finish(run, *ended(result(run, A)))

    def still_there(answer: dict[str, Any]) -> None:
        answer["Items"] = answer["Items"] or [to_item(in_progress)]

    wire.change("dynamodb.Query", still_there)
    assert len(list(tracking.newest(RecordStatus))) == 1


def test_a_list_reads_no_more_than_it_shows(tracking: TrackingTable, dynamodb: Any, wire: Wire) -> None:
    starts = [f"2026-11-21T10:00:00.{index:03}Z" for index in range(130)]
    store(dynamodb, [record(start, RecordStatus.FAILED, start) for start in starts])
    wire.clear()
    assert len(list_records(tracking, RecordStatus.FAILED, 50, None).items) == 50
    assert [request.document["Limit"] for request in wire.of("dynamodb.Query")] == [100]
    wire.clear()
    assert len(list_records(tracking, None, 50, None).items) == 50
    # Each partition is asked once, and the one whose records are shown may be asked for its second page.
    assert len(wire.requests) <= sum(len(partitions_of(status)) for status in RecordStatus) + 1
    assert len(list(tracking.newest([RecordStatus.FAILED]))) == 130


def test_runs_that_are_open_too_long_are_found_by_their_start(tracking: TrackingTable, dynamodb: Any) -> None:
    store(dynamodb, [record(str(index), RecordStatus.IN_PROGRESS, start) for index, start in enumerate(STARTS)])
    store(dynamodb, [record("ended", RecordStatus.COMPLETED, STARTS[0])])
    found = [item["startTime"] for item in tracking.open_runs(started_before=STARTS[2])]
    assert found == [STARTS[2], STARTS[1], STARTS[0]]


def test_a_throttle_in_the_middle_of_a_list_is_ours(tracking: TrackingTable, wire: Wire) -> None:
    wire.refuse("dynamodb.Query", "ProvisionedThroughputExceededException")
    with pytest.raises(TrackingUnavailableError):
        list_records(tracking, None, 10, None)
    wire.refuse("dynamodb.Query", "ResourceNotFoundException")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        tracking.destinations(a_run().file)


def test_each_file_that_is_overdue_is_one_event_and_no_other(tracking: TrackingTable, wire: Wire) -> None:
    """Amazon EventBridge API Reference, PutEvents: at most ten entries."""
    hostile = "a\n\u202e\x1b[2J"
    for number in range(11):
        key = hostile if number == 0 else f"k{number}"
        tracking.claim(a_run(key, key=key, start=f"2026-11-21T09:{number:02}:00.000Z", size=7))
    ended_run = a_run("done", key="done", start="2026-11-21T09:00:30.000Z")
    tracking.claim(ended_run)
    tracking.finish(ended_run, *ended(result(ended_run, A), result(ended_run, B)))

    def tell(minute: int) -> int:
        now = datetime(2026, 11, 21, 9, minute, tzinfo=UTC)
        return OverdueWatch(
            tracking, OverdueEvents(client("events"), "files"), timedelta(minutes=15), lambda: now
        ).tell()

    assert [tell(16), tell(16), tell(59), tell(59)] == [2, 0, 9, 0]
    sent = [json.loads(request.body)["Entries"] for request in wire.of("eventbridge.PutEvents")]
    assert [len(entries) for entries in sent] == [2, 9]
    assert {(entry["Source"], entry["DetailType"]) for entries in sent for entry in entries} == {
        ("waybill.replication", "ReplicationOverdue")
    }
    first = a_run(hostile, key=hostile)
    assert json.loads(sent[0][0]["Detail"]) == {
        "eventId": f"overdue-{first.execution_name}",
        "stack": "files",
        "sourceBucket": SOURCE,
        "sourceKey": hostile,
        "versionId": None,
        "size": 7,
        "executionId": first.execution_id,
        "startTime": "2026-11-21T09:00:00.000Z",
        "thresholdMinutes": 15,
    }
    wire.refuse("eventbridge.PutEvents", "InternalException", status=500, times=9)
    late = a_run("late", key="late", start="2026-11-21T09:20:00.000Z")
    tracking.claim(late)
    with pytest.raises(NotificationUnavailableError):
        tell(50)
