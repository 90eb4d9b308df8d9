"""Every function may do what its code calls, and nothing else; replication's test looks at the resources as well."""

from scripts.template import load_template
from tests.template.support.code import Code, boto3_operations
from tests.template.support.routes import routes_of
from tests.template.support.rules import every
from tests.template.support.stack import FUNCTION, Stack, names

# IAM's names of services, where they are not boto3's.
PREFIXES = {"stepfunctions": "states"}
# What IAM asks for an operation, where its name is not the operation's (Service Authorization Reference).
ACTIONS: dict[str, set[str]] = {
    "batch_write_item": {"dynamodb:BatchWriteItem"},
    "complete_multipart_upload": {"s3:PutObject"},
    "copy_object": {"s3:GetObject", "s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "delete_objects": {"s3:DeleteObject"},
    "get_object": {"s3:GetObject"},
    "get_object_lock_configuration": {"s3:GetBucketObjectLockConfiguration"},
    "get_paginator": set(),
    "head_bucket": {"s3:ListBucket"},
    "head_object": {"s3:GetObject"},
    "invoke": {"lambda:InvokeFunction"},
    "list_object_versions": {"s3:ListBucketVersions"},
    "list_objects_v2": {"s3:ListBucket"},
    "list_parts": {"s3:ListMultipartUploadParts"},
    "send_message_batch": {"sqs:SendMessage"},
    "transact_condition_check": {"dynamodb:ConditionCheckItem"},
    "transact_delete": {"dynamodb:DeleteItem"},
    "transact_put": {"dynamodb:PutItem"},
    "transact_update": {"dynamodb:UpdateItem"},
    "transact_write_items": set(),
    "upload_part": {"s3:PutObject"},
    "upload_part_copy": {"s3:GetObject", "s3:PutObject"},
}
# What else makes sense with an operation: objects by version, 404 in place of 403, S3's part of an upload that failed.
BESIDE: dict[str, set[str]] = {
    "get_object": {"s3:GetObjectVersion", "s3:ListBucket"},
    "head_object": {"s3:GetObjectVersion", "s3:ListBucket"},
    "copy_object": {
        "s3:AbortMultipartUpload",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObjectTagging",
    },
    "get_object_tagging": {"s3:GetObjectVersionTagging", "s3:ListBucket"},
    "put_object": {"s3:AbortMultipartUpload"},
    "create_multipart_upload": {"s3:AbortMultipartUpload"},
    "send_message_batch": {"sqs:SendMessage*"},
}
# Encrypted data is read and written with the key of its owner, for which no code of ours asks.
KEYS = {"kms:Decrypt", "kms:GenerateDataKey"}
# What a function has besides, by a policy that it shares.
SHARED: dict[str, set[str]] = {}
STRICTER = ("waybill.replication.",)

_RESOURCES = load_template()["Resources"]
FUNCTIONS = [name for name in names(FUNCTION) if not _RESOURCES[name]["Properties"]["Handler"].startswith(STRICTER)]


def called(code: Code, stack: Stack, function: str) -> set[str]:
    """The operations that the function's code reaches."""
    reach = code.reach(stack[function]["Handler"], routes_of(stack, function))
    operations = {operation for _, operation in reach.operations}
    return operations | (reach.verbs if "transact_write_items" in operations else set())


def wanted(operation: str) -> set[str]:
    """The actions without which the operation is refused."""
    if operation in ACTIONS:
        return ACTIONS[operation]
    service, _, name = boto3_operations()[operation].partition(".")
    return {f"{PREFIXES.get(service, service)}:{name}"}


def given(stack: Stack, function: str) -> set[str]:
    """The actions that the function's policies allow, but for those of its on-failure destination."""
    return {grant.action for grant in stack.grants(f"{function}Role") if not grant.of_lost_events} - KEYS


@every("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_calls(stack: Stack, code: Code, function: str) -> None:
    may = {action.removesuffix("*") for action in given(stack, function)}
    assert {action for operation in called(code, stack, function) for action in wanted(operation)} - may == set()


@every("function", FUNCTIONS)
def test_a_function_may_do_nothing_else(stack: Stack, code: Code, function: str) -> None:
    operations = called(code, stack, function)
    reasons = {action for operation in operations for action in wanted(operation) | BESIDE.get(operation, set())}
    assert given(stack, function) - reasons == SHARED.get(function, set())
