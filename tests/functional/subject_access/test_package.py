"""Nothing is withheld unseen: what is not in the report is said, reviewed, and in the package.

UK GDPR Article 15(3): a copy of the personal data, all of it.
"""

import csv
import hashlib
import io
import zipfile
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.functional.subject_access.conftest import Office
from tests.functional.subject_access.drawing import SERVICE, Drawing, a_pdf
from waybill.subject_access.domain.mark_requests import Marks
from waybill.subject_access.domain.packaging import path_of
from waybill.subject_access.models import RequestState

VIDEO = b"\0\0\0\x18ftypmp42 a recording"
HTML = b"<p>John Jones came</p><img src='face.png'>"


@pytest.fixture
def drawing(office: Office) -> Drawing:
    made = Drawing(office.sar)
    files = [
        replace(made.attached(1, VIDEO, "video/mp4"), name="../../Visit: \u0141\u00f3d\u017a\0", filename="clip.mp4"),
        replace(made.attached(2, HTML, "text/html"), name="Note", filename="note.html"),
        made.attached(3, a_pdf("shown")),
        made.attached(4, None),
    ]
    office.sar.store.save_attachments(made.claim, files)
    made.answered({"a": 1, "b": "John Jones"}, attachments=4)
    return made


def completed(drawing: Drawing) -> None:
    drawing.sar.fulfilment.save_report(drawing.claim, drawing.render_all())
    assert drawing.sar.fulfilment.complete(drawing.claim)


def package(drawing: Drawing) -> zipfile.ZipFile:
    found = drawing.sar.now().package
    assert found
    body = drawing.get(found.key)
    assert hashlib.sha256(body).hexdigest() == found.sha256
    return zipfile.ZipFile(io.BytesIO(body))


def test_what_is_not_in_the_report_is_said_reviewed_and_in_the_package(office: Office, drawing: Drawing) -> None:
    completed(drawing)
    assert office.sar.now().state is RequestState.READY_FOR_REVIEW
    shown = office.ask("GET", "/api/subjectAccessRequest/request-1").json
    part = next(one for one in shown["services"] if one["serviceName"] == SERVICE)
    assert part["withheldCount"] == 3
    assert [(one["number"], one["bytes"]) for one in part["withheldAttachments"]] == [
        (1, len(VIDEO)),
        (2, len(HTML)),
        (4, None),
    ]
    with package(drawing) as found:
        names = found.namelist()
        assert names == [
            "report.pdf",
            f"attachments/{SERVICE}/00001-Visit_ \u0141\u00f3d\u017a.mp4",
            f"attachments/{SERVICE}/00002-Note.html",
            "contents.csv",
        ]
        assert (found.read(names[1]), found.read(names[2])) == (VIDEO, HTML)
        rows = list(csv.DictReader(io.StringIO(found.read("contents.csv").decode("utf-8-sig"))))
        assert rows[1]["sha256"] == hashlib.sha256(VIDEO).hexdigest()
        assert "could not be fetched" in rows[3]["why it is not in the report"]
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(found.read("report.pdf"))).pages)
    assert "Attachments that are not in this report" in text
    told = office.ask("GET", "/api/report/package", query={"id": "request-1"}).json
    assert (told["contentType"], told["fileName"].rsplit(".")[-1]) == ("application/zip", "zip")
    assert office.ask("GET", "/api/report/package", query={"id": "unknown"}).status == 404


def test_the_copy_for_the_person_has_its_own_numbers_and_no_internal_pages(office: Office, drawing: Drawing) -> None:
    completed(drawing)
    asked = {"id": "request-1", "copy": "subject"}
    given_out = office.ask("GET", "/api/report", query=asked, headers={"Accept": "application/pdf"})
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(given_out.content)).pages]
    assert f"Page 1 of {len(pages)}" in pages[0]
    assert "OFFICIAL-SENSITIVE" in pages[0]
    assert not any("INTERNAL" in page or "Template version" in page for page in pages)
    staff = office.ask("GET", "/api/report", query={"id": "request-1"}, headers={"Accept": "application/pdf"})
    whole = pypdf.PdfReader(io.BytesIO(staff.content))
    assert "INTERNAL ONLY" in whole.pages[0].extract_text()
    assert len(whole.pages) == len(pages) + 2
    assert office.ask("GET", "/api/report", query={"id": "request-1", "copy": "other"}).status == 400


def test_what_something_is_taken_out_of_is_not_packed_as_it_came(drawing: Drawing) -> None:
    mark = {"values": [{"text": "John Jones", "reason": "third party"}]}
    drawing.sar.redacting.mark("request-1", "bob", Marks.parse(mark))
    completed(drawing)
    with package(drawing) as found:
        assert not any("Note" in name for name in found.namelist())
        assert not any(b"Jones" in found.read(name) for name in found.namelist())
        assert "something is taken out of it" in found.read("contents.csv").decode()


def test_a_report_or_package_that_is_gone_is_not_approved(office: Office, drawing: Drawing) -> None:
    completed(drawing)
    found = office.sar.now().package
    assert found
    office.sar.s3.delete_object(Bucket="subject-access-reports", Key=found.key)
    path = "/api/subjectAccessRequests/request-1/approve"
    assert office.ask("PATCH", path, "sar-approver").status == 409


@given(st.text(), st.text(max_size=20))
def test_a_name_leads_nowhere_else(name: str, file_name: str) -> None:
    path = path_of("G1", 7, name, file_name)
    *folders, last = path.split("/")
    assert folders == ["attachments", "G1"]
    assert last.startswith("00007")
    assert len(last) < 100
    assert not any(char in last for char in "\\\0:\n")


def test_names_of_another_kind(drawing: Drawing) -> None:
    expected: dict[tuple[str, str], Any] = {
        ("a.mp4", "a.mp4"): "00001-a.mp4",
        ("..", "x.tar.gz"): "00001.gz",
        ("CON", ""): "00001-CON",
        ("x" * 300, "y" * 300): "00001-" + "x" * 80,
    }
    for (name, file_name), path in expected.items():
        assert path_of("G1", 1, name, file_name) == f"attachments/G1/{path}"
