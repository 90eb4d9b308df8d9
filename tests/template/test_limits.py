"""What is made of parameters fits what AWS takes, whatever they are filled with, and it fits in every partition."""

import json
import re
from typing import Any

import pytest

from scripts.deployment import Deployment
from scripts.template import PROJECT, load_template
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names

# IAM user guide, "IAM and AWS STS quotas": characters without white space.
MANAGED_POLICY, INLINE_POLICIES = 6144, 10_240
# Lambda developer guide, "Lambda quotas": all variables of a function, 4 KB in aggregate.
ENVIRONMENT = 4096
# Step Functions developer guide, "Service quotas": the name of a state machine.
STATE_MACHINE_NAME = 80
# The longest name of a stack that docs/deployment.md allows.
STACK = "s" * 60
REGION, ACCOUNT = "ap-southeast-4", "123456789012"
# What references give at their longest, by AWS's names: a bucket has 63 characters, a table 255, a queue 80, a topic
# 256, a secret of CloudFormation's the stack's name and its own.
MADE_UP = {
    "AWS::S3::Bucket": 63,
    "AWS::DynamoDB::Table": 255,
    "AWS::SQS::Queue": len(f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/") + 80,
    "AWS::SNS::Topic": len(f"arn:aws:sns:{REGION}:{ACCOUNT}:") + 256,
    "AWS::KMS::Key": 36,
    "AWS::SecretsManager::Secret": len(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:") + 128,
}
# Lists whose patterns count.
MOST = {
    "AdditionalDestinationBuckets": ["b" * 63] * 20,
    "AdditionalSourceBuckets": ["b" * 63] * 20,
    "ScanBuckets": ["b" * 63] * 20,
    "AdditionalKeyArns": ["arn:" + "k" * 96] * 10,
}


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Deployment:
    """A deployment whose parameters are all as long as they may be, or as large."""
    values = {}
    for name, one in stack.template["Parameters"].items():
        if name in MOST:
            values[name] = ",".join(MOST[name])
        elif "AllowedValues" in one:
            values[name] = max(map(str, one["AllowedValues"]), key=len)
        elif one["Type"] == "Number":
            values[name] = str(one.get("MaxValue", 10**12))
        else:
            values[name] = "x" * one.get("MaxLength", 4096)
    longest = {name: "n" * MADE_UP[one["Type"]] for name, one in stack.resources.items() if one["Type"] in MADE_UP}
    names = {**longest, "AWS::StackName": STACK, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    return Deployment(stack.template, names, **values | {"Stage": "prod", "Platform": "aws"})


def size(policy: Any) -> int:
    """The characters of a policy that IAM counts; the comment of a statement is none of it."""
    statements = [{key: part for key, part in one.items() if key != "#"} for one in policy["Statement"]]
    return len(re.sub(r"\s", "", json.dumps({**policy, "Statement": statements})))


@every(("name", "items"), MOST.items())
def test_a_list_takes_so_many_and_no_more(stack: Stack, name: str, items: list[str]) -> None:
    parameter = stack.template["Parameters"][name]
    taken, longer, more = ",".join(items), ",".join([*items[1:], items[0] + "x"]), ",".join([*items, items[0]])
    assert re.fullmatch(parameter["AllowedPattern"], taken)
    assert not re.fullmatch(parameter["AllowedPattern"], longer)
    assert not re.fullmatch(parameter["AllowedPattern"], more)


@every("policy", made_names("AWS::IAM::ManagedPolicy"))
def test_a_managed_policy_fits(filled: Deployment, policy: str) -> None:
    assert size(filled.resources[policy]["Properties"]["PolicyDocument"]) <= MANAGED_POLICY


def test_the_policies_of_roles_fit(filled: Deployment) -> None:
    sizes = {
        name: sum(size(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        for name, role in filled.of_type("AWS::IAM::Role").items()
    }
    assert {name: found for name, found in sizes.items() if found > INLINE_POLICIES} == {}


def test_the_environments_of_functions_fit(filled: Deployment) -> None:
    sizes = {
        name: sum(len(f"{key}{text}") for key, text in function["Environment"]["Variables"].items())
        for name, function in filled.of_type("AWS::Lambda::Function").items()
    }
    assert {name: found for name, found in sizes.items() if found > ENVIRONMENT} == {}


def test_state_machines_of_a_stack_with_a_long_name_have_names(filled: Deployment) -> None:
    named = [machine["StateMachineName"] for machine in filled.of_type("AWS::StepFunctions::StateMachine").values()]
    assert named
    assert [name for name in named if len(name) > STATE_MACHINE_NAME] == []
    assert f"at most {len(STACK)} characters" in (PROJECT / "docs" / "deployment.md").read_text("utf-8")


def test_nothing_is_of_one_partition_alone() -> None:
    """GovCloud is aws-us-gov, China aws-cn (IAM user guide, "Amazon Resource Names")."""
    definitions = {file.name: file.read_text("utf-8") for file in (PROJECT / "statemachine").glob("*.json")}
    texts = {"template.yaml": json.dumps(load_template()), **definitions}
    assert {name: found for name, text in texts.items() if (found := re.findall(r"arn:aws[\w-]*:\S{0,40}", text))} == {}


def test_what_the_functions_could_not_read_is_refused_before_anything_is_made(stack: Stack) -> None:
    taken = {
        "DestinationOptions": [
            "{}",
            '{"copies": {"storageClass": "GLACIER_IR", "tags": {"a": "b"}}, "more.copies": {"acl": "private"}}',
            '{\n  "copies": {"owner": "123456789012"}\n}',
        ],
        "AuthJwks": ["", '{"keys": [{"kty": "RSA"}]}'],
        "SubjectAccessPrivateRanges": ["", "10.0.0.0/8", "10.1.0.0/16, 192.168.0.0/24", "fd00::/8,::ffff:10.0.0.0/104"],
        "SubjectAccessHosts": ["", "*.service.example", "host:8443, http://other.example:*", "https://a.b-c.example"],
    }
    refused = {
        "DestinationOptions": ["", '{"copies": {"acl": "private"}', '{"copies": "private"}', '{"copies": {}, }', "[]"],
        "AuthJwks": ['{"keys": [', "https://example.org/jwks"],
        "SubjectAccessPrivateRanges": [
            "10.0.0.0",
            "10.0.0/8",
            "internal/8",
            "10.0.0.0/8;fd00::/8",
            "10.0.0.0/8 fd00::/8",
        ],
        "SubjectAccessHosts": ["https://host/path", "*", "host:port", "-host", "host;other"],
    }
    for name, texts in taken.items():
        pattern = stack.template["Parameters"][name]["AllowedPattern"]
        assert [text for text in texts if not re.fullmatch(pattern, text)] == []
        assert [text for text in refused[name] if re.fullmatch(pattern, text)] == []
