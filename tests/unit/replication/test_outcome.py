"""How a run ended, and what people read about it."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, failure, result, totals
from waybill.core.notifications import BODY_LIMIT_BYTES, SUBJECT_LIMIT, ascii_subject, capped_body
from waybill.core.text import escaped
from waybill.replication.domain.outcome import failed_result, failure_notification, outcome_of
from waybill.replication.models import DestinationResult, RunOutcome

_RUN = a_run()
_SUPERSEDED = {"success": False, "code": "SUPERSEDED"}


def of(*kinds: str) -> RunOutcome:
    make = {
        "copied": lambda bucket: result(_RUN, bucket),
        "failed": lambda bucket: failure(_RUN, bucket),
        "superseded": lambda bucket: result(_RUN, bucket, **_SUPERSEDED),
    }
    return outcome_of(totals(*(make[kind](f"bucket-{number}") for number, kind in enumerate(kinds))))


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        (["copied"], RunOutcome.SUCCESS),
        (["copied", "copied"], RunOutcome.SUCCESS),
        (["failed"], RunOutcome.FAILED),
        (["failed", "failed"], RunOutcome.FAILED),
        (["copied", "failed"], RunOutcome.PARTIAL_FAILURE),
        (["superseded"], RunOutcome.SUPERSEDED),
        (["superseded", "copied"], RunOutcome.SUPERSEDED),
        (["superseded", "failed"], RunOutcome.FAILED),
        (["superseded", "failed", "copied"], RunOutcome.PARTIAL_FAILURE),
    ],
)
def test_how_a_run_ended(kinds: list[str], outcome: RunOutcome) -> None:
    assert of(*kinds) is outcome


def failed(error: str = "AccessDeniedError", cause: Any = None, **more: Any) -> DestinationResult:
    return failed_result(_RUN, DESTINATIONS[0], {"Error": error, "Cause": cause, **more}, 2, "now")


class TestFailedResult:
    """`failed_result`."""

    @pytest.mark.parametrize(
        ("error", "code", "retryable"),
        [
            ("NoSuchBucketError", "NO_SUCH_BUCKET", False),
            ("AccessDeniedError", "ACCESS_DENIED", False),
            ("KmsDeniedError", "KMS_DENIED", False),
            ("SourceNotFoundError", "SOURCE_NOT_FOUND", False),
            ("SourceArchivedError", "SOURCE_ARCHIVED", False),
            ("SseCUnsupportedError", "SSE_C_UNSUPPORTED", False),
            ("S3RefusedError", "S3_REFUSED", False),
            ("SupersededError", "SUPERSEDED", False),
            ("InvalidInputError", "INVALID_INPUT", False),
            ("ConfigurationError", "CONFIGURATION", False),
            ("ThrottledError", "THROTTLED", True),
            ("S3UnavailableError", "S3_UNAVAILABLE", True),
            ("TrackingUnavailableError", "TRACKING_UNAVAILABLE", True),
            ("VerificationFailedError", "VERIFICATION_FAILED", True),
            ("UploadGoneError", "UPLOAD_GONE", True),
            ("CopyUnfinishedError", "COPY_UNFINISHED", True),
            ("States.Timeout", "TIMED_OUT", True),
            ("Sandbox.Timedout", "TIMED_OUT", True),
            ("Lambda.TooManyRequestsException", "THROTTLED", True),
            ("Runtime.ExitError", "FUNCTION_FAILED", True),
            ("KeyError", "FUNCTION_FAILED", True),
        ],
    )
    def test_every_error_has_its_code(self, error: str, code: str, retryable: bool) -> None:
        found = failed(error)
        assert (found.code, found.retryable, found.error) == (code, retryable, error)
        assert (found.success, found.attempts, found.destination_bucket) == (False, 2, DESTINATIONS[0])

    @pytest.mark.parametrize(
        ("cause", "told"),
        [
            (json.dumps({"errorMessage": "s3:PutObject", "errorType": "x", "trace": ["secret"]}), "s3:PutObject"),
            (json.dumps({"errorMessage": 7}), "7"),
            ("plain text", "plain text"),
            ('{"errorMessage": ', '{"errorMessage": '),
            ("[1]", "[1]"),
            (json.dumps({"other": 1}), '{"other": 1}'),
            ("", None),
            (None, None),
            (7, None),
        ],
    )
    def test_the_cause_is_the_message_without_the_trace(self, cause: Any, told: str | None) -> None:
        assert failed(cause=cause).cause == told

    def test_a_failure_without_an_error_is_told_all_the_same(self) -> None:
        found = failed_result(_RUN, "b", {}, 0, "now")
        assert (found.error, found.code, found.cause) == ("Unknown", "FUNCTION_FAILED", None)

    @given(st.text(min_size=1, max_size=5))
    def test_causes_cannot_outgrow_the_state(self, text: str) -> None:
        # Lambda reports up to 32 KB, and fifty results travel in 256 KiB.
        cause = failed(cause=text + "é" * 32_000).cause
        assert cause is not None
        assert len(cause.encode()) <= 2_000


def told(*results: DestinationResult, run: Any = _RUN, **changes: Any) -> str:
    document: Mapping[str, Any] = {
        "status": "PARTIAL_FAILURE",
        "message": "1 of 2 file copies failed",
        "results": [one.wire() for one in results],
        **changes,
    }
    return failure_notification(run, document).body


class TestNotification:
    """`failure_notification`."""

    def test_it_says_what_where_why_and_what_to_do(self) -> None:
        body = told(failure(_RUN, DESTINATIONS[0]), result(_RUN, DESTINATIONS[1]))
        assert body == "\n".join(
            [
                "❌ 1 of 2 file copies failed",
                "",
                f"File:          {KEY}",
                f"Source bucket: {SOURCE}",
                "Status:        PARTIAL_FAILURE",
                f"Execution:     {_RUN.execution_id}",
                "",
                "✅ 1 of 2 destinations have the file",
                "❌ region-a-builds: NO_SUCH_BUCKET (s3:PutObject on region-a-builds: NoSuchBucket)",
                "",
                "🔎 Where to look",
                f"Record:   waybill replications show s3://{SOURCE}/{KEY}",
                f"Table:    FileCopyTracking, fileKey = {KEY}, sourceBucket = {SOURCE}",
                f"Again:    waybill replicate s3://{SOURCE}/{KEY} --wait",
            ]
        )

    def test_subscribers_can_filter(self) -> None:
        notification = failure_notification(_RUN, {"status": "FAILED", "results": []})
        assert (notification.workflow, notification.status) == ("replication", "FAILED")
        assert notification.about == f"{SOURCE}/{KEY}"
        assert notification.subject == f"File Copy Failures: {KEY}"
        assert notification.notification_id == _RUN.execution_name

    def test_a_run_without_results_is_told_too(self) -> None:
        body = told(message=None)
        assert body.startswith("❌ The replication failed\n")
        assert "destinations have the file" not in body

    def test_superseded_destinations_are_no_failures(self) -> None:
        body = told(failure(_RUN, DESTINATIONS[0]), result(_RUN, DESTINATIONS[1], **_SUPERSEDED), result(_RUN, "third"))
        assert "✅ 1 of 3 destinations have the file\n⏭️ 1 are left to the run of a newer upload\n❌ region-a" in body
        assert "region-b-builds" not in body

    def test_verdicts_without_details_are_enough(self) -> None:
        # Of more than fifty destinations the state carries no more.
        verdict = {"destinationBucket": "third", "success": False, "code": "UNRECORDED"}
        body = failure_notification(_RUN, {"status": "FAILED", "results": [verdict]}).body
        assert "❌ third: UNRECORDED\n" in body

    @pytest.mark.parametrize(("failures", "listed", "more"), [(40, 40, None), (41, 40, 1), (1000, 40, 960)])
    def test_long_lists_are_cut(self, failures: int, listed: int, more: int | None) -> None:
        body = told(*(failure(_RUN, f"bucket-{number}", cause="x" * 5_000) for number in range(failures)))
        assert body.count("❌ bucket-") == listed
        assert (f"… and {more} more failed destinations" in body) is (more is not None)
        assert capped_body(body) == body
        assert len(body.encode()) < 40_000

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256))
    def test_any_key_makes_a_message_that_sns_takes(self, key: str) -> None:
        run = _RUN.model_copy(update={"source_key": key})
        notification = failure_notification(run, {"status": "FAILED", "results": []})
        subject = ascii_subject(notification.subject)
        assert 0 < len(subject) <= SUBJECT_LIMIT
        assert len(notification.body.encode()) < BODY_LIMIT_BYTES
        assert escaped(key) in notification.body


HOSTILE = "a\n✅ 2 of 2 destinations have the file\n\u202efdp.exe\x1b[2J\x85\u2028\u2066\U000e0041\u200b\ufeff"


def test_nothing_from_outside_can_write_a_line_of_its_own() -> None:
    """Source: CWE-117, CWE-150, CVE-2021-42574."""
    run = a_run(key=HOSTILE)
    failed = failure(run, DESTINATIONS[0], cause=f"s3:PutObject on {DESTINATIONS[0]}/{HOSTILE}: AccessDenied")
    plain = failure_notification(a_run(), {"status": "FAILED", "message": "x", "results": [failed.wire()]})
    told = failure_notification(run, {"status": "FAILED", "message": f"x{HOSTILE}", "results": [failed.wire()]})
    assert len(told.body.splitlines()) == len(plain.body.splitlines())
    assert not [line for line in told.body.splitlines() if line.startswith("✅ 2")]
    hidden = {char for char in told.body if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} and char != "\n"}
    assert not hidden
    assert "waybill replicate $'" in told.body
