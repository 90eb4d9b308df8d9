"""Handlebars templates: read once, filled any number of times.

No engine of the shelf is used: those for Python resolve names that the data lacks as attributes and methods of Python's
objects, and let values through unescaped. Here every value is text, and a template reaches nothing but the data.

Blocks are those of Handlebars (handlebarsjs.com, "Built-in helpers" and "Block helpers"), ``{{#if value}}``,
``{{#unless value}}``, ``{{#each list as |item index|}}``, ``{{#with value}}``, each with ``{{else}}`` and
``{{else if value}}``; Mustache's sections ``{{#name}}`` and ``{{^name}}``; and ``{{#eq a b}}``.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.expressions import Expression, Frame, Scope, parse
from waybill.subject_access.domain.report.handlebars_tags import MISMATCH, Tag, tags
from waybill.subject_access.domain.report.helpers import ARGUMENTS, SOURCE, Helper
from waybill.subject_access.domain.report.models import InlineImage, Json
from waybill.subject_access.domain.report.wording import as_text

_BLOCKS: Final = ("each", "if", "unless", "with", "eq")
_NESTING: Final = 50
# A service's part may take so many steps through its template: a list of 10,000 records with 50 values each takes half.
STEPS: Final = 1_000_000
# A value may be long, and printed at every step.
CHARACTERS: Final = 300_000_000
_BLOCK_PARAMETERS = re.compile(r"(?<!\s)\s++as\s++\|([^|]*+)\|$")


@dataclass(frozen=True)
class _Value:
    expression: Expression
    line: int


@dataclass
class _Section:
    """`kind` is one of `_BLOCKS`, or ``#`` and ``^`` for Mustache's own sections.

    `names` are what closes it; `parameters` what the item and its key or place are called inside; a `chained` one
    stands for ``{{else if value}}`` and ends with the section around it.
    """

    kind: str
    expression: Expression
    line: int = 0
    names: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    chained: bool = False
    inside: list["_Node"] = field(default_factory=list)
    otherwise: list["_Node"] = field(default_factory=list)
    in_else: bool = False

    @property
    def open(self) -> list["_Node"]:
        return self.otherwise if self.in_else else self.inside


type _Node = str | _Value | _Section


class Template:
    """A template that was read.

    Parameters
    ----------
    text : str
        Handlebars.

    Raises
    ------
    TemplateError
        Tags do not match, a helper is unknown or called with too few or too many arguments, or the template asks for
        partials or other delimiters; names the line.
    """

    def __init__(self, text: str) -> None:
        self._nodes = _tree(text)

    def fill(self, content: Json, helpers: Mapping[str, Helper]) -> Iterator[str]:
        """Return the pieces of the text with the values of `content` put in, each escaped as HTML.

        Line breaks within values are ``<br>``. ``content`` names the data too, where the data has no such name itself.

        Raises
        ------
        TemplateError
            A helper cannot use a value that it is called with, or filling takes more than `STEPS` steps or prints more
        than `CHARACTERS`.
        """
        frames = (Frame({"content": content}), Frame(content))
        return _Filling(Scope(frames, helpers, content)).filled(self._nodes)


def _tree(text: str) -> list[_Node]:
    path = [_Section("#", parse("."))]
    for found in tags(text):
        if isinstance(found, str):
            if found:
                path[-1].open.append(found)
            continue
        try:
            _add(found, path)
        except TemplateError as error:
            if MISMATCH in str(error):
                raise
            raise TemplateError(f"{error} (line {found.line})") from None
        if len(path) > _NESTING:
            raise TemplateError(f"sections are nested more than {_NESTING} deep (line {found.line})")
    if len(path) > 1:
        raise TemplateError(f"{MISMATCH}: {path[-1].names[0]} in line {path[-1].line} is not closed")
    return path[0].inside


def _add(tag: Tag, path: list[_Section]) -> None:
    match tag.mark:
        case "#" | "^" if tag.key:
            _open(path, _section(tag.mark, tag.key, tag.line))
        case "^":
            _begin_else(path)
        case "/":
            _close(tag, path)
        case ">" | "=":
            raise TemplateError(f"templates have neither partials nor delimiters of their own: {tag.key}")
        case _ if tag.key == "else":
            _begin_else(path)
        case _ if tag.key.startswith("else "):
            _begin_else(path)
            _open(path, replace(_section("#", tag.key.removeprefix("else ").strip(), tag.line), chained=True))
        case _:
            path[-1].open.append(_Value(parse(tag.key), tag.line))


def _open(path: list[_Section], section: _Section) -> None:
    path[-1].open.append(section)
    path.append(section)


def _begin_else(path: list[_Section]) -> None:
    if len(path) == 1 or path[-1].in_else:
        raise TemplateError("else without a section around it")
    path[-1].in_else = True


def _close(tag: Tag, path: list[_Section]) -> None:
    while path[-1].chained:
        path.pop()
    if len(path) == 1 or tag.key not in path[-1].names:
        raise TemplateError(f"{MISMATCH}: {tag.key} is closed in line {tag.line} where it is not open")
    path.pop()


def _section(mark: str, key: str, line: int) -> _Section:
    named = _BLOCK_PARAMETERS.search(key)
    parameters = tuple(named[1].split()) if named else ()
    called = key[: named.start()] if named else key
    first, _, rest = called.partition(" ")
    names = tuple(dict.fromkeys((first, called, key)))
    if first in ARGUMENTS and first not in _BLOCKS and rest.strip():
        raise TemplateError(f"{first} has no block: it is called as {{{{{called}}}}}")
    if mark == "#" and first in _BLOCKS and first != "eq" and not rest.strip():
        raise TemplateError(f"{first} takes 1 value, not 0")
    if named and not parameters:
        raise TemplateError(f"no name between the bars: {key}")
    if mark == "#" and first in _BLOCKS:
        return _Section(first, parse(called if first == "eq" else rest), line, names, parameters)
    return _Section(mark, parse(called), line, names, parameters)


@dataclass
class _Filling:
    """One template being filled; `steps` and `characters` are those that are left."""

    scope: Scope
    steps: int = STEPS
    characters: int = CHARACTERS

    def filled(self, nodes: list[_Node], scope: Scope | None = None) -> Iterator[str]:
        scope = scope or self.scope
        for node in nodes:
            self.steps -= 1
            if self.steps < 0:
                raise TemplateError(f"the template takes more than {STEPS:,} steps for what this service holds")
            match node:
                case str():
                    yield node
                case _Value(expression, line):
                    text = _escaped(_evaluated(scope, expression, line))
                    self.characters -= len(text)
                    if self.characters < 0:
                        said = f"the template prints more than {CHARACTERS:,} characters of what this service holds"
                        raise TemplateError(f"{said} (line {line})")
                    yield text
                case _Section():
                    yield from self._section(node, scope)

    def _section(self, section: _Section, scope: Scope) -> Iterator[str]:
        value = _evaluated(scope, section.expression, section.line)
        shown = _held(value, section.kind) != (section.kind in ("^", "unless"))
        if not shown:
            yield from self.filled(section.otherwise, scope)
        elif section.kind in ("if", "unless", "eq", "^") or value is True:
            yield from self.filled(section.inside, scope)
        else:
            for frame in _frames(section, value):
                yield from self.filled(section.inside, scope.within(frame))


def _evaluated(scope: Scope, expression: Expression, line: int) -> Json:
    try:
        return scope.evaluate(expression)
    except TemplateError as error:
        raise TemplateError(f"{error} (line {line})") from None


def _frames(section: _Section, value: Json) -> Iterator[Frame]:
    """Yield what a section's inside is filled for: each item of a list, each value of an object, or the value."""
    if section.kind in ("#", "each") and isinstance(value, LISTS):
        for index, item in enumerate(value):
            names = dict(zip(section.parameters, (item, index), strict=False))
            yield Frame(item, index, last=index == len(value) - 1, names=names)
    elif section.kind == "each" and isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            names = dict(zip(section.parameters, (item, key), strict=False))
            yield Frame(item, index, key, index == len(value) - 1, names)
    else:
        yield Frame(value, names=dict(zip(section.parameters, (value,), strict=False)))


def _held(value: Json, kind: str) -> bool:
    """Return whether a section for `value` is shown.

    Hidden are null, false, an empty text and an empty list; an empty object is a value (mustache(5), "Non-False
    Values"), and the number 0 is something that is held.
    """
    if value == {} and kind == "each":
        return False
    return not (value is None or value is False or value in ("", []))


def _escaped(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, LISTS):
        return "<br>".join(map(_escaped, value))
    if isinstance(value, dict):
        return "<br>".join(f"{html.escape(key)}: {_escaped(one)}" for key, one in value.items())
    if isinstance(value, InlineImage):
        return f'<img src="{SOURCE}{value.number}" width="{value.width}" height="{value.height}">'
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else as_text(value)
    return html.escape(text).replace("\r\n", "<br>").replace("\n", "<br>").replace("\r", "<br>")
