"""Limits of AWS, and a deployment whose parameters are filled to the most that they take."""

import json
import re

from scripts.deployment import Deployment
from scripts.template import Tree

# CloudFormation user guide, "CloudFormation quotas".
RESOURCES, PARAMETERS, OUTPUTS = 500, 200, 200
# IAM user guide, "IAM and AWS STS quotas": characters without white space.
MANAGED_POLICY, INLINE_POLICIES = 6144, 10_240
# Lambda developer guide, "Lambda quotas": all variables of a function, 4 KB in aggregate, measured as a JSON text.
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
# Parameters that are JSON, whose quotes a JSON text escapes: what begins them, what they repeat, and what ends them.
_OF_JSON = {
    "DestinationOptions": (
        "{",
        '"copies-{number}.example.org":{"storageClass":"GLACIER_IR","owner":"123456789012","tags":{"team":"records"}}',
        "}",
    ),
    "AuthJwks": (
        '{"keys":[',
        '{"kty":"EC","use":"sig","alg":"ES256","kid":"{number}","crv":"P-256","x":"'
        + "x" * 43
        + '","y":"'
        + "y" * 43
        + '"}',
        "]}",
    ),
}


def largest(template: Tree) -> Deployment:
    """Return a deployment whose parameters are all as long as they may be, or as large."""
    values = {}
    for name, one in template["Parameters"].items():
        if name in MOST:
            values[name] = ",".join(MOST[name])
        elif name in _OF_JSON:
            values[name] = _json(*_OF_JSON[name], one["MaxLength"])
        elif "AllowedValues" in one:
            values[name] = max(map(str, one["AllowedValues"]), key=len)
        elif one["Type"] == "Number":
            values[name] = str(one.get("MaxValue", 10**12))
        else:
            values[name] = "x" * one.get("MaxLength", 4096)
    resources = template["Resources"]
    longest = {name: "n" * MADE_UP[one["Type"]] for name, one in resources.items() if one["Type"] in MADE_UP}
    names = {**longest, "AWS::StackName": STACK, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    return Deployment(template, names, **values | {"Stage": "prod", "Platform": "aws"})


def size(policy: Tree) -> int:
    """Return the characters of a policy that IAM counts; the comment of a statement is none of it."""
    statements = [{key: part for key, part in one.items() if key != "#"} for one in policy["Statement"]]
    return len(re.sub(r"\s", "", json.dumps({**policy, "Statement": statements})))


def environment(function: Tree) -> int:
    """Return the bytes of a function's variables that Lambda counts: those of the JSON text, escapes included."""
    variables = function["Environment"]["Variables"]
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())


def _json(begins: str, repeated: str, ends: str, most: int) -> str:
    """Return an object of so many characters that repeats a member or item as often as it fits."""
    text = begins
    for number in range(most):
        more = ("," if number else "") + repeated.replace("{number}", str(number))
        if len(text) + len(more) + len(ends) > most:
            break
        text += more
    return text + " " * (most - len(text) - len(ends)) + ends
