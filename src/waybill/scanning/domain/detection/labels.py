"""Labels above a value: of a form, of a key whose value begins on a later line, of an element around it.

Amazon Macie, "Keyword requirements": a keyword within 30 characters of a value counts, over the end of a line too, and
so does the name of any element in the path to a field.
"""

import re
from collections.abc import Iterator

from waybill.scanning.domain.detection.keywords import Keywords

LABEL_REACH = 2048
SEPARATOR = b"\n\n\x1c\n"
"""Stands between texts that have nothing to do with each other: no label above it is about a value below."""
_SEPARATOR = b"\x1c"
_NEAR = 256
_BLANK_LINES = 1
_INDENT = re.compile(rb"[ \t]*(?:- )*")
# A line that is nothing but a label is short.
_LABEL_BYTES = 60
# What may stand behind the word in a label, and what opens a value.
_REST = re.compile(rb"(?i)(?:[ _-]?(?:numbers?|no|nr|num|ids?|codes?|value)\b)?[^0-9A-Za-z]{0,16}")
_DELIMITER = re.compile(rb"[,;|\t]")
_OPENING = b" \t\r\"'[{(|>*-"
_HEADING = re.compile(rb"<th\b[^<>]{0,200}>(.{0,200}?)</th", re.DOTALL | re.IGNORECASE)
_CELL, _MARKUP = re.compile(rb"<t[dh]\b", re.IGNORECASE), re.compile(rb"<[^<>]{0,200}>")
_TAG = re.compile(rb"<([A-Za-z_][\w:.-]{0,60})(?:\s[^<>]{0,200})?>$")
# What stands before a value in its own line: signs, other values of a list, and at most the name of a field.
_BEFORE = re.compile(
    rb"[\s\d\"',;*|>\[({.-]*(?:[\"']?(?P<key>[A-Za-z_][\w .-]{0,40})[\"']?\s{0,4}[:=]\s{0,8}"
    rb"|<(?P<tag>[A-Za-z_][\w:.-]{0,40})[^<>]{0,80}>)?[\s\d\"',\[({.-]*"
)
_OF_NUMBERS = b"0123456789 .,-/()+\r\n"
_BRACKET = re.compile(rb"[\[\]{}]")
# The name of a section of settings (INI; TOML 1.0, "Table" and "Array of Tables"), and a setting.
_SECTION = re.compile(rb"\[{1,2}[ \t]{0,4}[A-Za-z_\"'][^\[\]\n]{0,80}\]{1,2}[ \t]{0,8}(?:[#;].{0,200})?")
_SETTING = re.compile(rb"[ \t]{0,16}[\w.\"'-]{1,80}[ \t]{0,16}[=:]")
# A block that has a name: of a variable or a resource of Terraform (HCL specification, "Blocks").
_BLOCK = re.compile(rb"[ \t]*[a-z_]{2,40}(?:[ \t]{1,4}\"[^\"\n]{1,120}\"){1,3}[ \t]*\{")
_KEY_BYTES = 66
_LAST_KEY = re.compile(rb"([^\"',;{\[\n]{1,60})[\"']?[ \t]{0,4}[:=]$")


class Labels:
    """What stands above the values of a text, asked for in ascending order, or nearly so: lines are read once."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._tags, self._sections, self._separators = (_Last(text, sign) for sign in (b"<", b"\n[", _SEPARATOR))
        # By the beginning of a line: the next line above that is not empty with the empty ones between, the next one
        # above that is indented less, and whether it opens something that a keyword names.
        self._nearest: dict[int, tuple[int, int]] = {}
        self._outer: dict[int, int] = {}
        self._opening: dict[tuple[int, bool, int], bool] = {}
        # What was asked for last: the text behind a separator, the row of a page and the names of its columns, where
        # a table begins that goes on up to a line, and the names in a line.
        self._part: tuple[int, Labels | None] = (-1, None)
        self._page: tuple[int, list[bytes]] = (-1, [])
        self._table = (1, 0)
        self._names: tuple[int, list[bytes]] = (-1, [])

    def stand_above(self, line_start: int, at: int, keywords: Keywords) -> bool:
        """Return whether the value at `at`, in the line from `line_start` on, stands below one of `keywords`."""
        text, lowest = self._text, max(0, at - LABEL_REACH)
        begin = self._separators.before(line_start)
        if begin >= 0:
            # What stands before a separator is another text.
            begin += 1
            return self._behind_separator(begin).stand_above(line_start - begin, at - begin, keywords)
        row = text.rfind(b"<tr", lowest, at) if self._tags.before(at) >= lowest else -1
        if row >= 0:
            # A page may have all of a table in one line.
            names, column = self._names_of_page(row), len(_CELL.findall(text, row, at)) - 1
        elif at - line_start <= _NEAR and text.find(b"\t", line_start, at + _NEAR) >= 0:
            names, column = self._names_of_table(line_start), text.count(b"\t", line_start, at)
        else:
            names, column = [], -1
        if 0 <= column < len(names) and keywords.are_in(names[column]):
            return True
        if at - line_start > _NEAR:
            return False
        if (section := self._section(line_start)) >= 0 and _is_in_section(text, section, line_start, keywords):
            return True
        if at == line_start and _is_number(text, text.rfind(b"\n", 0, max(0, line_start - 1)) + 1, line_start):
            # In a column of values, each stands below another one.
            return False
        before = _BEFORE.fullmatch(text, line_start, at)
        if before is None:
            return False
        named = before["key"] is not None or before["tag"] is not None
        return self._is_opened(line_start, keywords, named=named)

    def _behind_separator(self, begin: int) -> "Labels":
        """Return the labels of the text that begins behind a separator, up to the next one."""
        if self._part[0] != begin:
            end = self._text.find(_SEPARATOR, begin)
            self._part = begin, Labels(self._text[begin : end if end >= 0 else len(self._text)])
        return self._part[1] or self

    def _names_of_page(self, row: int) -> list[bytes]:
        """Return the names of the columns of the table that a row of a page is in."""
        if self._page[0] != row:
            head = self._text.rfind(b"<table", max(0, row - LABEL_REACH), row)
            found = _HEADING.findall(self._text, head, row) if head >= 0 else []
            self._page = row, [_MARKUP.sub(b" ", name) for name in found]
        return self._page[1]

    def _names_of_table(self, line_start: int) -> list[bytes]:
        """Return the names of the columns of the table that a line is in, whose cells tabs part.

        They stand in its first line, or in the furthest that anybody asks for.
        """
        text, (head, asked) = self._text, self._table
        lowest = text.rfind(b"\n", 0, max(0, line_start - LABEL_REACH)) + 1
        place, stop = line_start, max(lowest, asked if head <= asked <= line_start else lowest)
        while place > stop:
            start = text.rfind(b"\n", 0, place - 1) + 1
            if text.find(b"\t", start, place) < 0:
                break
            place = start
        if place == asked and head <= asked:
            place = max(head, lowest)
        self._table = place, line_start
        if self._names[0] != place:
            end = text.find(b"\n", place)
            self._names = place, text[place : end if end >= 0 else len(text)].split(b"\t")
        return self._names[1] if place < line_start else []

    def _section(self, line_start: int) -> int:
        """Return where the name of the section stands that a line may be in; -1 without one."""
        found = self._sections.before(line_start)
        if found >= max(0, line_start - LABEL_REACH):
            return found + 1
        return 0 if line_start <= LABEL_REACH and self._text[:1] == b"[" and line_start else -1

    def _is_opened(self, line_start: int, keywords: Keywords, *, named: bool) -> bool:
        """Return whether the line above, or one that is indented less, is a label or opens what a keyword names."""
        nearest, blank = self._line_above(line_start)
        if nearest < 0:
            return False
        indent, nearest_indent = _indent(self._text, line_start), _indent(self._text, nearest)
        above = not named and blank <= _BLANK_LINES
        if (above or nearest_indent < indent) and self._opens(nearest, keywords, above=above):
            return True
        if not nearest_indent or nearest_indent > indent:
            return False
        outer = self._outside_of(nearest)
        while outer >= 0 and line_start - outer <= LABEL_REACH:
            if self._opens(outer, keywords, above=False):
                return True
            outer = self._outside_of(outer)
        return False

    def _line_above(self, line_start: int) -> tuple[int, int]:
        """Return where the next line above begins that is not empty, -1 without one, and how many between are."""
        known = self._nearest.get(line_start)
        if known is None:
            place, blank = line_start, 0
            known = -1, 0
            while place > 0:
                start = self._text.rfind(b"\n", 0, place - 1) + 1
                if line_start - start > LABEL_REACH:
                    break
                if not self._text[start:place].isspace():
                    known = start, blank
                    break
                place, blank = start, blank + 1
            self._nearest[line_start] = known
        return known

    def _outside_of(self, line_start: int) -> int:
        """Return where the next line above begins that is indented less; -1 where none is, as far as anybody asks."""
        known = self._outer.get(line_start)
        if known is not None:
            return known
        indent = _indent(self._text, line_start)
        place = line_start if indent else -1
        while place >= 0:
            place = self._line_above(place)[0]
            while place in self._outer and _indent(self._text, place) >= indent:
                place = self._outer[place]
            if line_start - place > LABEL_REACH:
                place = -1
            if place >= 0 and _indent(self._text, place) < indent:
                break
        self._outer[line_start] = place
        return place

    def _opens(self, start: int, keywords: Keywords, *, above: bool) -> bool:
        asked = start, above, id(keywords)
        known = self._opening.get(asked)
        if known is None:
            line = self._text[start : self._text.find(b"\n", start)].rstrip()
            known = self._opening[asked] = _opens(line, keywords, above=above)
        return known


class _Last:
    """Where a sign stands last before a place, no further off than labels reach."""

    def __init__(self, text: bytes, sign: bytes) -> None:
        self._text = text
        self._sign = sign
        self._upto = 0
        self._found = -1
        # Of single bytes it takes no time to see that a text has none, which most have.
        self._none = len(sign) == 1 and sign not in text

    def before(self, place: int) -> int:
        """Return where the sign begins that ends at `place` or before; -1 where there is none, or none near."""
        text, sign = self._text, self._sign
        if self._none:
            return -1
        if place < self._upto:
            is_before = self._found + len(sign) <= place
            return self._found if is_before else text.rfind(sign, max(0, place - LABEL_REACH), place)
        # A byte by itself is looked for everywhere, others as far as anybody asks.
        lowest = 0 if len(sign) == 1 else place - LABEL_REACH - len(sign)
        known = max(0, self._upto - len(sign) + 1, lowest)
        found = text.rfind(sign, known, place)
        if found >= 0:
            self._found = found
        self._upto = place
        return self._found


def _is_number(text: bytes, start: int, end: int) -> bool:
    return text[start : min(end, start + 1)].isdigit() and not text[start:end].translate(None, _OF_NUMBERS)


def _is_in_section(text: bytes, place: int, line_start: int, keywords: Keywords) -> bool:
    """Return whether one of `keywords` is in the name of the section at `place` that a setting stands in."""
    line = text[place : text.find(b"\n", place)].rstrip()
    return (
        _SECTION.fullmatch(line) is not None
        and keywords.are_in(line.partition(b"]")[0])
        and _SETTING.match(text, line_start) is not None
    )


class LabelledLines:
    """The lines of a text that may be labelled by others, each told once."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        # By task, each a bit: a hostile text has another set of them in each line.
        self._blocks: dict[int, int] = {}
        self._tables: dict[int, int] = {}

    def below(self, line_start: int, line_end: int, tasks: int) -> list[tuple[int, int]]:
        """Return the lines that may be labelled by the line from `line_start` to `line_end`: its next, and its block.

        Lines ascend. What an earlier one has told of for the same `tasks` is left out: a block ends where a block
        within it ends.
        """
        text = self._text
        line = text[line_start:line_end].rstrip()
        if line[:1] == b"[" and _SECTION.fullmatch(line):
            return self._section(line_start, line_end)
        if b"\t" in line or b"<th" in line:
            return self._table(line_start, line_end, tasks, b"\t" if b"\t" in line else b"<")
        if (
            len(line) > _LABEL_BYTES
            and line[-1:] != b">"
            and line.rstrip(_OPENING)[-1:] not in b":="
            and not _unclosed(line)
        ):
            return []
        if line_end < len(text) and text[line_end] not in b" \t-\r\n":
            # The usual case: nothing is indented, so that there is one line.
            return [(line_end, text.find(b"\n", line_end) + 1 or len(text))]
        alone = b"(" in line and not _unclosed(line)
        found, blank, indent = list[tuple[int, int]](), 0, -1
        told = _told(self._blocks, tasks)
        known = line_end < told
        place = told if known else line_end
        while place < len(text) and place - line_start <= LABEL_REACH:
            end = text.find(b"\n", place) + 1 or len(text)
            if text[place:end].isspace():
                blank += 1
            else:
                indent = _indent(text, line_start) if indent < 0 else indent
                below = _indent(text, place) > indent
                if below or not (found or known or blank > _BLANK_LINES):
                    found.append((place, end))
                if not below or alone:
                    break
            place = end
        if found:
            _tell(self._blocks, tasks, found[-1][1])
        return found

    def _section(self, line_start: int, line_end: int) -> list[tuple[int, int]]:
        """Return the settings of a section, which ends where the next begins."""
        found, place = list[tuple[int, int]](), line_end
        while place < len(self._text) and place - line_start <= LABEL_REACH:
            end = self._text.find(b"\n", place) + 1 or len(self._text)
            if self._text[place : place + 1] == b"[":
                break
            if end - place > 2:
                found.append((place, end))
            place = end
        return found

    def _table(self, line_start: int, line_end: int, tasks: int, sign: bytes) -> list[tuple[int, int]]:
        """Return the lines of the table that a line with names of columns may begin, as far as none was told of."""
        found, place = list[tuple[int, int]](), max(line_end, _told(self._tables, tasks))
        while place < len(self._text) and place - line_start <= LABEL_REACH:
            end = self._text.find(b"\n", place) + 1 or len(self._text)
            if sign not in self._text[place:end]:
                break
            found.append((place, end))
            place = end
        _tell(self._tables, tasks, place)
        return found


def _told(told: dict[int, int], tasks: int) -> int:
    """Return how far lines are told of for every one of `tasks`."""
    return min((told.get(bit, 0) for bit in bits_of(tasks)), default=0)


def _tell(told: dict[int, int], tasks: int, end: int) -> None:
    for bit in bits_of(tasks):
        told[bit] = max(told.get(bit, 0), end)


def bits_of(tasks: int) -> Iterator[int]:
    """Yield the bits that are set, each as a number, from the lowest on."""
    while tasks:
        bit = tasks & -tasks
        tasks ^= bit
        yield bit


def _indent(text: bytes, line_start: int) -> int:
    # An item of a list stands below its name without an indent too (YAML 1.2, section 8.2.1).
    found = _INDENT.match(text, line_start)
    return found.end() - line_start if found else 0


def _opens(line: bytes, keywords: Keywords, *, above: bool) -> bool:
    """Return whether a line ends with a name that has one of `keywords` in it, and whose value is not in the line.

    `above` is for the line right above a value, which may be a label without any sign.
    """
    tail = line[-_NEAR:]
    if len(line) <= _NEAR and not keywords.are_in(line):
        return False
    if tag := _TAG.search(tail):
        return keywords.are_in(tag[1])
    bracket = _unclosed(line)
    if bracket and (block := _BLOCK.fullmatch(line)) and keywords.are_in(block[0]):
        return True
    if not above and not bracket and b"(" in line:
        # A function in a program, whose block is no value.
        return False
    for part in (tail, line[:bracket][-_NEAR:]) if bracket else (tail,):
        ends = part.rstrip(_OPENING)
        key = _LAST_KEY.search(ends, max(0, len(ends) - _KEY_BYTES)) if ends.endswith((b":", b"=")) else None
        if key and keywords.are_in(key[1]):
            return True
    # Names that delimiters part are a heading, which says what it says of its columns.
    if not above or len(line) > _LABEL_BYTES or _DELIMITER.search(line):
        return False
    # Not within other words: a sentence that has the word in it is no label.
    return any(_REST.fullmatch(line, end) for _, end in keywords.spans(line, 0, len(line)))


def _unclosed(line: bytes) -> int:
    """Return where the last bracket of a line stands that is not closed in it; 0 without one."""
    closed = 0
    for bracket in reversed([*_BRACKET.finditer(line, max(1, len(line) - 4 * _NEAR + 1))]):
        if bracket[0] in b"}]":
            closed += 1
        elif not closed:
            return bracket.start()
        else:
            closed -= 1
    return 0
