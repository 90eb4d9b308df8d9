"""A worker outside of the workflow, over HTTP: it claims, keeps the claim, reports parts and completes."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pikepdf
import pytest

from tests.fakes.subject_access import BUCKET
from tests.functional.subject_access.conftest import PDF, PDF_SHA256, Office
from waybill.subject_access.domain.claims import LEASE_SECONDS, SKEW_SECONDS
from waybill.subject_access.domain.endings import Delivery
from waybill.subject_access.domain.keys import report_key
from waybill.subject_access.models import Claim, RequestState


class Worker:
    """What a worker sends about one request."""

    def __init__(self, office: Office, request_id: str) -> None:
        self.office, self.request_id = office, request_id
        self.claim = office.ask("PATCH", f"/api/subjectAccessRequests/{request_id}/claim", "sar-worker")
        self.proof = {name: self.claim.json.get(name) for name in ("claimToken", "generation")}

    def send(self, what: str, **body: Any) -> Any:
        path = f"/api/subjectAccessRequests/{self.request_id}/{what}"
        return self.office.ask("PATCH", path, "sar-worker", body=self.proof | body)

    def finish_parts(self) -> None:
        for part in self.claim.json["services"]:
            assert self.send(f"services/{part['service']}", renderStatus="COMPLETE").status == 200

    def upload(self, content: bytes = PDF) -> dict[str, Any]:
        """Put the report where the upload address leads."""
        generation = self.proof["generation"]
        key = f"uploads/{self.request_id}/{generation}.pdf"
        assert f"/{key}?" in self.claim.json["uploadUrl"]
        # As S3 keeps what comes by such an address: without a SHA-256, which the signature does not cover.
        self.office.sar.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "pages": 5000}


@pytest.fixture
def request_id(office: Office) -> str:
    return office.create().text


def test_a_request_is_fulfilled_from_outside(office: Office, request_id: str) -> None:
    listed = office.ask("GET", "/api/subjectAccessRequests", "sar-worker", query={"unclaimed": "true"})
    assert [one["id"] for one in listed.json] == [request_id]
    worker = Worker(office, request_id)
    assert (worker.claim.status, worker.claim.json["generation"]) == (200, 1)
    assert office.ask("GET", "/api/subjectAccessRequests", "sar-worker", query={"unclaimed": "true"}).json == []
    office.sar.clock.advance(minutes=10)
    kept = worker.send("heartbeat").json
    assert kept["claimExpiresAt"] == int(office.sar.clock().timestamp()) + LEASE_SECONDS
    # The address that came with the claim is dead by now.
    assert f"/uploads/{request_id}/1.pdf?" in kept["uploadUrl"]
    worker.finish_parts()
    done = worker.send("complete", report=worker.upload())
    # Its pages are counted, not believed, and somebody looks at it.
    assert (done.status, done.json["status"], done.json["state"]) == (200, "Completed", "ReadyForReview")
    assert done.json["pages"] == 3
    again = worker.send("complete")
    assert (again.status, again.fields) == (400, ["status"])
    assert office.sar.actions(request_id).count("READY_FOR_REVIEW") == 1
    trail = office.sar.store.audit(request_id)
    assert {entry.actor for entry in trail if entry.action in {"SERVICE_RESULT", "REPORT_STORED"}} == {"alice"}
    assert office.sar.keys() == [report_key(request_id, 1, PDF_SHA256)]


def test_what_is_put_at_the_upload_address_after_the_completion_changes_no_report(
    office: Office, request_id: str
) -> None:
    worker = Worker(office, request_id)
    worker.finish_parts()
    assert worker.send("complete", report=worker.upload()).status == 200
    # The address is good for minutes more.
    office.sar.s3.put_object(Bucket=BUCKET, Key=f"uploads/{request_id}/1.pdf", Body=b"%PDF-1.7 somebody else's")
    given = office.ask("GET", "/api/report", query={"id": request_id}, headers={"Accept": "application/pdf"})
    assert (given.status, given.content) == (200, PDF)
    office.sar.endings.approve(request_id, "carol")
    office.sar.endings.deliver(request_id, "alice", Delivery())
    office.sar.clock.advance(days=8)
    office.sar.lifecycle.archive()
    assert office.sar.keys() == []


def test_what_is_put_at_the_upload_address_while_it_is_copied_is_no_report(office: Office, request_id: str) -> None:
    worker, s3 = Worker(office, request_id), office.sar.s3
    worker.finish_parts()
    report = worker.upload()
    etag = s3.head_object(Bucket=BUCKET, Key=f"uploads/{request_id}/1.pdf")["ETag"]
    asked: list[dict[str, Any]] = []
    s3.meta.events.register("provide-client-params.s3.CopyObject", lambda params, **_: asked.append(params))
    assert worker.send("complete", report=report).status == 200
    # S3 refuses the copy of any other object than the one whose SHA-256 was found to be right.
    assert [one["CopySourceIfMatch"] for one in asked] == [etag]


def test_what_somebody_has_cannot_be_claimed(office: Office, request_id: str) -> None:
    assert Worker(office, request_id).claim.status == 200
    assert Worker(office, request_id).claim.status == 400
    assert Worker(office, "unknown").claim.status == 404


def test_a_worker_that_lost_its_claim_is_told(office: Office, request_id: str) -> None:
    late = Worker(office, request_id)
    office.sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    assert Worker(office, request_id).claim.status == 200
    assert late.send("heartbeat").status == 409
    assert late.send("services/G1", renderStatus="COMPLETE").status == 409
    assert late.send("complete", report=late.upload()).status == 409
    assert office.sar.now(request_id).services["G1"].status.value == "PENDING"


def test_completing_what_was_given_up_on_removes_the_report(office: Office, request_id: str) -> None:
    worker = Worker(office, request_id)
    worker.finish_parts()
    report = worker.upload()
    office.sar.clock.advance(hours=49)
    office.sar.lifecycle.expire()
    refused = worker.send("complete", report=report)
    assert (refused.status, refused.fields) == (400, ["status"])
    assert office.sar.keys() == []
    assert office.sar.now(request_id).state is RequestState.ERRORED
    assert office.ask("PATCH", "/api/subjectAccessRequests/unknown/complete", "sar-worker").status == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"bytes": len(PDF) + 1}, 409),
        ({"sha256": "0" * 64}, 409),
        ({"sha256": "short"}, 400),
        ({"pages": 0}, 400),
        ({"pages": 10**40}, 400),
    ],
)
def test_a_report_that_is_not_what_was_made_completes_nothing(
    office: Office, request_id: str, changes: dict[str, Any], status: int
) -> None:
    worker = Worker(office, request_id)
    worker.finish_parts()
    assert worker.send("complete", report=worker.upload() | changes).status == status
    assert office.sar.now(request_id).state is RequestState.IN_PROGRESS


def _with(change: Callable[[pikepdf.Pdf], None], **saved: Any) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as pdf:
        change(pdf)
        pdf.save(made, **saved)
    return made.getvalue()


def _script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def _launch(pdf: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")
    pdf.pages[0].Annots = pikepdf.Array([pikepdf.Dictionary(Subtype=pikepdf.Name.Link, A=action)])


def _file(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["evil.exe"] = b"MZ"


def _other_file(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.GoToR, F=r"\\\\host.example\\a.pdf")


def _clip(pdf: pikepdf.Pdf) -> None:
    clip = pikepdf.Dictionary(Subtype=pikepdf.Name.FileAttachment, FS=pikepdf.Dictionary(F="a.exe"))
    pdf.pages[0].Annots = pikepdf.Array([clip])


def _ring(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Pages.Kids = pikepdf.Array([pdf.Root.Pages, pdf.Root.Pages])


# CWE-434, CWE-345; ISO 32000-1, 12.6.4.3, 12.6.4.5, 12.6.4.16, 12.5.6.15 and 7.11.4.
@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7 and nothing else",
        b"GIF89a" + PDF,
        PDF[: len(PDF) // 2],
        _with(lambda pdf: None, encryption=pikepdf.Encryption(owner="a", user="b")),
        _with(lambda pdf: None, encryption=pikepdf.Encryption(owner="a", user="")),
        _with(_script),
        _with(_launch),
        _with(_file),
        _with(_other_file),
        _with(_clip),
        _with(_ring),
        _with(lambda pdf: pdf.pages.__delitem__(slice(0, 3))),
    ],
)
def test_what_is_no_report_is_refused_and_removed(office: Office, request_id: str, content: bytes) -> None:
    worker = Worker(office, request_id)
    worker.finish_parts()
    assert worker.send("complete", report=worker.upload(content)).status == 422
    assert (office.sar.keys("uploads/"), office.sar.keys("reports/")) == ([], [])
    assert office.sar.actions(request_id).count("UPLOAD_REFUSED") == 1
    # The claim lives on.
    assert worker.send("complete", report=worker.upload()).status == 200


def test_nothing_is_completed_without_its_parts_its_report_or_its_claim(office: Office, request_id: str) -> None:
    worker = Worker(office, request_id)
    assert worker.send("complete", report=worker.upload()).status == 409
    worker.finish_parts()
    path = f"/api/subjectAccessRequests/{request_id}/complete"
    for body in (None, {}, {"claimToken": worker.proof["claimToken"]}, {"generation": 1}):
        missing = [field for field in ("claimToken", "generation") if field not in (body or {})]
        assert office.ask("PATCH", path, "sar-worker", body=body).fields == missing
    assert office.sar.now(request_id).state is RequestState.IN_PROGRESS


WRONG: list[dict[str, Any]] = [
    {"renderStatus": "DONE"},
    {"renderStatus": "FETCHED"},
    {"claimToken": ""},
    {"attempts": 10**40},
    # The audit trail keeps it for ever.
    {"errorCode": "A1234AA of Mr Smith"},
    {"errorCode": "A1234AA"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_part_result_that_cannot_be_is_refused(office: Office, request_id: str, wrong: dict[str, Any]) -> None:
    worker = Worker(office, request_id)
    assert worker.send("services/G1", **{"renderStatus": "COMPLETE"} | wrong).status == 400
    assert worker.send("services/other", renderStatus="COMPLETE").fields == ["service"]
    assert worker.send("services/G1", renderStatus="ERRORED", errorCode="upstream_4003").status == 200


@pytest.mark.parametrize(("status", "kept"), [("NO_DATA", None), ("ERRORED", None), ("COMPLETE", "work/pages.pdf")])
def test_pages_drawn_before_stay_only_with_a_part_that_has_data(
    office: Office, request_id: str, status: str, kept: str | None
) -> None:
    worker = Worker(office, request_id)
    store = office.sar.store
    proof = Claim(request_id=request_id, claim_token=worker.proof["claimToken"], generation=1)
    before = next(part for part in store.parts(request_id) if part.service == "G1")
    store.save_part(proof, replace(before, part_key="work/pages.pdf", sha256=PDF_SHA256, pages=3))
    assert worker.send("services/G1", renderStatus=status).status == 200
    assert next(part.part_key for part in store.parts(request_id) if part.service == "G1") == kept


@pytest.mark.parametrize("unknown", ["unknown", "x" * 5000])
def test_what_is_sent_about_no_request_is_not_found(office: Office, request_id: str, unknown: str) -> None:
    proof = Worker(office, request_id).proof
    for what, body in (("claim", None), ("heartbeat", proof), ("services/G1", proof | {"renderStatus": "COMPLETE"})):
        path = f"/api/subjectAccessRequests/{unknown}/{what}"
        assert office.ask("PATCH", path, "sar-worker", body=body).status == 404
