"""The drill on moto: what it copies, what it refuses before it does anything, and what fails alone."""

import sys
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from scripts.restore_drill import BUCKET, TABLE, Outcome, drill, main
from tests.fakes.wire import Wire

ITEM = {"id": {"S": "1"}, "nothing": {"NULL": True}, "price": {"N": "1.50"}, "in": {"M": {"some": {"SS": ["b", "a"]}}}}
LARGE = 8 * 1024 * 1024 + 1  # boto3 copies from 8 MiB on in parts ("S3 customization reference", TransferConfig)
NOT_FOUND = "Stack with id nowhere does not exist"


class Account:
    """Clients of moto, but CloudFormation's, which lists what a test made."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {"empty": {}}

    def client(self, service: str) -> Any:
        """Return a client."""
        if service == "cloudformation":
            return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=self._listed))
        return boto3.client(service, "eu-west-1")  # type: ignore[call-overload]

    def make(self, stack: str, **kinds: str) -> None:
        """Make tables and buckets."""
        self.stacks[stack] = kinds
        for name, kind in kinds.items():
            physical = f"{stack}-{name}".lower()
            if kind == BUCKET:
                self.client("s3").create_bucket(
                    Bucket=physical, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
                )
                self.client("s3").put_bucket_versioning(Bucket=physical, VersioningConfiguration={"Status": "Enabled"})
            else:
                self.client("dynamodb").create_table(
                    TableName=physical,
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )

    def _listed(self, StackName: str) -> list[Any]:  # noqa: N803  # as boto3 has it
        if StackName not in self.stacks:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": NOT_FOUND}}, "ListStackResources")
        listed = [
            {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": f"{StackName}-{name}".lower()}
            for name, kind in self.stacks[StackName].items()
        ]
        return [{"StackResourceSummaries": listed}]


@pytest.fixture
def account(wire: Wire) -> Account:
    """An account with two stacks of a table and a bucket."""
    account = Account()
    account.make("first", Items=TABLE, Copies=BUCKET)
    account.make("second", Items=TABLE, Copies=BUCKET)
    return account


def _put(account: Account, size: int, **tags: str) -> None:
    account.client("s3").put_object(
        Bucket="first-copies",
        Key="a/\u00fc b",
        Body=b"x" * size,
        ContentType="text/plain",
        Metadata={"is": "it"},
        Tagging="&".join(f"{key}={value}" for key, value in tags.items()),
    )


@pytest.mark.parametrize("size", [1, LARGE])
def test_an_object_keeps_type_metadata_and_tags_whatever_its_size(account: Account, size: int) -> None:
    _put(account, size, team="records", kept="yes")
    assert [str(one) for one in drill(account.client, "first", "second")] == [
        "Items: 0 restored, the same",
        "Copies: 1 restored, the same",
    ]
    found = account.client("s3").get_object(Bucket="second-copies", Key="a/\u00fc b")
    assert (found["ContentLength"], found["ContentType"], found["Metadata"]) == (size, "text/plain", {"is": "it"})
    tags = account.client("s3").get_object_tagging(Bucket="second-copies", Key="a/\u00fc b")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "records", "kept": "yes"}


def test_a_stack_by_another_name_is_not_restored_into_itself(account: Account) -> None:
    """CloudFormation, ListStackResources: a stack is asked for by its name or by its ARN."""
    arn = "arn:aws:cloudformation:eu-west-1:1:stack/first/1"
    resources = account._listed("first")

    def paginate(StackName: str) -> Any:  # noqa: N803  # as boto3 has it
        return resources if StackName == arn else account._listed(StackName)

    asked = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    client = {"cloudformation": asked}
    with pytest.raises(ValueError, match="is of both"):
        next(drill(lambda name: client.get(name) or account.client(name), "first", arn))


def test_an_object_with_other_tags_differs(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(account, 1, team="records")
    s3 = account.client("s3")

    def untagged(*_: object, ExtraArgs: dict[str, Any]) -> None:  # noqa: N803  # as boto3 has it
        s3.put_object(
            Bucket="second-copies", Key="a/\u00fc b", Body=b"x", ContentType="text/plain", Metadata={"is": "it"}
        )

    monkeypatch.setattr(s3, "copy", untagged)
    outcomes = drill(lambda name: s3 if name == "s3" else account.client(name), "first", "second")
    assert [str(one) for one in outcomes][1] == "Copies: DIFFERS, 1 of 1 or other content"


def test_items_are_put_as_they_are_written(account: Account) -> None:
    account.client("dynamodb").put_item(TableName="first-items", Item=ITEM)
    assert str(next(drill(account.client, "first", "second"))) == "Items: 1 restored, the same"
    found = account.client("dynamodb").get_item(TableName="second-items", Key={"id": {"S": "1"}})["Item"]
    assert (found["nothing"], found["price"]) == (ITEM["nothing"], ITEM["price"])
    assert sorted(account.client("dynamodb").list_tables()["TableNames"]) == ["first-items", "second-items"]


def test_what_cannot_be_restored_is_refused_before_anything_is_done(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.restore_drill.put_to_rest", lambda *_: pytest.fail("put to rest"))
    account.make("older", Items=TABLE)
    refused = {
        ("empty", "second"): "nothing to restore",
        ("nowhere", "second"): NOT_FOUND,
        ("first", "nowhere"): NOT_FOUND,
        ("first", "older"): "older has no Copies",
        ("second", "first"): "Copies of first is not empty",
    }
    _put(account, 1)
    for (stack, into), why in refused.items():
        with pytest.raises(ValueError, match=why):
            list(drill(account.client, stack, into))


def test_one_that_fails_stops_no_other_and_ends_in_exit_status_1(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb = account.client("dynamodb")
    dynamodb.put_item(TableName="first-items", Item=ITEM)

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchWriteItem")

    monkeypatch.setattr(dynamodb, "batch_write_item", denied)
    _put(account, 1)
    clients = SimpleNamespace(client=lambda name: dynamodb if name == "dynamodb" else account.client(name))
    monkeypatch.setattr("scripts.restore_drill.boto3", SimpleNamespace(Session=lambda **_: clients))
    monkeypatch.setattr(sys, "argv", ["restore-drill", "first", "second"])
    assert main() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Items: FAILED, ")
    assert "AccessDeniedException" in said[0]
    assert said[1] == "Copies: 1 restored, the same"
    assert sorted(account.client("dynamodb").list_tables()["TableNames"]) == ["first-items", "second-items"]


def test_an_object_in_an_archive_stops_no_other(account: Account) -> None:
    """Until it is restored S3 gives no archived object (Amazon S3 API Reference, GetObject, InvalidObjectState)."""
    s3 = account.client("s3")
    s3.put_object(Bucket="first-copies", Key="a", Body=b"x", StorageClass="GLACIER")
    s3.put_object(Bucket="first-copies", Key="b", Body=b"y")
    said = [str(one) for one in drill(account.client, "first", "second")][1]
    assert said.startswith("Copies: FAILED, 1 restored, but not a: ")
    assert "InvalidObjectState" in said


def test_a_table_that_could_not_be_deleted_is_named(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb = account.client("dynamodb")

    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": "LimitExceededException", "Message": "later"}}, "DeleteTable")

    monkeypatch.setattr(dynamodb, "delete_table", refused)
    outcome: Outcome = next(
        drill(lambda name: dynamodb if name == "dynamodb" else account.client(name), "first", "second")
    )
    assert not outcome.holds
    assert "the table second-items-drill-" in str(outcome)
