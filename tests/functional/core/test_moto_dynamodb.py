"""The short way to the tests' own DynamoDB leads where the whole way does, which is that of botocore and moto."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.moto_dynamodb import the_whole_way

_KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
# A value of each kind, and of kinds within kinds (developer guide, "Supported data types").
_VALUES: dict[str, Any] = {
    "text": {"S": "Zoë <&> \u2028 {}"},
    "empty": {"S": ""},
    "number": {"N": "-1.50"},
    "bytes": {"B": b"\x00\xff"},
    "true": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["x", "y"]},
    "numbers": {"NS": ["1", "2.0"]},
    "list": {"L": [{"S": "x"}, {"B": b"in"}, {"L": []}, {"M": {}}]},
    "map": {"M": {"S": {"S": "a name of a kind"}, "N": {"M": {"deep": {"N": "7"}}}, "set": {"SS": ["z"]}}},
}
_MISTAKES: dict[str, dict[str, Any]] = {
    "no such kind": {"Item": {**_KEY, "v": {"T": "x"}}},
    "no kind": {"Item": {**_KEY, "v": {}}},
    "a number as number": {"Item": {**_KEY, "v": {"N": 1}}},
    "a text as yes": {"Item": {**_KEY, "v": {"BOOL": "true"}}},
    "a value as it is": {"Item": {**_KEY, "v": "x"}},
    "a mistake in a list": {"Item": {**_KEY, "v": {"L": [{"S": "x"}, {"S": 1}]}}},
    "a mistake in a map": {"Item": {**_KEY, "v": {"M": {"a": {"N": None}}}}},
    "a name that is none": {"Item": {**_KEY, "v": {"M": {1: {"S": "x"}}}}},
    "a text that is no number": {"Item": {**_KEY, "v": {"N": "one"}}},
    "a key too few": {"Item": {"pk": {"S": "a"}}},
    "a key of another kind": {"Item": {"pk": {"N": "1"}, "sk": {"S": "b"}}},
    "no item": {},
    "a parameter that is none": {"Item": _KEY, "Itme": _KEY},
    "too large": {"Item": {**_KEY, "v": {"S": "x" * 410_000}}},
    "a condition that does not hold": {"Item": _KEY, "ConditionExpression": "attribute_exists(pk)"},
    "a table that is none": {"Item": _KEY, "TableName": "others"},
}


@pytest.fixture(params=["short", "whole"])
def dynamodb(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A table; each test sees both ways, and says what comes of them."""
    if request.param == "whole":
        the_whole_way(monkeypatch)
    with mock_aws():
        yield _table()


def _table() -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def test_what_is_written_is_what_is_read(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="table", Item={**_KEY, **_VALUES})
    expected = {**_KEY, **_VALUES}
    assert dynamodb.get_item(TableName="table", Key=_KEY)["Item"] == expected
    [found] = dynamodb.query(
        TableName="table", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "a"}}
    )["Items"]
    assert found == expected
    got = dynamodb.batch_get_item(RequestItems={"table": {"Keys": [_KEY]}})
    assert got["Responses"]["table"] == [expected]


def test_what_was_read_or_given_is_nobody_elses(dynamodb: Any) -> None:
    given = {**_KEY, "list": {"L": [{"S": "x"}]}}
    dynamodb.put_item(TableName="table", Item=given)
    given["list"]["L"].append({"S": "later"})  # type: ignore[arg-type]
    read = dynamodb.get_item(TableName="table", Key=_KEY)["Item"]
    read["list"]["L"].clear()
    assert dynamodb.get_item(TableName="table", Key=_KEY)["Item"]["list"] == {"L": [{"S": "x"}]}


def test_what_was_before_an_update_stays_as_it_was(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="table", Item={**_KEY, "n": {"N": "1"}, "in": {"M": {"s": {"S": "old"}}}})
    answer = dynamodb.update_item(
        TableName="table",
        Key=_KEY,
        UpdateExpression="SET #in.s = :new ADD n :one",
        ExpressionAttributeNames={"#in": "in"},
        ExpressionAttributeValues={":new": {"S": "new"}, ":one": {"N": "1"}},
        ReturnValues="ALL_OLD",
    )
    assert answer["Attributes"] == {**_KEY, "n": {"N": "1"}, "in": {"M": {"s": {"S": "old"}}}}
    now = dynamodb.get_item(TableName="table", Key=_KEY)["Item"]
    assert now == {**_KEY, "n": {"N": "2"}, "in": {"M": {"s": {"S": "new"}}}}


def test_mistakes_are_refused_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    short = _refusals()
    the_whole_way(monkeypatch)
    assert short == _refusals()
    assert [name for name, refused in short.items() if refused == "nothing"] == []


def _refusals() -> dict[str, str]:
    with mock_aws():
        put = _table().put_item
        return {name: _refusal(put, mistake) for name, mistake in _MISTAKES.items()}


def _refusal(put: Callable[..., Any], mistake: dict[str, Any]) -> str:
    try:
        put(**{"TableName": "table", **mistake})
    except Exception as error:  # moto has some of its own
        return repr(error)
    return "nothing"
