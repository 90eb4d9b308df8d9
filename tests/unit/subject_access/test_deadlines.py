"""When the answer is due: the tables of the regulator's guidance, and what holds for every request."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.bank_holidays import england_and_wales
from waybill.subject_access.domain.deadlines import Deadline, deadline
from waybill.subject_access.models import Hold, HoldReason, Regime

HOLIDAYS = england_and_wales()
ARBITRARY = date(2030, 6, 3)

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def due(received: date, regime: Regime = Regime.UK_GDPR, *holds: Hold, extended: bool = False) -> Deadline:
    return deadline(received, regime, holds, extended=extended, bank_holidays=HOLIDAYS, today=ARBITRARY)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2025, 9, 3), date(2025, 10, 3)),
        (date(2026, 9, 3), date(2026, 10, 5)),  # 3 October is a Saturday
        (date(2027, 1, 31), date(2027, 3, 1)),  # 28 February is a Sunday
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2025, 11, 25), date(2025, 12, 29)),  # Christmas, Boxing Day, a weekend
        (date(2026, 3, 3), date(2026, 4, 7)),  # Good Friday to Easter Monday
        (date(2025, 12, 31), date(2026, 2, 2)),  # 31 January is a Saturday
        (date(2025, 9, 6), date(2025, 10, 6)),  # received on a Saturday, which counts
        (date(2026, 11, 25), date(2026, 12, 29)),  # 26 December is a Saturday: the Monday stands in for it
    ],
)
def test_one_month_from_receipt(received: date, expected: date) -> None:
    assert due(received).due == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2025, 6, 30), date(2025, 8, 1)),
        (date(2027, 5, 30), date(2027, 6, 30)),
        (date(2026, 1, 30), date(2026, 3, 2)),  # 28 February is a Saturday
    ],
)
def test_law_enforcement_counts_from_the_day_after(received: date, expected: date) -> None:
    assert due(received, Regime.LAW_ENFORCEMENT).due == expected


@pytest.mark.parametrize(
    ("received", "regime", "expected"),
    [
        (date(2025, 9, 3), Regime.UK_GDPR, date(2025, 12, 3)),
        (date(2025, 11, 30), Regime.UK_GDPR, date(2026, 3, 2)),  # 28 February is a Saturday
        (date(2025, 6, 30), Regime.LAW_ENFORCEMENT, date(2025, 10, 1)),
    ],
)
def test_an_extension_is_three_months_from_the_start(received: date, regime: Regime, expected: date) -> None:
    assert due(received, regime, extended=True).due == expected


@pytest.mark.parametrize(
    ("holds", "held", "expected"),
    [
        ([Hold(date(2025, 9, 8), HoldReason.FEE, date(2025, 9, 13))], 5, date(2025, 10, 8)),
        # Two at once stop one clock.
        (
            [
                Hold(date(2025, 9, 8), HoldReason.FEE, date(2025, 9, 13)),
                Hold(date(2025, 9, 10), HoldReason.CLARIFICATION, date(2025, 9, 15)),
            ],
            7,
            date(2025, 10, 10),
        ),
        # Released on the day it began.
        ([Hold(date(2025, 9, 8), HoldReason.FEE, date(2025, 9, 8))], 0, date(2025, 10, 3)),
        # A hold from before the receipt counts from the receipt on.
        ([Hold(date(2025, 9, 1), HoldReason.FEE, date(2025, 9, 8))], 5, date(2025, 10, 8)),
        # Proof of identity that was waited for from the start moves the start.
        ([Hold(date(2025, 9, 3), HoldReason.IDENTITY, date(2025, 9, 30))], 27, date(2025, 10, 30)),
        ([Hold(date(2025, 9, 3), HoldReason.IDENTITY, date(2026, 1, 31))], 150, date(2026, 3, 2)),
    ],
)
def test_the_clock_stands_still_while_held(holds: list[Hold], held: int, expected: date) -> None:
    found = due(date(2025, 9, 3), Regime.UK_GDPR, *holds)
    assert (found.held_days, found.due) == (held, expected)


def test_a_hold_that_goes_on_counts_up_to_today() -> None:
    hold = Hold(ARBITRARY - timedelta(days=10), HoldReason.FEE)
    assert due(ARBITRARY - timedelta(days=12), Regime.UK_GDPR, hold).held_days == 10


def test_days_left_turn_negative() -> None:
    found = due(date(2025, 9, 3))
    assert [found.days_left(date(2025, 10, day)) for day in (1, 3, 4)] == [2, 0, -1]
    assert found.target == date(2025, 10, 1)


@given(days, st.sampled_from(Regime), st.booleans())
def test_an_answer_is_always_due_on_a_working_day_in_time(received: date, regime: Regime, extended: bool) -> None:
    found = due(received, regime, extended=extended)
    assert found.due.weekday() < 5
    assert found.due not in HOLIDAYS
    months = 3 if extended else 1
    # The longest run of days that are no working days is five: a weekend after two holidays, or around them.
    assert timedelta(days=28 * months) <= found.due - received <= timedelta(days=31 * months + 1 + 5)


@given(days, st.sampled_from(Regime), st.integers(0, 400))
def test_a_later_receipt_is_never_due_earlier(received: date, regime: Regime, later: int) -> None:
    assert due(received + timedelta(days=later), regime).due >= due(received, regime).due


@given(days, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_holds_only_ever_give_time(received: date, spans: list[tuple[int, int]]) -> None:
    holds = [
        Hold(received + timedelta(days=first), HoldReason.FEE, received + timedelta(days=first + length))
        for first, length in spans
    ]
    found = due(received, Regime.UK_GDPR, *holds)
    assert found.due >= due(received).due
    assert found.held_days <= sum(length for _, length in spans)
    assert due(received, Regime.UK_GDPR, *reversed(holds)) == found
