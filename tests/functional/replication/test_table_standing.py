"""The record's status follows the file's destinations, whatever run has ended last.

Source: README of replication, "Records".
"""

from typing import Any

import pytest

from tests.fakes.api import Answer, ask
from tests.fakes.functions import functions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, ended, facts, failure, result
from tests.functional.replication.conftest import NOW
from waybill.core.errors import InvalidInputError, NotFoundError
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.api import app
from waybill.replication.domain.dismissal import dismiss
from waybill.replication.domain.records import RecordStatus
from waybill.replication.errors import TrackingUnavailableError
from waybill.replication.models import DestinationResult, FileId, ReplicationRun
from waybill.replication.views import FileReport, file_report, list_records

A, B = DESTINATIONS
C = "elsewhere-builds"
FILE = FileId(SOURCE, KEY)


def claimed(tracking: TrackingTable, label: str, *buckets: str) -> ReplicationRun:
    run = a_run(label, destination_buckets=buckets or DESTINATIONS)
    return run.model_copy(update={"generation": tracking.claim(run).generation})


def record(tracking: TrackingTable, run: ReplicationRun, *results: DestinationResult) -> bool:
    for one in results:
        tracking.record_destination(run, one, facts() if one.success else None)
    return tracking.finish(run, *ended(*results))


def report(tracking: TrackingTable) -> FileReport:
    return file_report(tracking, FILE)


def listed(tracking: TrackingTable, status: RecordStatus) -> list[str]:
    return [item.file_key for item in list_records(tracking, status, 10, None).items]


def counts(shown: FileReport) -> tuple[str, int | None, int | None, int | None]:
    return shown.status, shown.total_buckets, shown.successful_copies, shown.failed_copies


def test_a_good_run_elsewhere_leaves_a_failure_listed_until_it_is_mended(tracking: TrackingTable) -> None:
    first = claimed(tracking, "first")
    record(tracking, first, result(first, A), failure(first, B))
    second = claimed(tracking, "second", A)
    record(tracking, second, result(second, A))
    assert counts(report(tracking)) == ("FAILED", 2, 1, 1)
    assert report(tracking).failed_buckets == (B,)
    assert listed(tracking, RecordStatus.FAILED) == [KEY]
    third = claimed(tracking, "third", B)
    assert listed(tracking, RecordStatus.IN_PROGRESS) == [KEY]
    record(tracking, third, result(third, B))
    assert counts(report(tracking)) == ("COMPLETED", 2, 2, 0)
    assert listed(tracking, RecordStatus.FAILED) == []


def test_a_failure_elsewhere_keeps_the_file_failed(tracking: TrackingTable) -> None:
    first = claimed(tracking, "first")
    record(tracking, first, result(first, A), result(first, B))
    extra = claimed(tracking, "extra", C)
    record(tracking, extra, failure(extra, C))
    assert counts(report(tracking)) == ("FAILED", 3, 2, 1)
    assert {run.outcome for run in report(tracking).history} == {"FAILED", "SUCCESS"}


def test_a_run_that_has_lost_the_record_is_not_forgotten(tracking: TrackingTable) -> None:
    slow, quick = claimed(tracking, "slow"), claimed(tracking, "quick", C)
    record(tracking, quick, result(quick, C))
    assert report(tracking).status == "COMPLETED"
    assert record(tracking, slow, result(slow, A), failure(slow, B)) is False
    assert counts(report(tracking)) == ("FAILED", 3, 2, 1)
    assert report(tracking).execution_id == quick.execution_id


def test_a_run_that_has_lost_the_record_leaves_one_in_progress_to_its_run(tracking: TrackingTable) -> None:
    slow, quick = claimed(tracking, "slow"), claimed(tracking, "quick", C)
    record(tracking, slow, result(slow, A), failure(slow, B))
    assert report(tracking).status == "IN_PROGRESS"
    record(tracking, quick, result(quick, C))
    assert counts(report(tracking)) == ("FAILED", 3, 2, 1)


def test_two_runs_that_end_at_the_same_moment_both_count(
    tracking: TrackingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = claimed(tracking, "slow"), claimed(tracking, "quick", C)
    look = tracking.destinations

    def overtaken(file: FileId) -> Any:
        seen = look(file)
        monkeypatch.undo()
        record(tracking, slow, result(slow, A), failure(slow, B))
        return seen

    tracking.record_destination(quick, result(quick, C), facts())
    monkeypatch.setattr(tracking, "destinations", overtaken)
    with pytest.raises(TrackingUnavailableError):
        tracking.finish(quick, *ended(result(quick, C)))
    assert tracking.finish(quick, *ended(result(quick, C))) is True
    assert counts(report(tracking)) == ("FAILED", 3, 2, 1)


def test_a_superseded_run_hides_no_failure(tracking: TrackingTable) -> None:
    first = claimed(tracking, "first")
    record(tracking, first, result(first, A), failure(first, B))
    second = claimed(tracking, "second")
    tracking.finish(second, *ended(*(result(second, one, success=False, code="SUPERSEDED") for one in DESTINATIONS)))
    assert (report(tracking).status, report(tracking).failed_buckets) == ("FAILED", (B,))


class TestDismissal:
    """A failure that nobody will mend."""

    @pytest.fixture(autouse=True)
    def failed(self, tracking: TrackingTable) -> None:
        run = claimed(tracking, "first", A, C)
        record(tracking, run, result(run, A), failure(run, C))

    def dismiss(self, tracking: TrackingTable, bucket: str | None = None, reason: str = "typo") -> tuple[str, ...]:
        return dismiss(tracking, FILE, bucket, by="zoe", reason=reason, now=lambda: NOW)

    @pytest.mark.parametrize("bucket", [None, C])
    def test_it_is_listed_as_dismissed_with_who_when_and_why(self, tracking: TrackingTable, bucket: str | None) -> None:
        assert self.dismiss(tracking, bucket) == (C,)
        assert listed(tracking, RecordStatus.FAILED) == []
        assert listed(tracking, RecordStatus.DISMISSED) == [KEY]
        shown = report(tracking)
        assert (shown.status, shown.successful_copies, shown.failed_copies, shown.dismissed_copies) == (
            "DISMISSED",
            1,
            0,
            1,
        )
        [item] = [one for one in shown.destinations if one.destination_bucket == C]
        assert (item.status, item.dismissed_by, item.dismiss_reason) == ("DISMISSED", "zoe", "typo")
        assert item.dismissed_at == "2026-11-21T10:00:05.000Z"
        assert item.code == "NO_SUCH_BUCKET", "why it had failed stays"

    def test_it_is_a_failure_again_when_it_fails_again(self, tracking: TrackingTable) -> None:
        self.dismiss(tracking)
        run = claimed(tracking, "again", C)
        record(tracking, run, failure(run, C))
        assert (report(tracking).status, report(tracking).dismissed_copies) == ("FAILED", None)

    def test_it_is_done_with_when_the_file_arrives(self, tracking: TrackingTable) -> None:
        self.dismiss(tracking)
        run = claimed(tracking, "again", C)
        record(tracking, run, result(run, C))
        assert counts(report(tracking)) == ("COMPLETED", 2, 2, 0)

    def test_other_runs_leave_it_dismissed(self, tracking: TrackingTable) -> None:
        self.dismiss(tracking)
        run = claimed(tracking, "elsewhere", A)
        record(tracking, run, result(run, A))
        assert report(tracking).status == "DISMISSED"

    def test_one_that_was_mended_meanwhile_is_left(
        self, tracking: TrackingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look = tracking.destinations

        def mended(file: FileId) -> Any:
            seen = look(file)
            monkeypatch.undo()
            run = claimed(tracking, "again", C)
            record(tracking, run, result(run, C))
            return seen

        monkeypatch.setattr(tracking, "destinations", mended)
        self.dismiss(tracking)
        assert counts(report(tracking)) == ("COMPLETED", 2, 2, 0)

    def test_a_failure_that_could_not_be_recorded_at_its_destination_can_be_dismissed(
        self, tracking: TrackingTable
    ) -> None:
        run = claimed(tracking, "unrecorded", B)
        tracking.finish(run, *ended(failure(run, B, code="UNRECORDED")))
        assert set(self.dismiss(tracking)) == {B, C}
        assert report(tracking).status == "DISMISSED"

    def test_a_second_time_there_is_nothing_to_dismiss(self, tracking: TrackingTable) -> None:
        self.dismiss(tracking)
        with pytest.raises(NotFoundError, match=f"s3://{SOURCE}/{KEY} has no failure at any destination"):
            self.dismiss(tracking)

    @pytest.mark.parametrize(("bucket", "words"), [(A, f"has no failure at {A}"), ("none", "has no failure at none")])
    def test_what_has_not_failed_is_not_dismissed(self, tracking: TrackingTable, bucket: str, words: str) -> None:
        with pytest.raises(NotFoundError, match=words):
            self.dismiss(tracking, bucket)

    def test_a_file_without_a_record_is_not_found(self, tracking: TrackingTable) -> None:
        with pytest.raises(NotFoundError, match="there is no record of s3://b-builds/x"):
            dismiss(tracking, FileId("b-builds", "x"), None, by="zoe", reason="typo", now=lambda: NOW)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_a_reason_is_needed(self, tracking: TrackingTable, reason: str) -> None:
        with pytest.raises(InvalidInputError, match="reason: must have 1 to 500 characters"):
            self.dismiss(tracking, reason=reason)

    def test_the_route_records_the_caller(self, tracking: TrackingTable, monkeypatch: pytest.MonkeyPatch) -> None:
        body = {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBucket": C, "reason": "typo"}
        answer = self.post(monkeypatch, body)
        assert (answer.status, answer.json) == (
            200,
            {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": [C], "status": "DISMISSED"},
        )
        [item] = [one for one in report(tracking).destinations if one.destination_bucket == C]
        assert item.dismissed_by

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            ({"sourceBucket": SOURCE, "sourceKey": KEY}, 400, "reason"),
            ({"sourceBucket": SOURCE, "sourceKey": KEY, "reason": "x", "to": C}, 400, "to"),
            ({"sourceBucket": SOURCE, "sourceKey": KEY, "reason": 7}, 400, "reason"),
            ({"sourceBucket": SOURCE, "sourceKey": "none", "reason": "x"}, 404, None),
        ],
    )
    def test_the_route_names_what_is_wrong(
        self,
        tracking: TrackingTable,
        monkeypatch: pytest.MonkeyPatch,
        body: dict[str, Any],
        status: int,
        field: str | None,
    ) -> None:
        answer = self.post(monkeypatch, body)
        assert answer.status == status
        assert field is None or [error["field"] for error in answer.json["errors"]] == [field]
        assert report(tracking).status == "FAILED"

    @staticmethod
    def post(monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]) -> Answer:
        for name, value in functions()["waybill.replication.handlers.replication_api"].environment.items():
            monkeypatch.setenv(name, value)
        return ask(app, "POST", "/replications/dismiss", body=body)
