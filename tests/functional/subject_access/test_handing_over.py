"""A report that is made: looked at before it counts, and handed over."""

import pytest

from tests.functional.subject_access.conftest import PDF, Office
from waybill.subject_access.models import Claim, RequestState


def fulfilled(office: Office, *, review: bool) -> tuple[str, Claim]:
    made = office.create(review=review).text
    claim = office.sar.claim(made)
    office.sar.finish(claim)
    assert office.sar.complete(claim)
    return made, claim


def patch(office: Office, request_id: str, what: str, roles: str = "sar-user") -> int:
    return office.ask("PATCH", f"/api/subjectAccessRequests/{request_id}/{what}", roles).status


def test_a_report_is_reviewed_approved_and_delivered(office: Office) -> None:
    made, claim = fulfilled(office, review=True)
    sar, path = office.sar, f"/api/subjectAccessRequest/{made}"
    shown = office.ask("GET", path).json
    assert (shown["status"], shown["state"], shown["completedDateTime"]) == ("Completed", "ReadyForReview", None)
    # The reviewer reads it, and the worker's second try is no second completion.
    given = office.ask("GET", "/api/report", query={"id": made}, headers={"Accept": "application/pdf"})
    assert given.content == PDF
    assert not sar.fulfilment.complete(claim)
    assert patch(office, made, "deliver") == 400
    sar.clock.advance(days=40)
    # Until it is approved the clock of the law runs on.
    assert office.ask("GET", path).json["overdue"] is True
    office.sar.endings.approve(made, "bob")
    approved = office.ask("GET", path).json
    assert (approved["state"], approved["completedDateTime"]) == ("Completed", "2026-12-12T09:00:00Z")
    assert (patch(office, made, "approve", "sar-approver"), patch(office, made, "deliver")) == (400, 200)
    delivered = office.ask("GET", path).json
    assert (delivered["status"], delivered["state"]) == ("Completed", "Delivered")
    assert delivered["deliveredDateTime"] == "2026-12-12T09:00:00Z"
    assert patch(office, made, "deliver") == 400
    actions = sar.actions(made)
    assert "COMPLETED" not in actions
    assert [one for one in actions if one in {"READY_FOR_REVIEW", "APPROVED", "DELIVERED"}] == [
        "READY_FOR_REVIEW",
        "APPROVED",
        "DELIVERED",
    ]
    sar.clock.advance(days=8)
    assert sar.lifecycle.archive() == [made]
    assert (sar.now(made).state, sar.now(made).status) == (RequestState.ARCHIVED, "Completed")


def test_a_report_that_does_not_pass_is_made_again(office: Office) -> None:
    made, _ = fulfilled(office, review=True)
    path = f"/api/admin/subjectAccessRequests/{made}/restart"
    again = office.ask("PATCH", path, "sar-admin", query={"fresh": "true"}).json
    assert (again["state"], again["objectUrl"]) == ("Pending", None)
    assert {part["renderStatus"] for part in again["services"]} == {"PENDING"}
    assert office.ask("GET", "/api/report", query={"id": made}).status == 404
    claim = office.sar.claim(made)
    office.sar.finish(claim)
    assert office.sar.complete(claim)
    assert office.sar.keys() == [office.sar.now(made).report_key]


@pytest.mark.parametrize(("what", "roles"), [("approve", "sar-approver"), ("deliver", "sar-user")])
def test_what_is_not_made_is_neither_approved_nor_delivered(office: Office, what: str, roles: str) -> None:
    unfinished = office.create().text
    assert patch(office, unfinished, what, roles) == 400
    assert patch(office, "unknown", what, roles) == 404
    assert office.sar.now(unfinished).state is RequestState.PENDING


def test_without_a_review_a_report_is_completed_at_once(office: Office) -> None:
    made, _ = fulfilled(office, review=False)
    assert office.sar.now(made).state is RequestState.COMPLETED
    assert patch(office, made, "approve", "sar-approver") == 400
