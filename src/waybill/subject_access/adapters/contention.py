"""What becomes of a write that others were faster than: it is tried again, after a random pause."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Contention:
    """How often a write is tried, and how long is waited between two tries.

    Attributes
    ----------
    sleep : Callable[[float], None]
        Waits so many seconds.
    between : Callable[[float, float], float]
        Returns a random number between two.
    attempts : int
        A request has few writers at a time: five services, a heartbeat, somebody who looks at it.
    longest_pause : float
        Seconds, before the last try.
    """

    sleep: Callable[[float], None] = time.sleep
    between: Callable[[float, float], float] = random.SystemRandom().uniform
    attempts: int = 12
    longest_pause: float = 0.4

    def tries(self) -> Iterator[int]:
        """Yield the number of each try, from 0, with growing pauses (full jitter) between them."""
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(self.between(0, self.longest_pause * attempt / (self.attempts - 1)))
            yield attempt


PATIENT = Contention()
