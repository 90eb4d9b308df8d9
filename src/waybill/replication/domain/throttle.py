"""A bound on how much is done in a second, shared by everybody who does it."""

import threading

from waybill.core.clock import Clock


class Throttle:
    """Lets through so much a second on average, with no burst; None is no bound.

    What is larger than a second's worth goes through at once, and everything after it waits for as long as it counts.
    """

    def __init__(self, per_second: int | None, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock.monotonic()

    def take(self, amount: int) -> None:
        """Wait until `amount` more may be done."""
        if not self._per_second:
            return
        with self._lock:
            now = self._clock.monotonic()
            begins = max(now, self._free_at)
            self._free_at = begins + amount / self._per_second
        if begins > now:
            self._clock.sleep(begins - now)
