"""A history as a table."""

from collections.abc import Iterable

from rich.table import Table

from waybill.cli.output import table
from waybill.custody.views import EventView, FileStateView


def history(events: Iterable[EventView]) -> Table:
    """Return events, a line each, oldest first."""
    rows = (
        (
            event.at,
            event.type.value,
            event.outcome.value,
            event.workflow,
            _place_of(event.object) if event.object else "",
            " ".join(map(_place_of, event.related)),
            _standing(event),
        )
        for event in events
    )
    return table(["When", "What", "Outcome", "Workflow", "File", "Copies", "In the log"], rows)


def _place_of(state: FileStateView) -> str:
    return f"s3://{state.bucket}/{state.key}" if state.bucket is not None else "(erased)"


def _standing(event: EventView) -> str:
    if not event.intact:
        return "ALTERED"
    if event.index is None:
        return "not yet"
    return f"{event.index}, proven" if event.proof else f"{event.index}"
