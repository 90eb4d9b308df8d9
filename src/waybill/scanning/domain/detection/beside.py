"""Which value a keyword in the same line is about: a label tells of its own value, and not of its neighbour's.

Amazon Macie, "Keyword requirements": a keyword within so many characters counts; in records it is the name of the
field, or of an element in the path to it.
"""

import re
import string

from waybill.scanning.domain.detection.keywords import Keywords

# The sign behind the name of a field.
_SIGN = rb"(?:=>|:=|[:=])"
# What a keyword's label goes on with, up to its sign or to the end of its tag.
_LABEL = re.compile(rb"[\w .-]{0,24}\\?[\"']?\s{0,3}" + _SIGN)
_TAG_LABEL = re.compile(rb"[\w.:-]{0,24}(?:\s[^<>]{0,80})?>")
# The tag that a value stands behind; what opens a value, and what names of fields consist of.
_TAG = re.compile(rb"<([A-Za-z_][\w:.-]{0,40})(?:\s[^<>]{0,60})?>")
_OPENING, _NAME_BYTES = b" \t\\\"'([", string.ascii_letters.encode() + string.digits.encode() + b"_.-"
_SIGNS = b" \t\\\"'([{)]}<>,;:=#*|-./"
_OWN_BYTES = 128
# What follows the name of a column in a list of names.
_LISTED = re.compile(rb"[^\"\[\]{}]{0,60}\"\s{0,8}[,\]}]")
# Such a name says nothing of what the value is, or that it is a secret of whatever is named beside it.
_SAYS_NOTHING = re.compile(
    rb"(?i)(?:values?|val|numbers?|num|no|nr|text|raw|content|data|digits)|.*(?:key|token|secret|passw|pwd|auth|cred|pat$).*"
)
# A number of six digits or more, which is no day.
_NUMBER = rb"(?!\d{4}-\d\d-\d\d(?!\d)|\d\d?([./-])\d\d?\1\d{4}(?!\d))\+?\d(?:[ .-]?\d){5}"
_FILLING = rb"[^0-9A-Za-z]{0,8}(?:(?:numbers?|nos?|nr|num|ids?|codes?|is|was)\b[^0-9A-Za-z]{0,8}){0,2}"
_ITS_NUMBER = re.compile(rb"(?i)" + _FILLING + _NUMBER + rb"[\d .-]*")
_WORD = re.compile(rb"(?i)(?<![A-Za-z])(?!(?:and|or|also|und|oder|et|ou|y|o|e)\b)[A-Za-z]{2,}")


def is_near(
    keywords: Keywords,
    text: bytes,
    around: tuple[int, int],
    value: tuple[int, int],
    line_start: int,
    *,
    has_columns: bool = False,
) -> bool:
    """Return whether one of `keywords` within `around` is about the value that stands from `value[0]` to `value[1]`.

    Where the text `has_columns` that are known, a name in a list before that of the value is about its place alone.
    """
    start, end = value
    own: tuple[int, bool] | None = None
    known = False
    # One byte more: whether a short keyword is a whole word depends on what stands behind it.
    for first, last in ((around[0], start), (end, around[1])):
        for keyword in keywords.spans(text, first, last + 1):
            if keyword[1] > last:
                break
            if has_columns and last == start and _is_in_another_list(text[keyword[1] : start]):
                continue
            if not known:
                own, known = _own_label(text, line_start, start), True
            is_about = _is_about_what_is_behind if last == start else _is_about_what_is_before
            if is_about(text, keyword, own, start, end):
                return True
    return False


def _own_label(text: bytes, line_start: int, start: int) -> tuple[int, bool] | None:
    """Return where the name of a value's own field begins, and whether it says what the value is."""
    first = max(line_start, start - _OWN_BYTES)
    before = text[first:start].rstrip(_OPENING)
    if before.endswith(b">") and not before.endswith(b"=>"):
        begin = before.rfind(b"<")
        tag = _TAG.fullmatch(before, max(0, begin))
        return (first + begin, not _SAYS_NOTHING.fullmatch(tag[1])) if tag else None
    unsigned = before.removesuffix(b">").rstrip(b":=")
    if len(unsigned) == len(before):
        return None
    field = unsigned.rstrip(_OPENING)
    begin = len(field.rstrip(_NAME_BYTES))
    name = field[begin:]
    return (first + begin, not _SAYS_NOTHING.fullmatch(name)) if name[:1].isalpha() or name[:1] == b"_" else None


def _is_about_what_is_behind(
    text: bytes, keyword: tuple[int, int], own: tuple[int, bool] | None, start: int, _end: int
) -> bool:
    behind = keyword[1]
    if own and _is_heading_of_cells(text, keyword, own[0]):
        return False
    if own and (behind > own[0] or not own[1]):
        return True
    number = _ITS_NUMBER.match(text, behind, start)
    if number and _WORD.search(text, number.end(), own[0] if own else start):
        return False
    if own is None:
        return True
    if tag := _is_tag(text, keyword):
        if tag == b"</":
            return False
        label = _TAG_LABEL.match(text, behind, own[0])
        return label is None or _closings(text[label.end() : own[0]]) <= 0
    label = _LABEL.match(text, behind, own[0])
    if label is None:
        return True
    between = text[label.end() : own[0]]
    # What is open there is a path to the value.
    return sum(map(between.count, b"{[(")) > sum(map(between.count, b"}])"))


def _is_about_what_is_before(
    text: bytes, keyword: tuple[int, int], own: tuple[int, bool] | None, start: int, end: int
) -> bool:
    behind = keyword[1]
    if own is None:
        # A word right before the value is then its label.
        return (
            _ITS_NUMBER.match(text, behind) is None or not text[max(0, start - 6) : start].rstrip(_SIGNS)[-2:].isalpha()
        )
    if not own[1]:
        return True
    if tag := _is_tag(text, keyword):
        return tag == b"</" and b"<" + text[slice(*keyword)] not in text[end : keyword[0]]
    return _LABEL.match(text, behind) is None


def _is_in_another_list(between: bytes) -> bool:
    """Return whether a keyword names an element of a list that ends before the list that a value is in begins.

    Such lists name columns, each that of its place.
    """
    closed = between.rfind(b"]", 0, max(0, between.rfind(b"[")))
    if closed < 0 or not between.rstrip(b" \t\r\n\\\"'").endswith((b"[", b",")):
        return False
    return _LISTED.match(between) is not None


def _is_heading_of_cells(text: bytes, keyword: tuple[int, int], own: int) -> bool:
    """Return whether a keyword stands in a heading of a table of HTML, and a value in a cell: its column tells."""
    if text[own : own + 3].lower() != b"<td":
        return False
    at = text.rfind(b"<", max(0, keyword[0] - _OWN_BYTES), keyword[0])
    return at >= 0 and text[at : at + 3].lower() == b"<th"


def _is_tag(text: bytes, keyword: tuple[int, int]) -> bytes:
    """Return what the tag begins with whose name a keyword is in; nothing where it is in none."""
    first = max(0, keyword[0] - 40)
    at = text.rfind(b"<", first, keyword[0])
    if at < 0 or re.search(rb"[\s>]", text[at : keyword[0]]):
        return b""
    return b"</" if text[at + 1 : at + 2] == b"/" else b"<"


def _closings(text: bytes) -> int:
    """Return how many elements end in a text beyond those that begin in it."""
    ends = text.count(b"</")
    return ends - (text.count(b"<") - ends - text.count(b"/>"))
