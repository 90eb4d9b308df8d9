"""Documents that were stored, in the identifiers table; `table.py` says which items there are."""

from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import to_item
from waybill.minting.adapters.table import registry_errors
from waybill.minting.domain.documents import DocumentRecords
from waybill.minting.domain.source_ids import DOCUMENT_KEYS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from waybill.minting.models import StoredDocument

# The newest stands: a function that is late changes nothing.
_NEWER = "attribute_not_exists(pk) OR createdAt <= :at"


class DocumentsTable(DocumentRecords):
    """`DocumentRecords` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    @override
    def record(self, document: "StoredDocument", at: str, job_id: str | None) -> None:
        item = {
            "pk": DOCUMENT_KEYS + document.canonical_id,
            "bucket": document.bucket,
            "key": document.key,
            "versionId": document.version_id,
            "sha256": document.sha256,
            "size": document.size,
            "createdAt": at,
            "jobId": job_id,
        }
        with registry_errors(self._table):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item({name: value for name, value in item.items() if value is not None}),
                    ConditionExpression=_NEWER,
                    ExpressionAttributeValues={":at": {"S": at}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return
