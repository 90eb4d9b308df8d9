"""What can go wrong with the embedded AWS; every message says what to do."""

from pathlib import Path
from typing import ClassVar

from waybill.cli.errors import CommandError


class LocalStackError(CommandError):
    """The embedded AWS, the build or the deployment failed."""

    code: ClassVar[str] = "LOCAL_STACK"


class PortTakenError(LocalStackError):
    """Another program listens where the embedded AWS should."""

    code: ClassVar[str] = "PORT_TAKEN"

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on 127.0.0.1 is taken by another program: stop it, or choose another port, "
            f"for example WAYBILL_PORT={port + 1 if port < 65535 else port - 1}"
        )


class ToolMissingError(LocalStackError):
    """The set-up has not been run, or not to its end."""

    code: ClassVar[str] = "NOT_SET_UP"

    def __init__(self, tool: Path) -> None:
        super().__init__(f"{tool} is missing: run scripts/setup")
