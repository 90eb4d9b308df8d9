"""What the shell completes: values that are known beforehand, and what the stack knows."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from waybill.cli.context import Cli

KNOWN = 50
"""How many of the newest ids are offered."""


def among(values: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what completes to one of `values`."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def known(read: Callable[[Cli], Iterable[str]]) -> Callable[[Any, str], list[str]]:
    """Return what completes to what `read` finds on the stack; to nothing, and silently, where there is none."""

    def complete(ctx: Cli, incomplete: str) -> list[str]:
        with suppress(Exception):  # whatever it is: a key was pressed, and nobody waits for an error
            return [value for value in read(ctx) if value.startswith(incomplete)]
        return []

    return complete
