"""The ranges of a job's keys, and the pages that they are listed in; see `table.py` for the items' keys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable, key_of
from waybill.scanning.adapters.items import increments_left_out, page_attributes, page_of, range_attributes, range_of
from waybill.scanning.models import ListingRange, Page

# Messages live for 14 days at most.
PAGE_SECONDS = 30 * 86_400
_UNCHANGED = "next_page = :number AND upto = :bound AND done = :open"


class RangeTable:
    """What of the scanner's table the lister reads and writes."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def set_execution(self, job_id: str, number: int, execution_arn: str) -> None:
        """Record the execution that lists a range; the first one's is the job's."""
        listed_by = {"execution_arn": execution_arn}
        self._items.update(job_id, listed_by, "attribute_exists(sk)", sort_key=_range_key(number))
        if number == 0:
            self._items.update(job_id, listed_by, "attribute_exists(sk)")

    def get(self, job_id: str, number: int) -> ListingRange | None:
        """Return a range of a job's keys, as of now."""
        item = self._items.table.get(key_of(job_id, _range_key(number)))
        return range_of(item) if item else None

    def all(self, job_id: str) -> list[ListingRange]:
        """Return all ranges of a job, as of now, in the order of their numbers.

        A range has a smaller number than those cut from it, and is read before them: a reader that finds it done finds
        all that was cut from it.
        """
        return [range_of(item) for item in self._items.query(job_id, "RANGE#")]

    def split(self, job_id: str, part: ListingRange, pieces: Sequence[ListingRange], upto: str) -> bool:
        """Let a range end at `upto` and add the pieces behind it, at once; False when the range has changed.

        False also when another range has been cut meanwhile: the numbers are taken.
        """
        update = Update.of({"upto": upto, "updated_at": iso(self._items.now())})
        unchanged = {":number": part.next_page, ":bound": part.upto, ":open": False}
        shrink = self._items.table.update_action(key_of(job_id, _range_key(part.number)), update, _UNCHANGED, unchanged)
        updated_at = iso(self._items.now())
        puts = [self._items.put_new(new_range(job_id, replace(piece, updated_at=updated_at))) for piece in pieces]
        try:
            self._items.table.transact([shrink, *puts])
        except ConditionFailedError:
            return False
        return True

    def save_page(self, job_id: str, part: ListingRange, page: Page) -> Page:
        """Store a page unless it is stored already; return what is stored."""
        expires = int(self._items.now().timestamp()) + PAGE_SECONDS
        item = _page_key(job_id, part, page.number) | page_attributes(page) | {"expires": expires}
        return page if self._items.add(item) else self.page(job_id, part, page.number) or page

    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None:
        """Return a page that an earlier attempt has stored."""
        item = self._items.table.get(_page_key(job_id, part, number))
        return page_of(number, item) if item else None

    def advance(self, job_id: str, part: ListingRange, page: Page, smallest: Sequence[str] = ()) -> bool:
        """Count a page whose messages are sent, and move the checkpoint behind it, once; False when that was done.

        False also when the range was cut since `part` was read: the page may reach into the pieces.
        """
        changes = {"after": page.last_key, "next_page": page.number + 1, "done": page.final, "smallest": list(smallest)}
        added = {"total": len(page.entries), "total_bytes": page.size}
        bound = {"number": page.number, "bound": part.upto, "open": False}
        return self._items.update(job_id, changes, _UNCHANGED, added=added, sort_key=_range_key(part.number), **bound)

    def advance_sample(self, job_id: str, part: ListingRange, left_out: Mapping[str, tuple[int, int]]) -> bool:
        """Count a page of a sample as sent, and what is left out of it (objects and bytes by reason), once."""
        update = Update.of({"next_sent": part.next_sent + 1, "updated_at": iso(self._items.now())})
        target = key_of(job_id, _range_key(part.number))
        moved = self._items.table.update_action(target, update, "next_sent = :sent", {":sent": part.next_sent})
        try:
            self._items.count_with([moved], job_id, increments_left_out(left_out))
        except ConditionFailedError:
            return False
        return True


def new_range(job_id: str, part: ListingRange) -> Item:
    """Return the item of a range that does not exist yet."""
    return key_of(job_id, _range_key(part.number)) | range_attributes(part)


def _range_key(number: int) -> str:
    # Wide enough for any number: in the order of text, 1000 would come before 101.
    return f"RANGE#{number:06}"


def _page_key(job_id: str, part: ListingRange, number: int) -> Item:
    # Apart from the job's other items: a page takes up to 300 write units, and a key of the table 1,000 a second.
    return {"pk": f"JOB#{job_id}#{part.number:03}", "sk": f"PAGE#{number:09}"}
