"""Mustache templates: chevron reads the tags, the values are put in here.

chevron's own renderer is not used, as it resolves names that the data lacks as attributes and methods of Python's
objects, and lets values through unescaped. Here every value is text, and a template reaches nothing but the data.

Beside Mustache's sections there are ``{{#each list}}``, ``{{#if value}}``, ``{{#unless value}}``, ``{{#eq a b}}`` and
``{{else}}``, as the services' templates have them.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chevron.tokenizer import ChevronError, tokenize

from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.expressions import Expression, Frame, Scope, parse
from waybill.subject_access.domain.report.helpers import Helper
from waybill.subject_access.domain.report.models import Json
from waybill.subject_access.domain.report.wording import as_text, is_empty

_OPENS_OR_CLOSES = re.compile(r"\{\{\s*(?P<mark>[#^/])\s*(?P<key>[^{}]*?)\s*\}\}")
_BLOCKS: Final = ("each", "if", "unless", "eq")
_NESTING: Final = 50


@dataclass(frozen=True)
class _Value:
    expression: Expression


@dataclass
class _Section:
    """`kind` is one of `_BLOCKS`, or ``#`` and ``^`` for Mustache's own sections."""

    kind: str
    expression: Expression
    inside: list["_Node"] = field(default_factory=list)
    otherwise: list["_Node"] = field(default_factory=list)
    in_else: bool = False

    @property
    def open(self) -> list["_Node"]:
        return self.otherwise if self.in_else else self.inside


type _Node = str | _Value | _Section


class Template:
    """A template that was read and can be filled any number of times.

    Parameters
    ----------
    text : str
        Mustache.

    Raises
    ------
    TemplateError
        Tags do not match, a helper is unknown, or the template asks for partials or other delimiters.
    """

    def __init__(self, text: str) -> None:
        try:
            tokens = list(tokenize(_with_full_ends(text)))
        except (ChevronError, IndexError) as error:
            raise TemplateError(f"the tags of the template do not match: {str(error).splitlines()[0]}") from error
        self._nodes = _tree(tokens)

    def fill(self, content: Json, helpers: Mapping[str, Helper]) -> Iterator[str]:
        """Return the pieces of the text with the values of `content` put in, each escaped as HTML.

        Line breaks within values are ``<br>``. ``content`` names the data too, where the data has no such name itself.
        """
        frames = (Frame({"content": content}), Frame(content))
        return _filled(self._nodes, Scope(frames, helpers))


def _with_full_ends(text: str) -> str:
    """Close ``{{#each list}}`` with ``{{/each list}}``: chevron refuses the ``{{/each}}`` that templates have."""
    opened: list[str] = []

    def full(tag: re.Match[str]) -> str:
        key = tag["key"]
        if tag["mark"] != "/":
            opened.append(key)
        elif opened:
            last = opened.pop()
            if key == last.split(" ")[0]:
                key = last
        return "{{" + tag["mark"] + key + "}}"

    return _OPENS_OR_CLOSES.sub(full, text)


def _tree(tokens: Sequence[tuple[str, str]]) -> list[_Node]:
    root = _Section("#", parse("."))
    path = [root]
    for kind, key in tokens:
        match kind:
            case "literal":
                path[-1].open.append(key)
            case "variable" if key == "else":
                if len(path) == 1:
                    raise TemplateError("else without a section around it")
                path[-1].in_else = True
            case "variable" | "no escape":
                path[-1].open.append(_Value(parse(key)))
            case "section" | "inverted section":
                section = _section("^" if kind.startswith("inverted") else "#", key)
                path[-1].open.append(section)
                path.append(section)
            case "end":
                path.pop()
            case _:
                raise TemplateError(f"templates have neither partials nor delimiters of their own: {key}")
        if len(path) > _NESTING:
            raise TemplateError(f"sections are nested more than {_NESTING} deep")
    return root.inside


def _section(mark: str, key: str) -> _Section:
    first, _, rest = key.partition(" ")
    if mark == "#" and first in _BLOCKS and rest.strip():
        return _Section(first, parse(key if first == "eq" else rest))
    return _Section(mark, parse(key))


def _filled(nodes: Sequence[_Node], scope: Scope) -> Iterator[str]:
    for node in nodes:
        match node:
            case str():
                yield node
            case _Value(expression):
                yield _escaped(scope.evaluate(expression))
            case _Section():
                yield from _section_filled(node, scope)


def _section_filled(section: _Section, scope: Scope) -> Iterator[str]:
    value = scope.evaluate(section.expression)
    shown = _held(value) != (section.kind in ("^", "unless"))
    if not shown:
        yield from _filled(section.otherwise, scope)
    elif section.kind in ("#", "each") and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _filled(section.inside, scope.within(Frame(item, index, last=index == len(value) - 1)))
    elif section.kind == "each" and isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            yield from _filled(section.inside, scope.within(Frame(item, index, key, index == len(value) - 1)))
    elif section.kind == "#" and value is not True:
        yield from _filled(section.inside, scope.within(Frame(value)))
    else:
        yield from _filled(section.inside, scope)


def _held(value: Json) -> bool:
    """Return whether a section for `value` is shown: unlike in Mustache, the number 0 is something that is held."""
    return not is_empty(value) and value is not False


def _escaped(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "<br>".join(map(_escaped, value))
    if isinstance(value, dict):
        return "<br>".join(f"{html.escape(key)}: {_escaped(one)}" for key, one in value.items())
    text = value if isinstance(value, str) else as_text(value)
    return html.escape(text).replace("\r\n", "<br>").replace("\n", "<br>").replace("\r", "<br>")
