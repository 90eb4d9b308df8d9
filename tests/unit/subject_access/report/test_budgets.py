"""What one service holds takes its own part no further than a part may go (CWE-400: resources without a limit)."""

import contextlib
import time

import pytest

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report import part
from waybill.subject_access.domain.report.errors import PartTooLargeError, TemplateError
from waybill.subject_access.domain.report.handlebars import Template
from waybill.subject_access.domain.report.templates import check_template


def test_a_part_ends_at_its_pages(draw: DrawPart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "MOST_PAGES", 3)
    with pytest.raises(PartTooLargeError, match="more than 3 pages"):
        draw([{"n": number} for number in range(1_000)])


def test_a_part_ends_at_its_time(draw: DrawPart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "MOST_SECONDS", -1.0)
    with pytest.raises(PartTooLargeError, match="too long"):
        draw({"a": 1})


def test_a_long_value_at_every_step_ends_the_part() -> None:
    content = {"long": "x" * 1_000_000, "steps": list(range(5_000))}
    template = Template("<p>\n{{#each steps}}{{../long}}{{/each}}</p>")
    with pytest.raises(TemplateError, match=r"300,000,000 characters .* .line 2"):
        for _ in template.fill(content, {}):
            pass


# CWE-1333: an expression that tries again from every place takes minutes for a template of some kilobytes.
@pytest.mark.parametrize(
    "text",
    [
        "{{!--" * 200_000,
        "{{!-- a }}" * 100_000,
        "{{[" * 300_000,
        "{{[a}} " * 140_000 + "]",
        "{{a " + '"b" ' * 250_000,
        "{{a " + "'b' [c] ~ " * 100_000,
        "{{~" * 300_000,
        "\\\\{{a " * 150_000,
        "{{{a" * 250_000,
        "{{a" + "." * 1_000_000 + "}}",
        "{{#each " + " " * 900_000 + "a}}",
        "{{#each a as |" + " " * 900_000 + "b}}",
        "{{optionalValue " + "a " * 400_000 + "}}",
    ],
)
def test_a_template_of_a_megabyte_is_judged_at_once(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TemplateError):
        check_template(text)
    assert time.process_time() - started < 5
