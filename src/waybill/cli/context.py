"""What every command gets: the global options, the stack that they name, and AWS clients for it."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from waybill.cli.errors import CommandError
from waybill.cli.local import LocalStack, StackFile
from waybill.cli.local.ministack import DEFAULT_PORT
from waybill.cli.output import Output

if TYPE_CHECKING:
    from waybill.core.aws.clients import Clients

DEFAULT_STACK_NAME = "waybill"

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        help="CloudFormation stack; default: the local one, else `waybill`.",
        show_default=False,
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Profile of the AWS configuration; leaves the local stack aside.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]


@dataclass(frozen=True)
class Options:
    """The options that every command takes, before or after its name."""

    stack: str | None = None
    profile: str | None = None
    json: bool = False
    debug: bool = False

    def merged(self, later: "Options") -> "Options":
        """These options, with what `later` says on top."""
        return Options(
            stack=later.stack or self.stack,
            profile=later.profile or self.profile,
            json=later.json or self.json,
            debug=later.debug or self.debug,
        )


@dataclass(frozen=True)
class Stack:
    """A deployed application.

    Parameters
    ----------
    name, region : str
        CloudFormation stack and its Region.
    api_url : str
        Base address of the REST API, without a slash at its end; empty when the stack has none.
    outputs : Mapping[str, str]
        The stack's outputs by key.
    endpoint : str, optional
        URL of the embedded AWS; None on AWS.
    """

    name: str
    region: str
    api_url: str
    outputs: Mapping[str, str]
    endpoint: str | None = None

    def output(self, key: str) -> str:
        """Return one output; raises `CommandError` when the stack does not have it."""
        try:
            return self.outputs[key]
        except KeyError:
            raise CommandError(f"stack {self.name} has no output {key}: is it this version of Waybill?") from None


@dataclass
class Cli:
    """One call of the program."""

    options: Options = field(default_factory=Options)

    @cached_property
    def output(self) -> Output:
        """Where results go."""
        return Output(json_wanted=self.options.json)

    @cached_property
    def project(self) -> Path:
        """The project's folder; raises `CommandError` when the program was not installed from one."""
        for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
            if (folder / "scripts" / "setup").exists() and (folder / "layers").is_dir():
                return folder
        raise CommandError("the local stack needs the project's folder: run this inside a clone of Waybill")

    def local_stack(self) -> LocalStack:
        """The project's local stack, on ``WAYBILL_PORT``, else where it runs, else on 4566."""
        wanted = os.environ.get("WAYBILL_PORT", "")
        if wanted and not (wanted.isdecimal() and 0 < int(wanted) < 65536):
            raise typer.BadParameter(f"WAYBILL_PORT={wanted} is not a port number")
        stack = LocalStack(self.project, port=int(wanted or DEFAULT_PORT), report=self.output.note)
        running_on = stack.ministack.recorded_port
        if not wanted and running_on not in (None, stack.ministack.port):
            return LocalStack(self.project, port=int(running_on or 0), report=self.output.note)
        return stack

    @cached_property
    def stack(self) -> Stack:
        """The stack that the options name.

        From here on, every AWS call of this process goes to it, those through `waybill.core.aws.clients` included.

        Raises
        ------
        CommandError
            There is no such stack, or AWS does not say.
        """
        local = self._local_stack_file()
        if local is not None:
            os.environ.update(local.environment())
            return Stack(local.stack_name, local.region, local.api_url, local.outputs, local.endpoint)
        if self.options.profile:
            os.environ["AWS_PROFILE"] = self.options.profile
        return _stack_on_aws(self.options.stack or DEFAULT_STACK_NAME)

    @property
    def client(self) -> "Clients":
        """Gives boto3 clients for the stack; default is the stack's own Region."""
        from waybill.core.aws.clients import client

        def in_region(service: Any, region: str | None = None, **options: int) -> Any:
            return client(service, region or self.stack.region, **options)

        return cast("Clients", in_region)

    def _local_stack_file(self) -> StackFile | None:
        if self.options.profile:
            return None
        try:
            found = StackFile.read(self.project / ".local" / "stack.json")
        except CommandError:
            return None
        return found if found and self.options.stack in (None, found.stack_name) else None


class App(typer.Typer):
    """A Typer application whose commands take the global options after their name too.

    A command asks for what it needs with a parameter annotated `Cli`; that one is no option.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"rich_markup_mode": None, **settings})

    def command(self, *names: Any, **settings: Any) -> Callable[[Any], Any]:
        """Register a command, as `typer.Typer.command`."""
        return _with_options(super().command(*names, **settings))

    def callback(self, **settings: Any) -> Callable[[Any], Any]:
        """Register what runs before the commands, as `typer.Typer.callback`."""
        return _with_options(super().callback(**settings))


def _with_options(register: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        register(with_global_options(function))
        return function

    return decorate


def with_global_options(function: Callable[..., Any]) -> Callable[..., None]:
    """Return `function` with the global options added, and with its parameter of type `Cli` filled."""
    signature = inspect.signature(function)
    own = [parameter for parameter in signature.parameters.values() if parameter.annotation is not Cli]
    cli_name = next((name for name, parameter in signature.parameters.items() if parameter.annotation is Cli), None)
    context_name = next((parameter.name for parameter in own if parameter.annotation is typer.Context), None)

    @wraps(function)
    def run(**values: Any) -> None:
        context: typer.Context = values["_context"] if context_name is None else values[context_name]
        values.pop("_context", None)
        options = Options(
            stack=values.pop("stack_option"),
            profile=values.pop("profile_option"),
            json=values.pop("json_option"),
            debug=values.pop("debug_option"),
        )
        root = context.find_root()
        earlier: Cli = root.obj if isinstance(root.obj, Cli) else Cli()
        root.obj = cli = replace(earlier, options=earlier.options.merged(options))
        if cli_name is not None:
            values[cli_name] = cli
        function(**values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter("stack_option", keyword, default=None, annotation=StackOption),
        inspect.Parameter("profile_option", keyword, default=None, annotation=ProfileOption),
        inspect.Parameter("json_option", keyword, default=False, annotation=JsonOption),
        inspect.Parameter("debug_option", keyword, default=False, annotation=DebugOption),
    ]
    if context_name is None:
        added.append(inspect.Parameter("_context", keyword, annotation=typer.Context))
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*(parameter.replace(kind=keyword) for parameter in own), *added], return_annotation=None
    )
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *added]}
    return run


def _stack_on_aws(name: str) -> Stack:
    import boto3

    try:
        session = boto3.Session()
        found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except (NoCredentialsError, NoRegionError, ProfileNotFound) as error:
        raise CommandError(f"no local stack is up (`waybill up`), and AWS cannot be asked: {error}") from error
    except ClientError as error:
        reason = error.response["Error"].get("Message", error.response["Error"]["Code"])
        raise CommandError(f"no local stack is up (`waybill up`), and AWS has no stack {name}: {reason}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    region = session.region_name or ""
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region
    return Stack(name, region, outputs.get("ApiUrl", "").rstrip("/"), outputs)
