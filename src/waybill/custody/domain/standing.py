"""How a file stands by its history: what is known of it, and when it was last proven to be what it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import JsonValue

from waybill.core.clock import moment_of
from waybill.custody.domain.tracing import Trace, TracedEvent
from waybill.custody.models import EventType, Outcome, Place

_PROVING_COPIES = "CHECKSUM"
_CHECKED, _REGULAR = 2, 3
# The design reads every object once in 90 days.
_INTERVAL = timedelta(days=90)
_ANOTHER_TIME = timedelta(days=1)


@dataclass(frozen=True)
class PlaceStanding:
    """What the history of a place comes to; times are ISO 8601, None where it never happened.

    Attributes
    ----------
    proven_at
        When its content was last found to be what it should be: a check of fixity, or a copy whose checksum was that of
        its source. What came in between nobody can say.
    failed_at
        When that was last looked for and not found, if that was after `proven_at`.
    copies
        Other places to which it was copied, in the newest attempt with success.
    intact
        Whether every event of the history is what was written.
    ndsa_level
        What the history shows of the row "File Fixity and Data Integrity" of the NDSA Levels of Digital Preservation
        (2013): 1, a fixity value is known since it came; 2, it was checked against its content at least once; 3, it is
        checked at fixed intervals, again a day or more later and the last time within 90 days, and the log of it is
        whole; 0 below that. Level 4 is about who may write all copies, which no record says.
    """

    events: int
    first_at: str
    proven_at: str | None
    failed_at: str | None
    copies: int
    intact: bool
    ndsa_level: int


def standing_of(trace: Trace, place: Place, now: datetime) -> PlaceStanding:
    """Return how the file at `place` stands by its whole history."""
    proven = failed = None
    checks: list[datetime] = []
    has_value = False
    copies: dict[Place, bool] = {}
    for event in trace.events:
        if event.said["type"] == EventType.CREATION and [state.place for state in event.states[:1]] == [place]:
            # What was known and proven was of what lay there before.
            proven, failed, checks, has_value = None, None, [], False
        at, well = str(event.said["at"]), event.said["outcome"] == Outcome.SUCCESS
        if _is_about(event, place) and _proves(event):
            proven, failed = (at, None) if well else (proven, at)
            checks += [moment] if well and (moment := moment_of(at)) else []
        has_value = has_value or any(state.place == place and state.sha256 for state in event.states)
        for state in event.states[1:]:
            if state.place and state.place != place:
                copies[state.place] = well
    intact = all(event.intact for event in trace.events)
    return PlaceStanding(
        events=len(trace.events),
        first_at=str(trace.events[0].said["at"]),
        proven_at=proven,
        failed_at=failed,
        copies=sum(copies.values()),
        intact=intact,
        ndsa_level=0 if failed or not intact else _level(checks, now, has_value=has_value),
    )


def _level(checks: Sequence[datetime], now: datetime, *, has_value: bool) -> int:
    if not checks:
        return int(has_value)
    ordered = sorted(checks)
    gaps = [later - earlier for earlier, later in pairwise([*ordered, now])]
    # Two checks make one interval; each has to be kept. Copies that one run has made are checked together.
    repeated = ordered[-1] - ordered[0] >= _ANOTHER_TIME
    return _REGULAR if repeated and max(gaps) <= _INTERVAL else _CHECKED


def _is_about(event: TracedEvent, place: Place) -> bool:
    return any(state.place == place for state in event.states)


def _proves(event: TracedEvent) -> bool:
    """Return whether an event looked at the content of a file, and not only at what is said of it."""
    type_, detail = event.said["type"], event.said.get("detail")
    if type_ == EventType.FIXITY_CHECK:
        return True
    return type_ == EventType.REPLICATION and _verification(detail) == _PROVING_COPIES


def _verification(detail: JsonValue) -> JsonValue:
    return detail.get("verification") if isinstance(detail, dict) else None
