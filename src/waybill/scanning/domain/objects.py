"""The objects of a job with what became of each, in the order of the listing: their keys' order, in a bucket's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, NamedTuple, Protocol

from waybill.core.cursors import open_cursor, seal_cursor
from waybill.core.errors import NotFoundError
from waybill.scanning.models import Entry, Job, ListingRange, ObjectOutcome, ObjectStatus, Page

PENDING = "PENDING"
"""What has no outcome yet."""
STATUSES = (*(status.value for status in ObjectStatus), PENDING)
# Of a filtered list, so many objects are looked at before it answers with what it has.
_LOOKED_AT = 5000
_AT_ONCE = 100


class _Ranges(Protocol):
    def all(self, job_id: str) -> list[ListingRange]: ...
    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None: ...


class _Outcomes(Protocol):
    def get(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]: ...


class _Position(NamedTuple):
    """The next object: a range, one of its pages, and a place on it."""

    part: int
    page: int
    place: int


@dataclass(frozen=True)
class Objects:
    """Lists the objects of jobs; `secret` signs the cursors."""

    ranges: _Ranges
    outcomes: _Outcomes
    secret: bytes

    def page(
        self, job: Job, limit: int, cursor: str | None, status: str | None = None, reason: str | None = None
    ) -> dict[str, Any]:
        """Return `{objects, cursor}`: up to `limit` objects, of a status and with a reason where these are given.

        There may be fewer, or none, though there is a cursor: of a filtered list, a part is looked through at a time.

        Raises
        ------
        InvalidInputError
            The cursor is not one of this list.
        NotFoundError
            The listing is not stored any more.
        """
        about = f"objects of {job.job_id} {status} {reason}"
        position = _position(open_cursor(cursor, self.secret, about)["next"]) if cursor else None
        found: list[dict[str, Any]] = []
        looked_at = 0
        while True:
            part, page = self._page(job, position)
            if part is None or page is None:
                return {"objects": found, "cursor": None}
            place = position.place if position and (position.part, position.page) == (part.number, page.number) else 0
            for batch in batched(page.entries[place:], _AT_ONCE, strict=False):
                known = self.outcomes.get(job.job_id, [entry.key for entry in batch])
                for entry in batch:
                    place += 1
                    document = _document(job, part, page, entry, known)
                    if _matches(document, status, reason):
                        found.append(document)
                    if len(found) == limit:
                        break
                looked_at += len(batch)
                if len(found) == limit or looked_at >= _LOOKED_AT:
                    return self._answer(job, found, _Position(part.number, page.number, place), about)
            position = _Position(part.number, page.number + 1, 0)

    def _answer(self, job: Job, found: list[dict[str, Any]], position: _Position, about: str) -> dict[str, Any]:
        part, page = self._page(job, position)
        last = part is None or page is None
        return {"objects": found, "cursor": None if last else seal_cursor({"next": list(position)}, self.secret, about)}

    def _page(self, job: Job, position: _Position | None) -> tuple[ListingRange | None, Page | None]:
        """Return the page that the next object is on, None when there is none; empty pages are passed over."""
        # Ranges share nothing and leave nothing out: they lie in the order of their ends, the last of which is open.
        ranges = sorted(self.ranges.all(job.job_id), key=lambda part: (not part.upto, part.upto))
        first = next((at for at, part in enumerate(ranges) if position and part.number == position.part), 0)
        for part in ranges[first:]:
            here = position if position and part.number == position.part else None
            number, place = (here.page, here.place) if here else (1, 0)
            while number < part.next_page:
                stored = self.ranges.page(job.job_id, part, number)
                if stored is None:
                    raise NotFoundError("the listing of this job is not stored any more: it is kept for 30 days")
                page = stored.within(part.bounds)
                if place < len(page.entries):
                    return part, page
                number, place = number + 1, 0
        return None, None


def _position(sealed: Any) -> _Position:
    return _Position(*sealed)


def _document(
    job: Job, part: ListingRange, page: Page, entry: Entry, known: Mapping[str, ObjectOutcome]
) -> dict[str, Any]:
    outcome = known.get(entry.key)
    document: dict[str, Any] = {"key": entry.key, "size": entry.size, "status": PENDING, "reason": None}
    document |= {"bytes_scanned": 0, "findings": 0, "not_read": {}, "unread": []}
    if outcome is None:
        sampled = job.request.sample is not None and job.request.sample.objects is not None
        if sampled and page.number < part.next_sent:
            # What is left out of a sample is counted, and has no outcome of its own.
            reason = job.request.reason_to_skip(entry.key, entry.size) or "NOT_SAMPLED"
            document |= {"status": ObjectStatus.SKIPPED.value, "reason": reason}
        return document
    if job.request.source == "inventory" and outcome.page != part.page_name(page.number):
        return document | {"status": ObjectStatus.SKIPPED.value, "reason": "DUPLICATE"}
    return document | {
        "status": outcome.status.value,
        "reason": outcome.reason or None,
        "bytes_scanned": outcome.bytes_scanned,
        "findings": sum(outcome.counts.values()),
        "not_read": dict(outcome.not_read),
        "unread": [{"member": member, "reason": reason} for member, reason in outcome.unread],
    }


def _matches(document: Mapping[str, Any], status: str | None, reason: str | None) -> bool:
    if status is not None and document["status"] != status:
        return False
    return reason is None or reason == document["reason"] or reason in document["not_read"]
