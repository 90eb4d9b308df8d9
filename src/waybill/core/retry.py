"""Trying again: the only place that does. Growing pauses with full jitter, a bound on the attempts, and a deadline.

Three ways to use it, from the shortest:

- `Retry(...).call(work)` repeats a call that raises a `RetryableError`;
- `for _ in Retry(...).attempts():` repeats a block that says by itself, with `return` or `break`, that it is done:
  a conditional write that others were faster than;
- `course = Retry(...).begin()`, then `course.pause()` after each failure: a batch that shrinks while it is repeated.

`poll` and `looks` wait for something that others bring about.

Source of the pauses: AWS Architecture Blog, "Exponential Backoff And Jitter": a random time below a limit that doubles
does the same work with less than half the calls of equal pauses.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from waybill.core.clock import Clock
from waybill.core.errors import RetryableError

# Two to the power of this times a microsecond is longer than anybody waits; a larger power is no float.
_LARGEST_POWER = 60


def _never() -> bool:
    return False


def _at_once(_error: Exception) -> float:
    return 0.0


@dataclass(frozen=True)
class Retry:
    """How a call is repeated.

    Attributes
    ----------
    tries : int
        Attempts in all, the first included; at least 1.
    first_pause, longest_pause : float
        Seconds. The pause after the nth failure is a random time between 0 and `first_pause * 2 ** (n - 1)`, at most
        `longest_pause`.
    seconds : float
        Time for all attempts together, from the beginning of each course. No attempt begins after it. An attempt that
        has begun is not broken off: the call's own time-outs bound it.
    clock : Clock
        The time, and chance.
    stopped : Callable[[], bool]
        Whether nothing is to be tried again from now on, asked after each pause.
    """

    tries: int = 5
    first_pause: float = 0.1
    longest_pause: float = 5.0
    seconds: float = math.inf
    clock: Clock = field(default_factory=Clock)
    stopped: Callable[[], bool] = _never

    def __post_init__(self) -> None:
        if self.tries < 1 or not 0 < self.first_pause <= self.longest_pause or self.seconds <= 0:
            raise ValueError("a call is tried at least once, with pauses that grow, in some time")

    def begin(self, deadline: float = math.inf) -> "Course":
        """Return a new course of attempts, which ends at `deadline` (of `clock.monotonic`) at the latest."""
        return Course(self, min(deadline, self.clock.monotonic() + self.seconds))

    def attempts(self, deadline: float = math.inf) -> Iterator[int]:
        """Yield the number of each attempt, from 1, with the pauses between; ends when there are to be no more."""
        course = self.begin(deadline)
        yield course.made
        while course.pause():
            yield course.made

    def call[T](
        self,
        work: Callable[[], T],
        *,
        on: type[Exception] | tuple[type[Exception], ...] = RetryableError,
        deadline: float = math.inf,
        at_least: Callable[[Exception], float] = _at_once,
    ) -> T:
        """Return what `work` returns, repeated while it raises `on`.

        `at_least` returns the seconds that an error asks to wait, such as those of `Retry-After`; where they do not
        fit before the deadline, the error is raised at once.

        Raises
        ------
        Exception
            What `work` raised last, or first if it is not of `on`.
        """
        course = self.begin(deadline)
        while True:
            try:
                return work()
            except on as error:
                if not course.pause(at_least=at_least(error)):
                    raise

    def draw(self, failures: int) -> float:
        """Return a pause, in seconds, after so many failures; for those who let another system wait."""
        limit = self.first_pause * 2.0 ** min(failures - 1, _LARGEST_POWER)
        return self.clock.uniform(0.0, min(limit, self.longest_pause))


# Few write to one item at a time: whoever was slower reads it anew, and writes after a moment of its own.
CONTENTION = Retry(tries=12, first_pause=0.025, longest_pause=0.4)


class Course:
    """The attempts at one thing; `made` is the number of the one that is being made."""

    def __init__(self, retry: Retry, deadline: float) -> None:
        self.made = 1
        self.deadline = deadline
        self._retry = retry
        self._failures = 0

    def pause(self, *, at_least: float = 0.0) -> bool:
        """Count a failure and wait, at least so many seconds; return whether to try again.

        False, and no wait, when all attempts are made, or when the pause would not end before the deadline.
        """
        self._failures += 1
        if self._failures >= self._retry.tries or self._retry.stopped():
            return False
        pause = max(self._retry.draw(self._failures), at_least)
        if self._retry.clock.monotonic() + pause >= self.deadline:
            return False
        self._retry.clock.sleep(pause)
        self.made += 1
        return not self._retry.stopped()

    def progress(self) -> None:
        """Begin again to count failures, since some of the work is done; the deadline stays."""
        self._failures = 0


def looks[T](
    look: Callable[[], T],
    *,
    seconds: float = math.inf,
    first_pause: float = 0.2,
    longest_pause: float = 3.0,
    clock: Clock | None = None,
) -> Iterator[T]:
    """Yield what `look` returns, again and again, with pauses that grow by half; for the last time after `seconds`."""
    clock = clock or Clock()
    deadline, pause = clock.monotonic() + seconds, first_pause
    yield look()
    while (left := deadline - clock.monotonic()) > 0:
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, longest_pause)
        yield look()


def poll[T](
    look: Callable[[], T],
    done: Callable[[T], bool],
    *,
    seconds: float,
    first_pause: float = 0.2,
    longest_pause: float = 3.0,
    clock: Clock | None = None,
) -> tuple[T, bool]:
    """Return the first that `look` returns which is `done` and True; or, after `seconds`, the last one and False."""
    found: tuple[T, bool] | None = None
    for seen in looks(look, seconds=seconds, first_pause=first_pause, longest_pause=longest_pause, clock=clock):
        found = seen, done(seen)
        if found[1]:
            break
    if found is None:
        raise AssertionError("there is at least one look")
    return found
