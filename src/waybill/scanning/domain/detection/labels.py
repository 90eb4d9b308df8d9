"""Labels above a value: of a form, of a key whose value begins on a later line, of an element around it.

Amazon Macie, "Keyword requirements": a keyword within 30 characters of a value counts, over the end of a line too, and
so does the name of any element in the path to a field.
"""

import re
from collections.abc import Iterator

LABEL_REACH = 2048
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


def is_labelled(text: bytes, line_start: int, at: int, keywords: re.Pattern[bytes]) -> bool:
    """Return whether the value at `at`, in the line from `line_start` on, stands below one of `keywords`."""
    if at - line_start > _NEAR:
        return False
    if _is_below_heading(text, line_start, at, keywords) or _is_in_section(text, line_start, keywords):
        return True
    if at == line_start and _is_number(text, text.rfind(b"\n", 0, max(0, line_start - 1)) + 1, line_start):
        # In a column of values, each stands below another one.
        return False
    before = _BEFORE.fullmatch(text, line_start, at)
    if before is None:
        return False
    named = before["key"] is not None or before["tag"] is not None
    lowest, nearest, blank, place = _indent(text, line_start), True, 0, line_start
    while place > 0:
        start = text.rfind(b"\n", 0, place - 1) + 1
        if line_start - start > LABEL_REACH:
            return False
        line = text[start : place - 1].rstrip()
        place = start
        if not line:
            blank += 1
            continue
        indent = _indent(text, start)
        above = nearest and not named and blank <= _BLANK_LINES
        if (above or indent < lowest) and _opens(line, keywords, above=above):
            return True
        if not indent or (nearest and indent > lowest):
            return False
        lowest, nearest = min(lowest, indent), False
    return False


def _is_number(text: bytes, start: int, end: int) -> bool:
    return text[start : min(end, start + 1)].isdigit() and not text[start:end].translate(None, _OF_NUMBERS)


def _is_below_heading(text: bytes, line_start: int, at: int, keywords: re.Pattern[bytes]) -> bool:
    """Return whether one of `keywords` is in the name of a value's column, in a table within a text or a page."""
    lowest = max(0, at - LABEL_REACH)
    # A byte by itself is looked for in a tenth of the time, and most texts have none.
    row = text.rfind(b"<tr", lowest, at) if text.rfind(b"<", lowest, at) >= 0 else -1
    if row >= 0:
        head = text.rfind(b"<table", lowest, row)
        names = [_MARKUP.sub(b" ", name) for name in _HEADING.findall(text, max(head, 0), row)] if head >= 0 else []
        column = len(_CELL.findall(text, row, at)) - 1
        return 0 <= column < len(names) and keywords.search(names[column]) is not None
    column = text.count(b"\t", line_start, at)
    if not column and text.find(b"\t", at, at + _NEAR) < 0:
        return False
    first = text.rfind(b"\n", 0, max(0, line_start - LABEL_REACH)) + 1
    heading = b""
    for line in reversed(text[first : max(first, line_start - 1)].split(b"\n")):
        if b"\t" not in line:
            break
        heading = line
    names = heading.split(b"\t") if heading else []
    return column < len(names) and keywords.search(names[column]) is not None


def _is_in_section(text: bytes, line_start: int, keywords: re.Pattern[bytes]) -> bool:
    """Return whether one of `keywords` is in the name of the section that a setting stands in."""
    lowest = max(0, line_start - LABEL_REACH)
    place = text.rfind(b"\n[", lowest, line_start) + 1
    if not place and (lowest or text[:1] != b"[" or not line_start):
        return False
    line = text[place : text.find(b"\n", place)].rstrip()
    return (
        _SECTION.fullmatch(line) is not None
        and keywords.search(line.partition(b"]")[0]) is not None
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


def _opens(line: bytes, keywords: re.Pattern[bytes], *, above: bool) -> bool:
    """Return whether a line ends with a name that has one of `keywords` in it, and whose value is not in the line.

    `above` is for the line right above a value, which may be a label without any sign.
    """
    tail = line[-_NEAR:]
    if len(line) <= _NEAR and not keywords.search(line):
        return False
    if tag := _TAG.search(tail):
        return keywords.search(tag[1]) is not None
    bracket = _unclosed(line)
    if bracket and (block := _BLOCK.fullmatch(line)) and keywords.search(block[0]):
        return True
    if not above and not bracket and b"(" in line:
        # A function in a program, whose block is no value.
        return False
    for part in (tail, line[:bracket][-_NEAR:]) if bracket else (tail,):
        ends = part.rstrip(_OPENING)
        key = _LAST_KEY.search(ends, max(0, len(ends) - _KEY_BYTES)) if ends.endswith((b":", b"=")) else None
        if key and keywords.search(key[1]):
            return True
    # Names that delimiters part are a heading, which says what it says of its columns.
    if not above or len(line) > _LABEL_BYTES or _DELIMITER.search(line):
        return False
    # Not within other words: a sentence that has the word in it is no label.
    return any(_REST.fullmatch(line, found.end()) for found in keywords.finditer(line))


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
