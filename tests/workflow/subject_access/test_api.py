"""A case worker's way through the API of the running stack: create, wait, download; and a template as a file."""

import hashlib
import io
import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from pypdf import PdfReader

from tests.functional.subject_access.conftest import pdf_of
from tests.workflow.subject_access.conftest import Case, holding
from tests.workflow.support.direct import DIRECT
from waybill.cli.subject_access.stub_service import StubService


def ask(case: Case, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Send a request as somebody who has every role."""
    stack = case.application.stack
    token = stack.signing_key.token(subject=case.label, roles=["admin"], claims={}, expires_in=600)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(
        f"{case.application.api_url}/api{path}",
        body,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **named},
        method=method,
    )
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def post(case: Case, path: str, document: Any) -> tuple[int, bytes]:
    return ask(case, "POST", path, json.dumps(document).encode())


def test_from_the_request_to_the_bytes_of_its_report(case: Case) -> None:
    name = case.name("a")
    case.stub.services[name] = StubService([holding("the service")])
    service = {"name": name, "label": "A service", "url": case.stub.url(name), "enabled": True, "category": "PRISON"}
    assert post(case, "/services", service)[0] == 201
    new = {"nomisId": " a1234aa ", "dateTo": "31/12/2024", "sarCaseReferenceNumber": "SAR-1", "services": [name]}
    status, made = post(case, "/subjectAccessRequest", new)
    assert status == 201
    request_id = made.decode()
    ended = case.application.ended(case.start({"requestId": request_id}))
    assert ended.output["status"] == "Completed"
    status, pdf = ask(case, "GET", f"/report?id={request_id}", Accept="application/pdf")
    assert status == 200
    told = json.loads(ask(case, "GET", f"/report?id={request_id}")[1])
    assert (len(pdf), hashlib.sha256(pdf).hexdigest()) == (told["bytes"], told["sha256"])
    with DIRECT.open(told["url"], timeout=60) as answer:
        assert answer.read() == pdf
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "Łukasz <b>&amp;</b>" in text
    trail = json.loads(ask(case, "GET", f"/subjectAccessRequests/{request_id}/audit")[1])
    assert trail["intact"]
    assert [one["action"] for one in trail["entries"]].count("REPORT_DOWNLOADED") == 2
    assert ask(case, "PATCH", f"/subjectAccessRequests/{request_id}/complete")[0] == 400
    assert ask(case, "PATCH", f"/subjectAccessRequests/{request_id}/approve")[0] == 400
    status, delivered = ask(case, "PATCH", f"/subjectAccessRequests/{request_id}/deliver")
    assert (status, json.loads(delivered)["state"]) == (200, "Delivered")


def put(url: str, body: bytes) -> int:
    """Put a report where an upload address leads."""
    request = Request(url, body, {"Content-Type": "application/pdf"}, method="PUT")
    with DIRECT.open(request, timeout=60) as answer:
        status: int = answer.status
    return status


def test_a_worker_outside_fulfils_a_request_and_cannot_change_it_afterwards(case: Case) -> None:
    case.serve(a=holding("a"))
    path, pdf = f"/subjectAccessRequests/{case.label}", pdf_of(1)
    claim = json.loads(ask(case, "PATCH", f"{path}/claim")[1])
    proof = {name: claim[name] for name in ("claimToken", "generation")}
    (part,) = claim["services"]
    done = json.dumps(proof | {"renderStatus": "COMPLETE"}).encode()
    assert ask(case, "PATCH", f"{path}/services/{part['service']}", done)[0] == 200
    assert put(claim["uploadUrl"], pdf) == 200
    report = {"bytes": len(pdf), "sha256": hashlib.sha256(pdf).hexdigest(), "pages": 1}
    assert ask(case, "PATCH", f"{path}/complete", json.dumps(proof | {"report": report}).encode())[0] == 200
    assert put(claim["uploadUrl"], b"%PDF-1.7 made too late") == 200
    told = json.loads(ask(case, "GET", f"/report?id={case.label}")[1])
    with DIRECT.open(told["url"], timeout=60) as answer:
        assert answer.read() == pdf


def test_a_template_is_uploaded_as_a_file(case: Case) -> None:
    name = case.name("a")
    service = {"name": name, "label": "A", "url": "https://a.example", "enabled": True, "category": "PRISON"}
    assert post(case, "/services", service)[0] == 201
    text = "<h1>{{content.name}} Łódź</h1>".encode()
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n' + text + b"\r\n--x--\r\n"
    kind = {"Content_Type": "multipart/form-data; boundary=x"}
    status, told = ask(case, "POST", f"/templates/service/{name}", form, **kind)
    assert status == 201
    assert json.loads(told)["fileHash"] == hashlib.sha256(text).hexdigest()
    assert ask(case, "POST", "/templates/validate", form.replace(b"}}", b""), **kind)[0] == 400
