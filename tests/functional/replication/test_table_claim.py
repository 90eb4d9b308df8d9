"""Who owns a file's record: claims on moto's DynamoDB."""

import json
from itertools import permutations
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.fakes.functions import PHYSICAL
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, ended, result
from tests.fakes.wire import Wire
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.records import ClaimOutcome
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import ReplicationRun, pad_sequencer

OLD, NEW = "0055AED6DCD90281E5", "0055AED6DCD90281E5F0"


def claim(tracking: TrackingTable, run: ReplicationRun) -> ClaimOutcome:
    return tracking.claim(run).claim


def owner(tracking: TrackingTable, run: ReplicationRun) -> str:
    latest = tracking.latest_run(run.file)
    assert latest
    return latest.execution_id


def test_the_first_claim_makes_the_record_as_documented(tracking: TrackingTable, dynamodb: Any) -> None:
    run = a_run(sequencer=OLD, version_id="v1", e_tag="abc", size=3, destination_prefix="copies/")
    assert claim(tracking, run) is ClaimOutcome.STARTED
    stored = dynamodb.get_item(
        TableName=PHYSICAL["FileCopyTrackingTable"], Key={"fileKey": {"S": KEY}, "sourceBucket": {"S": SOURCE}}
    )["Item"]
    assert json.loads(stored.pop("destinationBuckets")["S"]) == list(DESTINATIONS)
    assert stored == {
        "fileKey": {"S": KEY},
        "sourceBucket": {"S": SOURCE},
        "executionId": {"S": run.execution_id},
        "executionName": {"S": run.execution_name},
        "status": {"S": "IN_PROGRESS"},
        "statusPartition": {"S": "IN_PROGRESS"},
        "startTime": {"S": run.workflow_start_time},
        "totalDestinationBuckets": {"N": "2"},
        "destinationPrefix": {"S": "copies/"},
        "sequencer": {"S": pad_sequencer(OLD)},
        "newestEventRun": {"S": run.execution_id},
        "generation": {"N": "1"},
        "versionId": {"S": "v1"},
        "eTag": {"S": "abc"},
        "size": {"N": "3"},
    }


def test_the_same_run_may_claim_again(tracking: TrackingTable) -> None:
    run = a_run(sequencer=OLD)
    assert [claim(tracking, run), claim(tracking, run)] == [ClaimOutcome.STARTED, ClaimOutcome.STARTED]


def test_another_execution_for_the_same_event_is_a_duplicate(tracking: TrackingTable) -> None:
    first, again = a_run("first", sequencer=OLD), a_run("again", sequencer=OLD)
    assert claim(tracking, first) is ClaimOutcome.STARTED
    assert claim(tracking, again) is ClaimOutcome.DUPLICATE
    assert owner(tracking, first) == first.execution_id


@pytest.mark.parametrize("sequencer", [None, OLD])
def test_express_runs_of_one_name_are_duplicates(tracking: TrackingTable, sequencer: str | None) -> None:
    # Express state machines run a name as often as it is started; each run has an ARN of its own.
    arn = "arn:aws:states:eu-west-1:123456789012:express:waybill-replication-express:build"
    first, again = (
        a_run(execution_name="build", execution_id=f"{arn}:{uuid}", sequencer=sequencer) for uuid in ("11", "22")
    )
    assert [claim(tracking, first), claim(tracking, again)] == [ClaimOutcome.STARTED, ClaimOutcome.DUPLICATE]
    assert owner(tracking, first) == first.execution_id


def test_a_newer_event_takes_over_and_an_older_one_is_stale(tracking: TrackingTable) -> None:
    older, newer = a_run("older", sequencer=OLD), a_run("newer", sequencer=NEW)
    assert [claim(tracking, older), claim(tracking, newer)] == [ClaimOutcome.STARTED, ClaimOutcome.STARTED]
    assert claim(tracking, older) is ClaimOutcome.STALE
    assert owner(tracking, older) == newer.execution_id


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_event_owns_the_record_in_whatever_order_events_come(
    tracking: TrackingTable, order: tuple[int, ...]
) -> None:
    # S3's sequencers differ in length: shorter ones are padded on the right.
    runs = [a_run(str(index), sequencer=text) for index, text in enumerate(["00", "0055AED6DCD90281E5", "0055AF"])]
    for index in order:
        claim(tracking, runs[index])
    assert owner(tracking, runs[0]) == runs[2].execution_id


def test_a_manual_run_takes_over_and_leaves_the_sequencer(tracking: TrackingTable) -> None:
    event, manual = a_run("event", sequencer=NEW), a_run("manual")
    assert [claim(tracking, event), claim(tracking, manual)] == [ClaimOutcome.STARTED, ClaimOutcome.STARTED]
    record = tracking.record(event.file)
    assert record
    assert (record["executionId"], record["sequencer"]) == (manual.execution_id, pad_sequencer(NEW))
    assert claim(tracking, a_run("older", sequencer=OLD)) is ClaimOutcome.STALE
    assert claim(tracking, a_run("again", sequencer=NEW)) is ClaimOutcome.DUPLICATE


def test_an_event_takes_over_from_a_manual_run_of_a_file_without_events(tracking: TrackingTable) -> None:
    assert claim(tracking, a_run("manual")) is ClaimOutcome.STARTED
    assert claim(tracking, a_run("event", sequencer=OLD)) is ClaimOutcome.STARTED


def test_a_claim_clears_the_result_of_the_run_before(tracking: TrackingTable) -> None:
    first, second = a_run("1", sequencer=OLD, size=3), a_run("2", sequencer=NEW)
    claim(tracking, first)
    tracking.finish(first, *ended(*(result(first, bucket) for bucket in DESTINATIONS)))
    claim(tracking, second)
    record = tracking.record(first.file)
    assert record
    assert record["status"] == "IN_PROGRESS"
    assert {"completedAt", "outcome", "successfulCopies", "copyResults", "failedBuckets", "size"} & set(record) == set()


def test_each_claim_is_of_a_later_generation(tracking: TrackingTable) -> None:
    first, second, manual = a_run("1", sequencer=OLD), a_run("2", sequencer=NEW), a_run("3")
    generations = [tracking.claim(run).generation for run in (first, second, manual)]
    assert generations == sorted(set(generations))
    assert generations[0] > 0
    assert tracking.claim(first).generation == 0  # it is stale, and so has no place


@pytest.mark.parametrize("key", ["a b+c%2B.zip", "é/😀.zip", "x" * 1024, "é" * 512, "#dest#", "|"])
def test_any_key_has_a_record_of_its_own(tracking: TrackingTable, key: str) -> None:
    run = a_run(key=key)
    assert claim(tracking, run) is ClaimOutcome.STARTED
    assert tracking.latest_run(a_run(key="other").file) is None
    assert owner(tracking, run) == run.execution_id


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"],
)
def test_what_passes_is_the_workflows_to_retry(tracking: TrackingTable, wire: Wire, code: str) -> None:
    wire.refuse("dynamodb.UpdateItem", code)
    wire.refuse("dynamodb.GetItem", code)
    with pytest.raises(TrackingUnavailableError, match=code):
        claim(tracking, a_run())
    with pytest.raises(TrackingUnavailableError, match=code):
        tracking.latest_run(a_run().file)


def test_a_table_that_cannot_be_reached_is_the_workflows_to_retry(tracking: TrackingTable, wire: Wire) -> None:
    wire.cut("dynamodb.UpdateItem", EndpointConnectionError(endpoint_url="https://dynamodb"))
    with pytest.raises(TrackingUnavailableError, match="EndpointConnectionError"):
        claim(tracking, a_run())


def test_a_throttle_that_passes_goes_unnoticed(tracking: TrackingTable, wire: Wire) -> None:
    wire.refuse("dynamodb.UpdateItem", "ThrottlingException", times=2)
    assert claim(tracking, a_run()) is ClaimOutcome.STARTED
    assert wire.counts == {"dynamodb.UpdateItem": 3}
    assert len(wire.waits) == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_what_no_retry_mends_is_raised_as_it_is_after_one_request(
    tracking: TrackingTable, wire: Wire, code: str
) -> None:
    wire.refuse("dynamodb.UpdateItem", code)
    with pytest.raises(ClientError, match=code):
        claim(tracking, a_run())
    assert wire.counts == {"dynamodb.UpdateItem": 1}


def test_a_run_without_an_event_leaves_what_the_newest_event_says_of_the_source(tracking: TrackingTable) -> None:
    """README of replication, "Late copies": what was removed is removed again where a late copy lies on top of it."""
    removal = a_run(sequencer=OLD, removed=True, size=0)
    claim(tracking, removal)
    claim(tracking, a_run("tags", nonce="tags 1"))
    latest = tracking.latest_run(removal.file)
    assert latest
    assert latest.removed
    claim(tracking, a_run("upload", sequencer=NEW))
    latest = tracking.latest_run(removal.file)
    assert latest
    assert not latest.removed
