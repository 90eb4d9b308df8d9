"""Time that tests decide about."""

from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that moves by `tick` with every look at it, and otherwise only when told to."""

    def __init__(self, *, tick: timedelta = timedelta(milliseconds=10)) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._tick = tick

    def now(self) -> datetime:
        self.time += self._tick
        return self.time

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        self.time += timedelta(seconds=seconds, days=days)
