"""What the pages of replication, its verifications and backfills show and send."""

import re

import pytest

from tests.fakes.console import DESCRIPTION, Console, ExampleApi, Problem, example

NO_DIFFERENCE = dict.fromkeys(("differs", "missing", "notProven", "notChecked"), 0)


@pytest.mark.parametrize(
    ("status", "counts", "said"),
    [
        ("RUNNING", {}, "Copies are being compared"),
        ("STOPPED", {}, "The comparison was stopped"),
        ("STOPPED", {"missing": 2}, "The comparison was stopped, 2 copies differ or are missing"),
        ("COMPLETED_WITH_FINDINGS", {"notProven": 2, "notChecked": 1}, "3 copies are not known to be equal"),
        ("COMPLETED_WITH_FINDINGS", {}, "Not every copy is known to be equal"),
        ("COMPLETED", {}, "No copy differs from its source"),
    ],
)
def test_a_comparison_is_called_what_it_is(
    signed_in: Console, api: ExampleApi, status: str, counts: dict[str, int], said: str
) -> None:
    """The statuses are those of the API's description of a verification."""
    assert (
        f"`{status}`"
        in DESCRIPTION["components"]["schemas"]["VerificationReport"]["properties"]["status"]["description"]
    )
    found = example("showVerification")
    numbers = {**found["counts"], **NO_DIFFERENCE, **counts}
    api.answers["showVerification"] = {**found, "status": status, "counts": numbers}
    # An id as the API gives them: the name of an execution.
    text = signed_in.get(f"replication/verification?id={found['verificationId']}").text
    assert f'<h1 class="govuk-heading-l"><bdi class="app-name">{said}</bdi></h1>' in text
    assert ("Everything up to" in text and "was compared" in text) is (status == "STOPPED")
    assert "These are the first" not in text


def test_an_empty_page_of_failures_that_goes_on_is_no_all_clear(signed_in: Console, api: ExampleApi) -> None:
    for cursor, is_said in (("next", False), (None, True)):
        api.answers["listReplications"] = {"replications": [], "cursor": cursor}
        assert ("No copy has failed." in signed_in.get("replication").text) is is_said


def failing(name: str, **buckets: str) -> dict[str, object]:
    """Return the record of a file whose copies fail at `buckets`, each for its cause."""
    row: dict[str, object] = example("listReplications")["replications"][0]
    results = [{"destinationBucket": bucket, "status": "FAILED", "code": code} for bucket, code in buckets.items()]
    failed = list(buckets)
    return {**row, "fileKey": name, "status": "FAILED", "copyResults": results, "failedBuckets": failed}


def test_failures_of_one_cause_are_started_again_together(signed_in: Console, api: ExampleApi) -> None:
    """`POST /replications/retry` takes a cause and destinations; without a cause files are named."""
    rows = [failing("a", eu="ACCESS_DENIED", us="THROTTLED"), failing("b", eu="ACCESS_DENIED"), failing("c", us="X")]
    api.answers["listReplications"] = {"replications": rows, "cursor": None}
    group = {"code": "ACCESS_DENIED", "destination": "eu"}
    answer = signed_in.post("replication/retry", group, page="replication")
    backfill = example("retryReplications")["backfillId"]
    assert answer.headers["Location"].endswith(f"replication/backfill?id={backfill}&done=retried")
    (asked,) = api.of("retryReplications")
    assert asked.body == {"cause": "ACCESS_DENIED", "sourceBucket": rows[0]["sourceBucket"], "to": ["eu"]}
    assert asked.headers["Idempotency-Key"]
    assert "What failed is started again." in signed_in.get(f"replication/backfill?id={backfill}&done=retried").text
    api.asked.clear()
    rows[0] = {**failing("a", eu=""), "copyResults": []}
    signed_in.post("replication/retry", {"code": "UNKNOWN", "destination": "eu"}, page="replication")
    (asked,) = api.of("retryReplications")
    assert asked.body == {"files": [{"sourceBucket": rows[0]["sourceBucket"], "sourceKey": "a"}], "to": ["eu"]}


def test_a_destination_that_was_dismissed_fails_no_longer(signed_in: Console, api: ExampleApi) -> None:
    """`copyResults` is what the latest run came to; `failedBuckets` follows what was done since (views of the API)."""
    row = {**failing("a", eu="ACCESS_DENIED", us="THROTTLED"), "failedBuckets": ["us"]}
    api.answers["listReplications"] = {"replications": [row], "cursor": None}
    text = signed_in.get("replication").text
    assert "THROTTLED" in text
    assert "ACCESS_DENIED" not in text


def test_how_many_copies_were_started_is_said(signed_in: Console, api: ExampleApi) -> None:
    rows = [failing(name, eu="X") | {"sourceBucket": f"source-{name}"} for name in "abc"]
    api.answers["listReplications"] = {"replications": rows, "cursor": None}
    api.answers["retryReplications"] = lambda asked: (
        Problem(503, "The workflow cannot be started now.")
        if asked.body["sourceBucket"] == "source-b"
        else example("retryReplications")
    )
    answer = signed_in.post("replication/retry", {"code": "X", "destination": "eu"}, page="replication")
    assert answer.status == 400
    assert "2 of 3 are started. The workflow cannot be started now." in answer.text


def test_a_group_that_nobody_mends_is_dismissed_as_it_was_shown(signed_in: Console, api: ExampleApi) -> None:
    page = "replication/dismiss-group?code=X&destination=eu"
    api.answers["listReplications"] = {"replications": [failing("a/b", eu="X"), failing("c", eu="X")], "cursor": None}
    text = signed_in.get(page).text
    assert "Stop trying to copy 2 files?" in text
    shown = re.findall(r'name="file" value="([^"]*)"', text)
    # One that failed since was not shown.
    api.answers["listReplications"]["replications"].append(failing("d", eu="X"))
    assert signed_in.post(page, {"file": shown}).status == 400
    answer = signed_in.post(page, {"file": shown, "reason": "The bucket is gone"})
    assert answer.headers["Location"].endswith("replication?done=group-dismissed.2")
    asked = [each.body for each in api.of("dismissFailures")]
    assert {each["sourceKey"] for each in asked} == {"a/b", "c"}
    assert {(each["destinationBucket"], each["reason"]) for each in asked} == {("eu", "The bucket is gone")}


NO_COPIES = dict.fromkeys(("copies", "succeeded", "failed", "pending"), 0)


@pytest.mark.parametrize(
    ("status", "counts", "said"),
    [
        ("RUNNING", {}, "What is missing is being copied"),
        ("STOPPED", {}, "The backfill has stopped before its end"),
        ("CANCELLED", {}, "The backfill was ended early"),
        ("COMPLETED", {"copies": 2, "succeeded": 2}, "Nothing is missing of what was compared"),
        ("COMPLETED", {"copies": 2, "pending": 2}, "Not every copy is known to have arrived"),
        ("STARTED", {"copies": 2, "pending": 2}, "Not every copy is known to have arrived"),
        ("COMPLETED_WITH_ERRORS", {"copies": 2, "failed": 1, "succeeded": 1}, "1 copy failed"),
    ],
)
def test_a_backfill_is_called_what_it_is(
    signed_in: Console, api: ExampleApi, status: str, counts: dict[str, int], said: str
) -> None:
    """The statuses are those of the API's description of a backfill."""
    told = DESCRIPTION["components"]["schemas"]["BackfillView"]["properties"]["status"]["description"]
    assert f"`{status}`" in told
    found = example("showBackfill")
    api.answers["showBackfill"] = {**found, "status": status, "counts": {**found["counts"], **NO_COPIES, **counts}}
    text = signed_in.get(f"replication/backfill?id={found['backfillId']}").text
    assert f'<bdi class="app-name">{said}</bdi></h1>' in text
    assert ("Go on" in text) is (status == "STOPPED")
    assert ("End this backfill" in text) is (status in {"RUNNING", "STOPPED"})


def test_a_backfill_is_begun_resumed_and_ended(signed_in: Console, api: ExampleApi) -> None:
    answer = signed_in.post("replication/backfills", {"prefix": "2027/", "content": "yes"})
    assert "replication/backfill?id=20261102-091500-1f7c11aa&done=backfill-started" in answer.headers["Location"]
    (asked,) = api.of("startBackfill")
    assert asked.body == {"prefix": "2027/", "contentOnly": True}
    assert asked.headers["Idempotency-Key"]
    page = "replication/backfill?id=20261102-091500-1f7c11aa"
    for what, operation in (("resume", "resumeBackfill"), ("cancel", "cancelBackfill")):
        assert signed_in.post(page, {"what": what}).status == 303
        assert len(api.of(operation)) == 1
    assert signed_in.post(page, {"what": "delete"}).status == 404
    api.answers["startBackfill"] = Problem(400, "", (("sourceBucket", "is no source of this stack"),))
    assert "is no source of this stack" in signed_in.post("replication/backfills", {"bucket": "other"}).text
