"""The outcomes of objects in the scanner's table, counted as they are written, and what earlier jobs have found."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import ConditionFailedError, Update
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable, key_of
from waybill.scanning.adapters.items import increments, outcome_attributes, outcome_of, tally_of
from waybill.scanning.adapters.range_table import PAGE_SECONDS
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Attempts, Entry, ObjectOutcome, Slice, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# DynamoDB takes 100 items in a transaction, of which one is the counter.
OUTCOMES_LIMIT = 99
_CACHE_SECONDS = 30 * 86_400


class OutcomeTable:
    """What of the scanner's table is about objects and their sums."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def tally(self, job_id: str) -> Tally:
        """Return the sums over all counters, as of now."""
        return tally_of(self._items.query(job_id, "CNT#"))

    def count_begun(self, job_id: str, work: Slice) -> None:
        """Count the objects of a slice as begun, however often it is delivered."""
        name = f"TAKEN#{work.page}#{key_hash(work.entries[0].key)[:16]}"
        expires = int(self._items.now().timestamp()) + PAGE_SECONDS
        put = self._items.put_new(key_of(job_id, name) | {"expires": expires})
        with suppress(ConditionFailedError):
            self._items.count_with([put], job_id, {"taken": len(work.entries)})

    def begin(self, job_id: str, work: Slice) -> Attempts:
        """Count that work on a slice begins; return how often it has."""
        return self._count_attempt(job_id, work, "begun")

    def add_fault(self, job_id: str, work: Slice) -> None:
        """Count that work on a slice has ended with a fault which was handled."""
        self._count_attempt(job_id, work, "faults")

    def _count_attempt(self, job_id: str, work: Slice, counted: str) -> Attempts:
        first = work.entries[0]
        name = f"TRIED#{work.page}#{key_hash(first.key)[:16]}#{len(work.entries)}"
        expires = int(self._items.now().timestamp()) + PAGE_SECONDS
        item = self._items.table.update(key_of(job_id, name), Update.of({"expires": expires}, counted=(counted,)))
        return Attempts(item.get("begun", 0), item.get("faults", 0))

    def get(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]:
        """Return outcomes by their keys, read many at a time; a key without one is not in the answer."""
        items = self._items.table.batch_get(key_of(job_id, object_key(key)) for key in keys)
        found = {item["sk"]: item for item in items}
        return {key: outcome_of(found[object_key(key)]) for key in keys if object_key(key) in found}

    def record(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]:
        """Store up to 99 outcomes of different objects and count them, in one transaction.

        An object that has an outcome keeps it, and is not counted again; returns those outcomes by key. What `repeats`
        has an item of its own, for the page that it was listed in.
        """
        earlier: dict[str, ObjectOutcome] = {}
        while waiting := [outcome for outcome in outcomes if outcome.key not in earlier]:
            sums: dict[str, int] = {}
            for outcome in waiting:
                for name, value in increments(outcome).items():
                    sums[name] = sums.get(name, 0) + value
            try:
                self._items.count_with([self._new_outcome(job_id, outcome) for outcome in waiting], job_id, sums)
            except ConditionFailedError:
                earlier |= self._recorded(job_id, waiting)
            else:
                break
        return earlier

    def _recorded(self, job_id: str, outcomes: Iterable[ObjectOutcome]) -> dict[str, ObjectOutcome]:
        keys = {_outcome_key(outcome): outcome.key for outcome in outcomes}
        found = self._items.table.batch_get(key_of(job_id, sort_key) for sort_key in keys)
        return {keys[item["sk"]]: outcome_of(item) for item in found}

    def _new_outcome(self, job_id: str, outcome: ObjectOutcome) -> "TransactWriteItemTypeDef":
        attributes = outcome_attributes(outcome) | {"recorded_at": iso(self._items.now())}
        return self._items.put_new(key_of(job_id, _outcome_key(outcome)) | attributes)

    def save_cached(self, job_id: str, bucket: str, outcomes: Iterable[ObjectOutcome], cache_name: str) -> None:
        """Let later jobs find what this one has found in the same state of the objects by the same rules."""
        expires = int(self._items.now().timestamp()) + _CACHE_SECONDS
        items = []
        for outcome in outcomes:
            key = _cache_key(bucket, outcome.key, outcome.etag, cache_name)
            items.append(outcome_attributes(outcome) | key | {"job_id": job_id, "expires": expires})
        self._items.table.batch_write(put=items)

    def cached(self, bucket: str, entries: Sequence[Entry], cache_name: str) -> dict[str, tuple[str, ObjectOutcome]]:
        """Return by key what an earlier job (its id) found in the same state of an object."""
        keys = [_cache_key(bucket, entry.key, entry.etag, cache_name) for entry in entries]
        now = int(self._items.now().timestamp())
        return {
            item["key"]: (item["job_id"], replace(outcome_of(item), from_cache=True))
            # Half the price; what was written a moment ago may be read again.
            for item in self._items.table.batch_get(keys, consistent=False)
            if item["expires"] > now
        }


def object_key(key: str) -> str:
    """Return the sort key of an object's outcome."""
    return f"OBJ#{key_hash(key)}"


def _outcome_key(outcome: ObjectOutcome) -> str:
    return object_key(outcome.key) + (f"#{outcome.page}" if outcome.repeats else "")


def _cache_key(bucket: str, key: str, etag: str, cache_name: str) -> dict[str, str]:
    return {"pk": f"OBJCACHE#{bucket}", "sk": f"{key_hash(key)}#{etag}#{cache_name}"}
