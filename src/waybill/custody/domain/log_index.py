"""Where the log has what, as the table says it, against the entries of the log themselves.

The table's items `LOG#…` say it by minute: a trace finds an event's place in the log by them, and sealing what it has
sealed already. Nothing of them is proven; the entries say what they have to be.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from pydantic import JsonValue

from waybill.core.clock import iso, moment_of
from waybill.custody.domain.recording import MINUTE, LeafKey
from waybill.custody.domain.sealed_form import id_of

ID_BYTES = 16
# Ids that one item takes: 128 KB of the 400 that an item may have.
_MOST_IDS = 8_192
# Entries for which room is made at once.
_ROOM = 4_096
_UNSAID = bytes(ID_BYTES)


class PlacedIds(NamedTuple):
    """What an item says: the log has these ids, recorded in this minute, from the entry `first` on.

    `first` is None of an item that nobody can read; `key` is what it is written as.
    """

    minute: str
    first: int | None
    ids: bytes
    key: str = ""

    @property
    def end(self) -> int:
        """The entry behind the last one."""
        return (self.first or 0) + len(self.ids) // ID_BYTES

    @property
    def about(self) -> LeafKey:
        """Where the item is."""
        return LeafKey(f"LOG#{self.minute}", self.key or f"{self.first:020}")


class WrongRange(NamedTuple):
    """Entries, up to `end`, that the table does not have where the log does."""

    first: int
    end: int
    is_missing: bool


class LogIndex:
    """The ids and minutes of the first entries of the log, and what the table says of them."""

    def __init__(self) -> None:
        self.size = 0
        self._ids, self._claimed_ids = bytearray(), bytearray()
        self._minutes, self._claimed_minutes = array("I"), array("I")
        self._same: dict[int, int] = {}

    def grow(self, size: int) -> None:
        """Have room for so many entries."""
        if size <= self.size:
            return
        self.size = size
        if (room := len(self._minutes)) < size:
            more = max(size - room, _ROOM)
            for ids in (self._ids, self._claimed_ids):
                ids.extend(bytes(ID_BYTES * more))
            for minutes in (self._minutes, self._claimed_minutes):
                minutes.frombytes(bytes(minutes.itemsize * more))

    def add(self, index: int, content: Mapping[str, JsonValue]) -> None:
        """Note what an entry is."""
        self.grow(index + 1)
        self._ids[index * ID_BYTES : (index + 1) * ID_BYTES] = _packed(id_of(content))
        self._minutes[index] = _number(str(content.get("recordedAt"))[:MINUTE])

    def same(self, index: int, other: int) -> None:
        """Note that an entry is the same as another."""
        self._same[index] = other

    def claim(self, placed: PlacedIds) -> bool:
        """Note what an item of the table says; return whether it says something that can be so."""
        minute = _number(placed.minute)
        if placed.first is None or not minute or len(placed.ids) % ID_BYTES or not placed.ids:
            return False
        first, end = placed.first, min(placed.end, self.size)
        if first < end:
            ids = placed.ids[: (end - first) * ID_BYTES]
            claimed = memoryview(self._claimed_ids)[first * ID_BYTES : end * ID_BYTES]
            if any(claimed) and claimed != ids:
                return False
            claimed[:] = ids
            self._claimed_minutes[first:end] = array("I", [minute]) * (end - first)
        return True

    def wrong(self, upto: int) -> Iterator[WrongRange]:
        """Yield which of the first entries the table has elsewhere, or nowhere, in ascending order."""
        for index, other in self._same.items():
            self._ids[index * ID_BYTES : (index + 1) * ID_BYTES] = self.id_at(other)
            self._minutes[index] = self._minutes[other]
        end = upto * ID_BYTES
        if self._ids[:end] == self._claimed_ids[:end] and self._minutes[:upto] == self._claimed_minutes[:upto]:
            return
        found: WrongRange | None = None
        for index in range(upto):
            said, claimed = self.id_at(index), bytes(self._claimed_ids[index * ID_BYTES : (index + 1) * ID_BYTES])
            if said == _UNSAID or (said == claimed and self._minutes[index] == self._claimed_minutes[index]):
                continue
            is_missing = claimed == _UNSAID
            if found and (found.end, found.is_missing) == (index, is_missing):
                found = found._replace(end=index + 1)
                continue
            if found:
                yield found
            found = WrongRange(index, index + 1, is_missing)
        if found:
            yield found

    def is_right(self, placed: PlacedIds) -> bool:
        """Return whether an item says what the entries are, all of which have to be known."""
        if placed.first is None or placed.end > self.size or not placed.ids or len(placed.ids) % ID_BYTES:
            return False
        first, end, minute = placed.first, placed.end, _number(placed.minute)
        same_ids = self._ids[first * ID_BYTES : end * ID_BYTES] == placed.ids
        return same_ids and all(each == minute for each in self._minutes[first:end])

    def lacking(self, right: Iterable[PlacedIds], upto: int) -> Iterator[PlacedIds]:
        """Yield what has to be said, besides what is said rightly, of the first entries."""
        said = bytearray(upto)
        for each in right:
            first, end = each.first or 0, min(each.end, upto)
            said[first:end] = b"\1" * max(0, end - first)
        first = 0
        for index in range(upto):
            is_needed = not said[index] and self.id_at(index) != _UNSAID
            if not is_needed or self._minutes[index] != self._minutes[first] or index - first >= _MOST_IDS:
                yield from self._placed(first, index)
                first = index if is_needed else index + 1
        yield from self._placed(first, upto)

    def _placed(self, first: int, end: int) -> Iterator[PlacedIds]:
        if first < end:
            minute = iso(datetime.fromtimestamp(self._minutes[first] * 60, UTC))[:MINUTE]
            yield PlacedIds(minute, first, bytes(self._ids[first * ID_BYTES : end * ID_BYTES]))

    def id_at(self, index: int) -> bytes:
        """Return the id of an entry."""
        return bytes(self._ids[index * ID_BYTES : (index + 1) * ID_BYTES])


def _packed(id_: str) -> bytes:
    try:
        packed = bytes.fromhex(id_)
    except ValueError:
        return _UNSAID
    return packed if len(packed) == ID_BYTES else _UNSAID


@lru_cache(maxsize=1_024)
def _number(minute: str) -> int:
    """Return the minutes since 1970 of a text of UTC; 0 of one that is none, or in another form."""
    moment = moment_of(f"{minute}:00.000Z")
    if moment is None or iso(moment)[:MINUTE] != minute or moment.timestamp() < 0:
        return 0
    return int(moment.timestamp()) // 60
