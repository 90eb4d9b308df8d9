"""A clock on which a sleep takes no time."""

from dataclasses import dataclass, field

from waybill.core.clock import Clock


@dataclass
class StillClock:
    """Time that passes by sleeping alone; `pauses` are those slept. `chance` is how much of a pause is drawn."""

    at: float = 1000.0
    chance: float = 1.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        """Return it as code takes it."""
        return Clock(lambda: self.at, self.sleep, lambda low, high: low + (high - low) * self.chance)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pauses.append(seconds)
        self.at += seconds
