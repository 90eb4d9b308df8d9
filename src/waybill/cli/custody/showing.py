"""A history as a table."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType

from waybill.cli.output import table
from waybill.custody.domain.standing import PlaceStanding
from waybill.custody.views import EventView, FileStateView

_SECONDS = len("2026-11-29T12:00:00")


def history(events: Sequence[EventView]) -> RenderableType:
    """Return events, a line each, oldest first, below the key that most of them are about: it is said once."""
    named = [event.object.key for event in events if event.object and event.object.key is not None]
    common = max(dict.fromkeys(named), key=named.count) if named else None
    rows = [
        (
            f"{event.at[:_SECONDS]}Z",
            event.type.value,
            event.outcome.value,
            _who(event),
            _place_of(event.object, common) if event.object else "",
            "\n".join(_place_of(copy, common) for copy in event.related),
            _standing(event),
        )
        for event in events
    ]
    columns = ["When", "What", "Outcome", "Who", "Bucket", "Copied to", "In the log"]
    return table(columns, rows, title=common)


def standings_table(rows: Iterable[tuple[str, PlaceStanding | None]]) -> RenderableType:
    """Return how files stand, a line each."""
    columns = ["File", "Events", "Known since", "Last proven", "Failed since", "Copies", "History", "NDSA"]
    return table(columns, ((key, *_standing_row(standing)) for key, standing in rows))


def _standing_row(standing: PlaceStanding | None) -> Sequence[object]:
    if standing is None:
        return (0, "", "", "", "", "nothing recorded", 0)
    times = (standing.first_at, standing.proven_at or "never", standing.failed_at)
    return (standing.events, *times, standing.copies, "intact" if standing.intact else "ALTERED", standing.ndsa_level)


def _who(event: EventView) -> str:
    """Return the person, as a pseudonym, or the software; of what S3 has told the account or service that asked."""
    agent, requester = event.agent, event.detail.get("requester")
    return agent.get("person") or (str(requester) if requester else agent.get("software", "").removeprefix("waybill."))


def _place_of(state: FileStateView, common: str | None) -> str:
    if state.bucket is None:
        return "(erased)"
    return state.bucket if state.key == common else f"s3://{state.bucket}/{state.key}"


def _standing(event: EventView) -> str:
    if not event.intact:
        return "ALTERED"
    if event.index is None:
        return "not yet"
    return f"{event.index}, proven" if event.proof else f"{event.index}"
