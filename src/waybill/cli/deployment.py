"""The deployed application that a command works on: on this machine, or on AWS."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waybill.cli.account import account_environment
from waybill.cli.errors import CommandError
from waybill.cli.local.stack_file import StackFile
from waybill.core.errors import ConfigurationError

DEFAULT_STACK_NAME = "waybill"

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def setting_of(output: str) -> str:
    """Return the variable of the functions whose value an output says: `ScansTableName` says `SCANS_TABLE`.

    A name is what a setting has of a resource: `Name` at the end of an output is no part of the variable.
    """
    resource = f"{output.removesuffix('Names')}s" if output.endswith("Names") else output.removesuffix("Name")
    return _WORDS.sub("_", resource).upper()


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
    profile : str, optional
        Profile of the AWS configuration by which it was found.
    """

    name: str
    region: str
    api_url: str
    outputs: Mapping[str, str]
    endpoint: str | None = None
    profile: str | None = None

    def output(self, key: str) -> str:
        """Return one output; raises `CommandError` when the stack does not have it."""
        try:
            return self.outputs[key]
        except KeyError:
            raise CommandError(f"stack {self.name} has no output {key}: is it this version of Waybill?") from None

    def environment(self) -> dict[str, str]:
        """Return the variables of its functions, as far as commands need them, and those that lead to its AWS."""
        settings = {setting_of(output): value for output, value in self.outputs.items()}
        if self.endpoint:
            return settings | account_environment(self.endpoint, self.region)
        region = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region} if self.region else {}
        return settings | region | ({"AWS_PROFILE": self.profile} if self.profile else {})


@contextmanager
def environment_of(stack: Stack) -> Iterator[None]:
    """Give this process the environment of the stack's functions, as long as the context lasts.

    So a `runtime.py` builds the same collaborators for a command as for a function.

    Raises
    ------
    CommandError
        The stack's outputs lack what the collaborators need, or say what they cannot work with.
    """
    before = dict(os.environ)
    os.environ.update(stack.environment())
    try:
        yield
    except ConfigurationError as error:
        raise CommandError(f"stack {stack.name} is not set up as this command needs: {error}") from None
    finally:
        os.environ.clear()
        os.environ.update(before)


def find_stack(project: Path | None, name: str | None, profile: str | None) -> Stack:
    """Return the stack that is called `name` (default: the local one, else `waybill`).

    Parameters
    ----------
    project : Path, optional
        The project's folder, whose local stack comes first unless a profile is named.
    name, profile : str, optional
        What the options say.

    Raises
    ------
    StackNotFoundError
        There is none; the message says where it was looked for.
    """
    local = StackFile.read(project / ".local" / "stack.json") if project else None
    if local and not profile and name in (None, local.stack_name):
        return Stack(local.stack_name, local.region, local.api_url, local.outputs, local.endpoint)
    if local is None:
        looked = "no local stack is up (`waybill up`)"
    elif profile:
        looked = f"the local stack, {local.stack_name}, is left aside because of --profile"
    else:
        looked = f"the local stack is called {local.stack_name}"
    return _stack_on_aws(name or DEFAULT_STACK_NAME, profile, looked)


def _stack_on_aws(name: str, profile: str | None, looked: str) -> Stack:
    # Half of the program's start-up time, which what works on the local stack does not need.
    from waybill.cli.adapters.stacks import described

    region, outputs = described(name, profile, looked)
    return Stack(name, region, outputs.get("ApiUrl", "").rstrip("/"), outputs, profile=profile)
