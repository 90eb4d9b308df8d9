"""What a new request must say, and what comes of it."""

from typing import Any

import pytest

from tests.functional.subject_access.conftest import A_REQUEST, Office
from waybill.subject_access.domain.endings import Delivery

TOO_LONG = "SAR-2025-0042-0123456"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"nomisId": ""}, "nomisId"),
    ({"nomisId": "  "}, "nomisId"),
    ({"nomisId": None}, "nomisId"),
    ({"nomisId": "1234AAA"}, "nomisId"),
    ({"nomisId": "A1234AAA"}, "nomisId"),
    ({"nomisId": "A1234A\u0391"}, "nomisId"),
    ({"nomisId": "\u017f1234AA"}, "nomisId"),
    ({"nomisId": "", "ndeliusId": "X12345"}, "ndeliusId"),
    ({"ndeliusId": "X123456"}, "ndeliusId"),
    ({"sarCaseReferenceNumber": ""}, "sarCaseReferenceNumber"),
    ({"sarCaseReferenceNumber": "   "}, "sarCaseReferenceNumber"),
    ({"sarCaseReferenceNumber": None}, "sarCaseReferenceNumber"),
    ({"sarCaseReferenceNumber": TOO_LONG}, "sarCaseReferenceNumber"),
    ({"sarCaseReferenceNumber": "SAR\n1"}, "sarCaseReferenceNumber"),
    ({"dateFrom": "01/01/2025"}, "dateFrom"),
    ({"dateTo": "03/11/2026"}, "dateTo"),
    ({"dateTo": "31/02/2024"}, "dateTo"),
    ({"dateTo": "2024-12-31"}, "dateTo"),
    ({"dateTo": "1/1/2024"}, "dateTo"),
    ({"dateTo": ""}, "dateTo"),
    ({"dateTo": None}, "dateTo"),
    ({"services": []}, "services"),
    ({"services": ["G1", "unknown"]}, "services[1]"),
    ({"services": ["G1"] * 91}, "services"),
    ({"services": "G1"}, "services"),
    ({"nomisId": 1234567}, "nomisId"),
    ({"regime": "OTHER"}, "regime"),
    ({"receivedDate": "03/11/2026"}, "receivedDate"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
def test_a_request_that_breaks_the_rules_is_refused_by_field(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    answer = office.create(**changes)
    assert answer.status == 400
    assert answer.fields == [field]
    assert list(office.sar.lists.newest("")) == []


def test_every_broken_rule_is_told_at_once(office: Office) -> None:
    answer = office.create(nomisId="x", dateTo="31/02/2024", sarCaseReferenceNumber="", services=["no"])
    assert answer.fields == ["nomisId", "dateTo", "sarCaseReferenceNumber", "services[0]"]


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"nomisId": " a1234aa "}, {"nomisId": "A1234AA", "ndeliusCaseReferenceId": None}),
        ({"nomisId": None, "ndeliusId": "x123456 "}, {"nomisId": None, "ndeliusCaseReferenceId": "X123456"}),
        ({"dateFrom": None}, {"dateFrom": None}),
        ({"dateFrom": "31/12/2024"}, {"dateFrom": "2024-12-31"}),
        ({"dateTo": "02/11/2026"}, {"dateTo": "2026-11-02"}),
        ({"sarCaseReferenceNumber": " 12345678901234567890 "}, {"sarCaseReferenceNumber": "12345678901234567890"}),
    ],
)
def test_what_is_given_is_tidied(office: Office, changes: dict[str, Any], stored: dict[str, Any]) -> None:
    made = office.create(**changes)
    assert (made.status, made.headers["content-type"]) == (201, "text/plain")
    shown = office.ask("GET", f"/api/subjectAccessRequest/{made.text}").json
    assert {name: shown[name] for name in stored} == stored


def test_a_new_request_is_shown_as_documented(office: Office) -> None:
    shown = office.ask("GET", f"/api/subjectAccessRequest/{office.create().text}").json
    assert (shown["status"], shown["dateFrom"], shown["dateTo"]) == ("Pending", "2020-01-01", "2024-12-31")
    assert (shown["requestedBy"], shown["requestDateTime"]) == ("alice", "2026-11-02T09:00:00Z")
    assert shown["claimDateTime"] is shown["objectUrl"] is shown["lastDownloaded"] is None
    assert shown["claimAttempts"] == 0
    assert (shown["dueDate"], shown["daysLeft"], shown["overdue"]) == ("2026-12-02", 30, False)
    part = {
        "renderStatus": "PENDING",
        "templateVersion": None,
        "renderedAt": None,
        "errorCode": None,
        "withheldCount": 0,
        "withheldAttachments": [],
    }
    assert shown["services"] == [
        {"serviceName": name, "serviceLabel": f"Label of {name}", **part} for name in ("G1", "keyworker-api")
    ]


def test_services_are_kept_in_the_order_of_the_report_each_once(office: Office) -> None:
    made = office.create(services=["keyworker-api", "G1", "keyworker-api"]).text
    shown = office.ask("GET", f"/api/subjectAccessRequest/{made}").json
    assert [part["serviceName"] for part in shown["services"]] == ["G1", "keyworker-api"]


def test_the_same_idempotency_key_makes_one_request(office: Office) -> None:
    def create(key: str, subject: str = "alice", **changes: Any) -> Any:
        return office.ask(
            "POST",
            "/api/subjectAccessRequest",
            body={
                "nomisId": "A1234AA",
                "dateTo": "31/12/2024",
                "sarCaseReferenceNumber": "SAR-1",
                "services": ["G1"],
                **changes,
            },
            headers={"Idempotency-Key": key},
        )

    first, again, other = create("key-1"), create("key-1"), create("key-2")
    assert (first.status, again.status, other.status) == (201, 201, 201)
    assert first.text == again.text != other.text
    assert create("key-1", sarCaseReferenceNumber="SAR-2").status == 409
    # The answer may be lost before midnight, and asked for again after it.
    office.sar.clock.advance(days=1)
    assert create("key-1").text == first.text
    assert len(list(office.sar.lists.newest(""))) == 2
    assert office.sar.actions(first.text) == ["CREATED"]


def test_other_requests_about_the_person_or_the_case_are_named(office: Office) -> None:
    first = office.create().text
    office.sar.clock.advance(minutes=1)
    same_person = office.create(sarCaseReferenceNumber="SAR-2").text
    office.sar.clock.advance(minutes=1)
    same_case = office.create(nomisId="B1234BB").text
    office.create(nomisId="C1234CC", sarCaseReferenceNumber="SAR-3")
    assert office.ask("GET", f"/api/subjectAccessRequest/{first}").json["related"] == [same_case, same_person]


def test_nothing_is_left_in_the_archive_that_a_name_could_be_tried_against(office: Office) -> None:
    body, headers = A_REQUEST | {"subjectName": "SMITH, John"}, {"Idempotency-Key": "key-1"}
    first = office.ask("POST", "/api/subjectAccessRequest", body=body, headers=headers).text
    claim = office.sar.claim(first)
    office.sar.finish(claim)
    assert office.sar.complete(claim)
    assert office.sar.now(first).fingerprint
    # Nothing is archived before the person has the copy (UK GDPR Articles 5(1)(e) and 12(3)).
    office.sar.endings.deliver(first, "alice", Delivery())
    office.sar.clock.advance(days=8)
    assert office.sar.lifecycle.archive() == [first]
    assert (office.sar.now(first).subject_name, office.sar.now(first).fingerprint) == (None, "")
    # The key is that of the request all the same.
    assert office.ask("POST", "/api/subjectAccessRequest", body=body, headers=headers).text == first
