"""The tracking records as people and scripts read them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, Protocol

from waybill.core.errors import NotFoundError
from waybill.replication.models import FileId, RecordStatus

_HISTORY_SHOWN = 20
_JSON_TEXTS = ("destinationBuckets", "successfulBuckets", "failedBuckets", "copyResults")
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^|]*\|[^|]+\|.+", re.DOTALL)
_INTERNAL = ("statusPartition", "expiresAt", "sequencer", "generation", "newestEventRun")


class Records(Protocol):
    """Read access to the tracking records."""

    def newest(self, statuses: Iterable[RecordStatus], *, before: str | None) -> Iterator[dict[str, Any]]:
        """Yield the records of `statuses`, newest first, after the position `before`."""
        ...

    def record(self, file: FileId) -> dict[str, Any] | None:
        """Return the record of a file."""
        ...

    def destinations(self, file: FileId) -> list[dict[str, Any]]:
        """Return what is recorded per destination."""
        ...

    def history(self, file: FileId, limit: int) -> list[dict[str, Any]]:
        """Return the last ended runs, newest first."""
        ...


class RecordPage(NamedTuple):
    """Some records, newest first, and the position to go on from; None when there are no more."""

    items: list[dict[str, Any]]
    position: str | None


def list_records(records: Records, status: RecordStatus | None, limit: int, position: str | None) -> RecordPage:
    """Return `limit` records of `status` (None: of every status) that come after `position`."""
    statuses = [status] if status else list(RecordStatus)
    found = list(islice(records.newest(statuses, before=position), limit + 1))
    more = position_of(found[limit - 1]) if len(found) > limit else None
    return RecordPage([readable(item) for item in found[:limit]], more)


def file_report(records: Records, file: FileId) -> dict[str, Any]:
    """Return the record of `file` with `destinations` and `history`.

    Raises
    ------
    NotFoundError
        The file has no record.
    """
    record = records.record(file)
    if record is None:
        raise NotFoundError(f"there is no record of s3://{file.source_bucket}/{file.source_key}")
    return readable(record) | {
        "destinations": [readable(_named(item, file)) for item in records.destinations(file)],
        "history": [readable(_named(item, file)) for item in records.history(file, _HISTORY_SHOWN)],
    }


def position_of(record: Mapping[str, Any]) -> str:
    """Return where a record stands in the newest-first order; text order is that order."""
    return f"{record['startTime']}|{record['sourceBucket']}|{record['fileKey']}"


def is_position(text: str) -> bool:
    """Return whether `text` has the form of a position."""
    return _POSITION.fullmatch(text) is not None


def readable(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored item with its lists as lists, and without what only the table needs."""
    return {
        name: json.loads(value) if name in _JSON_TEXTS else value
        for name, value in item.items()
        if name not in _INTERNAL
    }


def _named(item: Mapping[str, Any], file: FileId) -> dict[str, Any]:
    return {**item, "sourceBucket": file.source_bucket}
