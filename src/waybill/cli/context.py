"""What every command gets: the global options, the stack that they name, and where results go."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast, overload

import typer

from waybill.cli.deployment import Stack, environment_of, find_stack
from waybill.cli.errors import CommandError
from waybill.cli.local.project import project_folder, project_stack

if TYPE_CHECKING:
    from waybill.cli.local.stack import LocalStack
    from waybill.cli.output import Output
    from waybill.core.aws.clients import Clients

_OPTIONS = "waybill.options"


@dataclass(frozen=True)
class Options:
    """The options that every command takes, before or after its name."""

    stack: str | None = None
    profile: str | None = None
    json: bool = False
    debug: bool = False


class Cli(typer.Context):
    """One call of the program. A command asks for it with a parameter of this type, as Typer's commands do."""

    _entered = False

    @property
    def options(self) -> Options:
        """The global options given so far, anywhere on the line; a later one counts."""
        found: Options = self.meta.get(_OPTIONS, Options())
        return found

    def add_options(self, given: dict[str, Any]) -> None:
        """Put the global options that are `given` on top of those before."""
        self.meta[_OPTIONS] = replace(self.options, **{name: value for name, value in given.items() if value})

    @cached_property
    def output(self) -> "Output":
        """Where results go."""
        from waybill.cli.output import Output

        return Output(json_wanted=self.options.json)

    @property
    def project(self) -> Path:
        """The project's folder; raises `CommandError` when the program was not installed from one."""
        folder = project_folder()
        if folder is None:
            raise CommandError("the local stack needs the project's folder: run this inside a clone of Waybill")
        return folder

    def local_stack(self) -> "LocalStack":
        """Return the project's local stack, which need not run."""
        return project_stack(self.project, self.output.note)

    @cached_property
    def stack(self) -> Stack:
        """The stack that the options name; raises `StackNotFoundError` when there is none."""
        return find_stack(project_folder(), self.options.stack, self.options.profile)

    def enter(self) -> Stack:
        """Work on the stack until the command ends: settings and clients are those that its functions have.

        Before anything of a workflow's `runtime` is called.
        """
        if not self._entered:
            self.with_resource(environment_of(self.stack))
            self._entered = True
        return self.stack

    @property
    def client(self) -> "Clients":
        """Gives boto3 clients for the stack; default is the stack's own Region."""
        from waybill.core.aws.clients import client

        def in_region(service: Any, region: str | None = None, **options: int) -> Any:
            return client(service, region or self.enter().region, **options)

        return cast("Clients", in_region)


class _OfCommand(Protocol):
    @property
    def cli(self) -> Cli: ...


class OfStack[T]:
    """What the `runtime` of a workflow builds for its functions, on the stack that the command is for.

    `tracking = OfStack(runtime.tracking)` in a class that has its `cli`: no command names an adapter.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build

    @overload
    def __get__(self, command: None, _kind: object) -> Self: ...
    @overload
    def __get__(self, command: _OfCommand, _kind: object) -> T: ...
    def __get__(self, command: _OfCommand | None, _kind: object) -> T | Self:
        if command is None:
            return self
        command.cli.enter()
        return self._build()
