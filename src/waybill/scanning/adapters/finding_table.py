"""Findings in the scanner's table; see `table.py` for the items' keys."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import Item, from_item, to_item, translated
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable, key_of
from waybill.scanning.adapters.items import finding_attributes, finding_sort_key, findings_prefix
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.errors import ScanStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

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
            | to_item(finding_attributes(key, etag, finding) | {"created_at": iso(self._items.now())})
            for finding in findings
        }
        self._items.write_many(put=items.values())

    def delete_others(self, job_id: str, key: str, etag: str) -> None:
        """Delete the findings of every state of an object but one; no ETag, no findings."""
        kept = findings_prefix(key, etag) if etag else None
        found = self._items.query(job_id, findings_prefix(key))
        gone = [item["sk"] for item in found if kept is None or not item["sk"].startswith(kept)]
        self._items.write_many(delete=(key_of(job_id, sort_key) for sort_key in gone))

    def copy(self, source_job: str, job_id: str, key: str, etag: str) -> list[str]:
        """Give a job the findings of another one about an object; return their fingerprints."""
        found = self._items.query(source_job, findings_prefix(key, etag))
        self._items.write_many(put=(to_item(item | {"pk": f"JOB#{job_id}"}) for item in found))
        return [str(item["fingerprint"]) for item in found]

    def page(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, str | None]
    ) -> tuple[list[Item], str | None]:
        """Return findings in a stable order, and the position to go on from.

        `wanted` filters by `key` (how it begins), `detector` and `certainty` (at least). A filtered answer may have
        fewer findings than `limit` though there are more.
        """
        found: list[Item] = []
        position = after or "F#"
        for _ in range(_PAGES_PER_ANSWER):
            with translated(ScanStoreUnavailableError):
                query = _findings_after(self._items.name, job_id, position, wanted)
                query["Limit"] = 1000 if wanted else limit + 1 - len(found)
                answer = self._items.client.query(**query)
            found += [from_item(item) for item in answer["Items"]]
            if len(found) > limit:
                return found[:limit], found[limit - 1]["sk"]
            if "LastEvaluatedKey" not in answer:
                return found, None
            position = from_item(answer["LastEvaluatedKey"])["sk"]
        return found, position


def _findings_after(table: str, job_id: str, position: str, wanted: Mapping[str, str | None]) -> "QueryInputTypeDef":
    query: QueryInputTypeDef = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :after AND :last",
    }
    # "F$" is the first text behind every "F#…".
    values: Item = {":pk": f"JOB#{job_id}", ":after": f"{position}\0" if position != "F#" else position, ":last": "F$"}
    if wanted:
        tests = {"key": "begins_with(#key, :key)", "detector": "#detector = :detector"}
        tests["certainty"] = "#certainty >= :certainty"
        query["FilterExpression"] = " AND ".join(tests[name] for name in wanted)
        query["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
        values |= {f":{name}": value for name, value in wanted.items()}
    query["ExpressionAttributeValues"] = to_item(values)
    return query
