"""A request whose parts are drawn on moto, from answers in the bucket to the report."""

import io
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pikepdf
import pypdf

from tests.fakes.subject_access import BUCKET, CATALOGUED, a_part, a_service
from tests.functional.subject_access.conftest import SubjectAccess
from waybill.subject_access.adapters.report_files import ReportFiles
from waybill.subject_access.domain.keys import answer_key, attachment_key
from waybill.subject_access.domain.rendering import Rendering
from waybill.subject_access.models import Attachment, Claim, Part, PartStatus, StoredReport

SERVICE = "keyworker-api"


@dataclass
class Drawing:
    """A request with one service whose answer is in the bucket, and another that holds nothing."""

    sar: SubjectAccess
    claim: Claim = field(init=False)

    def __post_init__(self) -> None:
        self.sar.create("request-1", SERVICE, "G1", subject_name="SMITH, John")
        self.sar.catalogue.save_service(a_service(SERVICE), CATALOGUED, new=True)
        self.claim = self.sar.claim()
        self.sar.finish(self.claim, PartStatus.NO_DATA, "G1")

    @property
    def rendering(self) -> Rendering:
        return Rendering(self.sar.store, self.sar.catalogue, ReportFiles(self.sar.s3, BUCKET), self.sar.clock)

    def answered(self, content: Any, **more: Any) -> None:
        """Do what FetchService does."""
        key = answer_key("request-1", self.claim.generation, SERVICE)
        body = content if isinstance(content, bytes) else json.dumps({"content": content}).encode()
        self.put(key, body)
        part = replace(a_part(SERVICE, 0, PartStatus.FETCHED), answer_key=key, **more)
        self.sar.store.save_part(self.claim, part)

    def attached(self, number: int, content: bytes | None, content_type: str = "application/pdf") -> Attachment:
        key = None
        if content is not None:
            key = attachment_key("request-1", self.claim.generation, SERVICE, number)
            self.put(key, content)
        outcome = "STORED" if content is not None else "ERRORED"
        return Attachment(SERVICE, number, f"file {number}", content_type, f"{number}.pdf", key=key, outcome=outcome)

    def put(self, key: str, body: bytes) -> None:
        self.sar.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, key: str | None) -> bytes:
        body: bytes = self.sar.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def render_part(self) -> Part:
        return self.rendering.part(self.claim, 0, SERVICE)

    def render_all(self) -> StoredReport:
        self.render_part()
        return self.rendering.report(self.claim)

    def part(self) -> Part:
        found = self.sar.store.part("request-1", 0, SERVICE)
        assert found is not None
        return found

    def text(self, key: str | None) -> list[str]:
        return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(self.get(key))).pages]


def a_pdf(text: str) -> bytes:
    """A PDF of one page with a text."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.contents_add(f"BT /F1 12 Tf 100 100 Td ({text}) Tj ET".encode())
        made = io.BytesIO()
        pdf.save(made)
    return made.getvalue()
