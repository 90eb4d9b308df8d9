"""What a template makes of an answer, for the people who write templates: a sample, and what it does not print.

A value counts as printed where another one in its place makes another part: whatever helpers and sections make of it,
what changes nothing is not in the report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.handlebars import Template
from waybill.subject_access.domain.report.helpers import Helper, helpers
from waybill.subject_access.domain.report.json_paths import ROOT, child, values_of
from waybill.subject_access.domain.report.models import Json, Lookups, Number, Outcome, PartSummary, Section, Subject
from waybill.subject_access.domain.report.part import render_part
from waybill.subject_access.domain.report.templates import check_template
from waybill.subject_access.domain.report.wording import is_empty

# Each is one filling of the template.
_MOST_VALUES: Final = 2_000


@dataclass(frozen=True)
class Preview:
    """A sample as it was drawn: `unprinted` are paths, `unchecked` values were too many to be tried."""

    summary: PartSummary
    unprinted: tuple[str, ...]
    unchecked: int


def preview(section: Section, subject: Subject, destination: Path, work: Path) -> Preview:
    """Write the sample to `destination`, and return what it does not print.

    Raises
    ------
    TemplateError
        The template may not be registered, or cannot be filled with this answer; names the line.
    """
    if section.template is not None:
        check_template(section.template)
    summary = render_part(section, subject, destination, work)
    if section.template is None:
        return Preview(summary, (), 0)
    paths = [path for path, value in values_of(section.content) if not is_empty(value)]
    unprinted = _unprinted(section.template, section.content, section.lookups, set(paths[:_MOST_VALUES]))
    return Preview(summary, tuple(unprinted), max(0, len(paths) - _MOST_VALUES))


def sample_section(service: str, label: str, content: Json, template: str | None, lookups: Lookups) -> Section:
    """Return a service's section as a sample has it."""
    return Section(service, label, Outcome.COMPLETE, content=content, template=template, lookups=lookups)


def _unprinted(template: str, content: Json, lookups: Lookups, paths: set[str]) -> Iterator[str]:
    filled, names = Template(template), helpers(lookups)
    whole = "".join(filled.fill(content, names))
    for path, value in values_of(content):
        if path in paths and _filled(filled, _replaced(content, value, path), names) == whole:
            yield path


def _filled(template: Template, content: Json, names: Mapping[str, Helper]) -> str | None:
    """Return what a template makes of `content`; None where it cannot, so that the value mattered."""
    try:
        return "".join(template.fill(content, names))
    except TemplateError:
        return None


def _replaced(content: Json, value: Json, wanted: str, path: str = "") -> Json:
    if isinstance(content, dict) and content:
        return {name: _replaced(one, value, wanted, child(path, name)) for name, one in content.items()}
    if isinstance(content, list) and content:
        return [_replaced(one, value, wanted, child(path, index)) for index, one in enumerate(content)]
    if (path or ROOT) != wanted:
        return content
    return (not value) if isinstance(value, bool) else Number("7") if isinstance(value, Number) else f"{value}~"
