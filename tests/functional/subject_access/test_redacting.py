"""What people take out of one request's report, until it is approved by somebody else.

UK GDPR Article 15(4), Data Protection Act 2018, Schedule 2, paragraph 16; ICO, "Right of access" (who redacted what,
when and why) and "How to disclose information safely" (not recoverable from text, metadata, file names or bookmarks).
"""

import hashlib
import io
import json
from dataclasses import replace
from typing import Any

import pikepdf
import pytest

from tests.fakes.subject_access import CATALOGUED, a_service
from tests.functional.subject_access.conftest import Office, SubjectAccess, claim_of
from tests.functional.subject_access.drawing import SERVICE, Drawing, a_pdf
from tests.functional.subject_access.test_letters import text_of
from waybill.subject_access.domain.endings import Approval
from waybill.subject_access.domain.mark_requests import Marks
from waybill.subject_access.domain.marks import redactions_of
from waybill.subject_access.errors import ApproverError, RulesChangedError, UnseenError
from waybill.subject_access.models import PartStatus, RequestState
from waybill.subject_access.service_models import RedactionRule

ROOT = "/api/subjectAccessRequests/request-1"
PERSON = "John JONES"
CONTENT = {
    "victim": {"name": PERSON, "id": "A9876ZZ"},
    "notes": ["JONES, John hit Mr Jones (a9876zz).", "John left", "Joens said"],
}


@pytest.fixture
def drawing(office: Office) -> Drawing:
    """A request with an answer and an attachment, drawn and ready for review."""
    made = _Again(office.sar)
    attached = [made.attached(1, a_pdf("from the scan")), made.attached(2, None)]
    office.sar.store.save_attachments(made.claim, [replace(attached[0], name=f"Statement of {PERSON}"), attached[1]])
    made.answered(CONTENT, attachments=2)
    made.finish()
    return made


class _Again(Drawing):
    """One that is drawn again."""

    def finish(self) -> bytes:
        stored = self.render_all()
        self.sar.fulfilment.save_report(self.claim, stored)
        assert self.sar.fulfilment.complete(self.claim)
        return self.get(stored.key)

    def drawn_again(self) -> bytes:
        taken = self.sar.claimer().claim("request-1", "worker")
        assert taken
        self.claim = claim_of(taken)
        return self.finish()


def everything(report: bytes) -> bytes:
    """Every object and stream of a file, decompressed, in small letters; fonts left out."""
    with pikepdf.open(io.BytesIO(report)) as pdf:
        streams = [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream) and "/Length1" not in one]
        return b"\n".join([report, *streams, *(repr(one).encode() for one in pdf.objects)]).lower()


def put(office: Office, roles: str = "sar-user", **marks: Any) -> Any:
    return office.ask("PUT", f"{ROOT}/redactions", roles, body=marks)


def test_a_person_is_taken_out_drawn_again_and_approved_by_a_third_person(office: Office, drawing: _Again) -> None:
    sar = office.sar
    shown = office.ask("GET", f"{ROOT}/parts/{SERVICE}/content", "sar-approver").json
    assert {"path": "victim.name", "value": PERSON, "whole": True} in shown["values"]
    mark = {"service": SERVICE, "path": "victim.name", "reason": "third party", "exemption": "Sch 2 para 16"}
    number = {"text": "A9876ZZ", "reason": "third party"}
    assert put(office, values=[mark, number]).json["redactedBy"] == ["alice"]
    # What was drawn before is not handed over.
    with pytest.raises(RulesChangedError):
        sar.endings.approve("request-1", "carol")
    assert office.ask("POST", f"{ROOT}/render").json["state"] == "Pending"
    report = drawing.drawn_again()
    text = "".join(page.replace("\n", " ") for page in drawing.text(sar.now().report_key))
    assert "[Redacted: third party; Sch 2 para 16] hit [Redacted: third party; Sch 2 para 16]" in text
    for gone in (b"jones", b"9876"):
        assert gone not in everything(report)
    (part, _) = office.ask("GET", f"{ROOT}/parts").json["parts"]
    assert (part["current"], part["redactedLeft"]) == (True, 0)
    assert {"path": "notes[1]", "kind": "given name alone", "stays": None} in part["near"]
    # ICO, "How to disclose information safely"; near misses and what was not searched are for a person to look at: two
    # near misses and the PDF are in the way of an approval that does not say so, or names another count.
    assert (part["nearMissesOpen"], part["notSearched"]) == (2, 1)
    for said in (None, Approval(near_misses=2), Approval(near_misses=1, not_searched=1), Approval(near_misses=3)):
        with pytest.raises(UnseenError, match=r"2 near misses .* and 1 attachment not searched"):
            sar.endings.approve("request-1", "carol", said)
    approved = sar.endings.approve("request-1", "carol", Approval(near_misses=2, not_searched=1))
    (entry,) = [one for one in sar.store.audit("request-1") if one.action == "APPROVED"]
    assert (entry.detail["nearMissesSeen"], entry.detail["notSearchedSeen"]) == (2, 1)
    assert approved.approved_sha256 == hashlib.sha256(report).hexdigest()
    given = office.ask("GET", "/api/report", query={"id": "request-1"}, headers={"Accept": "application/pdf"})
    assert given.content == report
    assert office.ask("PATCH", f"{ROOT}/deliver").status == 200
    # Numbers and hashes, never values.
    trail = repr(sar.store.audit("request-1")).casefold()
    assert "jones" not in trail
    assert "9876zz" not in trail


def test_who_redacted_cannot_approve(office: Office, drawing: _Again) -> None:
    drawing.sar.redacting.mark("request-1", "bob", Marks.parse({"values": [{"text": PERSON, "reason": "third party"}]}))
    drawing.sar.redacting.render("request-1", "bob")
    drawing.drawn_again()
    for by in ("alice", "bob"):
        with pytest.raises(ApproverError):
            drawing.sar.endings.approve("request-1", by)
    seen = Approval(near_misses=2, not_searched=1)
    assert drawing.sar.endings.approve("request-1", "carol", seen).state is RequestState.COMPLETED


def test_a_value_of_one_service_goes_out_of_the_parts_of_all(office: Office, drawing: _Again) -> None:
    put(office, values=[{"service": SERVICE, "path": "victim.name", "reason": "third party"}])
    marks = office.sar.redacting.marks("request-1", "bob")
    (rule,) = redactions_of(marks, "G1")
    assert (rule.texts, rule.everywhere, rule.path) == ((PERSON,), True, "")
    (own,) = redactions_of(marks, SERVICE)
    assert (own.texts, own.path) == ((), "victim.name")


def test_whole_attachments_and_whole_pages_go(office: Office, drawing: _Again) -> None:
    (part, _) = office.ask("GET", f"{ROOT}/parts").json["parts"]
    scan, lost = part["attachments"]
    assert (scan["name"], scan["shown"], lost["withheld"]) == (
        f"Statement of {PERSON}",
        True,
        "the file could not be fetched from the service",
    )
    put(office, attachments=[{"service": SERVICE, "number": 1, "reason": "legal privilege"}])
    office.ask("POST", f"{ROOT}/render")
    report = drawing.drawn_again()
    assert b"from the scan" not in everything(report)
    assert b"statement of" not in everything(report)
    whole = {"attachments": [{"service": SERVICE, "number": 1, "reason": "legal privilege"}]}
    assert put(office, **whole, pages=[{"service": SERVICE, "page": 1, "reason": "crime"}]).status == 200
    office.ask("POST", f"{ROOT}/render")
    report = drawing.drawn_again()
    assert b"joens" not in everything(report)
    assert "[Redacted: crime]" in "".join(drawing.text(drawing.part().part_key))


def test_pages_are_marked_on_the_drawing_that_is_there(office: Office, drawing: _Again) -> None:
    page = {"service": SERVICE, "page": 1, "reason": "crime"}
    together = put(office, values=[{"text": PERSON, "reason": "third party"}], pages=[page])
    assert together.status == 409
    assert put(office, pages=[{**page, "page": 9}]).fields == ["pages[0].page"]
    assert put(office, pages=[page]).status == 200
    # Asked again, the service may have answered something else: the mark would be on another page.
    restart = "/api/admin/subjectAccessRequests/request-1/restart"
    assert office.ask("PATCH", restart, "sar-admin", query={"fresh": "true"}).status == 200
    taken = office.sar.claimer().claim("request-1", "worker")
    assert taken
    drawing.claim = claim_of(taken)
    drawing.answered({"other": 1})
    assert drawing.render_part().error_code == "render_6007"


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"service": SERVICE, "path": "victim.nmae", "reason": "x"}, ["values[0].path"]),
        ({"service": SERVICE, "path": "victim..name", "reason": "x"}, ["values[0].path"]),
        ({"service": "unknown", "path": "victim", "reason": "x"}, ["values[0].service"]),
        ({"path": "victim", "reason": "x"}, ["values[0].service"]),
        ({"text": "Al", "reason": "x"}, ["values[0].text"]),
        ({"text": PERSON, "reason": " "}, ["values[0].reason"]),
        ({"text": PERSON, "path": "victim", "service": SERVICE, "reason": "x"}, ["values[0].path"]),
        ({"reason": "x"}, ["values[0].path"]),
        ({"text": PERSON, "reason": "x", "everywere": True}, ["values[0].everywere"]),
        ({"text": PERSON}, ["values[0].reason"]),
    ],
)  # fmt: skip
def test_a_mark_that_names_nothing_is_refused(office: Office, drawing: _Again, value: Any, fields: list[str]) -> None:
    assert put(office, values=[value]).fields == fields
    assert office.sar.now().redactions_sha256 is None


def test_the_same_again_changes_nothing_and_nothing_puts_it_back(office: Office, drawing: _Again) -> None:
    marks = {"values": [{"text": PERSON, "reason": "third party"}]}
    put(office, **marks)
    before = office.sar.now().redactions_sha256
    put(office, **marks)
    assert office.sar.now().redactions_sha256 == before
    assert office.sar.actions().count("REDACTIONS_SET") == 1
    shown = office.ask("GET", f"{ROOT}/redactions").json
    assert [one["text"] for one in shown["values"]] == [PERSON]
    assert put(office).status == 200
    assert office.sar.now().redactions_sha256 is None
    # The report is as it was drawn: nothing is taken out of it.
    assert office.sar.endings.approve("request-1", "carol").state is RequestState.COMPLETED


def test_content_comes_in_pages(office: Office, drawing: _Again) -> None:
    path = f"{ROOT}/parts/{SERVICE}/content"
    first = office.ask("GET", path, query={"limit": "3"}).json
    rest = office.ask("GET", path, query={"limit": "3", "cursor": first["cursor"]}).json
    assert [one["path"] for one in (*first["values"], *rest["values"])] == [
        "victim.name",
        "victim.id",
        "notes[0]",
        "notes[1]",
        "notes[2]",
    ]
    assert rest["cursor"] is None
    assert office.ask("GET", f"{ROOT}/parts/unknown/content").status == 404
    assert office.ask("GET", f"{ROOT}/parts/G1/content").status == 409
    assert office.ask("GET", path, query={"cursor": "x"}).status == 400


def test_what_a_worker_outside_made_is_not_drawn_here(sar: SubjectAccess, office: Office) -> None:
    sar.catalogue.save_service(a_service("other"), CATALOGUED, new=True)
    sar.create("request-1", "other")
    claim = sar.claim()
    sar.finish(claim, PartStatus.COMPLETE)
    assert sar.complete(claim)
    assert office.ask("POST", f"{ROOT}/render").status == 409
    assert put(office, values=[{"service": "other", "path": "a", "reason": "x"}]).status == 409


def test_an_ended_request_is_redacted_no_more(office: Office, drawing: _Again) -> None:
    office.ask("PATCH", f"{ROOT}/withdraw", body={"reason": "said so"})
    assert put(office, values=[{"text": PERSON, "reason": "x"}]).status == 400
    assert office.ask("POST", f"{ROOT}/render").status == 400


def near_misses(office: Office) -> tuple[int, list[tuple[str, str | None]]]:
    """How many nobody has decided about, and what was said of each."""
    (part,) = [one for one in parts_of(office) if one["serviceName"] == SERVICE]
    return part["nearMissesOpen"], [(one["path"], one["stays"] and one["stays"]["reason"]) for one in part["near"]]


def parts_of(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.ask("GET", f"{ROOT}/parts", "sar-approver").json["parts"]
    return found


def test_what_is_decided_about_near_misses_is_recorded_and_draws_nothing_again(office: Office, drawing: _Again) -> None:
    mark = {"service": SERVICE, "path": "victim.name", "reason": "third party"}
    assert put(office, values=[mark]).status == 200
    assert office.ask("POST", f"{ROOT}/render", "sar-user").status == 200
    drawing.drawn_again()
    # "Joens" has two letters of Jones the wrong way round.
    assert near_misses(office) == (2, [("notes[1]", None), ("notes[2]", None)])

    stays = {"service": SERVICE, "path": "notes[1]", "reason": "Another John"}
    wrong = put(office, values=[mark], nearMisses=[{**stays, "path": "notes[0]"}, {**stays, "service": "G1"}])
    assert [one["field"] for one in wrong.json["errors"]] == ["nearMisses[0].path", "nearMisses[1].service"]
    assert put(office, values=[mark], nearMisses=[stays]).status == 200
    assert near_misses(office) == (1, [("notes[1]", "Another John"), ("notes[2]", None)])
    # Other marks say nothing about what was decided, and nothing is to be drawn again for a decision.
    assert put(office, values=[mark]).status == 200
    assert all(one["current"] for one in parts_of(office))
    # Who decides that something stays is one of those who do not approve.
    assert office.sar.now().redacted_by == ("alice",)

    whole = {"service": SERVICE, "reason": "Looked at one by one"}
    assert put(office, values=[mark], nearMisses=[whole]).status == 200
    assert near_misses(office) == (0, [("notes[1]", "Another John"), ("notes[2]", "Looked at one by one")])
    entries = [one for one in office.sar.store.audit("request-1") if one.action == "NEAR_MISSES_DECIDED"]
    assert [(one.detail["decided"], one.detail["open"]) for one in entries] == [(1, 1), (1, 0)]
    assert "John" not in repr(entries)
    # What is decided about is not asked for again; a count of what there is not is refused too.
    with pytest.raises(UnseenError, match="has 1 attachment not searched"):
        office.sar.endings.approve("request-1", "carol", Approval(near_misses=2, not_searched=1))
    assert office.sar.endings.approve("request-1", "carol", Approval(not_searched=1)).approved_by == "carol"


def test_a_report_from_which_nothing_is_taken_out_has_nothing_unseen(office: Office, drawing: _Again) -> None:
    assert [one["notSearched"] for one in parts_of(office)] == [0, 0]
    assert office.sar.endings.approve("request-1", "carol").state is RequestState.COMPLETED


@pytest.mark.parametrize("where", [{}, {"path": "notes[2]"}])
def test_near_misses_that_later_marks_bring_up_are_open_again(
    office: Office, drawing: _Again, where: dict[str, str]
) -> None:
    """UK GDPR Article 15(4): of each piece of information about somebody else it has to be said why it stays."""
    first = {"service": SERVICE, "path": "victim.name", "reason": "third party"}
    answer = {"content": {"victim": {"name": PERSON}, "notes": ["", "", "Joens met Brwon"], "other": "Ann BROWN"}}
    drawing.put(str(drawing.part().answer_key), json.dumps(answer).encode())
    assert put(office, values=[first]).status == 200
    office.ask("POST", f"{ROOT}/render", "sar-user")
    drawing.drawn_again()
    stays = {"service": SERVICE, "reason": "Is a place", **where}
    assert put(office, values=[first], nearMisses=[stays]).status == 200
    assert near_misses(office) == (0, [("notes[2]", "Is a place")])

    later = {"service": SERVICE, "path": "other", "reason": "third party"}
    assert put(office, values=[first, later]).status == 200
    office.ask("POST", f"{ROOT}/render", "sar-user")
    drawing.drawn_again()
    assert near_misses(office) == (2, [("notes[2]", None)] * 2)
    # With the first marks alone it is as it was when it was decided.
    assert put(office, values=[first]).status == 200
    office.ask("POST", f"{ROOT}/render", "sar-user")
    drawing.drawn_again()
    assert near_misses(office) == (0, [("notes[2]", "Is a place")])


def test_what_is_taken_out_nearly_everywhere_is_said_with_its_count(office: Office, drawing: _Again) -> None:
    answer = {"content": {"notes": [f"{number} seen by the officer" for number in range(120)]}}
    drawing.put(str(drawing.part().answer_key), json.dumps(answer).encode())
    assert put(office, values=[{"text": "officer", "reason": "third party"}]).status == 200
    office.ask("POST", f"{ROOT}/render", "sar-user")
    drawing.drawn_again()
    (part,) = [one for one in parts_of(office) if one["serviceName"] == SERVICE]
    assert part["warnings"] == ["values[0] is taken out in 120 places of this part"]


# UK GDPR Article 15(4); ICO, "How to disclose information safely": a person looks at what no program could tell.
@pytest.mark.parametrize(("notes", "state"), [(["John left"], "ReadyForReview"), (["Nobody left"], "Completed")])
def test_what_may_be_left_of_a_services_rule_stops_at_review(office: Office, notes: list[str], state: str) -> None:
    sar, drawing = office.sar, _Again(office.sar)
    service = sar.catalogue.service(SERVICE)
    assert service is not None
    ruled = replace(service, redactions=(RedactionRule("victim.name", "third party", everywhere=True),))
    assert sar.catalogue.save_service(ruled, CATALOGUED, new=False)
    drawing.answered({"victim": {"name": PERSON}, "notes": ["JONES, John hit him", *notes]})
    drawing.finish()
    shown = office.ask("GET", "/api/subjectAccessRequest/request-1").json
    part = shown["services"][0]
    assert (shown["state"], part["redactedCount"], part["unseenCount"]) == (state, 2, int(state == "ReadyForReview"))
    if state == "ReadyForReview":
        sar.endings.approve("request-1", "carol", Approval(near_misses=1))
    # What a rule of the catalogue takes out is said to the person as what people take out is.
    said = text_of(office.ask("POST", f"{ROOT}/letters/cover").content)
    assert "Some information is left out. Each place says why, in square brackets." in said
    assert "what is held is in the report; something is left out of it" in said
