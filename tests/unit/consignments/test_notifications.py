"""What people are told: README, "Notifications"."""

import json
from dataclasses import replace
from typing import Any

import pytest

from waybill.consignments.domain.failed_run import RunFailureRecorder, reason_of
from waybill.consignments.domain.notifications import notifications_of, problems_found, process_failed, shortened
from waybill.consignments.models import Consignment, ConsignmentRun, ConsignmentType
from waybill.core.errors import NotificationUnavailableError
from waybill.core.notifications import Notification

CONSIGNMENT = Consignment(
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    ConsignmentType.JUDGMENT,
    "TDR-1",
    "A Body",
    "alice",
    1,
    "InProgress",
    "now",
    run=1,
    execution_name="run-1",
)
FINE = dict.fromkeys(
    ["ServerFFID", "ServerChecksum", "ServerAntivirus", "ServerRedaction", "ClientChecks"], "Completed"
)


class Groups:
    """What the groups of a run failed of."""

    def __init__(self, *errors: str) -> None:
        self.errors = errors

    def group_errors(self, consignment: Consignment) -> Any:
        return self.errors

    def progress(self, consignment: Consignment) -> Any: ...
    def file_rows(self, consignment_id: str, limit: int, after: str | None, *, consistent: bool = False) -> Any: ...


def news(consignment: Consignment = CONSIGNMENT, incomplete: int = 0, **statuses: str) -> list[Notification]:
    return notifications_of(
        consignment, Groups("Sandbox.Timedout"), FINE | statuses, {"FFID Zip": 2}, incomplete, "prod"
    )


def document(notification: Notification) -> Any:
    return json.loads(notification.body.splitlines()[-1])


def test_nothing_is_told_when_all_is_well() -> None:
    assert news() == []


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("value", ["Failed", "CompletedWithIssues"])
def test_problems_of_the_consignment_are_told(name: str, value: str) -> None:
    (told,) = news(**{name: value})
    assert {key: text for key, text in document(told).items() if key not in {"statuses", "counts"}} == {
        "consignmentType": "judgment",
        "consignmentReference": "TDR-1",
        "consignmentId": CONSIGNMENT.consignment_id,
        "transferringBodyName": "A Body",
        "userId": "alice",
        "environment": "prod",
        "resolutionPath": f"/consignments/{CONSIGNMENT.consignment_id}/files",
    }
    assert (told.workflow, told.status, told.about) == ("consignments", "PROBLEMS", CONSIGNMENT.consignment_id)


def test_files_that_could_not_be_checked_are_told() -> None:
    first, second = news(incomplete=3, ServerFFID="Failed")
    assert document(first) == {
        "consignmentId": CONSIGNMENT.consignment_id,
        "error": "The file checks lambda has failed",
        "cause": "Sandbox.Timedout",
        "environment": "prod",
        "files": 3,
    }
    assert first.notification_id != second.notification_id


def test_problems_of_rehearsals_are_told_so_that_they_can_be_left_out() -> None:
    rehearsal = replace(CONSIGNMENT, rehearsal=True)
    assert news(rehearsal) == []
    told = news(rehearsal, 1, ServerFFID="Failed")
    assert [each.status for each in told] == ["CHECK_FAILED", "PROBLEMS_IN_REHEARSAL"]


@pytest.mark.parametrize("body", ["Mock Body", "Hammock County", "The MOCK of it"])
def test_a_name_makes_no_rehearsal(body: str) -> None:
    (told,) = news(replace(CONSIGNMENT, transferring_body=body), ServerFFID="Failed")
    assert told.status == "PROBLEMS"


@pytest.mark.parametrize("rehearsal", [False, True])
def test_malware_is_always_told(rehearsal: bool) -> None:
    counts = {"Antivirus VirusDetected": 1}
    consignment = replace(CONSIGNMENT, rehearsal=rehearsal)
    statuses = {"ServerAntivirus": "CompletedWithIssues"}
    assert problems_found(consignment, statuses, counts, "prod").status == "PROBLEMS"


def test_a_body_without_a_name_is_unknown() -> None:
    (told,) = news(replace(CONSIGNMENT, transferring_body=""), ServerFFID="Failed")
    assert document(told)["transferringBodyName"] == "Unknown"


@pytest.mark.parametrize(
    ("cause", "told"), [("x" * 50, "x" * 50), ("x" * 51, "x" * 47 + "..."), ("", "")], ids=["50", "51", "none"]
)
def test_a_cause_is_cut_to_fifty_characters(cause: str, told: str) -> None:
    assert shortened(cause) == told


def test_a_broken_run_names_its_step() -> None:
    told = process_failed("id", "Process Map Results", "RunBucketRefusedError", "run-1", "dev")
    assert document(told) == {
        "consignmentId": "id",
        "environment": "dev",
        "failureCause": "See step function execution for details",
        "backEndChecksProcess": "Process Map Results",
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"Error": "E", "Cause": '{"errorMessage": "m", "errorType": "E"}'}, {"error": "E", "cause": "m"}),
        ({"Error": "States.Timeout", "Cause": ""}, {"error": "States.Timeout", "cause": ""}),
        ({"Error": "E", "Cause": "not JSON {"}, {"error": "E", "cause": "not JSON {"}),
        ({"Error": "E", "Cause": "[1]"}, {"error": "E", "cause": "[1]"}),
        ({}, {"error": "unknown", "cause": ""}),
    ],
)
def test_what_step_functions_caught_is_read(error: dict[str, str], expected: dict[str, str]) -> None:
    assert reason_of(error) == expected


class Topic:
    """The failure topic, which may be away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.sent: list[Notification] = []

    def notify(self, notification: Notification) -> None:
        if self.away:
            raise NotificationUnavailableError("away")
        self.sent.append(notification)


class Failures:
    """`RunRecords`, as far as failures go."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, ConsignmentRun, Any]] = []

    def fail(self, consignment_id: str, run: ConsignmentRun, failure: Any) -> bool:
        self.failed.append((consignment_id, run, failure))
        return True


EVENT = {
    "consignmentId": CONSIGNMENT.consignment_id.upper(),
    "executionName": "run-1",
    "executionId": "arn",
    "executionStartTime": "2026-11-22T10:00:00Z",
    "step": "Get Files",
    "error": {"Error": "UploadMismatchError", "Cause": '{"errorMessage": "1 missing"}'},
}


@pytest.mark.parametrize("away", [False, True])
def test_a_failure_is_recorded_whether_or_not_it_can_be_told(away: bool) -> None:
    topic, logged = Topic(away=away), []
    records: Any = Failures()
    told = RunFailureRecorder(records, topic, "dev", logged.append).record(EVENT)
    failure = {"step": "Get Files", "executionName": "run-1", "error": "UploadMismatchError", "cause": "1 missing"}
    assert records.failed == [
        (CONSIGNMENT.consignment_id, ConsignmentRun("run-1", "arn", "2026-11-22T10:00:00.000Z"), failure)
    ]
    assert (told["recorded"], told["notified"], bool(logged)) == (True, not away, away)


def test_what_is_no_consignment_is_told_and_not_recorded() -> None:
    topic = Topic()
    records: Any = Failures()
    told = RunFailureRecorder(records, topic, "dev", print).record({**EVENT, "consignmentId": "nonsense"})
    assert records.failed == []
    assert (told["recorded"], told["notified"], len(topic.sent)) == (False, True, 1)
