"""What several rules read of custody's table; every method raises `CustodyUnavailableError`."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from waybill.custody.models import Event, KnownPlace


class KnownPlaces(Protocol):
    """The places that files have, or had."""

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        """Return those of the places that are known, by their hashes."""
        ...


class Histories(Protocol):
    """The events of subjects."""

    def events_of(self, subject: str, after: str, limit: int) -> list[Event]:
        """Return events of a subject behind the sort key `after`, oldest first."""
        ...
