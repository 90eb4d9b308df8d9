"""When the answer to a request is due by law.

Sources: UK GDPR, Articles 12(3) and 12A (in force since 5 February 2026); Data Protection Act 2018, sections 52 to 54
(Part 3, law enforcement); ICO, "Right of access", "How do we calculate a month?"; ICO, "Guide to law enforcement
processing", right of access, "How long do we have to comply?".

The month begins with the *relevant time*: the latest of the receipt, the proof of who the person is, and the payment of
the fee. When they were asked for does not matter. The day counts under the UK GDPR; under Part 3 the day after is the
first. The month ends with the same date of a later month, or with that month's last day where it has no such date; then
the days of clarification are added; then, once, an end on a weekend or public holiday moves to the next working day.
"""

import calendar
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from waybill.subject_access.models import Hold, HoldReason, Regime, SubjectRequest

_MONTHS = 1
# "Two further months": three from the relevant time, not two from the first deadline.
_EXTENDED_MONTHS = 3
# ICO, "Right of access": 28 days, so that the time limit is met in any month.
_TARGET_DAYS = 28
# How many days before the end people are warned.
DUE_SOON_DAYS = 14
_SATURDAY, _SUNDAY = 5, 6


@dataclass(frozen=True)
class Deadline:
    """Where the clock of the law stands.

    Attributes
    ----------
    due : date
        The last day to answer.
    target : date
        The day to aim at.
    held_days : int
        Days that do not count, since the person was to clarify what is asked for.
    notice_by : date
        The last day on which the person can be told of an extension.
    provisional : bool
        Proof of identity or a fee is waited for: the month has not begun, and `due` is what it would be if it began
        today.
    """

    due: date
    target: date
    held_days: int
    notice_by: date
    provisional: bool

    def days_left(self, day: date) -> int:
        """Return the days from `day` to the due day; negative when it has passed."""
        return (self.due - day).days

    def is_past(self, day: date) -> bool:
        """Return whether the last day has passed on `day`; while the month has not begun it cannot."""
        return not self.provisional and day > self.due

    def is_near(self, day: date) -> bool:
        """Return whether the last day is at most `DUE_SOON_DAYS` away and has not passed."""
        return not self.provisional and 0 <= self.days_left(day) <= DUE_SOON_DAYS


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
        In any order. A wait for proof or fee counts by its end, a wait for clarification by its days, those of the
        question and of the answer included; what goes on lasts up to `today`.
    extended
        Whether the two further months for complex or numerous requests were taken.
    today
        The last day that is looked at: for what has ended, the day of its end.
    """
    begun = [hold for hold in holds if hold.since <= today or hold.until]
    waits = [hold for hold in begun if hold.reason is not HoldReason.CLARIFICATION]
    relevant = max([received, *(hold.until or today for hold in waits)])
    held = _clarification_days(relevant, begun, today)
    begin = relevant + timedelta(days=1) if regime is Regime.LAW_ENFORCEMENT else relevant
    last = _months_later(begin, _EXTENDED_MONTHS if extended else _MONTHS) + timedelta(days=held)
    return Deadline(
        due=_working_day(last, bank_holidays),
        target=relevant + timedelta(days=_TARGET_DAYS + held),
        held_days=held,
        notice_by=_months_later(begin, _MONTHS) + timedelta(days=held),
        provisional=any(hold.until is None for hold in waits),
    )


@dataclass(frozen=True)
class LegalClock:
    """Says at one moment how requests stand by law."""

    now: datetime
    bank_holidays: Container[date]

    def deadline(self, request: SubjectRequest) -> Deadline:
        """Return the deadline of a request: as of today, or of the day on which its clock ended."""
        return deadline(
            request.received,
            request.regime,
            request.holds,
            extended=request.extended,
            bank_holidays=self.bank_holidays,
            today=self._last_day(request),
        )

    def days_left(self, request: SubjectRequest) -> int:
        """Return how many days were left to answer when the clock ended, or are left today; negative when late."""
        return self.deadline(request).days_left(self._last_day(request))

    def is_due_soon(self, request: SubjectRequest) -> bool:
        """Return whether people are to be warned: at most 14 days are left, and the person has no answer."""
        return request.law_ended_on is None and self.deadline(request).is_near(london_day(self.now))

    def is_past_due(self, request: SubjectRequest) -> bool:
        """Return whether the last day to answer has passed, and the person has no answer."""
        return request.law_ended_on is None and self.is_late(request)

    def is_late(self, request: SubjectRequest) -> bool:
        """Return whether the last day to answer has passed before the person had an answer; it stays so."""
        return self.deadline(request).is_past(self._last_day(request))

    def _last_day(self, request: SubjectRequest) -> date:
        return request.law_ended_on or london_day(self.now)


def london_day(now: datetime) -> date:
    """Return the day that `now` is in, in the United Kingdom.

    Interpretation Act 1978, section 9; Summer Time Act 1972, section 1, as it stands since 2002: clocks are an hour
    ahead from 01:00 UTC of the last Sunday of March to 01:00 UTC of the last Sunday of October.
    """
    moment = now.astimezone(UTC)
    begin, end = (_last_sunday(moment.year, month) + timedelta(hours=1) for month in (3, 10))
    return (moment + timedelta(hours=1) if begin <= moment < end else moment).date()


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() - _SUNDAY) % 7)


def _clarification_days(relevant: date, holds: Sequence[Hold], today: date) -> int:
    """Return the number of days that do not count: two questions at once stop one clock."""
    held: set[date] = set()
    for hold in holds:
        if hold.reason is HoldReason.CLARIFICATION:
            first, last = max(hold.since, relevant), hold.until or today
            held.update(first + timedelta(days=count) for count in range((last - first).days + 1))
    return len(held)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _working_day(day: date, bank_holidays: Container[date]) -> date:
    while day.weekday() >= _SATURDAY or day in bank_holidays:
        day += timedelta(days=1)
    return day
