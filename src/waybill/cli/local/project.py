"""The clone of the project that the program runs in, and its local stack."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from waybill.cli.account import DEFAULT_PORT

if TYPE_CHECKING:
    from waybill.cli.local.stack import LocalStack

_LARGEST_PORT = 65535


def project_folder() -> Path | None:
    """Return the clone of the project that this runs in, or that the program was installed from; None without one."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "scripts" / "setup").exists() and (folder / "layers").is_dir():
            return folder
    return None


def project_stack(project: Path, report: Callable[[str], None]) -> "LocalStack":
    """Return the local stack of a clone, on ``WAYBILL_PORT``, else where it runs, else on 4566."""
    from waybill.cli.local.stack import LocalStack

    wanted = os.environ.get("WAYBILL_PORT", "")
    if wanted and not (wanted.isdecimal() and 0 < int(wanted) <= _LARGEST_PORT):
        raise typer.BadParameter(f"WAYBILL_PORT={wanted} is not a port number")
    stack = LocalStack(project, port=int(wanted or DEFAULT_PORT), persistent=True, report=report)
    running_on = stack.ministack.recorded_port
    if wanted or running_on in (None, stack.ministack.port):
        return stack
    return LocalStack(project, port=int(running_on or 0), persistent=True, report=report)
