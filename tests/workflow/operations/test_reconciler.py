"""Runs that ended without saying so."""

import json

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source

MIB = 1024**2


@pytest.mark.parametrize("size", [16 * MIB, 26 * MIB], ids=["in one function", "in batches"])
def test_stopped_run_is_closed_its_upload_aborted_and_people_told(
    application: Application, gate: Gate, quiet: Source, size: int, key: str, label: str
) -> None:
    done, open_yet = application.destinations
    quiet.put(key, b"x" * size)

    with gate.holding("UploadPartCopy", label, bucket=open_yet, part="3"):
        arn = application.start(quiet.request(key), label)
        until(lambda: quiet.destinations(key).get(done, {}).get("status") == "COMPLETED", "one destination is done")
        until(lambda: application.open_uploads(open_yet, key), "the upload to the other is open")
        application.sfn.stop_execution(executionArn=arn, error="Operator", cause="no longer needed")
        assert application.reconcile() >= 1  # of other tests there may be more

        assert application.open_uploads(open_yet, key) == []
        record = quiet.record(key, "FAILED")

    assert (record["outcome"], record["executionId"]) == ("PARTIAL_FAILURE", arn)
    assert json.loads(record["successfulBuckets"]) == [done]
    assert {result["destinationBucket"]: result["code"] for result in json.loads(record["copyResults"])} == {
        done: "COPIED",
        open_yet: "ABANDONED",
    }
    assert application.content(done, key) == b"x" * size
    letters = application.told(label, 2)
    assert sorted(letter.attributes["status"] for letter in letters) == ["ABORTED", "PARTIAL_FAILURE"]
    assert any(f"❌ {open_yet}: ABANDONED" in letter.body for letter in letters)


def test_running_run_is_left_alone(application: Application, gate: Gate, quiet: Source, key: str, label: str) -> None:
    quiet.put(key)

    with gate.holding("CopyObject", label) as copies:
        arn = application.start(quiet.request(key), label)
        copies.wait()
        application.reconcile()
        assert quiet.record(key, "IN_PROGRESS")["executionId"] == arn
        assert quiet.history(key) == []

    assert application.ended(arn).output["status"] == "SUCCESS"


def test_closed_run_is_closed_once(application: Application, gate: Gate, quiet: Source, key: str, label: str) -> None:
    quiet.put(key)
    with gate.holding("CopyObject", label) as copies:
        arn = application.start(quiet.request(key), label)
        copies.wait()
        application.sfn.stop_execution(executionArn=arn)
        application.reconcile()
        closed = quiet.record(key, "FAILED")
        application.reconcile()

    assert quiet.item(key) == closed
    assert [run["executionId"] for run in quiet.history(key)] == [arn]
