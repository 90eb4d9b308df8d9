"""Listed objects cut into messages: small enough to finish, large enough to be few."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from waybill.scanning.models import Entry, Slice

OBJECTS_LIMIT = 100
BYTES_LIMIT = 64 << 20
# SQS bills every started 64 KiB of a message; 256 KiB is the limit of older queues.
BODY_LIMIT = 200 << 10
_ENTRY_OVERHEAD = 64


class SliceQueue(Protocol):
    """The workers' queue."""

    def send(self, slices: Iterable[Slice]) -> int:
        """Send all slices, one message each, and return their number; raises QueueUnavailableError."""
        ...


def slices(job_id: str, bucket: str, page: str, entries: Sequence[Entry]) -> Iterator[Slice]:
    """Yield slices of at most 100 objects, 64 MiB and 200 KiB of message; a larger object has one to itself."""
    waiting: list[Entry] = []
    size = body = 0
    for entry in entries:
        length = len(json.dumps(entry.key)) + _ENTRY_OVERHEAD
        full = len(waiting) == OBJECTS_LIMIT or size + entry.size > BYTES_LIMIT or body + length > BODY_LIMIT
        if waiting and full:
            yield Slice(job_id, bucket, page, tuple(waiting))
            waiting, size, body = [], 0, 0
        waiting.append(entry)
        size, body = size + entry.size, body + length
    if waiting:
        yield Slice(job_id, bucket, page, tuple(waiting))
