"""The indexes of the table: requests by queue, as one list, by case and by person.

ByListing is what searches go through: a search for a part of a reference reads an entry of some 200 bytes for every
request that is not archived yet, 5,000 to a page. Requests are archived a week after their completion, which keeps the
list short.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import Item, from_item, to_item, translated
from waybill.core.aws.table import Table
from waybill.core.clock import iso
from waybill.subject_access.adapters.items import request_of
from waybill.subject_access.domain.ports import RequestLists
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError
from waybill.subject_access.models import SubjectRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputPaginateTypeDef

_LIVE = "listing = :live"


class SubjectAccessLists(RequestLists):
    """`RequestLists` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    @override
    def claimable(self, before: int, most_attempts: int, limit: int) -> list[str]:
        found: list[str] = []
        free = "(attribute_not_exists(claim_expires_at) OR claim_expires_at < :before)"
        items = self._pages(
            "ByQueue",
            "queue = :queue",
            {":queue": "PENDING", ":before": before, ":most": most_attempts},
            f"{free} AND claim_attempts < :most",
        )
        for item in items:
            found.append(_id_of(item))
            if len(found) == limit:
                break
        return found

    @override
    def standing(self, queue: str, before: datetime | None = None) -> Iterator[str]:
        condition, values = _standing(queue, before)
        yield from map(_id_of, self._pages("ByQueue", condition, values))

    @override
    def count(self, queue: str, before: datetime | None = None) -> int:
        condition, values = _standing(queue, before)
        return self._count("ByQueue", condition, values)

    @override
    def newest(self, search: str) -> Iterator[str]:
        values, filtered = _matching(search)
        yield from map(_id_of, self._pages("ByListing", _LIVE, values, filtered, newest_first=True))

    @override
    def matches(self, search: str) -> int:
        values, filtered = _matching(search)
        return self._count("ByListing", _LIVE, values, filtered)

    @override
    def many(self, request_ids: Sequence[str]) -> list[SubjectRequest]:
        """Return these requests, in this order; without those that are gone meanwhile."""
        table = Table(self._client, self._table, SubjectAccessStoreUnavailableError)
        keys = ({"pk": f"SAR#{request_id}", "sk": "META"} for request_id in request_ids)
        found = {str(item["request_id"]): request_of(item) for item in table.batch_get(keys) if "state" in item}
        return [found[request_id] for request_id in request_ids if request_id in found]

    @override
    def related(self, request: SubjectRequest) -> list[str]:
        """Return the ids of other requests about the same person or under the same case reference, newest first."""
        person = {":value": request.subject_id}
        case = {":value": request.sar_case_reference_number}
        items = [
            *self._pages("BySubject", "subject_id = :value", person, newest_first=True),
            *self._pages("ByCase", "sar_case_reference_number = :value", case, newest_first=True),
        ]
        items.sort(key=lambda item: str(item["requested_at"]), reverse=True)
        return list(dict.fromkeys(_id_of(item) for item in items if _id_of(item) != request.request_id))

    def _pages(
        self, index: str, condition: str, values: Item, filtered: str = "", *, newest_first: bool = False
    ) -> Iterator[Item]:
        query = self._query(index, condition, values, filtered)
        query["ScanIndexForward"] = not newest_first
        with translated(SubjectAccessStoreUnavailableError):
            for page in self._client.get_paginator("query").paginate(**query):
                yield from map(from_item, page["Items"])

    def _count(self, index: str, condition: str, values: Item, filtered: str = "") -> int:
        query = self._query(index, condition, values, filtered)
        query["Select"] = "COUNT"
        with translated(SubjectAccessStoreUnavailableError):
            return sum(page["Count"] for page in self._client.get_paginator("query").paginate(**query))

    def _query(self, index: str, condition: str, values: Item, filtered: str) -> "QueryInputPaginateTypeDef":
        query: QueryInputPaginateTypeDef = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
        }
        if filtered:
            query["FilterExpression"] = filtered
        return query


def _matching(search: str) -> tuple[Item, str]:
    """Return the values of a search, and the expression that they fill."""
    if not search:
        return {":live": "LIVE"}, ""
    return {":live": "LIVE", ":search": search.casefold()}, "contains(search_text, :search)"


def _standing(queue: str, before: datetime | None) -> tuple[str, Item]:
    if before is None:
        return "queue = :queue", {":queue": queue}
    return "queue = :queue AND queue_place < :before", {":queue": queue, ":before": iso(before)}


def _id_of(item: Item) -> str:
    return str(item["pk"]).removeprefix("SAR#")
