"""Letters to who asked: they say what is so, as the law wants it said.

UK GDPR Articles 12(4) (reasons, complaint, court), 12A (extension with reasons) and 15(1); ICO, "Right of access".
"""

import io
from typing import Any

import pypdf
import pytest

from tests.functional.subject_access.conftest import Office
from tests.functional.subject_access.test_handing_over import fulfilled


def text_of(content: bytes) -> str:
    return " ".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


def letter(office: Office, request_id: str, kind: str, **texts: Any) -> Any:
    path = f"/api/subjectAccessRequests/{request_id}/letters/{kind}"
    return office.ask("POST", path, body=texts or None)


def test_an_acknowledgement_goes_to_who_asks_for_the_person(office: Office) -> None:
    made = office.create(
        subjectName="BLOGGS, Jo",
        requesterName="Smith Solicitors",
        requesterAuthority="Form of authority signed on 1 October 2026",
        receivedDate="01/11/2026",
    ).text
    answer = letter(office, made, "acknowledgement", contact="data@x.example")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    text = text_of(answer.content)
    for said in (
        "Smith Solicitors 2 November 2026",
        "about BLOGGS, Jo, under Article 15 of the UK GDPR. It came on 1 November 2026",
        "We will answer by 1 December 2026.",
        "complain to us at data@x.example",
        "Information Commissioner",
    ):
        assert said in text
    shown = office.ask("GET", f"/api/subjectAccessRequest/{made}").json
    assert shown["requesterName"] == "Smith Solicitors"
    assert office.sar.actions(made)[-2:] == ["LETTER_DRAWN", "REQUEST_VIEWED"]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"requesterName": "Smith"}, "requesterAuthority"), ({"requesterAuthority": "a form"}, "requesterName")],
)
def test_nobody_asks_for_somebody_else_without_authority(office: Office, given: dict[str, str], field: str) -> None:
    assert office.create(**given).fields == [field]


def test_what_is_waited_for_is_said(office: Office) -> None:
    made = office.create().text
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/hold", body={"reason": "identity", "note": "A passport."})
    text = text_of(letter(office, made, "acknowledgement").content)
    assert "we need proof of who you are. The time to answer begins when it comes. A passport." in text
    assert "We will answer by" not in text


def test_no_letter_promises_a_day_that_has_passed(office: Office) -> None:
    """No letter promises a day that has passed; UK GDPR Art. 12(3): the month ended on 2 December."""
    made = office.create().text
    office.sar.clock.advance(days=31)
    text = text_of(letter(office, made, "acknowledgement").content)
    assert "We should have answered by 2 December 2026, and are sorry" in text
    assert "We will answer by" not in text


def test_nothing_is_promised_to_who_has_the_answer_or_wants_none(office: Office) -> None:
    made = office.create().text
    extension = f"/api/subjectAccessRequests/{made}/extend"
    assert office.ask("PATCH", extension, body={"reason": "Records of 30 services"}).status == 200
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/withdraw", body={"reason": "By telephone"})
    for kind in ("acknowledgement", "extension", "cover"):
        assert letter(office, made, kind).fields == ["status"]
    delivered, _ = fulfilled(office, review=False)
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{delivered}/deliver").status == 200
    assert letter(office, delivered, "acknowledgement").status == 400
    assert letter(office, delivered, "cover").status == 200


def test_an_extension_is_written_when_there_is_one(office: Office) -> None:
    made = office.create().text
    assert letter(office, made, "extension").status == 400
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/extend", body={"reason": "Records of 30 services"})
    text = text_of(letter(office, made, "extension").content)
    assert "up to two further months" in text
    assert "Records of 30 services We will answer by 2 February 2027." in text


def test_a_refusal_has_ground_reason_and_rights(office: Office) -> None:
    made = office.create().text
    assert letter(office, made, "refusal").status == 400
    body = {"ground": "excessive", "reason": "The same was answered last week"}
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/refuse", body=body)
    text = text_of(letter(office, made, "refusal").content)
    for said in ("The ground is: excessive.", "The same was answered last week", "a court to enforce your right"):
        assert said in text


def test_the_cover_says_where_was_looked_and_what_codes_mean(office: Office) -> None:
    waiting = office.create().text
    assert letter(office, waiting, "cover").status == 400
    made, _ = fulfilled(office, review=False)
    texts = {"purposes": "Sentences", "codes": {"NFA": "No further action"}, "controller": "Data Protection Team"}
    text = text_of(letter(office, made, "cover", **texts).content)
    for said in (
        "Where we looked Label of G1 what is held is in the report",
        "Purposes Sentences",
        "NFA No further action",
        "Yours faithfully Data Protection Team",
    ):
        assert said in text
    assert letter(office, made, "cover", purpose="x").fields == ["purpose"]
    assert letter(office, made, "other").status == 400
    assert letter(office, made, "cover", purposes="two\nlines").fields == ["purposes"]
    assert letter(office, "unknown", "cover").status == 404
    assert "Some information is left out" not in text


# UK GDPR Article 12A(2), (5): while something is waited for, nobody knows the day.
def test_an_extension_promises_no_day_while_something_is_waited_for(office: Office) -> None:
    made = office.create().text
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/extend", body={"reason": "Records of 30 services"})
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/hold", body={"reason": "identity"})
    text = text_of(letter(office, made, "extension").content)
    assert "The time to answer begins when it comes." in text
    assert "We will answer by" not in text


# UK GDPR Article 15(1)(e); Data Protection Act 2018, section 45(2)(e): Part 3 knows no right to object.
def test_a_late_answer_says_so_and_names_the_rights_of_its_regime(office: Office) -> None:
    made, _ = fulfilled(office, review=False)
    office.sar.clock.advance(days=40)
    text = text_of(letter(office, made, "cover").content)
    assert "This answer is late, and we are sorry for that." in text
    body = {"regime": "LAW_ENFORCEMENT", "reason": "Asked for under Part 3"}
    assert "or to restrict its use, or object to it" in text
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{made}/correct", body=body).status == 200
    law_enforcement = text_of(letter(office, made, "cover").content)
    assert "or to restrict its use. You may complain" in law_enforcement
