"""Findings in the scanner's table; see `table.py` for the items' keys."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from waybill.core.aws.dynamodb import Item
from waybill.core.aws.table import Read
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable, key_of
from waybill.scanning.adapters.items import finding_attributes, finding_sort_key, findings_prefix
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.domain.finding_documents import StoredFinding

# How many pages of 1 MB a filtered list of findings reads before it answers with what it has.
_PAGES_PER_ANSWER = 8


class FindingTable:
    """What of the scanner's table is about findings."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def save(self, job_id: str, key: str, etag: str, findings: Iterable[Finding]) -> None:
        """Store findings; the same ones again change nothing."""
        items = {
            (sort_key := finding_sort_key(key, etag, finding)): key_of(job_id, sort_key)
            | finding_attributes(key, etag, finding)
            | {"created_at": iso(self._items.now())}
            for finding in findings
        }
        self._items.table.batch_write(put=items.values())

    def delete_others(self, job_id: str, key: str, etag: str) -> None:
        """Delete the findings of every state of an object but one; no ETag, no findings."""
        kept = findings_prefix(key, etag) if etag else None
        found = self._items.query(job_id, findings_prefix(key))
        gone = [item["sk"] for item in found if kept is None or not item["sk"].startswith(kept)]
        self._items.table.batch_write(delete=(key_of(job_id, sort_key) for sort_key in gone))

    def copy(self, source_job: str, job_id: str, key: str, etag: str) -> list[str]:
        """Give a job the findings of another one about an object; return their fingerprints."""
        found = self._items.query(source_job, findings_prefix(key, etag))
        self._items.table.batch_write(put=(item | {"pk": f"JOB#{job_id}"} for item in found))
        return [str(item["fingerprint"]) for item in found]

    def page(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, str | None]
    ) -> tuple[list[StoredFinding], str | None]:
        """Return findings in a stable order, and the position to go on from.

        `wanted` filters by `key` (how it begins), `detector` and `certainty` (at least). A filtered answer may have
        fewer findings than `limit` though there are more.
        """
        found: list[StoredFinding] = []
        position = after or "F#"
        for _ in range(_PAGES_PER_ANSWER):
            values, read = _findings_after(job_id, position, wanted)
            read = replace(read, page_size=1000 if wanted else limit + 1 - len(found))
            page = self._items.table.page("pk = :pk AND sk BETWEEN :after AND :last", values, read)
            found += cast("list[StoredFinding]", page.items)
            if len(found) > limit:
                return found[:limit], found[limit - 1]["sk"]
            if page.last_key is None:
                return found, None
            position = page.last_key["sk"]
        return found, position


def _findings_after(job_id: str, position: str, wanted: Mapping[str, str | None]) -> tuple[Item, Read]:
    """Return the values of the condition, and what else there is to say of the query."""
    # "F$" is the first text behind every "F#…".
    values: Item = {":pk": f"JOB#{job_id}", ":after": f"{position}\0" if position != "F#" else position, ":last": "F$"}
    if not wanted:
        return values, Read()
    tests = {"key": "begins_with(#key, :key)", "detector": "#detector = :detector"}
    tests["certainty"] = "#certainty >= :certainty"
    filtered = " AND ".join(tests[name] for name in wanted)
    values |= {f":{name}": value for name, value in wanted.items()}
    return values, Read(filtered=filtered, names={f"#{name}": name for name in wanted})
