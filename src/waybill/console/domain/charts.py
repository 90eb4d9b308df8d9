"""Charts as SVG: each answers one question, says its answer in words, and stands above its own figures as a table.

Each is drawn twice, and the style sheet shows one: in a wide drawing on a narrow screen letters would be half as large.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from waybill.console.domain.format import number, plain_name_of
from waybill.core.text import count, shortened

_WIDTH, _ROW, _LABEL, _VALUE = 520, 30, 220, 64
_PLOT = _WIDTH - _LABEL - _VALUE
_TALL, _TOP, _FOOT = 190, 24, 30
_NARROW, _NARROW_ROW, _NARROW_LABEL = 340, 46, 30
_MARGIN, _TICKS = 56, 6
NOTHING = Markup("")


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, how long it is, and its colour's class."""

    label: str
    value: int
    tone: str = "brand"


def bars(title: str, rows: Sequence[Bar], unit: str, units: str | None = None) -> Markup:
    """Return horizontal bars, the largest first as given."""
    if not rows:
        return NOTHING
    largest = max(row.value for row in rows) or 1
    answer = f"{rows[0].label}: {count(rows[0].value, unit, units)}" + (
        f", and {len(rows) - 1} more" if rows[1:] else ""
    )
    drawn = Markup("").join(_bar(place, row, largest) for place, row in enumerate(rows))
    return _figure(title, answer, [_wide(len(rows) * _ROW + 4, drawn, answer), _stacked(rows, answer)], _table(rows))


def columns(title: str, rows: Sequence[Bar], answer: str) -> Markup:
    """Return vertical columns in the order of `rows`."""
    largest = max((row.value for row in rows), default=0) or 1
    step = _WIDTH / max(len(rows), 1)
    drawn = Markup("").join(_column(place, row, largest, step) for place, row in enumerate(rows))
    line = Markup('<line class="app-chart__axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(
        _WIDTH, _TOP + _TALL, _TOP + _TALL
    )
    wide = _wide(_TOP + _TALL + _FOOT, drawn + line, answer)
    return _figure(title, answer, [wide, _stacked(rows, answer)], _table(rows))


@dataclass(frozen=True)
class Line:
    """One line: what it stands for, its colour's class, and a value for each place; None where there is none."""

    label: str
    tone: str
    values: Sequence[float | None]


def lines(
    title: str, places: Sequence[str], drawn: Sequence[Line], answer: str, shown: Callable[[float], str]
) -> Markup:
    """Return lines over the same places, from nought up; `shown` says how much a value is."""
    known = [value for line in drawn for value in line.values if value is not None]
    if not known:
        return NOTHING
    largest = max(known) or 1.0
    pictures = [
        _plot(places, drawn, answer, (_WIDTH, "wide"), largest, shown),
        _plot(places, drawn, answer, (_NARROW, "narrow"), largest, shown),
    ]
    key = Markup("").join(
        Markup('<li><span class="app-key app-key--{}" aria-hidden="true"></span>{}</li>').format(line.tone, line.label)
        for line in drawn
    )
    head = Markup("").join(
        Markup('<th scope="col" class="govuk-table__header govuk-table__header--numeric">{}</th>').format(line.label)
        for line in drawn
    )
    body = Markup("").join(
        Markup('<tr class="govuk-table__row"><th scope="row" class="govuk-table__header">{}</th>{}</tr>').format(
            place,
            Markup("").join(
                Markup('<td class="govuk-table__cell govuk-table__cell--numeric">{}</td>').format(
                    "–" if line.values[number] is None else shown(line.values[number] or 0.0)
                )
                for line in drawn
            ),
        )
        for number, place in enumerate(places)
    )
    table = Markup('<thead><tr><td></td>{}</tr></thead><tbody class="govuk-table__body">{}</tbody>').format(head, body)
    return _figure(title, answer, pictures, table, Markup('<ul class="app-chart__key">{}</ul>').format(key))


def _plot(
    places: Sequence[str],
    drawn: Sequence[Line],
    answer: str,
    kind: tuple[int, str],
    largest: float,
    shown: Callable[[float], str],
) -> Markup:
    wide, name = kind
    step = (wide - _MARGIN - 24) / max(len(places) - 1, 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return round(_MARGIN + place * step, 1), round(_TOP + _TALL * (1 - value / largest), 1)

    parts = []
    for share in (0.0, 0.5, 1.0):
        height = at(0, share * largest)[1]
        parts.append(
            Markup(
                '<line class="app-chart__grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
                '<text class="app-chart__label" x="{}" y="{}" text-anchor="end">{}</text>'
            ).format(_MARGIN, wide, height, height, _MARGIN - 6, height + 5, shown(share * largest))
        )
    every = max(-(-len(places) // (_TICKS if name == "wide" else _TICKS // 2)), 1)
    parts += [
        Markup('<text class="app-chart__label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            at(number, 0)[0], _TOP + _TALL + 24, places[number]
        )
        for number in range(0, len(places), every)
    ]
    for line in drawn:
        points = [at(number, value) for number, value in enumerate(line.values) if value is not None]
        path = " ".join(f"{left},{top}" for left, top in points)
        parts.append(
            Markup('<polyline class="app-chart__line app-chart__line--{}" points="{}"/>').format(line.tone, path)
        )
        parts += [
            Markup('<circle class="app-chart__{}" cx="{}" cy="{}" r="3"/>').format(line.tone, left, top)
            for left, top in points
        ]
    return _picture(name, wide, _TOP + _TALL + _FOOT, Markup("").join(parts), answer)


def clock(start: str, today: str, end: str, spent: float, holds: Sequence[tuple[float, float]], answer: str) -> Markup:
    """Return a bar from one date to another: what is spent of it, and what was held (as shares of the whole)."""
    wide = 700.0
    spent = min(max(spent, 0.0), 1.0)
    parts = [
        Markup('<rect class="app-chart__rest" x="0" y="8" width="700" height="16"/>'),
        Markup('<rect class="app-chart__brand" x="0" y="8" width="{}" height="16"/>').format(round(spent * wide, 1)),
        *(
            Markup('<rect class="app-chart__amber" x="{}" y="8" width="{}" height="16"/>').format(
                round(begin * wide, 1), round(max(until - begin, 0.004) * wide, 1)
            )
            for begin, until in holds
        ),
        Markup('<line class="app-chart__mark" x1="{}" x2="{}" y1="2" y2="30"/>').format(
            round(spent * wide, 1), round(spent * wide, 1)
        ),
    ]
    held = Markup('<span class="app-clock__held">on hold</span>') if holds else Markup("")
    return Markup(
        '<figure class="app-clock"><svg role="img" viewBox="0 0 700 32" preserveAspectRatio="none">'
        "<title>{}</title>{}</svg>"
        '<figcaption class="app-clock__ends"><span>Received {}</span><span>Today {}{}</span><span>Due {}</span>'
        "</figcaption></figure>"
    ).format(answer, Markup("").join(parts), start, today, held, end)


def share(title: str, rows: Sequence[Bar], answer: str, shown: Callable[[int], str]) -> Markup:
    """Return one bar whose parts are shares of a whole, with a key below it; `shown` says how much each is."""
    total = sum(row.value for row in rows) or 1
    drawn, left = Markup(""), 0.0
    for row in rows:
        wide = row.value / total * _WIDTH
        drawn += Markup('<rect class="app-chart__{}" x="{}" y="4" width="{}" height="28"/>').format(
            row.tone, round(left, 1), round(wide, 1)
        )
        left += wide
    key = Markup("").join(
        Markup('<li><span class="app-key app-key--{}" aria-hidden="true"></span>{}: {}</li>').format(
            row.tone, row.label, shown(row.value)
        )
        for row in rows
        if row.value
    )
    return Markup(
        '<figure class="app-chart"><figcaption class="app-chart__title">{}</figcaption>'
        '<svg role="img" viewBox="0 0 {} 36" preserveAspectRatio="none"><title>{}</title>{}</svg>'
        '<ul class="app-chart__key">{}</ul></figure>'
    ).format(title, _WIDTH, answer, drawn, key)


def _bar(place: int, row: Bar, largest: int) -> Markup:
    long = max(round(row.value / largest * _PLOT, 1), 1)
    middle = place * _ROW + 19
    return Markup(
        '<text class="app-chart__label" x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="app-chart__{}" x="{}" y="{}" width="{}" height="18"/>'
        '<text class="app-chart__value" x="{}" y="{}">{}</text>'
    ).format(
        _LABEL - 8,
        middle,
        _cut(row.label),
        row.tone,
        _LABEL,
        middle - 13,
        long,
        _LABEL + long + 6,
        middle,
        number(row.value),
    )


def _column(place: int, row: Bar, largest: int, step: float) -> Markup:
    tall = round(row.value / largest * _TALL, 1)
    middle = round((place + 0.5) * step, 1)
    value = Markup('<text class="app-chart__value" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        middle, round(_TOP + _TALL - tall - 6, 1), number(row.value)
    )
    return Markup(
        '<rect class="app-chart__{}" x="{}" y="{}" width="{}" height="{}"/>{}'
        '<text class="app-chart__label" x="{}" y="{}" text-anchor="middle">{}</text>'
    ).format(
        row.tone,
        round(middle - step * 0.36, 1),
        round(_TOP + _TALL - tall, 1),
        round(step * 0.72, 1),
        tall,
        value if row.value else "",
        middle,
        _TOP + _TALL + 18,
        row.label,
    )


def _wide(tall: int, drawn: Markup, answer: str) -> Markup:
    return _picture("wide", _WIDTH, tall, drawn, answer)


def _stacked(rows: Sequence[Bar], answer: str) -> Markup:
    """Return bars for a narrow screen: what each stands for is above it."""
    largest = max((row.value for row in rows), default=0) or 1
    drawn = Markup("").join(
        Markup(
            '<text class="app-chart__label" x="0" y="{}">{}</text>'
            '<text class="app-chart__value" x="{}" y="{}" text-anchor="end">{}</text>'
            '<rect class="app-chart__{}" x="0" y="{}" width="{}" height="14"/>'
        ).format(
            place * _NARROW_ROW + 17,
            shortened(plain_name_of(row.label), _NARROW_LABEL),
            _NARROW,
            place * _NARROW_ROW + 17,
            number(row.value),
            row.tone,
            place * _NARROW_ROW + 23,
            round(row.value / largest * _NARROW, 1),
        )
        for place, row in enumerate(rows)
    )
    return _picture("narrow", _NARROW, len(rows) * _NARROW_ROW, drawn, answer)


def _picture(name: str, wide: int, tall: int, drawn: Markup, answer: str) -> Markup:
    return Markup('<svg class="app-chart__{}" role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>').format(
        name, wide, tall, answer, drawn
    )


def _table(rows: Sequence[Bar]) -> Markup:
    body = Markup("").join(
        Markup(
            '<tr class="govuk-table__row"><th scope="row" class="govuk-table__header">{}</th>'
            '<td class="govuk-table__cell govuk-table__cell--numeric">{}</td></tr>'
        ).format(plain_name_of(row.label), number(row.value))
        for row in rows
    )
    return Markup('<tbody class="govuk-table__body">{}</tbody>').format(body)


def _figure(title: str, answer: str, pictures: Sequence[Markup], table: Markup, key: Markup = NOTHING) -> Markup:
    return Markup(
        '<figure class="app-chart"><figcaption class="app-chart__title">{}</figcaption>{}{}'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        '<span class="govuk-details__summary-text">The figures as a table</span></summary>'
        '<div class="govuk-details__text"><table class="govuk-table app-dense">'
        '<caption class="govuk-visually-hidden">{}'
        "</caption>{}</table></div></details></figure>"
    ).format(title, Markup("").join(pictures), key, title, table)


def _cut(label: str) -> str:
    return shortened(plain_name_of(label), 20)
