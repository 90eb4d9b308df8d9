"""What a template makes of an answer, for the people who write templates: a sample, and what it does not print.

A value counts as printed where another one in its place makes another part: whatever helpers and sections make of it,
what changes nothing is not in the report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from waybill.subject_access.domain.inline_pictures import (
    DESCRIPTION,
    FIRST_INLINE,
    MEMBER,
    address_hash,
    is_picture,
    numbered,
)
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.handlebars import Template
from waybill.subject_access.domain.report.helpers import Helper, helpers
from waybill.subject_access.domain.report.json_paths import ROOT, child, values_of
from waybill.subject_access.domain.report.models import (
    Attachment,
    Json,
    Lookups,
    Number,
    Outcome,
    PartSummary,
    Section,
    Subject,
)
from waybill.subject_access.domain.report.part import render_part
from waybill.subject_access.domain.report.templates import check_template
from waybill.subject_access.domain.report.wording import is_empty

# Each is one filling of the template.
_MOST_VALUES: Final = 2_000
_NUMBER: Final = child("", MEMBER).removeprefix(ROOT)


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
    numbers = {address: one.number for address, one in section.pictures.items()}
    content = numbered(section.content, numbers, {})
    drawn = {one.number for one in section.pictures.values() if one.path}
    unprinted = _unprinted(section.template, content, section.lookups, set(paths[:_MOST_VALUES]), drawn)
    return Preview(summary, tuple(unprinted), max(0, len(paths) - _MOST_VALUES))


def sample_section(
    service: str, label: str, content: Json, template: str | None, lookups: Lookups, folder: Path
) -> Section:
    """Return a service's section as a sample has it; pictures of the content are files in `folder`, or not shown."""
    pictures = {address_hash(one["url"]): one["url"] for one in _objects(content) if is_picture(one)}
    return Section(
        service,
        label,
        Outcome.COMPLETE,
        content=content,
        template=template,
        lookups=lookups,
        pictures={
            address: _sample(FIRST_INLINE + number, folder / Path(url).name)
            for number, (address, url) in enumerate(pictures.items(), start=1)
        },
    )


def _sample(number: int, file: Path) -> Attachment:
    name, there = f"Picture {number - FIRST_INLINE} in the text", file.is_file()
    problem = None if there else "a sample has pictures that lie beside the answer, and no others"
    return Attachment(number, name, file.name, "", file if there else None, problem)


def _objects(content: Json) -> Iterator[dict[str, Json]]:
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _unprinted(template: str, content: Json, lookups: Lookups, paths: set[str], drawn: set[int]) -> Iterator[str]:
    filled, names = Template(template), helpers(lookups)
    whole = "".join(filled.fill(content, names))
    values = dict(values_of(content))

    def is_printed(path: str) -> bool:
        return _filled(filled, _replaced(content, values[path], path), names) != whole

    # A picture is printed by its number: what describes it is then in the report as what it shows.
    numbers = (path for path, value in values.items() if path.endswith(_NUMBER) and value in drawn)
    pictures = (path.removesuffix(_NUMBER) for path in numbers if is_printed(path))
    shown = {child(picture, member) for picture in pictures for member in DESCRIPTION}
    yield from (path for path in values if path in paths - shown and not is_printed(path))


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
