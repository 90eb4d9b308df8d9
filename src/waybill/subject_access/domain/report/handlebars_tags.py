"""The tags of a Handlebars template, one after the other, with the text between them.

What stands between quotes or square brackets within a tag belongs to it whatever it is, braces too; a comment that
begins with two hyphens goes on to the next two. ``~`` takes away the white space on its side.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from waybill.subject_access.domain.report.errors import TemplateError

# Possessive throughout: a template is gone through once, whatever stands in it.
_INSIDE = r"""(?:"[^"]*+"|'[^']*+'|\[[^\]]*+\]|~(?!\}\})|[^{}"'\[\]~]|[\[\]"'])*+"""
_TAG = re.compile(
    r"\{\{(?P<before>~?+)(?:"
    r"!(?P<comment>[^}]*+)"
    rf"|\{{(?P<raw>{_INSIDE})\}}|(?P<mark>[#^/&>=]?+)(?P<key>{_INSIDE})"
    r")(?P<after>~?+)\}\}"
)
_LONG_COMMENT = re.compile(r"\{\{(?P<before>~?+)!--")
_END_OF_LONG = re.compile(r"--(?P<after>~?+)\}\}")


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
    # Behind the last end there is no long comment, and none is looked for.
    last_end = max(text.rfind("--}}"), text.rfind("--~}}"))
    while (opened := text.find("{{", position)) >= 0:
        before, escaped = text[position:opened], text[opened - 1 : opened] == "\\" and opened > position
        line += before.count("\n")
        found = None if escaped else _LONG_COMMENT.match(text, opened)
        ended = _END_OF_LONG.search(text, found.end()) if found and found.end() <= last_end else None
        found = found if ended else _TAG.match(text, opened)
        if found is None:
            raise TemplateError(f"{MISMATCH}: braces in line {line} are not closed")
        end = (ended or found).end()
        line_of_tag, line = line, line + text.count("\n", opened, end)
        if escaped:
            # handlebarsjs.com, "Escaping Handlebars expressions": the tag itself is printed.
            yield (before.lstrip() if trimmed else before)[:-1] + text[opened:end]
        else:
            before = before.lstrip() if trimmed else before
            yield before.rstrip() if found["before"] else before
            if ended is None and found["comment"] is None:
                yield _tag(found, line_of_tag)
        trimmed = bool((ended or found)["after"]) and not escaped
        position = end
    yield text[position:].lstrip() if trimmed else text[position:]


def _tag(found: re.Match[str], line: int) -> Tag:
    mark, key = found["mark"] or "", found["raw"] if found["raw"] is not None else found["key"]
    if found["raw"] is None and not mark and not key:
        raise TemplateError(f"{MISMATCH}: nothing between the braces in line {line}")
    return Tag("" if mark == "&" else mark, key.strip(), line)
