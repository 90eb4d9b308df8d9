"""The program `waybill`. Exit status: 0 done, 1 the work failed, 2 bad usage."""

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

import waybill
from waybill.cli import minting, rules, stack, token
from waybill.cli.consignments import commands as consignments
from waybill.cli.context import App
from waybill.cli.errors import CommandError
from waybill.cli.local import LocalStackError
from waybill.cli.replication import commands as replication
from waybill.cli.scanning import commands as scanning
from waybill.cli.subject_access import commands as subject_access
from waybill.core.errors import InvalidInputError, WaybillError

_FAILED = 1
_BAD_USAGE = 2
_INTERRUPTED = 130

app = App(name="waybill")

# One line per module of commands.
app.add_typer(consignments.app)
app.add_typer(minting.app)
app.add_typer(rules.app)
app.add_typer(stack.app)
app.add_typer(token.app)
app.add_typer(scanning.app)
app.add_typer(subject_access.app)
app.add_typer(replication.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(waybill.__version__)
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keeps account of files on AWS."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status; an error is one line on standard error."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        outcome = app(args=given or ["--help"], prog_name="waybill", standalone_mode=False)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _FAILED
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        status, message = _explain(error)
        print(f"waybill: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
        return status
    return outcome if isinstance(outcome, int) else 0


def _explain(error: Exception) -> tuple[int, str]:
    """Exit status and message for an error."""
    match error:
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            hint = f" Try `{context.command_path} --help`." if context else ""
            return error.exit_code, f"{error.format_message()}{hint}"
        case typer.Abort():
            return _FAILED, "aborted"
        case InvalidInputError():
            return _BAD_USAGE, str(error)
        case CommandError() | LocalStackError() | WaybillError():
            return _FAILED, str(error)
        case ClientError() | BotoCoreError():
            return _FAILED, f"AWS: {error}"
        case _:
            return _FAILED, f"{type(error).__name__}: {error} (with --debug: where)"
