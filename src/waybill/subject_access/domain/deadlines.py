"""When the answer to a request is due by law.

Sources: ICO, "Right of access", section on time limits (UK GDPR Article 12(3) and 12A); ICO, "Guide to law enforcement
processing", right of access (Data Protection Act 2018, section 54); Data (Use and Access) Act 2025, sections 75 and 76.
Both regimes run to the corresponding day of a later month, or to its last day where it has no such day, and to the next
working day where that is none. Under the UK GDPR the day of receipt counts; under Part 3 time runs from the day after.
"""

import calendar
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from waybill.subject_access.models import Hold, HoldReason, Regime

_MONTHS = 1
# "Two further months": three from the start, not two from the first deadline.
_EXTENDED_MONTHS = 3
# ICO, "Right of access": 28 days, so that the time limit is met in any month.
_TARGET_DAYS = 28
_SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """`due` is the last day to answer, `target` the one to aim at, `held_days` how long the clock stood still."""

    due: date
    target: date
    held_days: int

    def days_left(self, today: date) -> int:
        """Return the days from `today` to the due day; negative when it has passed."""
        return (self.due - today).days


def deadline(
    received: date,
    regime: Regime,
    holds: Sequence[Hold],
    *,
    extended: bool,
    bank_holidays: Container[date],
    today: date,
) -> Deadline:
    """Return the deadline of a request.

    Parameters
    ----------
    received
        The day of receipt, working day or not.
    holds
        The clock stands still from `since` up to the day of `until`; one that goes on counts up to `today`. A wait for
        proof of identity that began with the receipt moves the start: time runs from the receipt of the proof.
    extended
        Whether the two further months for complex or numerous requests were taken.
    """
    start = _proven(received, holds, today)
    held = _held_days(start, holds, today)
    begin = start + timedelta(days=1) if regime is Regime.LAW_ENFORCEMENT else start
    due = _months_later(begin, _EXTENDED_MONTHS if extended else _MONTHS) + timedelta(days=held)
    target = start + timedelta(days=_TARGET_DAYS + held)
    return Deadline(_working_day(due, bank_holidays), target, held + (start - received).days)


def _proven(received: date, holds: Sequence[Hold], today: date) -> date:
    for hold in holds:
        if hold.reason is HoldReason.IDENTITY and hold.since <= received:
            return max(received, hold.until or today)
    return received


def _held_days(start: date, holds: Sequence[Hold], today: date) -> int:
    """Return the number of days on which the clock stood still: two holds at once count once."""
    held: set[date] = set()
    for hold in holds:
        first, behind = max(hold.since, start), hold.until or today
        held.update(first + timedelta(days=count) for count in range((behind - first).days))
    return len(held)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _working_day(day: date, bank_holidays: Container[date]) -> date:
    while day.weekday() >= _SATURDAY or day in bank_holidays:
        day += timedelta(days=1)
    return day
