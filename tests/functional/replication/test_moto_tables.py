"""What the tests' own DynamoDB does with a transaction that is refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.functions import PHYSICAL

TABLE = PHYSICAL["FileCopyTrackingTable"]


def _key(key: str) -> dict[str, Any]:
    return {"fileKey": {"S": key}, "sourceBucket": {"S": "archive"}}


def _all(dynamodb: Any) -> list[Any]:
    return sorted(dynamodb.scan(TableName=TABLE)["Items"], key=str)


# Developer guide, "Managing complex workflows with transactions": all of it succeeds, or none of it.
def test_a_refused_transaction_changes_nothing(dynamodb: Any) -> None:
    for name in ("kept", "updated", "deleted"):
        dynamodb.put_item(TableName=TABLE, Item={**_key(name), "seen": {"L": [{"N": "1"}]}})
    before = _all(dynamodb)
    append = {
        "TableName": TABLE,
        "Key": _key("updated"),
        "UpdateExpression": "SET seen = list_append(seen, :more)",
        "ExpressionAttributeValues": {":more": {"L": [{"N": "2"}]}},
    }
    writes = [
        {"Update": append},
        {"Delete": {"TableName": TABLE, "Key": _key("deleted")}},
        {"Put": {"TableName": TABLE, "Item": _key("new")}},
    ]
    never = {"TableName": TABLE, "Key": _key("kept"), "ConditionExpression": "attribute_not_exists(seen)"}
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[*writes, {"ConditionCheck": never}])
    assert _all(dynamodb) == before
    dynamodb.transact_write_items(TransactItems=writes)
    assert len(_all(dynamodb)) == 3
    assert dynamodb.get_item(TableName=TABLE, Key=_key("updated"))["Item"]["seen"] == {"L": [{"N": "1"}, {"N": "2"}]}
