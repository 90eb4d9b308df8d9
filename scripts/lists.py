"""Writes the lists that follow from all workflows into the files that hold them; with --check, only compares them.

A workflow stands in its folders and in its section of `template.yaml`. What all of them make together, such as the
paths of the API, is written here, below a line with the mark `scripts/lists: NAME`: in YAML to the end of what is
indented further, in a page to `<!-- end -->`.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from scripts import page_lists, template_lists
from scripts.generated import write_or_compare
from scripts.template import PROJECT, load_template

_MARK = re.compile(r"(?P<indent> *).*(?:#|<!--) scripts/lists: (?P<name>[\w-]+)(?: -->)?$")
_END = "<!-- end -->"

type Lists = Mapping[str, Callable[[], Iterator[str]]]


def lists() -> dict[Path, Lists]:
    """Return every list by the file that holds it."""
    template = load_template()
    made = {name: lambda one=one: one(template) for name, one in template_lists.LISTS.items()}
    pages = {PROJECT / file: some for file, some in page_lists.LISTS.items()}
    return {PROJECT / "template.yaml": made, **pages}


def filled(text: str, lists: Lists) -> str:
    """Return the text of a file with its lists.

    Raises
    ------
    ValueError
        The file marks other lists than these.
    """
    marked = [mark["name"] for line in text.splitlines() if (mark := _MARK.match(line))]
    if sorted(marked) != sorted(lists):
        raise ValueError(f"the file marks the lists {sorted(marked)}, where there are {sorted(lists)}")
    return "\n".join(_lines(text, lists)) + "\n"


def _lines(text: str, lists: Lists) -> Iterator[str]:
    old: re.Pattern[str] | None = None  # what a line of the list begins with
    for line in text.splitlines():
        if old and old.match(line):
            continue
        old = None
        yield line
        if mark := _MARK.match(line):
            indent = len(mark["indent"])
            is_page = line.endswith("-->")
            old = re.compile(f"(?!{_END})" if is_page else " " * (indent + 1))
            before = "" if is_page else " " * (indent + 2)
            yield from (f"{before}{item}" for item in lists[mark["name"]]())


def main() -> int:
    """Write or compare the files; return an exit status."""
    return max(
        write_or_compare(file, filled(file.read_text("utf-8"), some), "the workflows", "lists")
        for file, some in lists().items()
    )


if __name__ == "__main__":
    sys.exit(main())
