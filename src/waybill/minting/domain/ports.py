"""What the rules of the ID minter need from the outside world."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill.minting.models import Found, Proposal, SourceId, Verdict

FIND_LIMIT = 100
ASSIGN_LIMIT = 50


class Registry(Protocol):
    """The map between source identifiers and canonical IDs. Each method makes one call, and repeats nothing.

    All raise `RegistryThrottledError`, `RegistryUnavailableError` and `RegistryRefusedError`.
    """

    def find(self, sources: Sequence[SourceId], *, consistent: bool = False) -> Found:
        """Return the canonical IDs of at most 100 different sources."""
        ...

    def assign(
        self, proposals: Sequence[Proposal], *, token: str, at: str, job_id: str | None = None
    ) -> Sequence[Verdict]:
        """Store at most 50 proposals as of the time `at` (ISO 8601), all or none of them; return a verdict on each.

        The same `token` with the same arguments within ten minutes is the same call. No proposal may have a predecessor
        that is itself proposed.
        """
        ...


@dataclass(frozen=True)
class Pace:
    """Time as one invocation has it: seconds that `remain`, a `sleep`, and a random number up to a limit."""

    remaining: Callable[[], float]
    sleep: Callable[[float], None]
    uniform: Callable[[float, float], float]


class Documents(Protocol):
    """Works as JSON documents: read where other systems write them, written where readers find them."""

    def read(self, source: str) -> bytes | None:
        """Return the document that a request names, or None; raises `DocumentsUnavailableError`."""
        ...

    def names(self) -> Iterator[tuple[str, datetime]]:
        """Yield every document upstream, as requests name it, with the time at which it was last written."""
        ...

    def write(self, canonical_id: str, document: bytes) -> None:
        """Store a document with its canonical IDs; raises `DocumentsUnavailableError`."""
        ...
