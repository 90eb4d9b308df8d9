"""`.local/bench.json`: figures by name, kept until they are measured again."""

import json
import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from benchmarks.harness.figures import Figure

type Entries = dict[str, Any]


def merged(earlier: Entries, measured: Iterable[Figure], replaced: Sequence[str]) -> Entries:
    """Return `earlier` with the `measured` figures, and without other figures whose names match `replaced`.

    What could not be measured this time is not kept from an earlier run: a stale figure looks like a good one.
    """
    kept = {name: entry for name, entry in earlier.items() if not any(fnmatchcase(name, one) for one in replaced)}
    return dict(sorted((kept | {figure.name: figure.entry() for figure in measured}).items()))


def read(file: Path) -> Entries:
    """Return the figures in `file`; none when there is no such file, or it holds something else."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(file: Path, entries: Entries) -> None:
    """Write the figures in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    os.replace(new, file)
