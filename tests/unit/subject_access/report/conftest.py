"""Parts and reports drawn to a temporary folder, and read back by other libraries than those that drew them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from waybill.subject_access.domain.report.assembly import assemble
from waybill.subject_access.domain.report.models import (
    Attachment,
    Facts,
    IdKind,
    Missing,
    Outcome,
    Part,
    PartSummary,
    ReportSummary,
    Section,
    Subject,
)
from waybill.subject_access.domain.report.part import render_part

SUBJECT = Subject.named("Smith", "John", IdKind.NOMIS, "A1234AA")


@dataclass(frozen=True)
class Pdf:
    """A file as a reader sees it."""

    path: Path

    @cached_property
    def pages(self) -> list[str]:
        """The text of each page."""
        return [page.extract_text() for page in pypdf.PdfReader(self.path).pages]

    @property
    def text(self) -> str:
        return "\n".join(self.pages)

    @property
    def squeezed(self) -> str:
        """All text without spaces and line ends: where lines break does not matter."""
        return squeezed(self.text)

    @property
    def raw(self) -> bytes:
        """Every object and stream of the file, decompressed."""
        with pikepdf.open(self.path) as pdf:
            streams = [
                one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream) and "/Length1" not in one
            ]
            return b"\n".join([self.path.read_bytes(), *streams, *(repr(one).encode() for one in pdf.objects)])


@dataclass(frozen=True)
class DrawnPart(Pdf):
    summary: PartSummary = field(default_factory=lambda: PartSummary(0, 0, "", ()))


@dataclass(frozen=True)
class DrawnReport(Pdf):
    summary: ReportSummary = field(default_factory=lambda: ReportSummary(0, 0, "", ()))


type DrawPart = Callable[..., DrawnPart]
type DrawReport = Callable[..., DrawnReport]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture
def draw(tmp_path: Path) -> DrawPart:
    """Draws one service's part: `draw(content, …)` with any field of `Section`, and `subject`."""
    numbers = count()

    def drawn(content: Any = None, *, subject: Subject = SUBJECT, **fields: Any) -> DrawnPart:
        folder = tmp_path / f"part-{next(numbers)}"
        (folder / "work").mkdir(parents=True)
        given = {"service": "keyworker-api", "label": "Allocate Keyworkers", "outcome": Outcome.COMPLETE} | fields
        summary = render_part(Section(content=content, **given), subject, folder / "part.pdf", folder / "work")
        return DrawnPart(folder / "part.pdf", summary)

    return drawn


@pytest.fixture
def attach(tmp_path: Path) -> Callable[[str, bytes, str], Attachment]:
    """Makes an attachment of bytes; numbers count up."""
    numbers = count(1)

    def attached(name: str, content: bytes, content_type: str) -> Attachment:
        number = next(numbers)
        path = tmp_path / f"attached-{number}"
        path.write_bytes(content)
        return Attachment(number, f"Description of {name}", name, content_type, path)

    return attached


@pytest.fixture
def join(tmp_path: Path) -> DrawReport:
    """Joins drawn parts, given as (service, label, category, part), into a report; other arguments are `Facts`."""
    numbers = count()

    def joined(parts: Sequence[tuple[str, str, str, DrawnPart]], *, internal: bool = True, **facts: Any) -> DrawnReport:
        folder = tmp_path / f"report-{next(numbers)}"
        (folder / "work").mkdir(parents=True)
        known: dict[str, Any] = {
            "title": "Subject Access Request Report",
            "subject": SUBJECT,
            "case_reference": "SAR-2025-0042",
            "date_from": date(2020, 1, 1),
            "date_to": date(2024, 12, 31),
            "generated": date(2025, 3, 4),
            "missing": list[Missing](),
        }
        made = [
            Part(service, label, category, part.path, part.summary, template_version="7")
            for service, label, category, part in parts
        ]
        summary = assemble(made, Facts(**known | facts), folder / "report.pdf", folder / "work", internal=internal)
        return DrawnReport(folder / "report.pdf", summary)

    return joined
