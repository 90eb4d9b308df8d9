"""Events that come several times, in any order, or too late: one run, and the newest content at every destination."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import EARLIER, LATER, s3_event
from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import until
from tests.workflow.support.requests import Requests
from tests.workflow.support.source import Source


def test_event_delivered_three_times_at_once_makes_one_run(
    application: Application, requests: Requests, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    event = s3_event(quiet.name, key, eTag=quiet.put(key), sequencer=EARLIER)

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: application.invoke(application.worker, event), range(3)))

    record = quiet.record(key)
    assert {answer.error for answer in answers} == {None}
    assert {answer.payload["executionArn"] for answer in answers} == {record["executionId"]}
    assert application.executions(label) == [record["executionId"]]
    requests.were(label, CopyObject=len(application.destinations))
    assert len(quiet.history(key)) == 1
    assert mailbox.about(label) == []


def test_event_that_is_repeated_after_its_run_changes_nothing(
    application: Application, requests: Requests, quiet: Source, key: str, label: str
) -> None:
    event = s3_event(quiet.name, key, eTag=quiet.put(key), sequencer=EARLIER)
    application.invoke(application.worker, event)
    record = quiet.record(key)

    again = application.invoke(application.worker, event)

    assert again.payload["executionArn"] == record["executionId"]
    assert application.executions(label) == [record["executionId"]]
    assert quiet.item(key) == record
    requests.were(label, CopyObject=len(application.destinations))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "out of order"])
def test_later_event_wins_in_both_orders(
    application: Application, quiet: Source, order: tuple[int, int], key: str
) -> None:
    old = s3_event(quiet.name, key, eTag=quiet.put(key, b"old"), sequencer=EARLIER)
    new_e_tag = quiet.put(key, b"new")
    new = s3_event(quiet.name, key, eTag=new_e_tag, sequencer=LATER)

    for event in [(old, new)[number] for number in order]:
        started = application.invoke(application.worker, event).payload["executionArn"]
        assert application.ended(started).status == "SUCCEEDED"

    record = quiet.record(key)
    assert record["eTag"] == new_e_tag
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"new"


@pytest.mark.parametrize(("second", "claim"), [(EARLIER, "STALE"), (LATER, "DUPLICATE")])
def test_run_that_has_nothing_to_do_stops_after_the_claim(
    application: Application, requests: Requests, quiet: Source, second: str, claim: str, key: str, label: str
) -> None:
    quiet.put(key)
    application.run(quiet.request(key, sequencer=LATER), f"{label}-first")
    record = quiet.record(key)

    late = application.run(quiet.request(key, sequencer=second), f"{label}-second")

    assert (late.status, late.output["status"]) == ("SUCCEEDED", claim)
    assert late.states == ["ValidateInput", "LogWorkflowStart", "CheckClaim", "AlreadyHandled"]
    assert quiet.item(key) == record
    requests.were(label, CopyObject=len(application.destinations))


def test_source_overwritten_before_the_copy_is_superseded_and_alarms_nobody(
    application: Application, mailbox: Mailbox, quiet: Source, key: str, label: str
) -> None:
    old_e_tag = quiet.put(key, b"old")
    quiet.put(key, b"new")

    ended = application.run(quiet.request(key, eTag=old_e_tag, sequencer=EARLIER), label)

    assert (ended.status, ended.output["status"]) == ("SUCCEEDED", "SUPERSEDED")
    assert ended.states[-1] == "CopiesSuperseded"
    assert quiet.record(key, "SUPERSEDED")["failedCopies"] == 0
    for bucket in application.destinations:
        assert application.content(bucket, key) is None
    assert mailbox.about(label) == []


def test_source_overwritten_while_it_is_copied_ends_with_the_newest_content(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    old_e_tag = quiet.put(key, b"old")
    with gate.holding("CopyObject", label) as copies:
        late = application.start(quiet.request(key, eTag=old_e_tag, sequencer=EARLIER), f"{label}-old")
        copies.wait(len(application.destinations))
        new_e_tag = quiet.put(key, b"new")
    newer = application.run(quiet.request(key, eTag=new_e_tag, sequencer=LATER), f"{label}-new")

    assert newer.status == "SUCCEEDED"
    assert application.ended(late).output["status"] == "SUPERSEDED"
    assert quiet.record(key)["executionId"] == newer.arn
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"new"


def test_run_that_ends_last_changes_neither_the_record_nor_the_copies_of_a_newer_one(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    # The first run of a file ends without a transaction.
    quiet.put(key, b"first")
    first = application.run(quiet.request(key), f"{label}-first")
    old_e_tag = quiet.put(key, b"old")
    with gate.holding("TransactWriteItems", f"{label}-old", times=1) as final:
        late = application.start(quiet.request(key, eTag=old_e_tag, sequencer=EARLIER), f"{label}-old")
        final.wait()
        new_e_tag = quiet.put(key, b"new")
        newer = application.run(quiet.request(key, eTag=new_e_tag, sequencer=LATER), f"{label}-new")
        record = quiet.record(key)

    assert application.ended(late).status == "SUCCEEDED"
    # The revision counts writes; what the record says is as before.
    assert {name: value for name, value in quiet.item(key).items() if name != "revision"} == record
    assert record["executionId"] == newer.arn
    assert {run["executionId"] for run in quiet.history(key)} == {first.arn, late, newer.arn}
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"new"


def test_copy_of_an_old_version_that_lands_last_is_put_right(variant: Application, gate: Gate, key: str) -> None:
    """A version stays readable, so that nothing but the check after the copy keeps the newest content."""
    with gate.holding("CopyObject", key, times=2) as copies:
        variant.source.put(key, b"old")
        copies.wait(2)
        variant.source.put(key, b"new")
        record = variant.source.record(key)

    def all_new() -> bool:
        runs = len(variant.source.history(key)) == 2
        return runs and all(variant.content(bucket, key) == b"new" for bucket in variant.destinations)

    until(all_new, "both runs ended with the new content")
    newest = variant.source.item(key)
    assert newest is not None
    assert (newest["executionId"], newest["versionId"]) == (record["executionId"], record["versionId"])
