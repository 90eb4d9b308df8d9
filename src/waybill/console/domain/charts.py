"""Charts as SVG: each answers one question, says its answer in words, and stands above its own figures as a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from waybill.console.domain.format import count, number

_WIDTH, _ROW, _LABEL, _VALUE = 520, 30, 220, 64
_PLOT = _WIDTH - _LABEL - _VALUE
_TALL, _TOP, _FOOT = 190, 24, 26


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, how long it is, and its colour's class."""

    label: str
    value: int
    tone: str = "brand"


def bars(title: str, rows: Sequence[Bar], unit: str, units: str | None = None) -> Markup:
    """Return horizontal bars, the largest first as given."""
    if not rows:
        return Markup("")
    largest = max(row.value for row in rows) or 1
    answer = f"{rows[0].label}: {count(rows[0].value, unit, units)}" + (
        f", and {len(rows) - 1} more" if rows[1:] else ""
    )
    drawn = Markup("").join(_bar(place, row, largest) for place, row in enumerate(rows))
    return _figure(title, answer, len(rows) * _ROW + 4, drawn, rows)


def columns(title: str, rows: Sequence[Bar], answer: str) -> Markup:
    """Return vertical columns in the order of `rows`."""
    largest = max((row.value for row in rows), default=0) or 1
    step = _WIDTH / max(len(rows), 1)
    drawn = Markup("").join(_column(place, row, largest, step) for place, row in enumerate(rows))
    line = Markup('<line class="app-chart__axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(
        _WIDTH, _TOP + _TALL, _TOP + _TALL
    )
    return _figure(title, answer, _TOP + _TALL + _FOOT, drawn + line, rows)


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


def _figure(title: str, answer: str, tall: int, drawn: Markup, rows: Sequence[Bar]) -> Markup:
    table = Markup("").join(
        Markup(
            '<tr class="govuk-table__row"><th scope="row" class="govuk-table__header">{}</th>'
            '<td class="govuk-table__cell govuk-table__cell--numeric">{}</td></tr>'
        ).format(row.label, number(row.value))
        for row in rows
    )
    return Markup(
        '<figure class="app-chart"><figcaption class="app-chart__title">{}</figcaption>'
        '<svg role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>'
        '<details class="govuk-details"><summary class="govuk-details__summary">'
        '<span class="govuk-details__summary-text">The figures as a table</span></summary>'
        '<div class="govuk-details__text"><table class="govuk-table app-dense">'
        '<caption class="govuk-visually-hidden">{}'
        '</caption><tbody class="govuk-table__body">{}</tbody></table></div></details></figure>'
    ).format(title, _WIDTH, tall, answer, drawn, title, table)


def _cut(label: str) -> str:
    return label if len(label) <= 20 else label[:19] + "…"
