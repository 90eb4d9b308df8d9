"""Numbers, sizes, dates and names as people read them."""

import unicodedata
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from waybill.core.text import count, escaped, shortened

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_LONGEST_NAME = 600
# Strong letters that are written from right to left (UAX 9, table 4).
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def number(value: float) -> str:
    """Return `1,994`."""
    return f"{value:,}"


def size(value: int | None) -> str:
    """Return `18.4 GB`; decimal units, as S3's bills have them."""
    if value is None:
        return ""
    left, unit = float(value), 0
    while left >= 1000 and unit < len(_UNITS) - 1:
        left, unit = left / 1000, unit + 1
    if unit == 0:
        return f"{value} {'byte' if value == 1 else 'bytes'}"
    return f"{left:.1f} {_UNITS[unit]}" if left < 100 else f"{left:.0f} {_UNITS[unit]}"


def moment(text: str | None) -> datetime | None:
    """Return the time that an ISO 8601 text names; None where it names none."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def time_of(text: str | None, zone: ZoneInfo) -> Markup:
    """Return `27 November 2026, 10:41` with the exact time behind it; what is no time comes as it is."""
    found = moment(text)
    if found is None:
        return escape(text or "")
    local = found.astimezone(zone)
    shown = f"{local.day} {local:%B %Y}" + (f", {local:%H:%M}" if "T" in str(text) else "")
    return Markup('<time datetime="{}">{}</time>').format(text, shown)


def day_of(text: str | None) -> str:
    """Return `Monday 1 March 2027`."""
    try:
        found = date.fromisoformat((text or "")[:10])
    except ValueError:
        return text or ""
    return f"{found:%A} {found.day} {found:%B %Y}"


def name_of(text: str | None) -> Markup:
    """Return a name that somebody else has written: set apart from the text around it, what cannot be seen written out.

    The direction of a name with marks of direction in it would turn its neighbours (UAX 9; CVE-2021-42574). The parts
    of a path stand in their order whatever each is written in. What has been through here comes as it is.
    """
    if isinstance(text, Markup):
        return text
    if not text:
        return Markup('<bdi class="app-name"></bdi>')
    shown = shortened(text, _LONGEST_NAME)
    if "/" in shown and any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in shown):
        parts = Markup("/").join(Markup("<bdi>{}</bdi>").format(_marked(part)) for part in shown.split("/"))
        return Markup('<bdi class="app-name" dir="ltr">{}</bdi>').format(parts)
    return Markup('<bdi class="app-name">{}</bdi>').format(_marked(shown))


def _marked(text: str) -> Markup:
    parts = []
    for run, unseen in _runs(text):
        shown = "".join(f"U+{ord(char):04X}" for char in run) if unseen else run
        parts.append(Markup('<span class="app-unseen">{}</span>').format(shown) if unseen else escape(shown))
    return Markup("").join(parts)


def plain_name_of(text: str) -> str:
    """Return a name as `name_of` shows it, as text alone: for a page's title, which can hold no markup."""
    shown = shortened(text, _LONGEST_NAME)
    return "".join("".join(f"U+{ord(char):04X}" for char in run) if unseen else run for run, unseen in _runs(shown))


def _runs(text: str) -> list[tuple[str, bool]]:
    runs: list[tuple[str, bool]] = []
    for char in text:
        unseen = escaped(char) != char or unicodedata.category(char) == "Cs"
        if runs and runs[-1][1] == unseen:
            runs[-1] = (runs[-1][0] + char, unseen)
        else:
            runs.append((char, unseen))
    return runs


def days_left(days: int, ended: bool = False) -> str:
    """Return `9 days left`, `1 day late`."""
    if ended:
        return "ended"
    if days < 0:
        return f"{count(-days, 'day')} late"
    return "due today" if days == 0 else f"{count(days, 'day')} left"
