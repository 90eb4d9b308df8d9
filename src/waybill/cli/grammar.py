"""What all commands have in common: the global options, wherever they are put, and groups that print their help."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from waybill.cli.context import Cli


def _declared(
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="NAME", help="CloudFormation stack; default: the local one, else `waybill`."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="NAME", help="Profile of the AWS configuration; leaves the local stack aside."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """Declare the global options, which are those of `waybill.cli.context.Options`."""


def _global_options() -> Sequence[Any]:
    declaration = typer.Typer(add_completion=False)
    declaration.command()(_declared)
    return get_command(declaration).params


_GLOBAL = _global_options()
_SUMMARY_ENDS = re.compile(r"[.;]\s|[.;]$|\n\n")


def _take(context: Any) -> None:
    """Move the global options from what a command was called with to the call of the program."""
    context.add_options({option.name: context.params.pop(option.name, None) for option in _GLOBAL})


class Command(TyperCommand):
    """A command that takes the global options too."""

    context_class = Cli

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(name, params=[*(params or ()), *_GLOBAL], **settings)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of this command."""
        rest = super().parse_args(ctx, args)
        _take(ctx)
        self._try_outputs(ctx)
        return rest

    def _try_outputs(self, context: Any) -> None:
        """Refuse a file that cannot be written for want of its folder, before any work."""
        for option in cast("Any", self.params):
            given = context.params.get(option.name)
            if not isinstance(given, Path) or context.resilient_parsing or not is_output(option):
                continue
            if not given.absolute().parent.is_dir():
                raise typer.BadParameter(f"Folder '{given.parent}' does not exist.", ctx=context, param=option)


def is_output(option: Any) -> bool:
    """Return whether an option names what a command writes: those are declared `writable`."""
    declared = getattr(option, "type_descriptor", None)
    return bool(declared and getattr(declared.parameter_info, "writable", False))


class Group(TyperGroup):
    """Commands under one noun. It takes the global options too, and alone it prints its help."""

    context_class = Cli

    def __init__(self, *, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(params=[*(params or ()), *_GLOBAL], **settings)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted(super().list_commands(ctx))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each with what it does; conditions and exit statuses are in its own help."""
        helps = {name: self.commands[name].help or "" for name in self.list_commands(ctx)}
        rows = [(name, _SUMMARY_ENDS.split(help_, maxsplit=1)[0]) for name, help_ in helps.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments up to the name of a command."""
        rest = super().parse_args(ctx, args)
        _take(ctx)
        if not self.invoke_without_command and not ctx._protected_args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return rest


class App(typer.Typer):
    """A Typer application whose commands are `Command`s and whose groups are `Group`s."""

    def __init__(self, *, cls: type[Group] = Group, add_completion: bool = False, **settings: Any) -> None:
        super().__init__(cls=cls, add_completion=add_completion, rich_markup_mode=None, **settings)

    def command(self, *names: Any, **settings: Any) -> Callable[[Any], Any]:
        """Register a command, as `typer.Typer.command` does."""
        return super().command(*names, **{"cls": Command, **settings})
