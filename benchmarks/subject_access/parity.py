"""Whether templates of HMPPS' services print here what they print there: the share of words, service by service.

HMPPS' renderer has a template, an answer and the expected page of each service in its public repository (MIT), which is
not part of this project: a checkout of it in `.local`, or where the environment says, is compared with.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.models import Lookups, Number
from waybill.subject_access.domain.report.templates import check_template, template_blocks

VARIABLE: Final = "WAYBILL_HMPPS_RENDERER"
_REPOSITORY: Final = "hmpps-subject-access-request-html-renderer"
_WORD = re.compile(r"\w+")
LEAST: Final = 0.98


class _Always(dict[str, str]):
    """The one name that the tests over there have for every code."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get(self, key: str, default: object = None) -> str:
        return self._name


_NAMES: Final = Lookups(_Always("HMPPS Mordor"), _Always("Homer Simpson"), _Always("Hogwarts"))


class _Text(HTMLParser):
    """The text of a page as browsers show it, read by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def words_of_page(page: str) -> Counter[str]:
    """Return how often each word stands on an expected page."""
    reader = _Text()
    reader.feed(page)
    reader.close()
    return Counter(_WORD.findall(" ".join(reader.pieces)))


def words_here(template: str, content: object) -> Counter[str]:
    """Return how often each word is printed here."""
    check_template(template)
    texts = [text for block in template_blocks(template, content, _NAMES, "") for text in _texts(block)]
    return Counter(_WORD.findall(" ".join(texts)))


def _texts(block: Block) -> Iterator[str]:
    match block:
        case Heading(text) | Paragraph(text):
            yield text
        case Pair(label, value):
            yield from (label, value)
        case Table(head, rows):
            yield from head
            yield from (cell for row in rows for cell in row)


def services(checkout: Path) -> Iterator[tuple[str, Path, Path, Path]]:
    """Yield the services that have a template, an answer and an expected page, with these files."""
    found = {file.name: file for file in sorted((checkout / "src" / "test" / "resources").rglob("*"))}
    for template in sorted((checkout / "src" / "main" / "resources" / "templates").glob("template_*.mustache")):
        service = template.stem.removeprefix("template_")
        answer, page = found.get(f"{service}-response.json"), found.get(f"{service}-expected.html")
        if answer and page:
            yield service, template, answer, page


def share(template: Path, answer: Path, page: Path) -> tuple[float, Counter[str]]:
    """Return the share of the expected words that are printed here, and those that are not; none of a refused one."""
    expected = words_of_page(page.read_text("utf-8"))
    content = json.loads(answer.read_text("utf-8"), parse_float=Number, parse_int=Number).get("content")
    try:
        printed = words_here(template.read_text("utf-8"), content)
    except TemplateError:
        return 0.0, expected
    return (expected & printed).total() / max(1, expected.total()), expected - printed


def _measure(lab: Lab) -> Iterator[Figure]:
    checkout = Path(os.environ.get(VARIABLE) or lab.project / ".local" / _REPOSITORY)
    rows = []
    for service, template, answer, page in services(checkout):
        found, missing = share(template, answer, page)
        rows.append([service, round(found, 4), " ".join(word for word, _ in missing.most_common(8))])
        yield Figure(
            f"disclosure.parity_share.{service}",
            round(found, 4),
            "",
            "of the words of the expected page, those that are printed here as often",
            {"words missing": missing.total()},
            f"≥ {LEAST}",
        )
    if rows:
        lab.show(breakdown("Templates of HMPPS' services", ["Service", "share of words", "missing"], rows))
    else:
        lab.say(f"no checkout of {_REPOSITORY} in {checkout}, or at {VARIABLE}: its services are not compared")


BENCHMARKS = (Benchmark(("disclosure.parity_share.*",), _measure),)
