"""Asks checkov about the template as it is deployed on AWS, and parliament about its policies; fails if one finds."""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.deployment import Deployment
from scripts.template import PROJECT, REASON, Tree, transformed_template

_TOOL = PROJECT / "tools" / "security"
_PROGRAMS = PROJECT / ".local" / "security" / "bin"
_HERE = "eu-west-1:123456789012"
# What `Ref` or `Arn` of a resource gives (Service Authorization Reference, "Resource types" of each service).
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{}}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_HERE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_HERE}:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{_HERE}:secret:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_HERE}:stateMachine:{{}}",
}
_REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"})


_SHOWN = 200


class Finding(NamedTuple):
    """What a check says of a resource."""

    check: str
    resource: str
    text: str


def main() -> int:
    """Print what was found and is not allowed, and what is allowed and was not found; return an exit status."""
    deployment = deployed(transformed_template())
    allowed = tomllib.loads((_TOOL / "allowed.toml").read_text("utf-8"))
    found = sorted({*by_checkov(deployment), *by_parliament(deployment)})
    broken = [one for one in found if not is_allowed(one, allowed)]
    needless = sorted(check for check in allowed if not any(is_allowed(one, {check: allowed[check]}) for one in found))
    for one in broken:
        print(f"{one.resource}: {one.check}: {one.text}", file=sys.stderr)
    for check in needless:
        print(f"tools/security/allowed.toml allows {check}, which nothing breaks", file=sys.stderr)
    return 1 if broken or needless else 0


def deployed(template: Tree) -> Deployment:
    """Return what a deployment without parameters makes, with references that read as AWS's."""
    names: dict[str, str] = {}
    for name, resource in template["Resources"].items():
        arn = _ARNS.get(resource["Type"], "{}").format(name)
        names |= {f"{name}.Arn": arn, f"{name}.Id": arn, name: arn if resource["Type"] in _REF_IS_ARN else name}
    return Deployment(template, names)


def is_allowed(finding: Finding, allowed: Mapping[str, Tree]) -> bool:
    """Return whether the list of what is allowed has this check for this resource and text."""
    entry = allowed.get(finding.check)
    if entry is None or finding.resource not in entry.get("resources", [finding.resource]):
        return False
    return any(text in finding.text for text in entry.get("texts", [entry.get("text", "")]))


def by_checkov(deployment: Deployment) -> Iterator[Finding]:
    """Yield checkov's failed checks of the resources."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": deployment.resources}))
        how = [
            "--framework",
            "cloudformation",
            "--compact",
            "--quiet",
            "--output",
            "json",
            "--soft-fail",
            "--skip-download",
        ]
        done = _run([_PROGRAMS / "checkov", "--file", file, *how])
    for one in json.loads(done)["results"]["failed_checks"]:
        yield Finding(one["check_id"], one["resource"].rpartition(".")[2], one["check_name"])


def by_parliament(deployment: Deployment) -> Iterator[Finding]:
    """Yield what parliament finds in the policies of roles, in managed policies and in those of resources."""
    done = _run([_PROGRAMS / "python", _TOOL / "policies.py"], json.dumps(dict(_policies(deployment))))
    for name, check, title, detail in json.loads(done):
        yield Finding(check, name, f"{title}: {detail}"[:_SHOWN])


def _policies(deployment: Deployment) -> Iterator[tuple[str, Tree]]:
    for name, policy in deployment.of_type("AWS::IAM::ManagedPolicy").items():
        yield name, _without_reasons(policy["PolicyDocument"])
    for name, role in deployment.of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            yield f"{name}/{policy['PolicyName']}", _without_reasons(policy["PolicyDocument"])


def _without_reasons(document: Tree) -> Tree:
    statements = [{key: part for key, part in one.items() if key != REASON} for one in document["Statement"]]
    # SAM writes some without the version, of which the text is the same in both.
    return {"Version": "2012-10-17", **document, "Statement": statements}


def _run(words: list[str | Path], text: str = "") -> str:
    return subprocess.run(words, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
