"""What is kept: buckets, tables, queues and the topic."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import cfnlint

from scripts.deployment import Deployment
from scripts.template import readable_list
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names, target

TABLE = "AWS::DynamoDB::Table"
BUCKETS, TABLES, QUEUES = (made_names(kind) for kind in ("AWS::S3::Bucket", TABLE, "AWS::SQS::Queue"))
KEYS, TOPICS, SECRETS = (made_names(f"AWS::{kind}") for kind in ("KMS::Key", "SNS::Topic", "SecretsManager::Secret"))
KEPT = {"Retain", "RetainExceptOnCreate"}
# AWS::S3::Bucket Rule.
FILTERS = {"TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
# What holds data by cfn-lint's list (I3011), but for messages on their way, logs, which expire, and the copies of what
# is kept, whose vault CloudFormation deletes only when it is empty.
STATEFUL = Path(str(cfnlint.__file__)).parent / "data" / "AdditionalSpecs" / "StatefulResources.json"
PASSING = {"AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::Backup::BackupVault"}
FOURTEEN_DAYS = 1_209_600

every_bucket = every("bucket", BUCKETS)
every_table = every("table", TABLES)


@every_bucket
def test_a_bucket_encrypts_with_the_key_and_asks_kms_rarely(stack: Stack, bucket: str) -> None:
    (rule,) = stack[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert target(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) in KEYS


@every_bucket
def test_a_bucket_is_closed_to_the_public(stack: Stack, bucket: str) -> None:
    settings = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert stack[bucket]["PublicAccessBlockConfiguration"] == dict.fromkeys(settings, True)
    assert stack[bucket]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@every_bucket
def test_a_bucket_gives_up_uploads_that_nobody_completes(stack: Stack, bucket: str) -> None:
    rules = [rule for rule in stack[bucket]["LifecycleConfiguration"]["Rules"] if rule["Status"] == "Enabled"]
    # A rule with a prefix or a filter would leave uploads of other keys open.
    whole = [rule for rule in rules if not {"Prefix", "Filter", "TagFilters"} & set(rule)]
    assert any(1 <= rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= 7 for rule in whole)


@every_bucket
def test_a_bucket_is_reached_by_tls_alone(stack: Stack, bucket: str) -> None:
    (name,) = (
        name for name, policy in policies_of("AWS::S3::BucketPolicy", stack) if target(policy["Bucket"]) == bucket
    )
    # A bucket that is not in every stack has a condition of its own, and its policy both.
    condition, own = stack.resources[name]["Condition"], stack.resources[bucket].get("Condition")
    if own:
        both = [{"Condition": "ReachedByTls"}, {"Condition": own}]
        assert stack.template["Conditions"][condition] == {"Fn::And": both}
    else:
        assert condition == "ReachedByTls"
    assert denials(stack[name]["PolicyDocument"]) == [("*", ("s3:*",), (bucket, f"{bucket}/*"), "false")]


@every("topic", TOPICS)
def test_a_topic_takes_nothing_without_tls(stack: Stack, topic: str) -> None:
    (policy,) = (
        policy for _, policy in policies_of("AWS::SNS::TopicPolicy", stack) if {"Ref": topic} in policy["Topics"]
    )
    assert denials(policy["PolicyDocument"]) == [("*", ("sns:Publish",), (topic,), "false")]


@every("queue", QUEUES)
def test_a_queue_takes_and_gives_nothing_without_tls(stack: Stack, queue: str) -> None:
    # A queue has one policy, whoever else is in it (Amazon SQS developer guide, "Amazon SQS security best practices").
    (name,) = (
        name for name, policy in policies_of("AWS::SQS::QueuePolicy", stack) if {"Ref": queue} in policy["Queues"]
    )
    found = denials(stack[name]["PolicyDocument"])
    assert [(who, actions, tls) for who, actions, on, tls in found if queue in on] == [("*", ("sqs:*",), "false")]


@every("bucket", BUCKETS)
def test_what_expires_in_a_bucket_with_versions_is_gone(stack: Stack, bucket: str) -> None:
    """An expiry alone hides what is current (Amazon S3 user guide, "Expiring objects")."""
    if "VersioningConfiguration" not in stack[bucket]:
        return
    rules = [rule for rule in stack[bucket]["LifecycleConfiguration"]["Rules"] if rule["Status"] == "Enabled"]
    # Of objects with a tag or a size alone, the others stay.
    whole = [rule for rule in rules if not FILTERS & set(rule)]
    gone = [rule.get("Prefix", "") for rule in whole if "NoncurrentVersionExpiration" in rule]
    for rule in rules:
        if {"ExpirationInDays", "ExpirationDate"} & set(rule):
            assert any(rule.get("Prefix", "").startswith(prefix) for prefix in gone), rule["Id"]


def test_only_the_embedded_aws_goes_without_tls(stack: Stack) -> None:
    assert stack.template["Conditions"]["ReachedByTls"] == {"Fn::Equals": [{"Ref": "Platform"}, "aws"]}
    assert stack.template["Parameters"]["Platform"]["Default"] == "aws"


@every_table
def test_a_table_costs_by_use_and_can_be_restored(stack: Stack, table: str) -> None:
    assert stack[table]["BillingMode"] == "PAY_PER_REQUEST"
    assert stack[table]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    condition = "ProtectedIdentifiers" if table == "IdentifiersTable" else "Production"
    assert stack[table]["DeletionProtectionEnabled"] == {"Fn::If": [condition, True, False]}


@every_table
def test_a_table_encrypts_with_the_key(stack: Stack, table: str) -> None:
    encryption = stack[table]["SSESpecification"]
    assert (encryption["SSEEnabled"], encryption["SSEType"]) == (True, "KMS")
    assert target(encryption["KMSMasterKeyId"]) in KEYS


@every("name", [*QUEUES, *TOPICS])
def test_messages_are_encrypted_with_the_key(stack: Stack, name: str) -> None:
    assert target(stack[name]["KmsMasterKeyId"]) in KEYS


@every("key", KEYS)
def test_keys_rotate(stack: Stack, key: str) -> None:
    """Those that KMS rotates: keys that encrypt (KMS developer guide, "Rotating AWS KMS keys")."""
    assert stack[key].get("EnableKeyRotation", False) is ("KeySpec" not in stack[key])


@every("queue", QUEUES)
def test_messages_wait_for_a_person_as_long_as_sqs_lets_them(stack: Stack, queue: str) -> None:
    assert stack[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS


@every("name", [*BUCKETS, *TABLES, *KEYS, *SECRETS])
def test_what_is_kept_outlives_the_stack_in_production(stack: Stack, name: str) -> None:
    assert Deployment(stack.template, Stage="prod").resources[name]["DeletionPolicy"] in KEPT
    assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_nothing_that_holds_data_is_forgotten(stack: Stack) -> None:
    stateful = set(json.loads(STATEFUL.read_text("utf-8"))["ResourceTypes"]) - PASSING
    found = {name for name, resource in stack.resources.items() if resource["Type"] in stateful}
    assert found == {*BUCKETS, *TABLES, *KEYS, *SECRETS}


@every(("stage", "protect"), list(product(("dev", "test", "prod"), ("true", "false"))))
def test_a_stack_ends_and_a_failed_creation_is_rolled_back(stack: Stack, stage: str, protect: str) -> None:
    """A rollback deletes what it made, but for what is retained (CloudFormation, "DeletionPolicy attribute").

    A table under protection cannot be deleted (Amazon DynamoDB developer guide, "Deletion protection"), so it is
    retained; what is not protected goes where its creation fails, and is empty then.
    """
    deployment = Deployment(stack.template, Stage=stage, ProtectIdentifiers=protect)
    ends = {name: deployment.resources[name]["DeletionPolicy"] for name in [*BUCKETS, *TABLES, *KEYS, *SECRETS]}
    protected = {name for name, one in deployment.of_type(TABLE).items() if one["DeletionProtectionEnabled"]}
    assert {name for name, end in ends.items() if end == "Retain"} == protected
    # "It cannot be decrypted once its key is deleted" (AWS KMS developer guide, "Delete an AWS KMS key").
    for key in (key for key in KEYS if "KeySpec" not in stack[key]):
        encrypted = {name for name in ends if name not in KEYS and key in set(strings(deployment.resources[name]))}
        assert encrypted
        assert ends[key] in KEPT or not {name for name in encrypted if ends[name] in KEPT}


@every(("stage", "versioned"), [("prod", True), ("dev", False)])
def test_what_is_overwritten_in_production_keeps_its_versions(stack: Stack, stage: str, versioned: bool) -> None:
    """Amazon S3 User Guide, "Retaining multiple versions of objects with S3 Versioning"."""
    buckets = Deployment(stack.template, Stage=stage).of_type("AWS::S3::Bucket")
    found = {name: one.get("VersioningConfiguration") for name, one in buckets.items()}
    assert (found["DestinationBucketA"] == found["DestinationBucketB"] == {"Status": "Enabled"}) is versioned


def backed_up(deployment: Deployment) -> set[str]:
    """What has the tag that BackupSelection looks for."""
    (selection,) = deployment.of_type("AWS::Backup::BackupSelection").values()
    ((key, value),) = [
        (tag["ConditionKey"], tag["ConditionValue"]) for tag in selection["BackupSelection"]["ListOfTags"]
    ]
    return {
        name
        for name, one in deployment.resources.items()
        if {"Key": key, "Value": value} in (one["Properties"].get("Tags") or [])
    }


def test_backups_are_made_on_request_alone_and_nobody_can_take_them(stack: Stack) -> None:
    """AWS Backup developer guide, "AWS Backup Vault Lock": with a time to change it, a lock is in compliance mode."""
    kinds = [f"AWS::Backup::Backup{kind}" for kind in ("Vault", "Plan", "Selection")]
    assert [Deployment(stack.template).of_type(kind) for kind in kinds] == [{}, {}, {}]
    deployment = Deployment(stack.template, BackupDays="35")
    (vault,), (plan,), (selection,) = (list(deployment.of_type(kind).values()) for kind in kinds)
    lock = vault["LockConfiguration"]
    assert lock["ChangeableForDays"] == 3
    days = stack.template["Parameters"]["BackupDays"]["AllowedValues"]
    assert min(day for day in days if day) == lock["MinRetentionDays"]
    assert [rule["Lifecycle"] for rule in plan["BackupPlan"]["BackupPlanRule"]] == [{"DeleteAfterDays": "35"}]
    # AWS::Backup::BackupVault, `BackupVaultName`.
    assert re.fullmatch(r"[a-zA-Z0-9_-]{2,50}", vault["BackupVaultName"])
    taken = backed_up(deployment)
    # A session of the console that is lost is signed in anew.
    missing = set(TABLES) - {"ConsoleSessionsTable"} - taken
    assert missing == set(), "they need `Tags: *BackedUp`"
    assert "ConsoleSessionsTable" not in taken
    # Stacks of an account and Region have different names: neither backs up what is the other's.
    assert selection["BackupSelection"].keys() == {"SelectionName", "IamRoleArn", "ListOfTags"}
    (tag,) = selection["BackupSelection"]["ListOfTags"]
    assert tag == {"ConditionType": "STRINGEQUALS", "ConditionKey": "waybill:backup", "ConditionValue": "waybill"}


def test_a_backup_that_is_not_made_is_told(stack: Stack) -> None:
    """AWS Backup developer guide, "Monitoring AWS Backup events using Amazon EventBridge": the states of its jobs."""
    assert "BackupFailedRule" not in Deployment(stack.template).resources
    rule = Deployment(stack.template, BackupDays="30").of_type("AWS::Events::Rule")["BackupFailedRule"]
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.backup"], ["Backup Job State Change"])
    assert pattern["detail"] == {"backupVaultName": ["BackupVault"], "state": ["ABORTED", "EXPIRED", "FAILED"]}
    assert [target["Arn"] for target in rule["Targets"]] == ["FailureTopic"]


def test_a_secret_may_be_made_with_the_key_of_the_stack(stack: Stack) -> None:
    """Secrets Manager user guide, "Secret encryption and decryption": it calls KMS in its reader's name."""
    (key,) = [one for name, one in Deployment(stack.template).of_type("AWS::KMS::Key").items() if name == "DataKey"]
    (through,) = [one for one in key["KeyPolicy"]["Statement"] if one["Sid"] == "ThroughTheServices"]
    assert "secretsmanager.eu-west-1.amazonaws.com" in through["Condition"]["StringLike"]["kms:ViaService"]


@every("stage", ["dev", "prod"])
def test_a_bucket_that_is_backed_up_has_versions(stack: Stack, stage: str) -> None:
    """ "S3 Versioning must be enabled" (AWS Backup developer guide, "Amazon S3 backups")."""
    deployment = Deployment(stack.template, Stage=stage, BackupDays="7")
    taken = backed_up(deployment) - set(TABLES)
    assert bool(taken) is (stage == "prod")
    buckets = deployment.of_type("AWS::S3::Bucket")
    assert {name for name in taken if buckets[name].get("VersioningConfiguration") != {"Status": "Enabled"}} == set()


def test_identifiers_are_protected_unless_somebody_says_otherwise(stack: Stack) -> None:
    # Nobody else can say what a public identifier stood for.
    assert stack.template["Conditions"]["ProtectedIdentifiers"] == {
        "Fn::Equals": [{"Ref": "ProtectIdentifiers"}, "true"]
    }
    assert stack.template["Parameters"]["ProtectIdentifiers"]["Default"] == "true"
    assert "TimeToLiveSpecification" not in stack["IdentifiersTable"]


def test_production_is_what_a_deployment_without_parameters_makes(stack: Stack) -> None:
    assert stack.template["Conditions"]["Production"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    assert stack.template["Parameters"]["Stage"]["Default"] == "prod"
    # CloudFormation takes a function as a DeletionPolicy with this transform alone, which has to come before SAM's.
    assert stack.source["Transform"] == ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]


def policies_of(kind: str, stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    return list(stack.of_type(kind).items())


def denials(document: dict[str, Any]) -> list[tuple[str, tuple[str, ...], tuple[str, ...], str]]:
    """Whom a policy denies what, when a request has this value for TLS."""
    written = [statement.get("Fn::If", [None, statement])[1] for statement in document["Statement"]]
    return [
        (
            statement["Principal"],
            tuple(readable_list(statement["Action"])),
            tuple(readable_list(statement["Resource"])),
            statement["Condition"]["Bool"]["aws:SecureTransport"],
        )
        for statement in written
        if statement["Effect"] == "Deny"
    ]


def strings(value: Any) -> Iterator[str]:
    """Every text in it, without the attribute of a resource: a key is named by `DataKey` and by `DataKey.Arn`."""
    if isinstance(value, str):
        yield value.partition(".")[0]
    elif isinstance(value, list | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from strings(one)
