"""The audit trails of subject access, as they stand in its table."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, override

from waybill.core.aws.table import Table
from waybill.custody.domain.comparing import Trails
from waybill.custody.errors import CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SubjectAccessTrails(Trails):
    """`Trails` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table, CustodyUnavailableError)

    @override
    def hashes(self, entries: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        keys = ({"pk": trail, "sk": f"AUD#{number:08}"} for trail, number in entries)
        return {(item["pk"], item["number"]): str(item.get("hash")) for item in self._table.batch_get(keys)}
