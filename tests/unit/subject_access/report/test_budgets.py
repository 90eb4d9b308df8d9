"""What one service holds takes its own part no further than a part may go (CWE-400: resources without a limit)."""

import pytest

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report import part
from waybill.subject_access.domain.report.errors import PartTooLargeError, TemplateError
from waybill.subject_access.domain.report.handlebars import Template


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
