"""The clock of the law over the API: holds, extensions, ends, and what is removed when.

Sources: UK GDPR Articles 12(3) to 12(6) and 12A; Data Protection Act 2018, sections 45, 53 and 54; the worked examples
are those of the regulator's guidance and of tests/unit/subject_access/test_deadlines.py.
"""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from tests.fakes.api import Answer
from tests.functional.subject_access.conftest import BUCKET, Office
from waybill.cli.subject_access.showing import readable
from waybill.subject_access.domain.audit import sealed
from waybill.subject_access.domain.bank_holidays import england_and_wales
from waybill.subject_access.domain.deadlines import LegalClock
from waybill.subject_access.domain.sweep import by_due_day
from waybill.subject_access.models import RequestState


def patch(office: Office, request_id: str, what: str, body: Any = None, roles: str = "sar-user") -> Answer:
    return office.ask("PATCH", f"/api/subjectAccessRequests/{request_id}/{what}", roles, body=body)


def shown(office: Office, request_id: str) -> Any:
    return office.ask("GET", f"/api/subjectAccessRequest/{request_id}").json


def at(office: Office, day: str, time: str = "09:00") -> None:
    office.sar.clock.time = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)


def received(office: Office, day: str, **changes: Any) -> str:
    """A request received on a day that is today."""
    at(office, day)
    return office.create(**{"dateTo": "01/01/2024", **changes}).text


def fulfilled(office: Office, request_id: str) -> None:
    claim = office.sar.claim(request_id)
    office.sar.finish(claim)
    assert office.sar.complete(claim)


def test_proof_that_came_in_the_past_begins_the_month(office: Office) -> None:
    made = received(office, "2026-12-15")
    at(office, "2027-02-20")
    held = patch(office, made, "hold", {"reason": "identity", "from": "2026-12-16", "note": "passport asked for"}).json
    assert (held["provisional"], held["overdue"], held["dueSoon"]) == (True, False, False)
    assert patch(office, made, "release", {"on": "2027-02-21"}).fields == ["on"]
    assert patch(office, made, "release", {"on": "2026-12-15"}).fields == ["on"]
    released = patch(office, made, "release", {"on": "10/02/2027"}).json
    assert (released["dueDate"], released["provisional"]) == ("2027-03-10", False)
    assert released["holds"] == [
        {"since": "2026-12-16", "until": "2027-02-10", "reason": "identity", "note": "passport asked for"}
    ]


def test_a_hold_takes_no_day_before_the_receipt_or_in_the_future(office: Office) -> None:
    made = received(office, "2026-03-02")
    for day in ("2026-03-01", "2026-03-03", "31/02/2026", "tomorrow"):
        assert patch(office, made, "hold", {"reason": "fee", "from": day}).fields == ["from"]
    assert patch(office, made, "hold", {"reason": "fee", "form": "2026-03-02"}).fields == ["form"]


def test_proof_and_fee_are_waited_for_at_once(office: Office) -> None:
    made = received(office, "2026-05-04")
    patch(office, made, "hold", {"reason": "identity"})
    assert patch(office, made, "hold", {"reason": "fee"}).json["state"] == "OnHold"
    assert patch(office, made, "hold", {"reason": "fee"}).fields == ["status"]
    assert patch(office, made, "release").fields == ["reason"]
    at(office, "2026-05-20")
    waiting = patch(office, made, "release", {"reason": "fee"}).json
    assert (waiting["state"], waiting["provisional"]) == ("AwaitingIdentity", True)
    free = patch(office, made, "release", {"on": "2026-05-12"}).json
    assert (free["state"], free["dueDate"]) == ("Pending", "2026-06-22")


def test_what_has_come_is_not_waited_for_though_it_was_asked_for_last(office: Office) -> None:
    made = received(office, "2026-05-04")
    patch(office, made, "hold", {"reason": "clarification"})
    patch(office, made, "hold", {"reason": "fee"})
    patch(office, made, "release", {"reason": "fee"})
    assert office.ask("GET", f"/api/subjectAccessRequests/{made}/progress").json["waitsFor"] == "clarification"


def test_a_hold_in_review_leaves_what_is_drawn(office: Office) -> None:
    made = received(office, "2026-03-02", review=True)
    fulfilled(office, made)
    at(office, "2026-03-09")
    assert patch(office, made, "hold", {"reason": "clarification"}).json["state"] == "ReadyForReview"
    at(office, "2026-03-13")
    # UK GDPR Article 12A(5): the days do not count, so the day is a later one each day; whoever plans by it is told.
    (waiting,) = office.ask("GET", "/api/subjectAccessRequests/tasks").json["tasks"]
    assert (waiting["dueDate"], waiting["clockStopped"], waiting["provisional"]) == ("2026-04-07", True, False)
    text = io.StringIO()
    Console(file=text, width=200).print(readable(shown(office, made)))
    assert "2026-04-07 (25 days left), a day later with each day that clarification is waited for" in text.getvalue()
    released = patch(office, made, "release").json
    assert (released["state"], released["dueDate"], released["heldDays"]) == ("ReadyForReview", "2026-04-07", 5)
    assert office.sar.now(made).report is not None


# UK GDPR Article 12A(4): within the first month, or not at all; days of clarification do not count towards it.
def test_an_extension_is_told_within_the_first_month_and_can_be_taken_back(office: Office) -> None:
    made = received(office, "2026-01-12")
    at(office, "2026-02-16")
    late = patch(office, made, "extend", {"reason": "forty boxes"})
    assert (late.status, late.fields) == (400, ["status"])
    assert (shown(office, made)["dueDate"], shown(office, made)["overdue"]) == ("2026-02-12", True)
    extended = patch(office, made, "extend", {"reason": "forty boxes", "on": "2026-02-02"}).json
    assert (extended["dueDate"], extended["extendedDate"], extended["overdue"]) == ("2026-04-13", "2026-02-02", False)
    undone = patch(office, made, "extend", {"undo": True}).json
    assert (undone["dueDate"], undone["overdue"], undone["extended"]) == ("2026-02-12", True, False)
    assert patch(office, made, "extend", {"undo": True}).status == 400
    patch(office, made, "hold", {"reason": "clarification", "from": "2026-01-20"})
    patch(office, made, "release", {"on": "2026-01-29"})
    at(office, "2026-02-20")
    assert patch(office, made, "extend", {"reason": "forty boxes"}).json["dueDate"] == "2026-04-22"
    assert office.sar.actions(made).count("EXTENSION_UNDONE") == 1


def test_the_clock_ends_when_the_person_has_the_copy(office: Office) -> None:
    made = received(office, "2026-05-05")
    at(office, "2026-06-01")
    fulfilled(office, made)
    assert shown(office, made)["dueDate"] == "2026-06-05"
    at(office, "2026-06-20")
    assert (shown(office, made)["overdue"], shown(office, made)["daysLate"]) == (True, 15)
    assert patch(office, made, "deliver", {"on": "2026-05-31"}).fields == ["on"]
    assert patch(office, made, "deliver", {"on": "2026-06-21"}).fields == ["on"]
    given = patch(office, made, "deliver", {"on": "2026-06-14", "lateReason": "the post was on strike"}).json
    assert (given["overdue"], given["daysLate"], given["endedDate"]) == (True, 9, "2026-06-14")
    at(office, "2026-06-25")
    later = shown(office, made)
    assert (later["daysLate"], later["daysLeft"], later["dueSoon"]) == (9, -9, False)
    assert later["lateReason"] == "the post was on strike"


# Interpretation Act 1978, section 9: a day is London's.
def test_half_past_eleven_utc_in_summer_is_the_next_day(office: Office) -> None:
    at(office, "2026-06-30", "23:30")
    made = office.create().text
    assert shown(office, made)["receivedDate"] == "2026-07-01"


@pytest.mark.parametrize("ground", ["manifestly unfounded", "manifestly_unfounded", "excessive", "exemption"])
def test_a_refusal_ends_the_clock_and_stops_workers(office: Office, ground: str) -> None:
    made = received(office, "2026-03-02")
    claim = office.sar.claim(made)
    assert patch(office, made, "refuse", {"ground": ground}).fields == ["reason"]
    assert patch(office, made, "refuse", {"ground": "tiresome", "reason": "x"}).fields == ["ground"]
    refused = patch(office, made, "refuse", {"ground": ground, "reason": "the fifth this month"}).json
    assert (refused["state"], refused["endedDate"]) == ("Refused", "2026-03-02")
    assert (refused["refusalGround"], refused["endReason"]) == (ground.replace("_", " "), "the fifth this month")
    late = {"claimToken": claim.claim_token, "generation": 1}
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{made}/heartbeat", "sar-worker", body=late).status == 409
    assert patch(office, made, "withdraw", {"reason": "x"}).status == 400
    at(office, "2027-01-01")
    assert shown(office, made)["overdue"] is False
    entry = next(one for one in office.sar.store.audit(made) if one.action == "REQUEST_REFUSED")
    assert entry.detail["ground"] == ground.replace("_", " ")
    assert "fifth" not in json.dumps(dict(entry.detail))
    assert entry.detail["reasonSha256"] == sealed("the fifth this month", str(office.sar.now(made).end_salt))


def test_an_end_is_taken_back(office: Office) -> None:
    made = received(office, "2026-03-02")
    office.sar.claim(made)
    assert patch(office, made, "refuse", {"undo": True}).status == 400
    patch(office, made, "withdraw", {"reason": "told us on the telephone"})
    back = patch(office, made, "withdraw", {"undo": True}).json
    assert (back["state"], back["endedDate"], back["endReason"]) == ("Pending", None, None)
    assert office.sar.claim(made).generation == 2
    assert office.sar.actions(made)[-3:-1] == ["REQUEST_WITHDRAWN", "REQUEST_WITHDRAWN_UNDONE"]


# UK GDPR Articles 5(1)(d) and 16.
def test_what_is_wrong_is_corrected(office: Office) -> None:
    made = received(office, "2026-03-02", subjectName="SMITH, Jon")
    assert patch(office, made, "correct", {"subjectName": "SMITH, John"}).fields == ["reason"]
    assert patch(office, made, "correct", {"reason": "x"}).fields == ["input"]
    assert patch(office, made, "correct", {"reason": "x", "recievedDate": "2026-02-27"}).fields == ["recievedDate"]
    assert patch(office, made, "correct", {"reason": "x", "dateFrom": "02/01/2024"}).fields == ["dateFrom"]
    right = patch(office, made, "correct", {"reason": "stamped on Friday", "receivedDate": "2026-02-27"}).json
    assert (right["receivedDate"], right["dueDate"]) == ("2026-02-27", "2026-03-27")
    assert patch(office, made, "correct", {"reason": "typing", "nomisId": "A1234AB"}).json["nomisId"] == "A1234AB"
    fulfilled(office, made)
    assert patch(office, made, "correct", {"reason": "typing", "nomisId": "A1234AC"}).status == 409
    corrected = patch(office, made, "correct", {"reason": "spelling", "subjectName": "SMITH, John"}).json
    # The name stands on every page.
    assert (corrected["state"], corrected["objectUrl"]) == ("Pending", None)
    assert {part["renderStatus"] for part in corrected["services"]} == {"PENDING"}
    entry = next(one for one in reversed(office.sar.store.audit(made)) if one.action == "CORRECTED")
    assert "SMITH" not in json.dumps(dict(entry.detail))
    salt = str(office.sar.now(made).correction_salt)
    assert entry.detail["fields"] == {
        "subjectName": {"old": sealed("SMITH, Jon", salt), "new": sealed("SMITH, John", salt)}
    }


def test_a_correction_of_the_reference_leaves_the_parts(office: Office) -> None:
    made = received(office, "2026-03-02", review=True)
    fulfilled(office, made)
    after = patch(office, made, "correct", {"reason": "typing", "sarCaseReferenceNumber": "SAR-2026-0001"}).json
    assert (after["state"], after["sarCaseReferenceNumber"]) == ("Pending", "SAR-2026-0001")
    assert {part["renderStatus"] for part in after["services"]} == {"COMPLETE"}


# ICO, "Right of access": somebody else than who prepared it looks at what is disclosed.
def test_a_report_is_approved_by_somebody_else(office: Office) -> None:
    made = received(office, "2026-03-02", review=True)
    fulfilled(office, made)
    assert patch(office, made, "approve").status == 403
    # The fixture's caller is who made the request.
    own = patch(office, made, "approve", roles="sar-approver")
    assert (own.status, office.sar.now(made).state) == (409, RequestState.READY_FOR_REVIEW)
    approved = office.sar.endings.approve(made, "bob")
    assert (approved.approved_by, approved.approved_sha256) == ("bob", approved.report_sha256)
    assert office.sar.store.audit(made)[-1].detail["sha256"] == approved.report_sha256


@pytest.mark.parametrize("step", ["approve", "deliver"])
def test_what_is_not_in_the_bucket_is_neither_approved_nor_delivered(office: Office, step: str) -> None:
    made = received(office, "2026-03-02", review=step == "approve")
    fulfilled(office, made)
    sar = office.sar
    key = sar.now(made).report_key
    sar.s3.delete_object(Bucket=BUCKET, Key=key)
    request = patch(office, made, step, roles="sar-approver") if step == "deliver" else None
    if step == "approve":
        with pytest.raises(Exception, match="restart"):
            sar.endings.approve(made, "bob")
    else:
        assert request is not None
        assert patch(office, made, "deliver").status == 409
    fresh = {"fresh": "true"}
    path = f"/api/admin/subjectAccessRequests/{made}/restart"
    assert office.ask("PATCH", path, "sar-admin", query=fresh).json["state"] == "Pending"


def test_what_was_written_over_is_not_delivered(office: Office) -> None:
    made = received(office, "2026-03-02")
    fulfilled(office, made)
    office.sar.s3.put_object(Bucket=BUCKET, Key=office.sar.now(made).report_key, Body=b"%PDF-1.7 another")
    assert patch(office, made, "deliver").status == 409
    assert office.sar.now(made).state is RequestState.COMPLETED


# UK GDPR Article 5(1)(e): days are counted from the end of the duty to answer.
@pytest.mark.parametrize("state", ["Pending", "AwaitingIdentity", "OnHold", "NeedsAttention", "Errored"])
def test_nothing_is_removed_before_the_clock_has_ended(office: Office, state: str) -> None:
    sar = office.sar
    sar.create("request-1", "G1", state=RequestState(state), ended_at=sar.clock())
    sar.clock.advance(days=400)
    assert sar.lifecycle.archive() == []


@pytest.mark.parametrize("review", [False, True])
def test_a_report_that_nobody_delivered_stays(office: Office, review: bool) -> None:
    made = received(office, "2026-03-02", review=review)
    fulfilled(office, made)
    office.sar.clock.advance(days=100)
    assert office.sar.lifecycle.archive() == []
    assert office.sar.keys() == [office.sar.now(made).report_key]


def test_days_are_counted_from_the_end(office: Office) -> None:
    made = received(office, "2026-03-02")
    fulfilled(office, made)
    office.sar.clock.advance(days=30)
    patch(office, made, "deliver", {"on": "2026-03-03"})
    office.sar.clock.advance(days=6)
    assert office.sar.lifecycle.archive() == []
    office.sar.clock.advance(days=1, minutes=1)
    assert office.sar.lifecycle.archive() == [made]
    assert office.sar.keys() == []
    entry = next(one for one in office.sar.store.audit(made) if one.action == "ARCHIVED")
    assert entry.detail == {"after": "Delivered", "days": 7}


def test_what_is_due_soon_and_past_is_named_to_support(office: Office) -> None:
    soon = received(office, "2026-03-02")
    past = received(office, "2026-02-02", sarCaseReferenceNumber="PAST")
    ended = received(office, "2026-02-02", sarCaseReferenceNumber="ENDED")
    at(office, "2026-03-20")
    office.create(sarCaseReferenceNumber="NEW")
    patch(office, ended, "withdraw", {"reason": "found it"})
    fulfilled(office, past)
    listed = office.ask("GET", "/api/subjectAccessRequests/overdue", "sar-support").json["byLaw"]
    assert [(one["id"], one["overdue"], one["dueSoon"]) for one in listed] == [(past, True, False), (soon, False, True)]
    counted = office.ask("GET", "/api/subjectAccessRequests/summary", "sar-support").json["byLaw"]
    assert (counted["overdue"], counted["dueSoon"], counted["dueSoonThreshold"]) == (1, 1, "14 days")
    found = {one["id"]: one["dueSoon"] for one in office.ask("GET", "/api/subjectAccessRequests").json}
    assert (found[soon], found[past]) == (True, False)
    urgent = by_due_day(office.sar.lists, LegalClock(office.sar.clock(), england_and_wales()))
    assert [one.request_id for one in urgent] == [past, soon]


def test_a_copy_has_the_clock_of_its_original(office: Office) -> None:
    made = received(office, "2026-03-02")
    patch(office, made, "hold", {"reason": "identity"})
    at(office, "2026-03-09")
    copy = office.ask("POST", f"/api/subjectAccessRequests/{made}/duplicate", "sar-support").json["id"]
    shown_copy = shown(office, copy)
    assert (shown_copy["state"], shown_copy["provisional"]) == ("AwaitingIdentity", True)
    assert patch(office, copy, "release").json["dueDate"] == "2026-04-09"


@pytest.mark.parametrize(
    "body", [{"reveiw": True}, {"review": "true"}, {"recievedDate": "01/11/2026"}, {"Review": True}]
)
def test_a_safeguard_that_is_misspelt_is_refused(office: Office, body: dict[str, Any]) -> None:
    refused = office.create(**body)
    assert (refused.status, refused.fields) == (400, list(body))


# UK GDPR Article 12A(2) and (4): what was asked for came behind the receipt, and notice is given in the first month.
def test_a_corrected_receipt_contradicts_nothing_that_came_to_pass(office: Office) -> None:
    made = received(office, "2026-03-02")
    assert patch(office, made, "hold", {"reason": "identity", "from": "2026-03-02"}).status == 200
    at(office, "2026-03-10")
    late = patch(office, made, "correct", {"reason": "stamp", "receivedDate": "2026-03-03"})
    assert (late.status, late.fields) == (400, ["receivedDate"])
    assert patch(office, made, "release", {"on": "2026-03-09"}).status == 200
    # The month for the notice ends on 9 April, one month from the proof.
    at(office, "2026-04-08")
    assert patch(office, made, "extend", {"reason": "many records"}).status == 200
    assert patch(office, made, "correct", {"reason": "stamp", "receivedDate": "2026-02-27"}).status == 200

    other = received(office, "2026-05-11")
    at(office, "2026-06-11")
    assert patch(office, other, "extend", {"reason": "many records", "on": "2026-06-10"}).status == 200
    early = patch(office, other, "correct", {"reason": "stamp", "receivedDate": "2026-05-08"})
    assert (early.status, early.fields) == (400, ["receivedDate"])
    assert patch(office, other, "extend", {"undo": True}).status == 200
    assert patch(office, other, "correct", {"reason": "stamp", "receivedDate": "2026-05-08"}).status == 200
