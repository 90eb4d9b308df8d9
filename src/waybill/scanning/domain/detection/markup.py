"""Markup that readers do not see: tags of elements that stand within a line, and comments, may cut a value in pieces.

WHATWG HTML, "Rendering", 15.3: what has no other style is shown inline, so that nothing stands between its text and
that around it. SVG 2, 11.2: `tspan` and `textPath`. JATS, DocBook and TEI have such elements as well. Elements that
are shown as blocks, cells or controls separate, and so do names that records give their fields.
"""

import re

_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|blink|bold|cite|code|del|dfn|em|emph|emphasis|font|hi|i|ins|italic|kbd|mark|nobr|o:p"
    "|ph|phrase|q|rb|ruby|s|samp|sc|small|span|strike|strong|sub|sup|textPath|tspan|tt|u|underline|var|wbr"
)
# A sign of its own may stand within quotes; where they are not in pairs, none does. JSON may escape a slash (RFC 8259,
# section 7).
_ATTRIBUTES = r"[\s/](?:(?:[^<>\"']{1,4000}+|\"[^\"<]{0,4000}+\"|'[^'<]{0,4000}+'){0,64}+|[^<>]{0,4000}+)"
_TAG = rf"<(?:\\?/)?(?i:{_INLINE})(?:{_ATTRIBUTES})?>"
_COMMENT = r"<!--(?:[^<-]|-(?!->)|<(?!!--)){0,4000}+-->"

INVISIBLE = (_TAG, _COMMENT)
"""Patterns of what stands for nothing."""

TAG_GATES = (rf"<(?:\\?/)?(?i:{_INLINE})[\s/>]", "<!--")
"""Short patterns, one of which matches wherever a tag or a comment may stand within a value."""

_WHOLE = re.compile(rb"<([A-Za-z:]{1,12})(?:[\s/][^<>]{0,4000})?>\s{0,16}\Z")
_TAG_BYTES = 512


def is_whole_element(text: bytes, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is all that stands in an element: then it is a value of its own."""
    opening = text.rfind(b"<", max(0, start - _TAG_BYTES), start)
    found = _WHOLE.match(text[opening:start]) if opening >= 0 else None
    if found is None:
        return False
    closing = text[end : end + 32].lstrip().lower().replace(b"\\", b"")
    return closing.startswith(b"</" + found[1].lower() + b">")
