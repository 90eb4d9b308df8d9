"""The circuit breaker of a service, shared by all requests: one dead service does not burn every request's attempts.

Closed: everybody asks. After several failures without a success between them it opens: nobody asks. When its time is
up, one worker asks, as a probe; its success closes the circuit, its failure opens it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from waybill.core.retry import CONTENTION
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.ports import Circuit, Circuits

# A service that answers 4xx or nonsense is there: only its owner can mend that, and no rest helps.
COUNTED = frozenset({Code.SERVICE_FAILED, Code.TIMED_OUT, Code.UNREACHABLE, Code.BROKE_OFF})


@dataclass(frozen=True)
class BreakerRules:
    """`threshold` failures, none of them more than `window` seconds after the one before, open it for `rest` seconds.

    A probe has `probe` seconds to end; then another worker may probe.
    """

    threshold: int = 5
    window: int = 600
    rest: int = 120
    probe: int = 300


@dataclass(frozen=True)
class Breaker:
    """Judges whether services are asked; `now` is epoch seconds."""

    circuits: Circuits
    now: Callable[[], int]
    rules: BreakerRules = BreakerRules()

    def retry_at(self, service: str) -> int | None:
        """Return None when the service may be asked, else from when on (epoch seconds)."""
        found, now = self.circuits.circuit(service), self.now()
        if found.open_until is None:
            return None
        if found.open_until > now:
            return found.open_until
        probing = replace(found, open_until=now + self.rules.probe)
        return None if self.circuits.move(service, found, probing) else now + self.rules.probe

    def succeeded(self, service: str) -> None:
        """Close the circuit."""
        self._move(service, lambda _: Circuit())

    def failed(self, service: str) -> None:
        """Count a failure; the one that reaches the threshold opens the circuit."""
        self._move(service, self._after_failure)

    def _after_failure(self, found: Circuit) -> Circuit:
        now = self.now()
        recent = now - found.failed_at <= self.rules.window or found.open_until is not None
        failures = found.failures + 1 if recent else 1
        opened = now + self.rules.rest if failures >= self.rules.threshold else None
        return Circuit(failures, now, opened)

    def _move(self, service: str, change: Callable[[Circuit], Circuit]) -> None:
        # Whoever loses this race several times leaves a count that is one too small: no harm.
        for _ in CONTENTION.attempts():
            found = self.circuits.circuit(service)
            changed = replace(change(found), version=found.version)
            if changed == found or self.circuits.move(service, found, changed):
                return
