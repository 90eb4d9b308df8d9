"""What is done about a destination whose copy has failed for good."""

from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY
from tests.fakes.world import FILE, SIZES, World
from waybill.replication.domain.failed_copy import record_failure
from waybill.replication.domain.multipart import open_upload
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import DestinationResult, FailedCopy, ReplicationRun, Strategy

_BUCKET = DESTINATIONS[0]
_DENIED = {"Error": "AccessDeniedError", "Cause": '{"errorMessage": "s3:PutObject on region-a-builds: AccessDenied"}'}


def fail(world: World, run: ReplicationRun, failure: dict[str, Any]) -> DestinationResult:
    failed = FailedCopy(run=run, destination_bucket=_BUCKET, failure=failure, attempt=3)
    return record_failure(failed, world.machine.buckets, world.machine.tracking, "2026-03-01T12:00:00.000Z")


@pytest.fixture
def uploading(world: World) -> ReplicationRun:
    """A run that has an upload open."""
    run = world.claimed(world.upload(SIZES[Strategy.MULTIPART]))
    open_upload(world.machine.buckets, world.machine.tracking, world.task(run))
    return run


def test_the_failure_is_recorded_with_its_reason(world: World) -> None:
    run = world.claimed(world.upload())
    result = fail(world, run, _DENIED)
    assert (result.code, result.attempts, result.timestamp) == ("ACCESS_DENIED", 3, "2026-03-01T12:00:00.000Z")
    recorded = world.destination()
    assert recorded["status"] == RecordStatus.FAILED
    assert recorded["cause"] == "s3:PutObject on region-a-builds: AccessDenied"
    assert recorded["executionId"] == run.execution_id


def test_the_open_upload_is_aborted(world: World, uploading: ReplicationRun) -> None:
    fail(world, uploading, _DENIED)
    assert world.s3.open_uploads() == []
    assert "uploadId" not in world.destination()


def test_repeating_it_changes_nothing(world: World, uploading: ReplicationRun) -> None:
    assert fail(world, uploading, _DENIED) == fail(world, uploading, _DENIED)
    assert world.destination()["status"] == RecordStatus.FAILED


def test_a_superseded_copy_aborts_its_upload_and_records_no_failure(world: World, uploading: ReplicationRun) -> None:
    result = fail(world, uploading, {"Error": "SupersededError", "Cause": "…"})
    assert (result.code, result.success) == ("SUPERSEDED", False)
    assert world.s3.open_uploads() == []
    assert world.destination()["status"] == RecordStatus.IN_PROGRESS


def test_the_upload_and_the_record_of_a_later_run_are_left_alone(world: World, uploading: ReplicationRun) -> None:
    later = world.claimed(name="later")
    open_upload(world.machine.buckets, world.machine.tracking, world.task(later))
    before = dict(world.destination())
    assert fail(world, uploading, _DENIED).code == "ACCESS_DENIED"
    assert world.destination() == before
    assert world.s3.open_uploads() == [before["uploadId"]]


def test_a_destination_that_nobody_has_touched_is_recorded_too(world: World) -> None:
    run = world.claimed(destination_prefix="copies/")
    assert fail(world, run, {"Error": "SourceNotFoundError", "Cause": KEY}).code == "SOURCE_NOT_FOUND"
    assert world.table.destinations[FILE, _BUCKET]["code"] == "SOURCE_NOT_FOUND"
