"""What a stack keeps can be restored into a second one, and a difference is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.restore_drill import drill, resources
from tests.workflow.support.account import ROLE, Account, opened
from tests.workflow.support.polling import until

KEEPS = {
    "TableOfItems": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    },
    "Copies": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
    "Locked": {"Type": "AWS::S3::Bucket", "Properties": {"ObjectLockEnabled": True}},
    "Sweep": {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:lambda:eu-west-1:000000000000:function:nothing", "RoleArn": ROLE},
        },
    },
}
ITEM = {"id": {"S": "1"}, "bytes": {"B": b"\0\xff"}, "many": {"SS": ["b", "a"]}, "in": {"M": {"n": {"N": "1.50"}}}}


def stack(account: Account, name: str) -> dict[str, str]:
    """Make a stack that keeps something; return physical names by logical ones."""
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": KEEPS}))
    until(
        lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
        "the stack is there",
    )
    return {logical: physical for logical, (_, physical) in resources(account.client, name).items()}


def test_a_stack_is_restored_into_a_second_one_and_compared(project: Path, tmp_path: Path) -> None:
    with opened(project, tmp_path) as account:
        first, second = stack(account, "first"), stack(account, "second")
        s3, dynamodb = account.client("s3"), account.client("dynamodb")
        for number in range(30):  # more than one write takes
            dynamodb.put_item(TableName=first["TableOfItems"], Item=ITEM | {"id": {"S": str(number)}})
        for text in (b"old", b"new"):
            s3.put_object(Bucket=first["Copies"], Key="a/\u00fc b", Body=text, Metadata={"is": text.decode()})
        s3.put_object(Bucket=first["Copies"], Key="gone", Body=b"x")
        s3.delete_object(Bucket=first["Copies"], Key="gone")

        found = {outcome.name: str(outcome) for outcome in drill(account.client, "first", "second")}

        assert found == {
            "TableOfItems": "TableOfItems: 30 restored, the same",
            "Copies": "Copies: 1 restored, the same",
            "Locked": "Locked: left out, since nobody could delete it again",
        }
        assert (
            dynamodb.get_item(TableName=second["TableOfItems"], Key={"id": {"S": "7"}})["Item"]["bytes"]
            == ITEM["bytes"]
        )
        copy = s3.get_object(Bucket=second["Copies"], Key="a/\u00fc b")
        assert (copy["Body"].read(), copy["Metadata"]) == (b"new", {"is": "new"})
        assert account.client("scheduler").get_schedule(Name=second["Sweep"])["State"] == "DISABLED"
        assert {*dynamodb.list_tables()["TableNames"]} == {first["TableOfItems"], second["TableOfItems"]}

        with pytest.raises(ValueError, match="TableOfItems of second is not empty"):
            list(drill(account.client, "first", "second"))
        third = stack(account, "third")
        s3.put_object(Bucket=third["Copies"], Key="more", Body=b"y")
        with pytest.raises(ValueError, match="Copies of third is not empty"):
            list(drill(account.client, "first", "third"))
        for one in s3.list_object_versions(Bucket=third["Copies"])["Versions"]:
            s3.delete_object(Bucket=third["Copies"], Key=one["Key"], VersionId=one["VersionId"])
        differs = {}
        for outcome in drill(account.client, "first", "third"):
            differs[outcome.name] = outcome
            if outcome.name == "TableOfItems":  # before the bucket's turn
                s3.put_object(Bucket=third["Copies"], Key="more", Body=b"y")
        assert str(differs["Copies"]) == "Copies: DIFFERS, 2 of 1 or other content"
        assert differs["TableOfItems"].holds
        assert not differs["Copies"].holds


def test_a_stack_is_not_restored_into_itself() -> None:
    def nobody(service: str) -> Any:
        raise AssertionError(f"asked {service}")

    with pytest.raises(ValueError, match="into itself"):
        list(drill(nobody, "one", "one"))
