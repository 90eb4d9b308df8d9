"""Where the application runs: on the embedded AWS of this very run, or as a stack that somebody has deployed."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest

from waybill.cli.adapters.local_clients import local_clients
from waybill.cli.local.keys import SigningKey
from waybill.cli.local.stack import LocalStack
from waybill.cli.local.stack_file import local_api_url


class RunningStack(Protocol):
    """A deployed stack."""

    name: str
    region: str
    signing_key: SigningKey

    @property
    def local(self) -> LocalStack:
        """The embedded AWS behind it; skips the test where there is none."""

    @property
    def outputs(self) -> Mapping[str, str]: ...

    @property
    def quiet(self) -> str:
        """A source bucket whose uploads start nothing."""

    @property
    def api_url(self) -> str: ...

    def needs_loopback(self) -> None:
        """Skip the test where the stack's functions do not run on this machine, and ask its 127.0.0.1 for nothing."""

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client with the rights of whoever runs the tests."""


class EmbeddedStack:
    """A stack on the embedded AWS that this run has started."""

    def __init__(self, local: LocalStack, name: str, quiet: str) -> None:
        self.local = local
        self.name = name
        self.quiet = quiet
        self.region = local.ministack.region
        self.signing_key = local.signing_key

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return _described(self.client("cloudformation"), self.name, "Output")

    @property
    def api_url(self) -> str:
        return local_api_url(self.outputs["ApiUrl"], self.local.ministack.endpoint)

    def needs_loopback(self) -> None:
        pass

    def client(self, service: str, region: str | None = None) -> Any:
        return local_clients(self.local.ministack.endpoint, region or self.region)(service)


class NamedStack:
    """The stack `name` of the account that a profile, or the environment, gives (`docs/acceptance.md`).

    With `AWS_ENDPOINT_URL` it is one of an embedded AWS that runs already.
    """

    def __init__(self, name: str, key_file: Path, profile: str | None = None) -> None:
        self.name = name
        self.signing_key = SigningKey.load_or_generate(key_file)
        self._session = boto3.Session(profile_name=profile)
        self.region = self._session.region_name

    @property
    def local(self) -> LocalStack:
        pytest.skip("needs the embedded AWS, of which it stops processes or reads the files")

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        return _described(self.client("cloudformation"), self.name, "Output")

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """The parameters that it was deployed with, defaults included."""
        return _described(self.client("cloudformation"), self.name, "Parameter")

    @property
    def quiet(self) -> str:
        return self.parameters["AdditionalSourceBuckets"].partition(",")[0]

    @property
    def api_url(self) -> str:
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return local_api_url(self.outputs["ApiUrl"], endpoint) if endpoint else self.outputs["ApiUrl"]

    def needs_loopback(self) -> None:
        if self.parameters["Platform"] != "embedded":
            pytest.skip("needs functions on this machine, where what they ask listens")

    def client(self, service: str, region: str | None = None) -> Any:
        return self._session.client(service, region_name=region or self.region)  # type: ignore[call-overload]


def _described(cloudformation: Any, stack: str, what: str) -> dict[str, str]:
    """Return a stack's outputs or parameters."""
    [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {one[f"{what}Key"]: one[f"{what}Value"] for one in found.get(f"{what}s", [])}
