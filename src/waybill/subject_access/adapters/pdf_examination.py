"""Reads what was uploaded in a process of its own, which may die without harm."""

import json
import os
import subprocess  # noqa: TID251 - parsers that may crash or stall
import sys
from pathlib import Path
from typing import Final

from waybill.subject_access.errors import UnfitReportError

# Of the 28 that the API's function has.
_SECONDS: Final = 15


def counted_pages(file: Path) -> int:
    """Return the number of pages of a PDF.

    Raises
    ------
    UnfitReportError
        It is no PDF that can be read to its last page, needs a password, or has scripts, actions or files in it.
    """
    # Not at the top: only this needs a reader of PDFs.
    from waybill.subject_access.adapters import pdf_program

    try:
        child = subprocess.run(  # noqa: S603 (a module of our own, and a file that we have named)
            [sys.executable, "-m", pdf_program.__name__, str(file)],
            capture_output=True,
            check=False,
            # What finds a module here finds it there; nothing else of the environment is for a parser.
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=_SECONDS,
        )
        told = json.loads(child.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise UnfitReportError("The upload cannot be read as a PDF, in its time and memory") from None
    if "pages" not in told:
        raise UnfitReportError(f"The upload is no report: {told['problem']}")
    return int(told["pages"])
