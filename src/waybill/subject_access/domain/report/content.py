"""An answer without a template as blocks, whatever its shape.

Values of an object are a summary list, its objects and lists follow under headings of their own. A list of objects that
have few simple values is a table, any other list of objects is one summary list after the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.blocks import Block, Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.helpers import format_date
from waybill.subject_access.domain.report.models import Json, Number
from waybill.subject_access.domain.report.wording import ABSENT, as_text, is_simple, one_line, words

# More columns than these are too narrow on a page to be read.
_COLUMNS: Final = 6
# ISO 32000-1, table 335 has no deeper headings: what is below them says in one line where it belongs.
_DEEPEST: Final = 6
_WITHIN: Final = " › "
_LAST_STEPS: Final = 3
_NUMBERS: Final = 8
_STEP: Final = 60
_LEFT_OUT: Final = "…"


@dataclass(frozen=True, slots=True)
class _Nested:
    """Something to be shown under a heading.

    `level` counts on where headings have no deeper one. `path` is what the heading says before the label then;
    `numbered` is a label that ends in the number of an item.
    """

    label: str
    value: Json
    level: int
    path: Sequence[str] = ()
    numbered: bool = False


def content_blocks(content: Json) -> Iterator[Block]:
    """Return the blocks of `content`: any JSON value, nested as deep as it likes."""
    # A stack and no recursion: an answer may be nested deeper than Python calls.
    unfinished = [_shown(_Nested("Record", content, 1))]
    while unfinished:
        item = next(unfinished[-1], None)
        if item is None:
            unfinished.pop()
        elif isinstance(item, _Nested):
            unfinished.append(_under_heading(item))
        else:
            yield item


def _under_heading(item: _Nested) -> Iterator[Block | _Nested]:
    steps: list[str] = []
    # What holds one other thing and nothing else needs no line of its own there.
    while item.level >= _DEEPEST and (only := _only_nested(item)) is not None:
        if item.numbered and isinstance(item.value, LISTS):
            only = replace(only, label=item.label)
        if item.numbered or not isinstance(item.value, LISTS):
            steps.append(item.label)
        item = only
    steps = [*item.path, *_counted([*steps, item.label])]
    yield Heading(_WITHIN.join(steps), min(item.level, _DEEPEST))
    if item.level >= _DEEPEST and not isinstance(item.value, LISTS):
        item = replace(item, path=_shortened(steps))
    yield from _shown(item)


def _only_nested(item: _Nested) -> _Nested | None:
    """Return what `item` holds, where that is one thing that has a heading of its own."""
    if is_simple(item.value) or len(item.value) != 1:
        return None
    found = next(_shown(item), None)
    return found if isinstance(found, _Nested) else None


def _counted(steps: Sequence[str]) -> Iterator[str]:
    for step, several in groupby(steps):
        count = sum(1 for _ in several)
        yield step if count == 1 else f"{step} ({count} levels)"


def _shortened(steps: Sequence[str]) -> Sequence[str]:
    """Return as much of a path as says where one is: each step has stood in a heading by itself."""
    some = steps if len(steps) <= _LAST_STEPS + 1 else [steps[0], _LEFT_OUT, *steps[-_LAST_STEPS:]]
    return [one_line(step, _STEP) for step in some]


def _shown(item: _Nested) -> Iterator[Block | _Nested]:
    if isinstance(item.value, dict) and item.value:
        yield from _object(item.value, item)
    elif isinstance(item.value, LISTS) and item.value:
        yield from _list(item.value, item)
    else:
        yield Paragraph(_text(item.value))


def _object(value: Mapping[str, Json], item: _Nested) -> Iterator[Block | _Nested]:
    nested = []
    for name, one in value.items():
        if _in_one_cell(one):
            yield Pair(words(name), _cell(one))
        else:
            nested.append(_Nested(words(name), one, item.level + 1, item.path))
    yield from nested


def _list(values: Sequence[Json], item: _Nested) -> Iterator[Block | _Nested]:
    columns = _table_columns(values)
    if columns:
        yield Table([words(name) for name in columns], _table_rows(values, columns))
        return
    # Behind the heading of another item a value would seem to be a part of that.
    under_headings = not all(map(is_simple, values))
    for number, value in enumerate(values, start=1):
        if under_headings:
            yield _Nested(_label(item, number), value, item.level + 1, item.path, numbered=True)
        else:
            yield Paragraph(_text(value), mark="•")


def _label(item: _Nested, number: int) -> str:
    """Return what an item of a list is called; of lists in lists, too many numbers to read are left out."""
    if not item.numbered:
        return f"{item.label} {number}"
    label = f"{item.label}.{number}"
    first, *numbers = label.rsplit(".", _NUMBERS)
    if len(numbers) < _NUMBERS or not all(each.isdecimal() or each == _LEFT_OUT for each in numbers):
        return label
    return ".".join([first, _LEFT_OUT, *numbers[-_LAST_STEPS:]])


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
