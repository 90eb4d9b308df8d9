"""Files of the repository that are made of others: written, or with --check only compared."""

import difflib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_MARK = re.compile(r"(?P<indent> *)(?P<before>.*)(?:#|<!--) scripts/lists: (?P<name>[\w-]+)(?: -->)?$")

type Lists = Mapping[str, Callable[[], Iterator[str]]]


def write_or_compare(path: Path, wanted: str, source: str, program: str | None = None) -> int:
    """Write `wanted` to a file of the repository, or show what differs; return an exit status.

    `source` is what it is made of, as a person calls it. The program that makes it has the name of the file, unless it
    is `program`.
    """
    file = f"{path.parent.name}/{path.name}"
    if "--check" not in sys.argv[1:]:
        path.write_text(wanted, "utf-8")
        return 0
    found = path.read_text("utf-8") if path.exists() else ""
    if found == wanted:
        return 0
    sys.stderr.writelines(difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), file, source))
    print(f"{file} differs from {source}: run scripts/{program or path.stem}", file=sys.stderr)
    return 1


def filled(text: str, lists: Lists) -> str:
    """Return the text of a file with its lists.

    A list stands below a line with the mark `scripts/lists: NAME`: to the end of what is indented further, or, where
    the line has nothing else, to one with `end`.

    Raises
    ------
    ValueError
        The file marks other lists than these, or one has no end.
    """
    marked = [mark["name"] for line in text.splitlines() if (mark := _MARK.match(line))]
    if sorted(marked) != sorted(lists):
        raise ValueError(f"the file marks the lists {sorted(marked)}, where there are {sorted(lists)}")
    return "\n".join(_lines(text, lists)) + "\n"


def _lines(text: str, lists: Lists) -> Iterator[str]:
    old: re.Pattern[str] | None = None  # what a line of the list begins with
    unended = ""
    for line in text.splitlines():
        if old and old.match(line):
            continue
        old, unended = None, ""
        yield line
        if mark := _MARK.match(line):
            indent = len(mark["indent"])
            # A line that says nothing else has a line for the end beside it.
            closed = not mark["before"]
            unended = mark["name"] if closed else ""
            old = re.compile(r"(?! *(?:# end|<!-- end -->)$)" if closed else " " * (indent + 1))
            before = " " * (indent if closed else indent + 2)
            yield from (f"{before}{item}" for item in lists[mark["name"]]())
    if unended:
        raise ValueError(f"the list {unended} has no line with its end")
