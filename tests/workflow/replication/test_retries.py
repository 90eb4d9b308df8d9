"""Faults that pass: what is tried again, how often, and what is left as it is meanwhile."""

from pathlib import Path

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import ABORTED, Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import THROTTLED
from tests.workflow.support.source import Source

# boto3's own attempts within one invocation.
SDK_ATTEMPTS = 3


def test_throttled_copy_is_tried_again_and_nobody_notices(
    application: Application, gate: Gate, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    slow, other = application.destinations
    quiet.put(key)

    with gate.refusing("CopyObject", label, bucket=slow, times=SDK_ATTEMPTS):
        ended = application.run(quiet.request(key), label)

    assert ended.output["status"] == "SUCCESS"
    found = quiet.destinations(key)
    assert (found[slow]["code"], found[slow]["attempts"]) == ("COPIED", 2)
    assert (found[other]["code"], found[other]["attempts"]) == ("COPIED", 1)
    assert len(gate.calls(label, "CopyObject", bucket=other)) == 1
    assert mailbox.about(label) == []


def test_copy_that_keeps_failing_is_given_up_after_three_retries(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    bad, good = application.destinations
    quiet.put(key)

    with gate.refusing("CopyObject", label, ABORTED, bucket=bad):
        ended = application.run(quiet.request(key), label)

    assert ended.error == "PARTIAL_FAILURE"
    found = quiet.destinations(key)
    assert (found[bad]["code"], found[bad]["attempts"], found[bad]["retryable"]) == ("S3_UNAVAILABLE", 4, True)
    assert len(gate.calls(label, "CopyObject", bucket=bad)) == 4
    assert len(gate.calls(label, "CopyObject", bucket=good)) == 1
    assert application.content(good, key) == b"content"


@pytest.mark.parametrize(("times", "code", "attempts"), [(1, "COPIED", 2), (2, "VERIFICATION_FAILED", 2)])
def test_copy_that_differs_is_made_once_more(
    application: Application, gate: Gate, quiet: Source, times: int, code: str, attempts: int, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key, b"right")

    def spoil(_: object) -> None:
        application.s3.put_object(Bucket=bucket, Key=key, Body=b"wrong")

    with gate.after("CopyObject", label, spoil, times=times) as spoilt:
        application.run(quiet.request(key, [bucket]), label)

    assert spoilt.seen == times
    found = quiet.destinations(key)[bucket]
    assert (found["code"], found["attempts"]) == (code, attempts)
    assert (application.content(bucket, key) == b"right") is (code == "COPIED")


def test_copy_whose_answer_is_lost_is_made_again_to_the_same_end(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    with gate.losing_answers("CopyObject", label, times=2 * SDK_ATTEMPTS) as lost:
        ended = application.run(quiet.request(key), label)

    assert lost.seen == 2 * SDK_ATTEMPTS
    assert ended.output["status"] == "SUCCESS"
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"content"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
def test_function_that_dies_is_started_again(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key)

    with gate.holding("CopyObject", label, times=1) as copy:
        arn = application.start(quiet.request(key, [bucket]), label)
        copy.wait()
        application.kill("CopyFileFunction")

    assert application.ended(arn).output["status"] == "SUCCESS"
    assert quiet.destinations(key)[bucket]["attempts"] == 2


def test_function_that_runs_out_of_time_is_started_again(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key)

    with gate.holding("CopyObject", label, times=1) as copy:
        with application.configured("CopyFileFunction", Timeout=5):
            arn = application.start(quiet.request(key, [bucket]), label)
            copy.wait()
        # Whoever comes after the one that is held has the time that it usually has.
        ended = application.ended(arn)
        assert copy.seen == 1

    assert ended.output["status"] == "SUCCESS"
    assert quiet.destinations(key)[bucket]["attempts"] > 1


def test_copies_that_lambda_throttles_for_too_long_fail_as_throttled_and_can_be_made_later(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)

    with application.throttled("CopyFileFunction"):
        ended = application.run(quiet.request(key), label, within=THROTTLED)

    assert ended.error == "FAILED"
    assert {(item["code"], item["retryable"]) for item in quiet.destinations(key).values()} == {("THROTTLED", True)}
    assert application.run(quiet.request(key, force=True), f"{label}-again").output["status"] == "SUCCESS"
