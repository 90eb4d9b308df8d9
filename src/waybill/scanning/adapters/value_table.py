"""Values by fingerprint in the scanner's table: where each was seen last, and what people have said of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby, islice
from math import ceil
from typing import override

from waybill.core.aws.dynamodb import ConditionFailedError, Item
from waybill.core.aws.table import Read
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.domain.triage import Decision, Value, Values
from waybill.scanning.keys import key_hash

_SHARDS = "0123456789abcdef"
_DECISION, _SEEN = "DECISION", "SEEN#"
_KEPT = 50
_PAGE = 1000
# A client of boto3 holds ten connections open.
_AT_ONCE = 8


class ValueTable(Values):
    """`Values` in DynamoDB; the first digit of a fingerprint is its partition."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def note(self, job_id: str, bucket: str, key: str, findings: Iterable[Finding]) -> None:
        """Store where values were seen: one place a bucket, the last."""
        found = {finding.fingerprint: finding for finding in findings}
        at = iso(self._items.now())
        self._items.table.batch_write(
            put=(
                {
                    **_key(fingerprint, f"{_SEEN}{key_hash(bucket)[:16]}"),
                    "bucket": bucket,
                    "key": key,
                    "job_id": job_id,
                    "seen_at": at,
                    "detector": finding.detector,
                    "masked_match": finding.masked_match,
                    "confidence": finding.confidence,
                }
                for fingerprint, finding in found.items()
            )
        )

    @override
    def get(self, fingerprint: str) -> Value | None:
        if not fingerprint or fingerprint[0] not in _SHARDS:
            return None
        items = list(self._query(fingerprint[0], f"{fingerprint}#", f"{fingerprint}$"))
        return next(_values(items), None)

    @override
    def decisions(self, fingerprints: Iterable[str]) -> Mapping[str, Decision]:
        found = self._items.table.batch_get(_key(fingerprint, _DECISION) for fingerprint in sorted(set(fingerprints)))
        return {str(item["sk"]).partition("#")[0]: decision for item in found for decision in _history(item)[-1:]}

    @override
    def decide(self, fingerprint: str, history: Sequence[Decision], decision: Decision) -> bool:
        kept = [vars(each) for each in (*history, decision)][-_KEPT:]
        item = {**_key(fingerprint, _DECISION), "history": kept, "at": decision.at}
        if not history:
            return self._items.add(item)
        try:
            self._items.table.put(item, "#at = :before", {":before": history[-1].at}, {"#at": "at"})
        except ConditionFailedError:
            return False
        return True

    @override
    def page(self, after: str, limit: int) -> tuple[Sequence[Value], str | None]:
        """See `Values`. What is looked for in the first partition says how many of the others to read at once."""
        left = _SHARDS[_SHARDS.find(after[:1]) if after else 0 :]
        found, read, at_once = list[Value](), 0, 1
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while left and len(found) <= limit:
                shards, left, wanted = left[:at_once], left[at_once:], limit + 1 - len(found)
                for values in threads.map(partial(self._of_shard, after, wanted), shards):
                    found += values
                read += len(shards)
                at_once = min(_AT_ONCE, ceil((limit + 1 - len(found)) * read / max(1, len(found))))
        return found[:limit], found[limit - 1].fingerprint if len(found) > limit else None

    def _of_shard(self, after: str, wanted: int, shard: str) -> list[Value]:
        first = f"{after}$" if after[:1] == shard else ""
        return list(islice(_values(self._query(shard, first, "g")), wanted))

    def _query(self, shard: str, first: str, last: str) -> Iterator[Item]:
        values = {":pk": f"VALUES#{shard}", ":first": first or "#", ":last": last}
        pages = Read(consistent=True, page_size=_PAGE)
        return self._items.table.query("pk = :pk AND sk BETWEEN :first AND :last", values, pages)


def _key(fingerprint: str, part: str) -> dict[str, str]:
    return {"pk": f"VALUES#{fingerprint[0]}", "sk": f"{fingerprint}#{part}"}


def _history(item: Item) -> list[Decision]:
    return [Decision(**{name: str(text) for name, text in each.items()}) for each in item["history"]]


def _values(items: Iterable[Item]) -> Iterator[Value]:
    """Yield the values of ascending items; what was only decided about, and never seen, is none."""
    for fingerprint, group in groupby(items, key=lambda item: str(item["sk"]).partition("#")[0]):
        history: list[Decision] = []
        places: list[Item] = []
        for item in group:
            if str(item["sk"]).endswith(f"#{_DECISION}"):
                history = _history(item)
            else:
                places.append(item)
        if places:
            yield Value(fingerprint, history[-1] if history else None, history, places)
