"""The ID minter on the stack that a command is for: the same code as its functions."""

from dataclasses import dataclass

from waybill.cli.context import Cli, OfStack
from waybill.minting import runtime
from waybill.minting.domain.lookup import Lookup

# A command's calls are repeated by its client, those of the minter by the minter.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Minting:
    """The collaborators, each built when a command needs it."""

    cli: Cli

    registry = OfStack(lambda: runtime.registry(attempts=_ATTEMPTS))
    lives = OfStack(runtime.lives)
    runs = OfStack(runtime.workflow_runs)

    @property
    def lookup(self) -> Lookup:
        """What finds identifiers."""
        return Lookup(self.registry, self.lives)
