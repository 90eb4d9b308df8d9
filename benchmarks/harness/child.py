"""A part of a benchmark in a Python process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SAID = 4000


def outcome_of(what: str, *program: str | Path, job: object = None, folder: Path | None = None) -> Any:
    """Run Python with the arguments `program`, which reads `job` as JSON, and return the JSON that it prints.

    Raises
    ------
    RuntimeError
        It failed; holds `what`, and the end of what the process said.
    """
    done = subprocess.run(
        [sys.executable, *program],
        input=json.dumps(job),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{what} failed:\n{done.stderr[-_SAID:]}")
    return json.loads(done.stdout)
