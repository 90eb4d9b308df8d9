"""Time as Waybill writes it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def moment_of(text: object) -> datetime | None:
    """Return the time that an ISO 8601 text names, in UTC (meant where it names no zone too); None if it names none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def iso(moment: datetime) -> str:
    """Return `moment` as `2026-11-21T10:00:00.000Z`: fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
