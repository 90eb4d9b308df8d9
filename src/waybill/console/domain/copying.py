"""How copies fare, as charts and figures: in time or late, how many wait, and for how long. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from waybill.console.domain import charts
from waybill.console.domain.charts import Bar, Line
from waybill.console.domain.format import moment, number, size
from waybill.core.text import count

type Json = Mapping[str, Any]

_FOREVER = float("inf")
_WAITS = (
    ("under 1 min", -_FOREVER, 60.0),
    ("1–5 min", 60.0, 300.0),
    ("5–15 min", 300.0, 900.0),
    ("15–60 min", 900.0, 3600.0),
    ("over 1 h", 3600.0, _FOREVER),
)
_SOME_HOURS = 2


def arrivals(statistics: Json, zone: ZoneInfo) -> Markup:
    """Return how long copies took, by the hour in which their run began; empty before there are two hours."""
    hours = [each for each in statistics["hours"] if each["files"]]
    if len(hours) < _SOME_HOURS:
        return charts.NOTHING
    places = [f"{begun.astimezone(zone):%H:%M}" if (begun := moment(each["hour"])) else "" for each in hours]
    drawn = [
        Line("half of the files", "brand", [each["p50"] for each in hours]),
        Line("95 of 100", "amber", [each["p95"] for each in hours]),
        Line("the slowest", "red", [each["max"] for each in hours]),
    ]
    last = hours[-1]
    answer = (
        f"In the last of these hours half took {duration(last['p50'])} at most, "
        f"95 of 100 took {duration(last['p95'])} at most, the slowest took {duration(last['max'])}"
    )
    return charts.lines("Are copies arriving in time? Seconds from start to last copy", places, drawn, answer, seconds)


def waiting(page: Json, now: datetime) -> Markup:
    """Return how long what is on its way has waited, of a page of the API's list."""
    waits = [(now - began).total_seconds() for each in page["replications"] if (began := moment(each["startTime"]))]
    if not waits:
        return charts.NOTHING
    tones = {"15–60 min": "amber", "over 1 h": "red"}
    bars = [
        Bar(name, sum(low <= each < high for each in waits), tones.get(name, "brand")) for name, low, high in _WAITS
    ]
    more = " or more" if page["cursor"] else ""
    answer = f"{len(waits)}{more} on their way, the oldest for {duration(max(waits))}"
    return charts.columns(f"Is a backlog building up? {answer}", bars, answer)


def figures(statistics: Json) -> list[dict[str, str]]:
    """Return the last day in figures."""
    hours: Sequence[Json] = statistics["hours"]
    arrived, failed = (sum(each[name] for each in hours) for name in ("files", "failed"))
    pending, pending_bytes = statistics["pendingObjects"], statistics["pendingBytes"]
    return [
        {"what": "Files copied in 24 hours", "value": number(arrived), "tone": "green", "note": "everywhere they go"},
        {
            "what": "Files that failed in 24 hours",
            "value": number(failed),
            "tone": "red" if failed else "green",
            "note": "",
        },
        {
            "what": "On their way",
            "value": number(pending),
            "tone": "slate",
            "note": size(pending_bytes) if pending_bytes else "",
        },
    ]


def duration(passed: float) -> str:
    """Return `3 seconds`, `20 minutes`, `2 hours`, `3 days`."""
    if passed < 60:
        return count(max(round(passed), 1), "second")
    if passed < 5400:
        return count(round(passed / 60), "minute")
    return count(round(passed / 3600), "hour") if passed < 172_800 else count(round(passed / 86_400), "day")


def seconds(value: float) -> str:
    """Return `0.4 s`, `12 s`, as an axis has it."""
    return f"{value:.1f} s" if value < 10 else f"{value:,.0f} s"
