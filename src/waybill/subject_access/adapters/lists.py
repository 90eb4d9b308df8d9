"""The indexes of the table: requests by queue, as one list, by case and by person.

ByListing is what searches go through: a search for a part of a reference reads an entry of some 200 bytes for every
request that is not archived yet, 5,000 to a page. Requests are archived a week after their completion, which keeps the
list short.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import Item
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.subject_access.adapters.items import request_of
from waybill.subject_access.domain.ports import RequestLists
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError
from waybill.subject_access.models import SubjectRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIVE = "listing = :live"


class SubjectAccessLists(RequestLists):
    """`RequestLists` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table, SubjectAccessStoreUnavailableError)

    @override
    def claimable(self, before: int, most_attempts: int, limit: int) -> list[str]:
        found: list[str] = []
        free = "(attribute_not_exists(claim_expires_at) OR claim_expires_at < :before)"
        items = self._table.query(
            "queue = :queue",
            {":queue": "PENDING", ":before": before, ":most": most_attempts},
            Read("ByQueue", f"{free} AND claim_attempts < :most"),
        )
        for item in items:
            found.append(_id_of(item))
            if len(found) == limit:
                break
        return found

    @override
    def queued(self, queue: str, before: datetime | None = None) -> Iterator[str]:
        condition, values = _standing(queue, before)
        yield from map(_id_of, self._table.query(condition, values, Read("ByQueue")))

    @override
    def count(self, queue: str, before: datetime | None = None) -> int:
        condition, values = _standing(queue, before)
        return self._table.count(condition, values, Read("ByQueue"))

    @override
    def newest(self, search: str) -> Iterator[str]:
        values, filtered = _matching(search)
        yield from map(_id_of, self._table.query(_LIVE, values, Read("ByListing", filtered, newest_first=True)))

    @override
    def matches(self, search: str) -> int:
        values, filtered = _matching(search)
        return self._table.count(_LIVE, values, Read("ByListing", filtered))

    @override
    def many(self, request_ids: Sequence[str]) -> list[SubjectRequest]:
        """Return these requests, in this order; without those that are gone meanwhile."""
        keys = ({"pk": f"SAR#{request_id}", "sk": "META"} for request_id in request_ids)
        found = {str(item["request_id"]): request_of(item) for item in self._table.batch_get(keys) if "state" in item}
        return [found[request_id] for request_id in request_ids if request_id in found]

    @override
    def related(self, request: SubjectRequest) -> list[str]:
        """Return the ids of other requests about the same person or under the same case reference, newest first."""
        person = {":value": request.subject_id}
        case = {":value": request.sar_case_reference_number}
        items = [
            *self._table.query("subject_id = :value", person, Read("BySubject", newest_first=True)),
            *self._table.query("sar_case_reference_number = :value", case, Read("ByCase", newest_first=True)),
        ]
        items.sort(key=lambda item: str(item["requested_at"]), reverse=True)
        return list(dict.fromkeys(_id_of(item) for item in items if _id_of(item) != request.request_id))


def _matching(search: str) -> tuple[Item, str | None]:
    """Return the values of a search, and the expression that they fill."""
    if not search:
        return {":live": "LIVE"}, None
    return {":live": "LIVE", ":search": search.casefold()}, "contains(search_text, :search)"


def _standing(queue: str, before: datetime | None) -> tuple[str, Item]:
    if before is None:
        return "queue = :queue", {":queue": queue}
    return "queue = :queue AND queue_place < :before", {":queue": queue, ":before": iso(before)}


def _id_of(item: Item) -> str:
    return str(item["pk"]).removeprefix("SAR#")
