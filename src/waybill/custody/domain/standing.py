"""How a file stands by its history: what is known of it, and when it was last proven to be what it was."""

from dataclasses import dataclass

from pydantic import JsonValue

from waybill.custody.domain.tracing import Trace, TracedEvent
from waybill.custody.models import EventType, Outcome, Place

_PROVING_COPIES = "CHECKSUM"


@dataclass(frozen=True)
class Standing:
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
    """

    events: int
    first_at: str
    proven_at: str | None
    failed_at: str | None
    copies: int
    intact: bool


def standing_of(trace: Trace, place: Place) -> Standing:
    """Return how the file at `place` stands by its whole history."""
    proven = failed = None
    copies: dict[Place, bool] = {}
    for event in trace.events:
        at, well = str(event.said["at"]), event.said["outcome"] == Outcome.SUCCESS
        if _is_about(event, place) and _proves(event):
            proven, failed = (at, None) if well else (proven, at)
        for state in event.states[1:]:
            if state.place and state.place != place:
                copies[state.place] = well
    return Standing(
        events=len(trace.events),
        first_at=str(trace.events[0].said["at"]),
        proven_at=proven,
        failed_at=failed,
        copies=sum(copies.values()),
        intact=all(event.intact for event in trace.events),
    )


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
