"""Files of the repository that are made of others: written, or with --check only compared."""

import difflib
import sys
from pathlib import Path


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
