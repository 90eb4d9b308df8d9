"""The tags of a Handlebars template, one after the other, with the text between them.

What stands between quotes or square brackets within a tag belongs to it whatever it is, braces too; a comment that
begins with two hyphens goes on to the next two. ``~`` takes away the white space on its side.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from waybill.subject_access.domain.report.errors import TemplateError

_INSIDE = r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^{}"'\[\]]|[\[\]"'])*?"""
_TAG = re.compile(
    r"\{\{(?P<before>~?)(?:"
    r"!--(?P<long>.*?)--(?=~?\}\})|!(?P<short>[^}]*)"
    rf"|\{{(?P<raw>{_INSIDE})\}}|(?P<mark>[#^/&>=]?)(?P<key>{_INSIDE})"
    r")(?P<after>~?)\}\}",
    re.DOTALL,
)


@dataclass(frozen=True)
class Tag:
    """What stands between braces: `mark` is ``#``, ``^``, ``/``, ``>``, ``=`` or nothing; `line` counts from 1."""

    mark: str
    key: str
    line: int


MISMATCH: Final = "the tags of the template do not match"


def tags(text: str) -> Iterator[str | Tag]:
    """Yield the texts and tags of a template; comments are left out.

    Raises
    ------
    TemplateError
        Braces are opened that are not closed, or there is nothing between them.
    """
    position, line, trimmed = 0, 1, False
    for found in _TAG.finditer(text):
        before = text[position : found.start()]
        _refuse_open(before, line)
        line += before.count("\n")
        position = found.end()
        if before.endswith("\\"):
            # handlebarsjs.com, "Escaping Handlebars expressions": the tag itself is printed.
            yield before[:-1] + found[0]
            line, trimmed = line + found[0].count("\n"), False
            continue
        before = before.lstrip() if trimmed else before
        trimmed = bool(found["after"])
        yield before.rstrip() if found["before"] else before
        if found["long"] is None and found["short"] is None:
            yield _tag(found, line)
        line += found[0].count("\n")
    _refuse_open(text[position:], line)
    yield text[position:].lstrip() if trimmed else text[position:]


def _tag(found: re.Match[str], line: int) -> Tag:
    mark, key = found["mark"] or "", found["raw"] if found["raw"] is not None else found["key"]
    if found["raw"] is None and not mark and not key:
        raise TemplateError(f"{MISMATCH}: nothing between the braces in line {line}")
    return Tag("" if mark == "&" else mark, key.strip(), line)


def _refuse_open(text: str, line: int) -> None:
    opened = text.find("{{")
    if opened >= 0:
        raise TemplateError(f"{MISMATCH}: braces in line {line + text.count(chr(10), 0, opened)} are not closed")
