"""The same workflow as Express, with versioned buckets, and with failed runs that end as successful executions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import EARLIER, s3_event
from tests.workflow.support.gate import Gate, Refusal
from tests.workflow.support.names import MISSING
from tests.workflow.support.source import Source


@pytest.fixture
def express(variant: Application) -> str:
    """ARN of the Express workflow."""
    return variant.outputs["FileCopyExpressWorkflowArn"]


@pytest.fixture
def quiet(variant: Application) -> Source:
    """A source bucket whose uploads start nothing by themselves."""
    return variant.quiet


def test_upload_runs_express_and_is_pinned_to_its_version(
    variant: Application, express: str, key: str, label: str
) -> None:
    version = variant.s3.put_object(Bucket=variant.source.name, Key=key, Body=b"a build")["VersionId"]

    record = variant.source.record(key)

    assert record["versionId"] == version
    assert [record["executionId"]] == variant.executions(label, express)
    assert variant.executions(label) == []
    for bucket in variant.destinations:
        assert variant.content(bucket, key) == b"a build"
        assert variant.source.destinations(key)[bucket]["versionId"]


def test_event_delivered_three_times_is_claimed_once(
    variant: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    """Express does not know names that were used before; the claim on the record stands in."""
    event = s3_event(quiet.name, key, eTag=quiet.put(key), sequencer=EARLIER)

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: variant.invoke(variant.worker, event), range(3)))
    first = quiet.record(key)
    variant.invoke(variant.worker, event)

    assert quiet.item(key) == first
    assert len(gate.calls(label, "CopyObject")) == len(variant.destinations)


def test_second_execution_of_a_name_stops_at_the_claim(
    variant: Application, gate: Gate, quiet: Source, express: str, key: str, label: str
) -> None:
    """As a duplicate looks on AWS, where Express takes the name again: another execution id, the same name."""
    quiet.put(key)
    variant.run(quiet.request(key, sequencer=EARLIER), label, workflow=express)

    again = variant.run(quiet.request(key, sequencer=EARLIER), label)

    assert again.output["status"] == "DUPLICATE"
    assert len(gate.calls(label, "CopyObject")) == len(variant.destinations)


def test_file_of_unknown_size_runs_standard(variant: Application, quiet: Source, key: str, label: str) -> None:
    quiet.put(key)
    event = s3_event(quiet.name, key)
    del event["Records"][0]["s3"]["object"]["size"]

    started = variant.invoke(variant.worker, event).payload["executionArn"]

    assert variant.executions(label) == [started]
    assert variant.ended(started).output["status"] == "SUCCESS"


def test_file_above_5_gib_runs_standard(variant: Application, quiet: Source, key: str, label: str) -> None:
    quiet.put(key)
    event = s3_event(quiet.name, key, size=5 * 1024**3 + 1)

    started = variant.invoke(variant.worker, event).payload["executionArn"]

    assert variant.executions(label) == [started]


def test_failed_run_ends_as_a_successful_execution_with_its_result(
    variant: Application, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)
    good = variant.destinations[0]

    ended = variant.run(quiet.request(key, [good, MISSING]), label)

    assert ended.status == "SUCCEEDED"
    assert ended.states[-1] == "ReplicationEndedWithFailures"
    assert ended.output == {
        "status": "PARTIAL_FAILURE",
        "message": "1 of 2 file copies failed",
        "sourceKey": key,
        "sourceBucket": quiet.name,
        "totalBuckets": 2,
        "failedCopies": 1,
        "successfulCopies": 1,
        "failedBuckets": [MISSING],
        "executionId": ended.arn,
        "notified": True,
    }
    assert len(variant.mailbox.about(label)) == 1


def test_failed_notification_shows_in_the_result(
    variant: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    with gate.refusing("Publish", label, Refusal(403, "AuthorizationError")):
        ended = variant.run(quiet.request(key, [MISSING]), label)

    assert (ended.output["status"], ended.output["notified"]) == ("FAILURE_NOTIFICATION_FAILED", False)
    assert quiet.record(key, "FAILED")["failedCopies"] == 1


def test_version_that_was_deleted_before_the_copy_is_reported(variant: Application, key: str, label: str) -> None:
    source = variant.source
    version = variant.s3.put_object(Bucket=source.name, Key=key, Body=b"gone")["VersionId"]
    source.record(key)
    variant.s3.delete_object(Bucket=source.name, Key=key, VersionId=version)

    variant.run(source.request(key, versionId=version, force=True, nonce=label), label)

    assert {item["code"] for item in source.destinations(key).values()} == {"SOURCE_NOT_FOUND"}
