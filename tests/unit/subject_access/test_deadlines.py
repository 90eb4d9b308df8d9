"""When the answer is due: the law's table, the regulator's examples, and what holds for every request.

Sources: UK GDPR, Articles 12(3) to 12(6) and 12A; Data Protection Act 2018, sections 52 to 54; ICO, "Right of access"
and "Guide to law enforcement processing", whose own examples are marked.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.bank_holidays import england_and_wales
from waybill.subject_access.domain.deadlines import Deadline, deadline, london_day
from waybill.subject_access.models import Hold, HoldReason, Regime

HOLIDAYS = england_and_wales()
ARBITRARY = date(2030, 6, 3)
IDENTITY, FEE, CLARIFICATION = HoldReason.IDENTITY, HoldReason.FEE, HoldReason.CLARIFICATION
PART_3 = Regime.LAW_ENFORCEMENT

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def asked(first: date, last: date) -> Hold:
    return Hold(first, CLARIFICATION, last)


def due(
    received: date, regime: Regime = Regime.UK_GDPR, *holds: Hold, extended: bool = False, today: date = ARBITRARY
) -> Deadline:
    return deadline(received, regime, holds, extended=extended, bank_holidays=HOLIDAYS, today=today)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2024, 11, 25), date(2024, 12, 27)),  # the ICO's own example
        (date(2025, 9, 3), date(2025, 10, 3)),
        (date(2026, 9, 3), date(2026, 10, 5)),  # 3 October is a Saturday
        (date(2027, 1, 31), date(2027, 3, 1)),  # 28 February is a Sunday
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2025, 11, 25), date(2025, 12, 29)),  # Christmas, Boxing Day, a weekend
        (date(2026, 3, 3), date(2026, 4, 7)),  # Good Friday to Easter Monday
        (date(2025, 12, 31), date(2026, 2, 2)),  # 31 January is a Saturday
        (date(2025, 9, 6), date(2025, 10, 6)),  # received on a Saturday, which counts
        (date(2026, 11, 25), date(2026, 12, 29)),  # 26 December is a Saturday: Monday the 28th stands in for it
        (date(2023, 4, 8), date(2023, 5, 9)),  # 8 May 2023 was the holiday of a coronation
    ],
)
def test_one_month_from_receipt(received: date, expected: date) -> None:
    assert due(received).due == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2025, 6, 30), date(2025, 8, 1)),  # the ICO's own example
        (date(2027, 5, 30), date(2027, 6, 30)),  # June has no 31st; the ICO's page misprints April
        (date(2026, 1, 30), date(2026, 3, 2)),  # 28 February is a Saturday
    ],
)
def test_law_enforcement_counts_from_the_day_after(received: date, expected: date) -> None:
    assert due(received, PART_3).due == expected


@pytest.mark.parametrize(
    ("received", "regime", "expected"),
    [
        (date(2025, 9, 3), Regime.UK_GDPR, date(2025, 12, 3)),
        (date(2025, 11, 30), Regime.UK_GDPR, date(2026, 3, 2)),  # 28 February is a Saturday
        (date(2026, 1, 12), Regime.UK_GDPR, date(2026, 4, 13)),  # 12 April is a Sunday
        (date(2025, 6, 30), PART_3, date(2025, 10, 1)),
        (date(2026, 11, 27), PART_3, date(2027, 3, 1)),  # from the 28th; 28 February is a Sunday
    ],
)
def test_an_extension_is_three_months_from_the_relevant_time(received: date, regime: Regime, expected: date) -> None:
    assert due(received, regime, extended=True).due == expected


# Article 12A(2): the month begins with the latest of receipt, proof and fee, whenever they were asked for.
@pytest.mark.parametrize(
    ("received", "holds", "expected"),
    [
        (date(2026, 12, 15), [Hold(date(2026, 12, 16), IDENTITY, date(2027, 2, 10))], date(2027, 3, 10)),
        (date(2026, 5, 4), [Hold(date(2026, 5, 6), FEE, date(2026, 5, 20))], date(2026, 6, 22)),  # 20 June: Saturday
        (date(2025, 9, 3), [Hold(date(2025, 9, 3), IDENTITY, date(2025, 9, 30))], date(2025, 10, 30)),
        (date(2025, 9, 3), [Hold(date(2025, 9, 22), IDENTITY, date(2025, 9, 30))], date(2025, 10, 30)),
        # Two waits for proof, and the proof before and behind the fee: the last counts.
        (
            date(2025, 9, 3),
            [
                Hold(date(2025, 9, 4), IDENTITY, date(2025, 9, 9)),
                Hold(date(2025, 9, 10), IDENTITY, date(2025, 9, 16)),
                Hold(date(2025, 9, 4), FEE, date(2025, 9, 12)),
            ],
            date(2025, 10, 16),
        ),
        # What came before the request moves nothing.
        (date(2025, 9, 3), [Hold(date(2025, 8, 1), IDENTITY, date(2025, 8, 9))], date(2025, 10, 3)),
    ],
)
def test_proof_and_fee_begin_the_month(received: date, holds: list[Hold], expected: date) -> None:
    assert due(received, Regime.UK_GDPR, *holds).due == expected
    assert due(received, Regime.UK_GDPR, *reversed(holds)).due == expected


# Article 12A(5): the days of clarification, both included, do not count; they never move the start.
@pytest.mark.parametrize(
    ("received", "holds", "held", "expected"),
    [
        (date(2026, 3, 2), [asked(date(2026, 3, 9), date(2026, 3, 13))], 5, date(2026, 4, 7)),
        (
            date(2026, 7, 1),
            [Hold(date(2026, 7, 2), IDENTITY, date(2026, 7, 10)), asked(date(2026, 7, 14), date(2026, 7, 20))],
            7,
            date(2026, 8, 17),
        ),
        # Only days on or behind the relevant time: 8, 9 and 10 July of a question from the 5th to the 10th.
        (
            date(2026, 7, 1),
            [Hold(date(2026, 7, 2), IDENTITY, date(2026, 7, 8)), asked(date(2026, 7, 5), date(2026, 7, 10))],
            3,
            date(2026, 8, 11),
        ),
        # Asked and answered on one day.
        (date(2025, 9, 3), [asked(date(2025, 9, 8), date(2025, 9, 8))], 1, date(2025, 10, 6)),
        # Two questions at once stop one clock.
        (
            date(2025, 9, 3),
            [asked(date(2025, 9, 8), date(2025, 9, 12)), asked(date(2025, 9, 10), date(2025, 9, 15))],
            8,
            date(2025, 10, 13),
        ),
    ],
)  # fmt: skip
def test_days_of_clarification_do_not_count(received: date, holds: list[Hold], held: int, expected: date) -> None:
    found = due(received, Regime.UK_GDPR, *holds)
    assert (found.held_days, found.due) == (held, expected)


# Article 12A(4) and (5)(b)(ii): the notice of an extension has its own month, without the days of clarification.
def test_an_extension_can_be_told_until_the_end_of_the_first_month() -> None:
    assert due(date(2026, 1, 12)).notice_by == date(2026, 2, 12)
    question = asked(date(2026, 1, 20), date(2026, 1, 29))
    assert due(date(2026, 1, 12), Regime.UK_GDPR, question).notice_by == date(2026, 2, 22)
    assert due(date(2026, 1, 12), Regime.UK_GDPR, question, extended=True).due == date(2026, 4, 22)
    assert due(date(2026, 11, 27), PART_3).notice_by == date(2026, 12, 28)


def test_a_question_that_is_open_counts_up_to_today() -> None:
    question = Hold(date(2026, 3, 9), CLARIFICATION)
    assert due(date(2026, 3, 2), Regime.UK_GDPR, question, today=date(2026, 3, 13)).held_days == 5
    assert not due(date(2026, 3, 2), Regime.UK_GDPR, question, today=date(2026, 3, 13)).provisional


# Article 12A(2): while proof or fee is outstanding the month has not begun, so it cannot have ended.
@pytest.mark.parametrize("reason", [IDENTITY, FEE])
def test_nothing_is_overdue_while_the_month_has_not_begun(reason: HoldReason) -> None:
    found = due(date(2025, 1, 1), Regime.UK_GDPR, Hold(date(2025, 1, 2), reason))
    assert (found.provisional, found.is_past(date(2031, 1, 1)), found.is_near(ARBITRARY)) == (True, False, False)


def test_days_left_turn_negative() -> None:
    found = due(date(2025, 9, 3))
    assert [found.days_left(date(2025, 10, day)) for day in (1, 3, 4)] == [2, 0, -1]
    assert [found.is_past(date(2025, 10, day)) for day in (1, 3, 4)] == [False, False, True]
    assert [found.is_near(day) for day in (date(2025, 9, 18), date(2025, 9, 19), date(2025, 10, 3))] == [
        False,
        True,
        True,
    ]
    assert not found.is_near(date(2025, 10, 4))
    assert found.target == date(2025, 10, 1)


def span(reason: HoldReason, first: tuple[int, int, int], last: tuple[int, int, int]) -> Hold:
    return Hold(date(*first), reason, date(*last))


# Counted on a calendar from the sources above; holidays by gov.uk/bank-holidays and the Banking and Financial Dealings
# Act 1971, Schedule 1 (Easter 2026: 5 April, 2027: 28 March).
WORKED: list[tuple[str, date, Regime, list[Hold], bool, date]] = [
    ("1 Feb is a Sunday", date(2026, 1, 1), Regime.UK_GDPR, [], False, date(2026, 2, 2)),
    ("leap year", date(2028, 1, 29), Regime.UK_GDPR, [], False, date(2028, 2, 29)),
    ("no 30 Feb; 28 Feb is a Saturday", date(2026, 1, 30), Regime.UK_GDPR, [], False, date(2026, 3, 2)),
    ("no 31 April", date(2026, 3, 31), Regime.UK_GDPR, [], False, date(2026, 4, 30)),
    ("no 31 June", date(2026, 5, 31), Regime.UK_GDPR, [], False, date(2026, 6, 30)),
    ("Good Friday to Easter Monday", date(2027, 2, 26), Regime.UK_GDPR, [], False, date(2027, 3, 30)),
    ("Christmas on a Saturday, two in place", date(2027, 11, 25), Regime.UK_GDPR, [], False, date(2027, 12, 29)),
    ("New Year on a Saturday", date(2027, 12, 1), Regime.UK_GDPR, [], False, date(2028, 1, 4)),
    ("Early May", date(2026, 4, 4), Regime.UK_GDPR, [], False, date(2026, 5, 5)),
    ("Spring", date(2026, 4, 25), Regime.UK_GDPR, [], False, date(2026, 5, 26)),
    ("Summer", date(2026, 7, 31), Regime.UK_GDPR, [], False, date(2026, 9, 1)),
    ("from New Year's Day", date(2026, 12, 31), PART_3, [], False, date(2027, 2, 1)),
    ("from 1 March", date(2027, 2, 28), PART_3, [], False, date(2027, 4, 1)),
    (
        "4 days, over the end of a month",
        date(2026, 3, 10),
        Regime.UK_GDPR,
        [span(CLARIFICATION, (2026, 3, 30), (2026, 4, 2))],
        False,
        date(2026, 4, 14),
    ),
    (
        "paid on 5 June: 4 of 6 days of the question; 5 July + 4",
        date(2026, 5, 1),
        Regime.UK_GDPR,
        [span(FEE, (2026, 5, 1), (2026, 6, 5)), span(CLARIFICATION, (2026, 6, 3), (2026, 6, 8))],
        False,
        date(2026, 7, 9),
    ),
    (
        "asked twice, 3 days; 4 Oct is a Sunday",
        date(2026, 9, 1),
        Regime.UK_GDPR,
        [span(CLARIFICATION, (2026, 9, 3), (2026, 9, 4)), span(CLARIFICATION, (2026, 9, 10), (2026, 9, 10))],
        False,
        date(2026, 10, 5),
    ),
    ("three months; 28 Feb is a Sunday", date(2026, 11, 30), Regime.UK_GDPR, [], True, date(2027, 3, 1)),
    (
        "three months and 3 days, behind Early May",
        date(2026, 2, 2),
        Regime.UK_GDPR,
        [span(CLARIFICATION, (2026, 2, 9), (2026, 2, 11))],
        True,
        date(2026, 5, 5),
    ),
    (
        "proof on 30 June: from 1 July; 1 Aug is a Saturday",
        date(2026, 6, 1),
        PART_3,
        [span(IDENTITY, (2026, 6, 2), (2026, 6, 30))],
        False,
        date(2026, 8, 3),
    ),
    (
        "a question that was over before the proof gives nothing",
        date(2026, 11, 2),
        PART_3,
        [span(IDENTITY, (2026, 11, 3), (2026, 11, 20)), span(CLARIFICATION, (2026, 11, 5), (2026, 11, 10))],
        False,
        date(2026, 12, 21),
    ),
    ("three months from 1 Sept", date(2026, 8, 31), PART_3, [], True, date(2026, 12, 1)),
]


@pytest.mark.parametrize(("received", "regime", "holds", "extended", "expected"), [one[1:] for one in WORKED])
def test_worked_examples(received: date, regime: Regime, holds: list[Hold], extended: bool, expected: date) -> None:
    assert due(received, regime, *holds, extended=extended).due == expected


# Summer Time Act 1972: 23:30 UTC of 30 June is 1 July in London.
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2026, 12, 31)),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 23, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 59, tzinfo=UTC), date(2026, 10, 25)),
    ],
)
def test_a_day_is_londons(moment: datetime, day: date) -> None:
    assert london_day(moment) == day


@given(st.integers(0, 35 * 366 * 24).map(lambda hours: datetime(2002, 1, 1, tzinfo=UTC) + timedelta(hours=hours)))
def test_the_rule_of_summer_time_is_that_of_the_time_zone_data(moment: datetime) -> None:
    assert london_day(moment) == moment.astimezone(ZoneInfo("Europe/London")).date()


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


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4)


def _holds(received: date, reason: HoldReason, found: list[tuple[int, int]]) -> list[Hold]:
    return [
        Hold(received + timedelta(days=first), reason, received + timedelta(days=first + length))
        for first, length in found
    ]


@given(days, spans, spans)
def test_holds_only_ever_give_time(
    received: date, questions: list[tuple[int, int]], proved: list[tuple[int, int]]
) -> None:
    holds = [*_holds(received, CLARIFICATION, questions), *_holds(received, IDENTITY, proved)]
    found = due(received, Regime.UK_GDPR, *holds)
    assert found.due >= due(received).due
    assert found.held_days <= sum(length + 1 for _, length in questions)
    assert due(received, Regime.UK_GDPR, *reversed(holds)) == found


@given(days, spans, st.sampled_from([IDENTITY, FEE]), st.sampled_from(Regime))
def test_proof_at_the_end_is_a_receipt_on_that_day(
    received: date, found: list[tuple[int, int]], reason: HoldReason, regime: Regime
) -> None:
    holds = _holds(received, reason, found)
    last = max([received, *(hold.until for hold in holds if hold.until)])
    assert due(received, regime, *holds) == due(last, regime)
