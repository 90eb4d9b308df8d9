"""`.local/stack.json`: where the local stack is, for the CLI, scripts and other tools."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from waybill.cli.account import account_environment


@dataclass(frozen=True)
class StackFile:
    """A deployed local stack; field names in the file are `endpoint, region, stackName, apiUrl, outputs`."""

    endpoint: str
    region: str
    stack_name: str
    api_url: str
    outputs: Mapping[str, str]

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Read the file; None when there is none, or none that can be read."""
        try:
            content: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return cls(
                endpoint=content["endpoint"],
                region=content["region"],
                stack_name=content["stackName"],
                api_url=content["apiUrl"],
                outputs=dict(content["outputs"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def environment(self) -> dict[str, str]:
        """Variables that send every AWS call of a process to this stack, and nowhere else."""
        return account_environment(self.endpoint, self.region)

    def write(self, file: Path) -> None:
        """Write the file in one step, so that a reader sees the old one or the new one."""
        content = {
            "endpoint": self.endpoint,
            "region": self.region,
            "stackName": self.stack_name,
            "apiUrl": self.api_url,
            "outputs": dict(self.outputs),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        os.replace(new, file)


def local_api_url(api_url: str, endpoint: str) -> str:
    """The embedded AWS's address of a REST API.

    Parameters
    ----------
    api_url : str
        The API's address on AWS, ``https://{apiId}.execute-api.{region}.amazonaws.com/{stage}``.
    endpoint : str
        The embedded AWS's endpoint.

    Returns
    -------
    str
        ``{endpoint}/_aws/execute-api/{apiId}/{stage}``, without a slash at its end.
    """
    address = urlsplit(api_url)
    api_id = (address.hostname or "").partition(".")[0]
    return f"{endpoint}/_aws/execute-api/{api_id}/{address.path.strip('/')}"
