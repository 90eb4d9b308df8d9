"""Nobody may do more than they do: wildcards, AWS's own policies, who may take on a role, the document of it all."""

import re

import pytest

from scripts import permissions
from scripts.template import REASON, readable_list, statements
from tests.template.support.machines import machines
from tests.template.support.rules import every
from tests.template.support.stack import FUNCTION, Grant, Stack, grants_of, made_names, names, target

KEYS = made_names("AWS::KMS::Key")
# `Resource: "*"`, by the policy and what it allows there.
EVERY_RESOURCE = {
    "WorkflowLogsPolicy.PolicyDocument logs": "log delivery has no resources; CloudWatch Logs refuses narrower ones",
    "WorkflowLogsPolicy.PolicyDocument xray": "X-Ray has no resources",
    **{f"{key}.KeyPolicy kms": "in the policy of a key, * is that key" for key in KEYS},
}
# Resources that are a wildcard in all but name.
NEARLY_EVERY_RESOURCE = {
    "arn:aws:s3:::*": ("s3:GetBucketLocation", "requests may name any bucket; its Region decides whom to ask about it"),
}
# Actions with wildcards, by the policy.
WILDCARDS = {
    **{
        f"{key}.KeyPolicy kms:*": "administrators, by their own policies; nobody could change the key without"
        for key in KEYS
    },
    "DataKey.KeyPolicy kms:ReEncrypt*": "ReEncryptFrom and ReEncryptTo, as in the policies of AWS's own keys",
    **{
        f"{role}.{role}Policy1 sqs:SendMessage*": "the embedded AWS has an action of its own for batches"
        for role in ("ScanApiFunctionRole", "ProcessBatchFunctionRole", "ScanObjectsFunctionRole")
    },
    "DataKey.KeyPolicy kms:GenerateDataKey*": "with and without plaintext, as in the policies of AWS's own keys",
}
# AWS's own policies, which have wildcards inside.
AWS_POLICIES = {
    "AWSLambdaBasicExecutionRole": "write logs",
    "AWSXrayWriteOnlyAccess": "write traces",
    "AWSLambdaDynamoDBExecutionRole": "read the streams that are event sources",
    "AWSLambdaSQSQueueExecutionRole": "read the queue that is an event source",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces; SAM adds it wherever there may be a VPC",
    "AWSBackupServiceRolePolicyForBackup": "AWS Backup's own, for tables, where BackupDays asks for it",
    "AWSBackupServiceRolePolicyForS3Backup": "the same for buckets",
    "AmazonAPIGatewayPushToCloudWatchLogs": "API Gateway's access logs",
}
# A bucket that a parameter names, and what its key is asked for.
PARAMETER_BUCKET = re.compile(r"arn:\*:s3:::<(Additional\w+|ScanBuckets)>")
KEY_ACTIONS = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}
READING = {"DynamoDB": "AWSLambdaDynamoDBExecutionRole", "SQS": "AWSLambdaSQSQueueExecutionRole"}
LOGS_AND_TRACES = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}

ROLES = made_names("AWS::IAM::Role")
DISTRIBUTED = {
    name
    for machine in machines()
    for state in machine.states
    if state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
    for name in machine.resources
}
every_role = every("role", ROLES)
every_function = every("function", names(FUNCTION))


@pytest.fixture(scope="session")
def allowed(stack: Stack) -> list[Grant]:
    """Everything that any policy of the template allows."""
    found = []
    for place, document in stack.policies.items():
        if not place.endswith(".AssumeRolePolicyDocument"):
            allowing = [entry for entry in document["Statement"] if entry.get("Effect", "Allow") == "Allow"]
            allowing = [entry for entry in allowing if entry.get("Fn::If", [None, entry])[1]["Effect"] == "Allow"]
            found += grants_of(place, {"Statement": allowing})
    return found


def test_every_statement_about_all_resources_has_a_reason(allowed: list[Grant]) -> None:
    found = {f"{grant.within} {grant.action.partition(':')[0]}" for grant in allowed if grant.resource == "*"}
    assert found == set(EVERY_RESOURCE)


def test_every_statement_about_nearly_all_resources_has_a_reason(allowed: list[Grant]) -> None:
    found = {
        (grant.resource, grant.action)
        for grant in allowed
        if grant.resource.endswith(":*") and "<" not in grant.resource
    }
    assert found == {(resource, action) for resource, (action, _) in NEARLY_EVERY_RESOURCE.items()}


def test_every_action_is_spelt_out(allowed: list[Grant]) -> None:
    assert {f"{grant.within} {grant.action}" for grant in allowed if "*" in grant.action} == set(WILDCARDS)


def test_nothing_is_allowed_by_exception(stack: Stack) -> None:
    for document in stack.policies.values():
        for statement, _ in statements(document):
            assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)


@every_role
def test_who_reads_foreign_buckets_may_decrypt_with_their_keys(stack: Stack, role: str) -> None:
    """S3 calls KMS in the reader's name (Amazon S3 user guide, "Using server-side encryption with AWS KMS keys")."""
    grants = stack.grants(role)
    foreign = [
        grant.resource
        for grant in grants
        if grant.action in {"s3:GetObject", "s3:PutObject"} and PARAMETER_BUCKET.match(grant.resource)
    ]
    keys = {grant.action for grant in grants if grant.resource == "<AdditionalKeyArns>"}
    wanted = {
        KEY_ACTIONS[grant.action] for grant in grants if grant.resource in foreign and grant.action in KEY_ACTIONS
    }
    assert wanted <= keys


@every("machine", made_names("AWS::StepFunctions::StateMachine"))
def test_a_failed_run_of_a_distributed_map_can_be_redriven(stack: Stack, machine: str) -> None:
    """Step Functions developer guide, "Redriving Map Runs in Step Functions executions"."""
    allowed = {grant.action for grant in stack.grants(target(stack[machine]["RoleArn"]))}
    if machine in DISTRIBUTED:
        assert {"states:StartExecution", "states:StopExecution", "states:RedriveExecution"} <= allowed


@every("policy", made_names("AWS::IAM::ManagedPolicy"))
def test_a_shared_policy_is_shared(stack: Stack, policy: str) -> None:
    users = [role for role in ROLES if {"Ref": policy} in stack[role].get("ManagedPolicyArns", [])]
    assert len(users) > 1


@every_role
def test_awss_own_policies_have_a_reason(stack: Stack, role: str) -> None:
    assert stack.aws_policies(role) <= set(AWS_POLICIES)


@every_function
def test_a_function_has_awss_policies_for_logs_traces_queue_and_network(stack: Stack, function: str) -> None:
    reads = {event.kind for event in stack.events(function)}
    wanted = LOGS_AND_TRACES | {policy for kind, policy in READING.items() if kind in reads}
    wanted |= {"AWSLambdaVPCAccessExecutionRole"} if "VpcConfig" in stack[function] else set()
    assert stack.aws_policies(f"{function}Role") == wanted


@every_function
def test_no_code_of_a_function_in_a_vpc_uses_its_network_interfaces(stack: Stack, function: str) -> None:
    """Denied where `lambda:SourceFunctionArn` is set (developer guide, "Giving functions access to a VPC")."""
    if "VpcConfig" in stack[function]:
        shared = [arn["Ref"] for arn in stack[f"{function}Role"]["ManagedPolicyArns"] if "Ref" in arn]
        denied = [
            (statement["Action"], list(statement["Condition"]["ArnLike"]))
            for policy in shared
            for statement, _ in statements(stack[policy]["PolicyDocument"])
            if statement["Effect"] == "Deny"
        ]
        assert denied == [("ec2:*", ["lambda:SourceFunctionArn"])]


@every_role
def test_a_role_is_for_one_service(stack: Stack, role: str) -> None:
    (statement,) = stack[role]["AssumeRolePolicyDocument"]["Statement"]
    assert readable_list(statement["Action"]) == ["sts:AssumeRole"]
    assert list(statement["Principal"]) == ["Service"]
    assert len(readable_list(statement["Principal"]["Service"])) == 1


@every_function
def test_a_function_has_a_role_of_its_own(stack: Stack, function: str) -> None:
    users = [
        name for name, one in stack.of_type("AWS::Lambda::Function").items() if target(one["Role"]) == f"{function}Role"
    ]
    assert users == [function]


def test_the_key_is_used_through_the_services_of_this_account_alone(stack: Stack) -> None:
    (open_to_all,) = (
        statement
        for statement, _ in statements(stack["DataKey"]["KeyPolicy"])
        if statement["Principal"] == {"AWS": "*"}
    )
    assert open_to_all["Condition"]["StringEquals"]["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
    # Those whose things of this stack are encrypted with it; the console's secret may be.
    services = ["s3.*", "dynamodb.<region>", "sqs.<region>", "sns.<region>", "secretsmanager.<region>"]
    assert readable_list(open_to_all["Condition"]["StringLike"]["kms:ViaService"]) == [
        f"{service}.amazonaws.com" for service in services
    ]


def test_every_statement_says_why(stack: Stack) -> None:
    for place, document in stack.policies.items():
        written = place.split(".")[0] in stack.source["Resources"] and not place.endswith(".AssumeRolePolicyDocument")
        for statement, _ in statements(document):
            assert not written or statement[REASON], place


def test_the_document_of_the_permissions_is_up_to_date() -> None:
    assert permissions.document() == permissions.DOCUMENT.read_text("utf-8"), "run scripts/permissions"


def test_the_document_names_every_action(allowed: list[Grant]) -> None:
    text = permissions.document()
    assert [grant.action for grant in allowed if f"`{grant.action}`" not in text] == []
