"""What is recorded per destination and per run."""

import json
from typing import Any

import pytest

from tests.fakes.functions import PHYSICAL
from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, SOURCE, a_run, ended, facts, failure, result
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import NOW
from waybill.core.aws.table import InvalidTransactionError
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.records import ClaimOutcome, RecordStatus
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import ReplicationRun, RunOutcome

A, B = DESTINATIONS
ITEM_LIMIT_BYTES = 400_000


def claimed(tracking: TrackingTable, label: str = "1", **changes: Any) -> ReplicationRun:
    run = a_run(label, **changes)
    return run.model_copy(update={"generation": tracking.claim(run).generation})


def stored(dynamodb: Any, range_key: str = SOURCE, key: str = KEY) -> dict[str, dict[str, str]]:
    """Return an item as the documented `get-item` shows it."""
    table_key = {"fileKey": {"S": key}, "sourceBucket": {"S": range_key}}
    item: dict[str, dict[str, str]] = dynamodb.get_item(TableName=PHYSICAL["FileCopyTrackingTable"], Key=table_key)[
        "Item"
    ]
    return item


def size_of(item: dict[str, dict[str, str]]) -> int:
    """Bytes as DynamoDB counts them, rounded up (Developer Guide, "DynamoDB Item sizes and formats")."""
    return sum(len(name.encode()) + len(str(next(iter(value.values()))).encode()) + 3 for name, value in item.items())


def test_the_record_of_an_ended_run_is_as_documented(tracking: TrackingTable, dynamodb: Any) -> None:
    run = claimed(tracking)
    results = (result(run, A), failure(run, B))
    assert tracking.finish(run, *ended(*results)) is True
    item = stored(dynamodb)
    documented = {
        "fileKey": {"S": KEY},
        "sourceBucket": {"S": SOURCE},
        "executionId": {"S": run.execution_id},
        "status": {"S": "FAILED"},
        "startTime": {"S": run.workflow_start_time},
        "completedAt": {"S": "2026-11-21T10:00:05.000Z"},
        "totalDestinationBuckets": {"N": "2"},
        "destinationBuckets": {"S": '["region-a-builds","region-b-builds"]'},
        "totalBuckets": {"N": "2"},
        "successfulCopies": {"N": "1"},
        "failedCopies": {"N": "1"},
        "successfulBuckets": {"S": '["region-a-builds"]'},
        "failedBuckets": {"S": '["region-b-builds"]'},
    }
    assert {name: item[name] for name in documented} == documented
    assert json.loads(item["copyResults"]["S"]) == [one.wire() for one in results]


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (("COPIED", "SKIPPED_IDENTICAL"), RecordStatus.COMPLETED),
        (("COPIED", "NO_SUCH_BUCKET"), RecordStatus.FAILED),
        (("ACCESS_DENIED", "NO_SUCH_BUCKET"), RecordStatus.FAILED),
        (("COPIED", "SUPERSEDED"), RecordStatus.SUPERSEDED),
        (("SUPERSEDED", "NO_SUCH_BUCKET"), RecordStatus.FAILED),
    ],
)
def test_the_status_follows_from_the_results(
    tracking: TrackingTable, codes: tuple[str, ...], status: RecordStatus
) -> None:
    run = claimed(tracking)
    good = {"COPIED", "SKIPPED_IDENTICAL"}
    results = [
        result(run, bucket, code=code, success=code in good) for bucket, code in zip(DESTINATIONS, codes, strict=True)
    ]
    tracking.finish(run, *ended(*results))
    record = tracking.record(run.file)
    assert record
    assert record["status"] == status
    assert json.loads(record["failedBuckets"]) == [
        bucket for bucket, code in zip(DESTINATIONS, codes, strict=True) if code not in good | {"SUPERSEDED"}
    ]
    assert [item["fileKey"] for item in tracking.newest([status])] == [KEY]


def test_a_run_that_lost_the_record_writes_its_history_alone(tracking: TrackingTable) -> None:
    older, newer = claimed(tracking, "older", sequencer="01"), claimed(tracking, "newer", sequencer="02")
    before = tracking.record(older.file)
    assert tracking.finish(older, *ended(failure(older, A), failure(older, B))) is False
    now = tracking.record(older.file)
    assert now
    assert before
    # Counted beside: runs that have ended so, for the newer one to look again before it says how the file stands.
    assert {**now, "revision": None} == {**before, "revision": None}
    assert tracking.finish(newer, *ended(result(newer, A), result(newer, B))) is True
    assert tracking.finish(older, *ended(failure(older, A), failure(older, B))) is False
    latest = tracking.latest_run(older.file)
    assert latest
    assert (latest.execution_id, latest.status) == (newer.execution_id, "COMPLETED")
    assert {item["executionId"]: item["status"] for item in tracking.history(older.file, 10)} == {
        newer.execution_id: "COMPLETED",
        older.execution_id: "FAILED",
    }


def test_finishing_twice_changes_nothing(tracking: TrackingTable) -> None:
    run = claimed(tracking)
    results = ended(result(run, A), result(run, B))
    assert [tracking.finish(run, *results) for _ in range(2)] == [True, True]
    assert len(tracking.history(run.file, 10)) == 1


def test_record_and_history_are_written_together_or_not_at_all(tracking: TrackingTable, wire: Wire) -> None:
    run = claimed(tracking)
    before = tracking.record(run.file)
    wire.clear()
    wire.refuse("dynamodb.TransactWriteItems", "InternalServerError", status=500, times=3)
    with pytest.raises(TrackingUnavailableError):
        tracking.finish(run, *ended(result(run, A), failure(run, B)))
    assert wire.counts == {"dynamodb.TransactWriteItems": 3}
    assert (tracking.record(run.file), tracking.history(run.file, 1)) == (before, [])


@pytest.mark.parametrize(
    ("reasons", "raised"),
    [
        (["TransactionConflict", "None"], TrackingUnavailableError),
        (["None", "ThrottlingError"], TrackingUnavailableError),
        (["ProvisionedThroughputExceeded", "None"], TrackingUnavailableError),
        (["ValidationError", "None"], InvalidTransactionError),
        (["None", "ItemCollectionSizeLimitExceeded"], InvalidTransactionError),
    ],
)
def test_the_reasons_of_a_cancelled_transaction_decide(
    tracking: TrackingTable, wire: Wire, reasons: list[str], raised: type[Exception]
) -> None:
    run = claimed(tracking)
    members = {"CancellationReasons": [{"Code": reason} for reason in reasons]}
    wire.refuse("dynamodb.TransactWriteItems", "TransactionCanceledException", members=members)
    with pytest.raises(raised):
        tracking.finish(run, *ended(result(run, A), failure(run, B)))


def test_the_first_run_of_a_file_that_went_well_is_history_in_its_record_and_kept_by_the_next(
    tracking: TrackingTable, wire: Wire
) -> None:
    run = claimed(tracking, "first", sequencer="01")
    wire.clear()
    assert tracking.finish(run, *ended(result(run, A), result(run, B)))
    assert wire.counts == {"dynamodb.UpdateItem": 1}
    (shown,) = tracking.history(run.file, 10)
    assert (shown["executionId"], shown["outcome"], shown["completedAt"]) == (
        run.execution_id,
        "SUCCESS",
        "2026-11-21T10:00:05.000Z",
    )
    assert (shown["successfulBuckets"], shown["failedBuckets"]) == (json.dumps([A, B], separators=(",", ":")), "[]")
    # A claim that dies between its two writes has lost nothing, and taken nothing over.
    wire.refuse("dynamodb.PutItem", "InternalServerError", status=500, times=3)
    later = a_run("later", sequencer="02")
    with pytest.raises(TrackingUnavailableError):
        tracking.claim(later)
    assert tracking.history(run.file, 10) == [shown]
    assert tracking.claim(a_run("late", sequencer="005")).claim is ClaimOutcome.STALE
    assert tracking.claim(later).generation == 2
    assert tracking.history(run.file, 10) == [shown]


def test_history_is_newest_first_and_kept_for_its_days(tracking: TrackingTable, dynamodb: Any) -> None:
    starts = [f"2026-11-{day:02}T10:00:00.000Z" for day in (3, 1, 2)]
    for index, start in enumerate(starts):
        run = claimed(tracking, str(index), start=start)
        tracking.finish(run, *ended(result(run, A), failure(run, B)))
    shown = tracking.history(a_run().file, 2)
    assert [item["startTime"] for item in shown] == [starts[0], starts[2]]
    assert shown[0]["expiresAt"] == NOW.timestamp() + 90 * 86_400
    assert "copyResults" not in shown[0]
    assert stored(dynamodb, shown[0]["sourceBucket"])["expiresAt"] == {"N": str(shown[0]["expiresAt"])}
    assert "expiresAt" not in stored(dynamodb)


def test_a_destination_item_tells_all_of_its_result(tracking: TrackingTable, dynamodb: Any) -> None:
    run = claimed(tracking)
    source = facts(version_id="v1")
    details = {"bytes": 3, "strategy": "COPY", "verification": "CHECKSUM", "duration_ms": 12, "version_id": "d1"}
    assert tracking.record_destination(run, result(run, A, **details), source) is None
    assert stored(dynamodb, f"{SOURCE}#dest#{A}") == {
        "fileKey": {"S": KEY},
        "sourceBucket": {"S": f"{SOURCE}#dest#{A}"},
        "destinationBucket": {"S": A},
        "destinationKey": {"S": KEY},
        "executionId": {"S": run.execution_id},
        "startTime": {"S": run.workflow_start_time},
        "generation": {"N": "1"},
        "timestamp": {"S": "2026-11-21T10:00:02.000Z"},
        "status": {"S": "COMPLETED"},
        "success": {"BOOL": True},
        "code": {"S": "COPIED"},
        "attempts": {"N": "1"},
        "etag": {"S": E_TAG},
        "versionId": {"S": "d1"},
        "sourceIdentity": {"S": "v1"},
        "sourceVersionId": {"S": "v1"},
        "sourceSize": {"N": "3"},
        "bytes": {"N": "3"},
        "strategy": {"S": "COPY"},
        "verification": {"S": "CHECKSUM"},
        "durationMs": {"N": "12"},
    }
    record = tracking.destination(run.file, A)
    assert record
    assert (record.status, record.source_identity, record.etag, record.upload_id) == ("COMPLETED", "v1", E_TAG, None)
    assert tracking.destination(run.file, B) is None


def test_an_upload_is_remembered_until_there_is_a_result(tracking: TrackingTable) -> None:
    run = claimed(tracking)
    assert tracking.record_upload(run, A, facts(version_id="v1"), "u1") is None
    record = tracking.destination(run.file, A)
    assert record
    assert (record.status, record.upload_id, record.source_identity) == ("IN_PROGRESS", "u1", "v1")
    assert tracking.record_destination(run, failure(run, A), None) is None
    record = tracking.destination(run.file, A)
    assert record
    assert (record.status, record.upload_id) == ("FAILED", None)


def test_a_later_run_takes_the_destination_and_is_told_of_the_upload_it_displaced(tracking: TrackingTable) -> None:
    older, newer = claimed(tracking, "older"), claimed(tracking, "newer")
    tracking.record_upload(older, A, facts(), "u1")
    assert tracking.record_upload(newer, A, facts(), "u2") == "u1"
    tracking.record_upload(older, B, facts(), "u3")
    assert tracking.record_destination(newer, result(newer, B), facts()) == "u3"


def test_an_older_run_cannot_write_over_a_later_one(tracking: TrackingTable) -> None:
    # By claims and not by start: the run that started first may have claimed last.
    later_start = "2026-11-21T10:00:09.000Z"
    older, newer = claimed(tracking, "older", start=later_start), claimed(tracking, "newer")
    tracking.record_destination(newer, result(newer, A), facts())
    assert tracking.record_upload(older, A, facts(), "u1") == "u1"
    assert tracking.record_destination(older, failure(older, A), None) is None
    items = tracking.destinations(older.file)
    assert [(item["executionId"], item["status"]) for item in items] == [(newer.execution_id, "COMPLETED")]


def test_what_was_put_right_is_recorded_beside_what_a_later_run_has_done(tracking: TrackingTable) -> None:
    older, newer = claimed(tracking, "older"), claimed(tracking, "newer")
    tracking.record_destination(newer, result(newer, A), facts())
    before = tracking.destinations(older.file)
    tracking.record_put_back(older, result(older, A, code="PUT_BACK"), facts())
    assert tracking.destinations(older.file) == before
    record = tracking.destination(newer.file, A)
    assert record
    assert record.execution_id == newer.execution_id


def test_destinations_are_told_by_name_and_by_run(tracking: TrackingTable) -> None:
    run, other = claimed(tracking), claimed(tracking, key="other")
    for bucket in (B, A):
        tracking.record_destination(run, result(run, bucket), facts())
    tracking.record_destination(other, result(other, A), facts())
    assert [item["destinationBucket"] for item in tracking.destinations(run.file)] == [A, B]
    assert tracking.destinations_of(a_run("never")) == []
    assert [item["destinationBucket"] for item in tracking.destinations_of(other)] == [A]


def test_a_long_cause_is_cut(tracking: TrackingTable, dynamodb: Any) -> None:
    run = claimed(tracking)
    tracking.record_destination(run, failure(run, A, cause="é" * 100_000), None)
    assert size_of(stored(dynamodb, f"{SOURCE}#dest#{A}")) < 10_000


@pytest.mark.parametrize("cause", [None, "c" * 2_000, "é" * 100_000])
@pytest.mark.parametrize("failing", [0, 1, 500, 1000])
def test_a_thousand_destinations_fit_the_record(
    tracking: TrackingTable, dynamodb: Any, failing: int, cause: str | None
) -> None:
    names = [f"{index:04}-".ljust(63, "x") for index in range(1000)]
    run = claimed(tracking, destination_buckets=tuple(names))
    good = [result(run, name) for name in names[failing:]]
    bad = [failure(run, name, cause=cause) for name in names[:failing]]
    assert tracking.finish(run, *ended(*good, *bad))
    item = stored(dynamodb)
    assert size_of(item) < ITEM_LIMIT_BYTES
    assert json.loads(item["failedBuckets"]["S"]) == names[:failing]
    assert json.loads(item["successfulBuckets"]["S"]) == names[failing:]
    assert item["failedCopies"] == {"N": str(failing)}
    kept = json.loads(item["copyResults"]["S"])
    assert int(item["copyResultsCut"]["N"]) == 1000 - len(kept) > 0
    # What went wrong is kept first, with as much of the reason as fits.
    assert [one["success"] for one in kept].index(True) == failing if len(kept) > failing else len(kept) > 20
    tracking.claim(a_run("next"))
    assert size_of(stored(dynamodb, tracking.history(run.file, 1)[0]["sourceBucket"])) < ITEM_LIMIT_BYTES


def test_results_that_fit_are_kept_whole_and_in_order(tracking: TrackingTable, dynamodb: Any) -> None:
    names = [f"bucket-{index}" for index in range(50)]
    run = claimed(tracking, destination_buckets=tuple(names))
    results = [result(run, name) if index % 2 else failure(run, name) for index, name in enumerate(names)]
    tracking.finish(run, *ended(*results))
    item = stored(dynamodb)
    assert json.loads(item["copyResults"]["S"]) == [one.wire() for one in results]
    assert "copyResultsCut" not in item


def test_results_cut_by_an_earlier_run_are_not_left_behind(tracking: TrackingTable, dynamodb: Any) -> None:
    names = tuple(f"{index:04}-".ljust(63, "x") for index in range(1000))
    first = claimed(tracking, "1", destination_buckets=names)
    tracking.finish(first, *ended(*(result(first, name) for name in names)))
    assert "copyResultsCut" in stored(dynamodb)
    second = claimed(tracking, "2")
    tracking.finish(second, *ended(result(second, A), result(second, B)))
    assert "copyResultsCut" not in stored(dynamodb)


def test_an_outcome_that_all_destinations_share_is_kept_beside_the_status(tracking: TrackingTable) -> None:
    run = claimed(tracking)
    counted, outcome = ended(failure(run, A), failure(run, B))
    assert outcome is RunOutcome.FAILED
    tracking.finish(run, counted, outcome)
    record = tracking.record(run.file)
    assert record
    assert (record["status"], record["outcome"]) == ("FAILED", "FAILED")
