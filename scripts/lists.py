"""Writes the lists that follow from all workflows into the files that hold them; with --check, only compares them.

A workflow stands in its folders and in its section of `template.yaml`. What all of them make together, such as the
paths of the API, is written here, where a line has the mark `scripts/lists: NAME`.
"""

import sys
from pathlib import Path

from scripts import page_lists, template_lists
from scripts.generated import Lists, filled, write_or_compare
from scripts.template import PROJECT, load_template


def lists() -> dict[Path, Lists]:
    """Return every list by the file that holds it."""
    template = load_template()
    made = {name: lambda one=one: one(template) for name, one in template_lists.LISTS.items()}
    pages = {PROJECT / file: some for file, some in page_lists.LISTS.items()}
    return {PROJECT / "template.yaml": made, **pages}


def main() -> int:
    """Write or compare the files; return an exit status."""
    # All are made before one is written: what is wrong with one leaves every file as it is.
    wanted = {file: filled(file.read_text("utf-8"), some) for file, some in lists().items()}
    return max(write_or_compare(file, text, "the workflows", "lists") for file, text in wanted.items())


if __name__ == "__main__":
    sys.exit(main())
