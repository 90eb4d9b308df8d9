"""Items of workflows' tables that say what the item of a change leaves out."""

import json
from typing import TYPE_CHECKING, override

from waybill.core.aws.table import Table
from waybill.custody.domain.records.change import OtherRecords, Record
from waybill.custody.errors import CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WorkflowTables(OtherRecords):
    """`OtherRecords` on DynamoDB, each item read once by this object: what is read of them never changes."""

    def __init__(self, client: "DynamoDBClient", consignments: str, scans: str) -> None:
        self._consignments = Table(client, consignments, CustodyUnavailableError)
        self._scans = Table(client, scans, CustodyUnavailableError)
        self._known: dict[str, Record | None] = {}

    @override
    def consignment(self, consignment_id: str) -> Record | None:
        return self._read(self._consignments, consignment_id, "CONSIGNMENT")

    @override
    def scan(self, job_id: str) -> Record | None:
        job = self._read(self._scans, f"JOB#{job_id}", "META")
        try:
            return None if job is None else json.loads(str(job["request"]))
        except (KeyError, ValueError):
            return None

    def _read(self, table: Table, pk: str, sk: str) -> Record | None:
        if pk not in self._known:
            self._known[pk] = table.get({"pk": pk, "sk": sk})
        return self._known[pk]
