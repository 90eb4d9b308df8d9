"""Reports on their way to people: who may have them, and what is left of it in the trail."""

import hashlib
import urllib.parse
from contextlib import nullcontext
from datetime import timedelta

import pytest

from tests.fakes.subject_access import BUCKET
from tests.functional.subject_access.conftest import PDF, Office, SubjectAccess
from waybill.subject_access.domain import downloads
from waybill.subject_access.domain.endings import Delivery
from waybill.subject_access.domain.keys import report_key
from waybill.subject_access.errors import ReportDamagedError
from waybill.subject_access.models import Claim, StoredReport


@pytest.fixture
def finished(office: Office) -> str:
    """The id of a request whose report is there."""
    made = office.create().text
    claim = office.sar.claim(made)
    office.sar.finish(claim)
    office.sar.complete(claim)
    return made


def test_whoever_accepts_a_pdf_gets_the_bytes(office: Office, finished: str) -> None:
    office.sar.clock.advance(hours=1)
    answer = office.ask("GET", "/api/report", query={"id": finished}, headers={"Accept": "application/pdf"})
    assert (answer.status, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    name = "subject-access-request-report-2026-11-02-SAR-2025-0042-A1234AA.pdf"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert office.ask("GET", f"/api/subjectAccessRequest/{finished}").json["lastDownloaded"] == "2026-11-02T10:00:00Z"
    assert "REPORT_DOWNLOADED" in office.sar.actions(finished)


@pytest.mark.parametrize("accept", ["application/pdf", "*/*"])
@pytest.mark.parametrize("damage", ["replaced", "removed"])
def test_only_what_was_completed_is_handed_out(office: Office, finished: str, accept: str, damage: str) -> None:
    where = {"Bucket": BUCKET, "Key": office.sar.now(finished).report_key}
    if damage == "replaced":
        office.sar.s3.put_object(**where, Body=PDF + b"another")
    else:
        office.sar.s3.delete_object(**where)
    answer = office.ask("GET", "/api/report", query={"id": finished}, headers={"Accept": accept})
    assert answer.status == 409
    assert office.sar.actions(finished)[-1] == "REFUSED"
    assert "REPORT_DOWNLOADED" not in office.sar.actions(finished)


def test_a_report_that_was_uploaded_in_parts_is_read_before_it_counts(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    claim = sar.claim()
    sar.finish(claim)
    whole = b"%PDF-1.7" + bytes(6 * 1024**2)
    for body, right in ((b"%PDF-1.8" + whole[8:], False), (whole, True)):
        report = in_parts(sar, claim, body, hashlib.sha256(whole).hexdigest())
        told = sar.s3.head_object(Bucket=BUCKET, Key=report.key, ChecksumMode="ENABLED")
        assert told["ContentLength"] == report.bytes
        with nullcontext() if right else pytest.raises(ReportDamagedError):
            sar.fulfilment.save_report(claim, report)
    assert sar.fulfilment.complete(claim)


def in_parts(sar: SubjectAccess, claim: Claim, body: bytes, sha256: str) -> StoredReport:
    """Put a report into the bucket as a multipart upload does, at the key that is right for this SHA-256."""
    where = {"Bucket": BUCKET, "Key": report_key(claim.request_id, claim.generation, sha256)}
    where["UploadId"] = sar.s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    pieces = enumerate((body[: 5 * 1024**2], body[5 * 1024**2 :]), start=1)
    parts = [
        {"PartNumber": number, "ETag": sar.s3.upload_part(**where, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in pieces
    ]
    sar.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    return StoredReport(where["Key"], len(body), sha256, 3)


def test_anybody_else_gets_an_address_for_five_minutes(office: Office, finished: str) -> None:
    told = office.ask("GET", "/api/report", query={"id": finished}).json
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(told["url"]).query)
    assert query["X-Amz-Expires"] == ["300"]
    assert "X-Amz-Signature" in query
    assert (told["bytes"], told["sha256"], told["pages"]) == (len(PDF), hashlib.sha256(PDF).hexdigest(), 3)
    assert told["fileName"].endswith("-SAR-2025-0042-A1234AA.pdf")


@pytest.mark.parametrize("reference", ["SAR/2026:0042", "SAR\\2026?0042"])
def test_a_reference_that_looks_like_a_path_is_none_in_the_name_of_the_file(office: Office, reference: str) -> None:
    made = office.create(sarCaseReferenceNumber=reference).text
    claim = office.sar.claim(made)
    office.sar.finish(claim)
    office.sar.complete(claim)
    told = office.ask("GET", "/api/report", query={"id": made}).json
    assert told["fileName"] == "subject-access-request-report-2026-11-02-SAR-2026-0042-A1234AA.pdf"


def test_a_report_too_large_for_an_answer_is_fetched_from_its_address(
    office: Office, finished: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_MOST_BYTES", len(PDF) - 1)
    answer = office.ask("GET", "/api/report", query={"id": finished}, headers={"Accept": "application/pdf"})
    assert answer.status == 303
    assert "X-Amz-Signature" in answer.headers["location"]


@pytest.mark.parametrize("roles", ["sar-support", "sar-admin", "sar-worker", "scanning"])
def test_who_may_not_download_is_refused_and_recorded(office: Office, finished: str, roles: str) -> None:
    answer = office.ask("GET", "/api/report", roles, query={"id": finished})
    assert answer.status == 403
    last = office.sar.store.audit(finished)[-1]
    assert (last.actor, last.action) == ("alice", "REFUSED")
    assert dict(last.detail) == {"method": "GET", "route": "/api/report", "status": 403}
    assert office.sar.now(finished).last_downloaded is None


def test_there_is_no_report_of_an_unfinished_an_archived_or_an_unknown_request(office: Office, finished: str) -> None:
    unfinished = office.create().text
    for wanted in (unfinished, "unknown"):
        assert office.ask("GET", "/api/report", query={"id": wanted}).status == 404
    office.sar.endings.deliver(finished, "alice", Delivery())
    office.sar.clock.time += timedelta(days=8)
    assert office.sar.lifecycle.archive() == [finished]
    assert office.ask("GET", "/api/report", query={"id": finished}).status == 404
    assert office.ask("GET", "/api/report").fields == ["id"]
