"""Time as Waybill writes it, and the clock by which it waits."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def moment_of(text: object) -> datetime | None:
    """Return the time that an ISO 8601 text names, in UTC (meant where it names no zone too); None if it names none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def iso(moment: datetime) -> str:
    """Return `moment` as `2026-11-21T10:00:00.000Z`: fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_in_words(value: date) -> str:
    """Return a date as ``5 March 2024``, whatever the machine's language."""
    months = "January February March April May June July August September October November December"
    return f"{value.day} {months.split()[value.month - 1]} {value.year}"


@dataclass(frozen=True)
class Clock:
    """What waiting needs, all of it replaceable in a test.

    Attributes
    ----------
    monotonic : Callable[[], float]
        Seconds that never go back; deadlines are of this clock.
    sleep : Callable[[float], object]
        Waits so many seconds. `Event.wait` makes a wait that another thread can end.
    uniform : Callable[[float, float], float]
        A random number between two. The default reads the operating system's source: two copies of one frozen
        process (Lambda SnapStart) do not draw the same pauses.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep  # noqa: TID251 - this is it
    uniform: Callable[[float, float], float] = random.SystemRandom().uniform
