"""Whatever a service answers, the part is drawn, has the pages that it says, and holds every text of the answer."""

import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.subject_access.report.conftest import SUBJECT, Pdf
from waybill.subject_access.domain.report.models import IdKind, Outcome, Section, Subject
from waybill.subject_access.domain.report.part import render_part
from waybill.subject_access.domain.report.wording import words

TEXTS = st.text(max_size=80)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
CONTENT = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=8),
    max_leaves=40,
)
RECORDS = st.lists(st.fixed_dictionaries({"a": TEXTS, "b": VALUES}, optional={"c": TEXTS}), max_size=60)
# Scripts that the fonts have, without letters that are composed or that pypdf reorders.
LETTERS = st.characters(
    codec="utf-8",
    categories=("L", "N", "P", "S"),
    max_codepoint=0x17F,
) | st.sampled_from("ΑλφάЖдунийԱրმართუ中文字日本かなカナ한국어€™“”–…")
SHORT = st.text(LETTERS, min_size=1, max_size=8)
LONG = st.text(LETTERS | st.sampled_from(" \n"), min_size=1, max_size=3000)


def drawn(content: Any, folder: Path) -> tuple[Pdf, int]:
    (folder / "work").mkdir()
    section = Section("any-service", "Any service", Outcome.COMPLETE, content)
    summary = render_part(section, SUBJECT, folder / "part.pdf", folder / "work")
    return Pdf(folder / "part.pdf"), summary.pages


@given(CONTENT | RECORDS)
@settings(max_examples=60)
def test_any_content_is_drawn_on_the_pages_that_are_counted(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pdf, pages = drawn(content, Path(folder))
        with pikepdf.open(pdf.path) as read:
            assert len(read.pages) == pages


@given(
    st.recursive(
        SHORT, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SHORT, inner, max_size=7), max_leaves=25
    )
)
@settings(max_examples=50)
def test_every_text_and_name_of_an_answer_is_on_the_pages(content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pdf, _ = drawn({"content": content}, Path(folder))
        assert [text for text in _texts(content) if _plain(text) not in _plain(pdf.text)] == []


@given(LONG)
@settings(max_examples=50)
def test_nothing_of_a_long_text_is_lost_where_it_wraps(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pdf, _ = drawn(text, Path(folder))
        header = _plain("Name: SMITH, John NOMIS ID: A1234AA Official Sensitive")
        printed = "".join(_plain(page).removeprefix(header) for page in pdf.pages).removeprefix("Anyservice")
        assert printed == (_plain(text) or "NoDataHeld")


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for one in content:
            yield from _texts(one)
    else:
        for name, one in content.items():
            yield words(name)
            yield from _texts(one)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=25)
def test_any_name_number_and_label_are_drawn(name: str, number: str, label: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "work").mkdir()
        section = Section("any-service", label, Outcome.COMPLETE, {"a": 1})
        summary = render_part(section, Subject(name, IdKind.NOMIS, number), Path(folder, "p.pdf"), Path(folder, "work"))
        assert summary.pages >= 1
