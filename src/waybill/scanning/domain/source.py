"""Where a job's objects are listed: in the bucket itself, or in an inventory of it."""

from typing import Protocol

from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry
from waybill.scanning.request_models import ScanRequest


class Source(Protocol):
    """Lists the objects of a request; a position is a text of the source's own, in the order of the objects."""

    def check(self, request: ScanRequest) -> None:
        """Raise when the objects of a new job cannot be listed."""
        ...

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` objects in `bounds`, the position behind them, and whether these are the last.

        There may be fewer, or none, though they are not the last.
        """
        ...

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return up to `pieces - 1` positions to cut `bounds` at; `page_keys` objects are listed at a time."""
        ...
