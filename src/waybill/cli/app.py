"""The program `waybill`. Exit status: 0 done, 1 failed, 2 bad usage, 3 findings where asked for, 130 interrupted."""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module  # noqa: TID251 - a command's module, once the command is called
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

import waybill
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App, Group
from waybill.core.errors import InvalidInputError, WaybillError
from waybill.core.text import escaped, json_text

_FAILED = 1
_BAD_USAGE = 2
# What a file or a disk refuses while a command works; what is wrong with a path itself is told before, as bad usage.
_DISK = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


@dataclass(frozen=True)
class Entry:
    """A command of the program: the module whose `app` has it, and what the overview says of it."""

    module: str
    summary: str


# The overview, and what is imported when a command is called: the others of the program stay unread, so that
# `--version`, `-h` and completion answer at once.
SECTIONS = {
    "The local stack": {
        "console": Entry("waybill.cli.console", "open the pages of the local stack, signed in"),
        "doctor": Entry("waybill.cli.doctor", "what is wrong with this machine, and what to do"),
        "down": Entry("waybill.cli.stack", "stop the embedded AWS"),
        "status": Entry("waybill.cli.stack", "what is deployed, and whether it is healthy"),
        "token": Entry("waybill.cli.token", "print a token that the local stack accepts"),
        "up": Entry("waybill.cli.stack", "start the embedded AWS, and deploy what changed"),
    },
    "Replication": {
        "backfills": Entry("waybill.cli.replication.commands", "jobs that bring what destinations lack"),
        "replicate": Entry("waybill.cli.replication.commands", "copy an object, or what a bucket lacks"),
        "replications": Entry("waybill.cli.replication.commands", "the tracking records, and what mends them"),
        "upload": Entry("waybill.cli.replication.commands", "put files into the source bucket"),
        "verifications": Entry("waybill.cli.replication.commands", "what comparisons have found"),
        "verify": Entry("waybill.cli.replication.commands", "compare copies with their sources"),
    },
    "Identifiers": {
        "identifiers": Entry("waybill.cli.minting.commands", "look up identifiers, and keep the registry (also: ids)"),
        "mint": Entry("waybill.cli.minting.commands", "mint identifiers"),
    },
    "Consignments": {
        "consign": Entry("waybill.cli.consignments.commands", "upload a folder, and have it checked"),
        "consignments": Entry("waybill.cli.consignments.commands", "what the checks found"),
        "rules": Entry("waybill.cli.consignments.rules", "the YARA rules of the antivirus check"),
    },
    "Scanner": {
        "detectors": Entry("waybill.cli.scanning.detectors", "detectors and allow lists of your own"),
        "findings": Entry("waybill.cli.scanning.commands", "what a scan found, masked"),
        "scan": Entry("waybill.cli.scanning.commands", "look for sensitive data in a bucket"),
        "scan-file": Entry("waybill.cli.scanning.commands", "look for sensitive data in local files"),
        "scans": Entry("waybill.cli.scanning.commands", "jobs of the scanner"),
        "triage": Entry("waybill.cli.scanning.commands", "say of a value that was found what it is"),
    },
    "Custody": {
        "custody": Entry("waybill.cli.custody.commands", "verify the log of what happened to files"),
        "trace": Entry("waybill.cli.custody.commands", "what happened to a file, with the proof"),
    },
    "Subject access": {
        "sar": Entry("waybill.cli.subject_access.commands", "requests for all that is held about a person"),
        "services": Entry("waybill.cli.subject_access.catalogue", "the services that are asked"),
        "templates": Entry("waybill.cli.subject_access.catalogue", "the templates of their parts"),
    },
}

# Shorter names of commands.
ALIASES = {"ids": "identifiers"}


class Program(Group):
    """The root of all commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the overview, and their shorter ones."""
        return [*(name for section in SECTIONS.values() for name in section), *ALIASES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, from the module that has it; None for an unknown one."""
        name = ALIASES.get(cmd_name, cmd_name)
        entry = next((section[name] for section in SECTIONS.values() if name in section), None)
        if entry is None:
            return None
        found = _built(import_module(entry.module).app)
        return found.commands[name] if isinstance(found, TyperGroup) else found

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is called; an unknown one is refused with the names that are near."""
        if args[0] in self.list_commands(ctx) or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = get_close_matches(args[0], self.list_commands(ctx))
        hint = f" Did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        return ctx.fail(f"No such command '{args[0]}'.{hint}")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the overview."""
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()], col_max=14)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return what may come next."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from typer._click.shell_completion import CompletionItem

        names = {name: entry.summary for section in SECTIONS.values() for name, entry in section.items()}
        names |= {short: names[name] for short, name in ALIASES.items()}
        return [CompletionItem(name, help=help_) for name, help_ in names.items() if name.startswith(incomplete)]


@cache
def _built(made: typer.Typer) -> Any:
    """Return the commands of a module; building them takes longer than most of them do to refuse what was typed."""
    return get_command(made)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(waybill.__version__)
        raise typer.Exit


app = App(cls=Program, name="waybill", add_completion=True, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keeps account of files on AWS."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status; an error is one line on standard error, JSON where that is wanted."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        outcome = app(args=given, prog_name="waybill", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_standard_output()
        return _FAILED
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno in _DISK and error.filename is None:
            _leave_standard_output()
        complaint = _explain(error)
        print(complaint.json() if "--json" in given else f"waybill: {complaint.message}", file=sys.stderr)  # noqa: T201
        return complaint.status
    return outcome if isinstance(outcome, int) else 0


def _leave_standard_output() -> None:
    """Let nobody write to a closed pipe again: the interpreter would, at its end, and complain.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass(frozen=True)
class Complaint:
    """What went wrong, for people and for scripts."""

    status: int
    code: str
    message: str

    def json(self) -> str:
        """Return it as one line of JSON."""
        told = {"code": self.code, "message": self.message, "exitStatus": self.status}
        return json_text({"error": told})


def _explain(error: Exception) -> Complaint:
    match error:
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            hint = f" Try `{context.command_path} --help`." if context else ""
            message = error.format_message()
            stop = "." if hint and message[-1:] not in ".?!" else ""
            return _complaint(error.exit_code, "USAGE", f"{message}{stop}{hint}")
        case typer.Abort():
            return _complaint(_FAILED, "ABORTED", "aborted")
        case InvalidInputError():
            return _complaint(_BAD_USAGE, error.code, str(error))
        case CommandError() | WaybillError():
            return _complaint(_FAILED, error.code, str(error))
        case OSError() if error.errno in _DISK:
            return _complaint(_FAILED, "FILE", f"{error.filename or 'standard output'}: {error.strerror}")
    if any(kind.__module__ == "botocore.exceptions" for kind in type(error).__mro__):
        answer = getattr(error, "response", {})
        code = answer.get("Error", {}).get("Code") or type(error).__name__
        return _complaint(_FAILED, code, f"AWS: {error}")
    return _complaint(_FAILED, "INTERNAL", f"{type(error).__name__}: {error} (with --debug: where)")


def _complaint(status: int, code: str, message: str) -> Complaint:
    # Names that others have given stand in it: nothing of them commands the terminal.
    return Complaint(status, code, escaped(" ".join(message.split())))
