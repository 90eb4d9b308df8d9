"""An answer without a template as blocks, whatever its shape.

Values of an object are a summary list, its objects and lists follow under headings of their own. A list of objects that
have few simple values is a table, any other list of objects is one summary list after the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.helpers import format_date
from waybill.subject_access.domain.report.models import Json, Number
from waybill.subject_access.domain.report.wording import ABSENT, as_text, is_simple, words

# More columns than these are too narrow on a page to be read.
_COLUMNS: Final = 6


@dataclass(frozen=True, slots=True)
class _Nested:
    """Something to be shown under a heading."""

    label: str
    value: Json
    level: int


def content_blocks(content: Json) -> Iterator[Block]:
    """Return the blocks of `content`: any JSON value, nested as deep as it likes."""
    # A stack and no recursion: an answer may be nested deeper than Python calls.
    unfinished = [_shown(content, 2, "Record")]
    while unfinished:
        item = next(unfinished[-1], None)
        if item is None:
            unfinished.pop()
        elif isinstance(item, _Nested):
            unfinished.append(_under_heading(item))
        else:
            yield item


def _under_heading(item: _Nested) -> Iterator[Block | _Nested]:
    yield Heading(item.label, item.level)
    yield from _shown(item.value, item.level + 1, item.label)


def _shown(value: Json, level: int, label: str) -> Iterator[Block | _Nested]:
    if isinstance(value, dict) and value:
        yield from _object(value, level)
    elif isinstance(value, LISTS) and value:
        yield from _list(value, level, label)
    else:
        yield Paragraph(_text(value))


def _object(value: Mapping[str, Json], level: int) -> Iterator[Block | _Nested]:
    nested = []
    for name, one in value.items():
        if _in_one_cell(one):
            yield Pair(words(name), _cell(one))
        else:
            nested.append(_Nested(words(name), one, level))
    yield from nested


def _list(values: Sequence[Json], level: int, label: str) -> Iterator[Block | _Nested]:
    columns = _table_columns(values)
    if columns:
        yield Table([words(name) for name in columns], _table_rows(values, columns))
        return
    for number, value in enumerate(values, start=1):
        if is_simple(value):
            yield Paragraph(_text(value), mark="•")
        else:
            yield _Nested(f"{label} {number}", value, level)


def _table_columns(values: Sequence[Json]) -> Sequence[str]:
    """Return the names that the objects of a list have, in the order they are met; none when it is no table."""
    names: dict[str, None] = {}
    for value in values:
        if not isinstance(value, dict) or not all(map(_in_one_cell, value.values())):
            return ()
        names.update(dict.fromkeys(value))
        if len(names) > _COLUMNS:
            return ()
    return tuple(names)


def _table_rows(values: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> Iterator[Sequence[str]]:
    for value in values:
        yield [_cell(value[name]) if name in value else ABSENT for name in columns]


def _in_one_cell(value: Json) -> bool:
    return is_simple(value) or (isinstance(value, list) and all(map(is_simple, value)))


def _cell(value: Json) -> str:
    return "\n".join(map(_text, value)) if isinstance(value, list) and value else _text(value)


def _text(value: Json) -> str:
    """Return a simple value as text; a day or moment as templates print it."""
    if isinstance(value, str) and not isinstance(value, Number):
        value = format_date(value)
    return as_text(value)
