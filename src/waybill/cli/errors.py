"""What goes wrong in a command; the message is for the person who typed it."""

from typing import ClassVar


class CommandError(Exception):
    """The command cannot do what it was asked for; exit status 1. `code` is for scripts, with `--json`."""

    code: ClassVar[str] = "FAILED"


class StackNotFoundError(CommandError):
    """There is no such stack, where it was looked for."""

    code: ClassVar[str] = "STACK_NOT_FOUND"
