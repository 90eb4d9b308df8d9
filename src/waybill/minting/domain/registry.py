"""The map between source identifiers and canonical IDs, and the time that a call of it may take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.minting.models import Found, Proposal, ProposalVerdict, SourceId

FIND_LIMIT = 100
ASSIGN_LIMIT = 50


class Registry(Protocol):
    """The registry as minting and importing use it. Each method makes one call, and repeats nothing.

    All raise `RegistryThrottledError`, `RegistryUnavailableError` and `RegistryRefusedError`.
    """

    def find(self, sources: Sequence[SourceId], *, consistent: bool = False) -> Found:
        """Return the canonical IDs of at most 100 different sources."""
        ...

    def assign(
        self, proposals: Sequence[Proposal], *, token: str, at: str, job_id: str | None = None
    ) -> Sequence[ProposalVerdict]:
        """Store at most 50 proposals as of the time `at` (ISO 8601), all or none of them; return a verdict on each.

        The same `token` with the same arguments within ten minutes is the same call. No proposal may have a predecessor
        that is itself proposed.
        """
        ...


@dataclass(frozen=True)
class InvocationTime:
    """Time as one invocation has it: seconds that `remain`, a `sleep`, and a random number up to a limit."""

    remaining: Callable[[], float]
    sleep: Callable[[float], object]
    uniform: Callable[[float, float], float]
