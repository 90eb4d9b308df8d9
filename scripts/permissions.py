"""Writes docs/permissions.md from template.yaml; with --check, only says whether it is up to date.

The reasons are the comments on the first lines of the statements: `- Effect: Allow  # reason`.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from scripts.generated import write_or_compare
from scripts.template import (
    PROJECT,
    REASON,
    Tree,
    load_template,
    readable,
    readable_list,
    statements,
    transformed_template,
)

DOCUMENT = PROJECT / "docs" / "permissions.md"

_HEAD = """\
# Permissions

Who may do what on AWS, and why. Made from `template.yaml` by `scripts/permissions`: do not edit it here.

`<Name>` stands for the physical name of a resource or the value of a parameter; a bare name for the resource itself.
*Only with* names the condition of the template under which a permission exists.
"""
_FUNCTIONS = """\
## Functions

Each function has a role of its own, which Lambda alone may take on. Besides what is listed, every function may write
its logs and traces: {common}.
"""
_POLICIES = """\
## Shared policies

What several functions or workflows need alike.
"""
_ROLES = """\
## Other roles
"""
_RESOURCES = """\
## Who may use the resources

Policies of the resources themselves, which count besides those of the roles.
"""
_NO_MORE = "Nothing more.\n"

_OF_QUEUES = "AWSLambdaSQSQueueExecutionRole"
# What SAM adds to the role of a function, and the reason that the template shows elsewhere.
_SAM_REASONS = {
    "AWSLambdaDynamoDBExecutionRole": "read the streams of the workflows' tables",
    _OF_QUEUES: "receive and delete messages of",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces in the VPC that `PrivateSubnetIds` names",
    "sqs:SendMessage": "hand over events that failed for good",
    "lambda:InvokeFunction": "invoke the function on schedule",
    "states:StartExecution": "start the workflow on schedule",
}


_OPERATORS = {"ArnLike": "is like", "Bool": "is", "StringEquals": "is", "StringLike": "is like"}
_OPERATORS |= {"ForAllValues:StringEquals": "are all", "ForAllValues:StringLike": "are all like"}


class Row(NamedTuple):
    """One statement, as a row of a table."""

    effect: str
    actions: list[str]
    resources: list[str]
    condition: str
    only_with: str
    reason: str


def document() -> str:
    """Return the text of docs/permissions.md.

    Raises
    ------
    ValueError
        A statement has no reason.
    """
    template, transformed = load_template()["Resources"], transformed_template()["Resources"]
    functions = [name for name, resource in template.items() if resource["Type"] == "AWS::Serverless::Function"]
    managed = {name: _managed_by_aws(transformed[f"{name}Role"]) for name in functions}
    common = [policy for policy in managed[functions[0]] if all(policy in policies for policies in managed.values())]
    parts = [_HEAD, _FUNCTIONS.format(common=_code(common, " and "))]
    for name in functions:
        parts += _function(name, template[name], transformed[f"{name}Role"], common)
    parts.append(_POLICIES)
    for name, resource in _of_type(template, "AWS::IAM::ManagedPolicy"):
        text = resource["Properties"]
        parts += [f"### {name}\n", f"{text['Description']}.\n", _table(rows_of(name, text["PolicyDocument"]))]
    parts.append(_ROLES)
    for name, resource in _of_type(transformed, "AWS::IAM::Role"):
        if name.removesuffix("Role") not in functions:
            parts += _role(name, resource)
    parts.append(_RESOURCES)
    for name, policy in _resource_policies(template):
        parts += [f"### {name}\n", _table(rows_of(name, policy), principals=_principals(policy))]
    return "\n".join(parts)


def _function(name: str, function: Tree, role: Tree, common: Iterable[str]) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{function['Properties']['Description']}.\n"
    rows, shared = [], []
    for policy in function["Properties"].get("Policies", []):
        if "Ref" in policy:
            shared.append(policy["Ref"])
        else:
            rows += rows_of(name, policy)
    for row in _added_by_sam(function, role, common):
        if row not in rows:  # events and streams of one function have the same statement
            rows.append(row)
    if shared:
        yield _all_of(shared)
    if rows:
        yield _table(rows)
    elif not shared:
        yield _NO_MORE


def _added_by_sam(function: Tree, role: Tree, common: Iterable[str]) -> Iterator[Row]:
    events = function["Properties"].get("Events", {}).values()
    queues = [readable(event["Properties"]["Queue"]) for event in events if event["Type"] == "SQS"]
    for policy in _managed_by_aws(role):
        if policy not in common:
            # AWS's own policies are about all resources (AWS Managed Policy Reference Guide).
            of = f" {_code(queues, ' and ')}" if policy == _OF_QUEUES else ""
            yield Row("Allow", [policy], ["*"], "", "", _SAM_REASONS[policy] + of)
    for policy in role["Properties"].get("Policies", []):
        # SAM numbers the policies that the template writes: …RolePolicy0.
        if not policy["PolicyName"].rstrip("0123456789").endswith("RolePolicy"):
            yield from rows_of(policy["PolicyName"], policy["PolicyDocument"])


def _role(name: str, role: Tree) -> Iterator[str]:
    properties = role["Properties"]
    trust = properties["AssumeRolePolicyDocument"]
    condition = f" where {text}" if (text := _condition(trust["Statement"][0].get("Condition", {}))) else ""
    yield f"### {name}\n"
    yield f"For {_code(_principals(trust)[0])}{condition}.\n"
    rows = [row for policy in properties.get("Policies", []) for row in rows_of(name, policy["PolicyDocument"])]
    rows += [Row("Allow", [policy], [], "", "", "AWS's own policy for this") for policy in _managed_by_aws(role)]
    if shared := [arn["Ref"] for arn in properties.get("ManagedPolicyArns", []) if "Ref" in arn]:
        yield _all_of(shared)
    yield _table(rows)


def _all_of(policies: Iterable[str]) -> str:
    return f"All of {' and '.join(f'[{policy}](#{policy.lower()})' for policy in policies)}.\n"


def rows_of(owner: str, policy: Mapping[str, Any]) -> list[Row]:
    """Return the statements of a policy; `owner` is named when one of them does not say why.

    Raises
    ------
    ValueError
        A statement has no reason.
    """
    rows = []
    for statement, only_with in statements(policy):
        actions = readable_list(statement["Action"])
        reason = statement.get(REASON) or _SAM_REASONS.get(actions[0])
        if not reason:
            raise ValueError(f"{owner}: the statement about {', '.join(actions)} has no comment that says why")
        condition = _condition(statement.get("Condition", {}))
        rows.append(
            Row(statement["Effect"], actions, readable_list(statement["Resource"]), condition, only_with or "", reason)
        )
    return rows


def _table(rows: list[Row], principals: list[list[str]] | None = None) -> str:
    """Return `rows` as a Markdown table, without the columns that would be empty."""
    denied = any(row.effect != "Allow" for row in rows)
    columns = {
        "effect": [row.effect.lower() for row in rows] if denied else [],
        "who": [_code(names) for names in principals or []],
        "action" if denied else "may": [_code(row.actions) for row in rows],
        "on": [_code(row.resources) for row in rows],
        "where": [row.condition for row in rows],
        "only with": [row.only_with and f"`{row.only_with}`" for row in rows],
        "why": [row.reason for row in rows],
    }
    shown = {title: cells for title, cells in columns.items() if any(cells)}
    lines = [shown, ["---"] * len(shown), *zip(*shown.values(), strict=True)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _resource_policies(template: Tree) -> Iterator[tuple[str, Tree]]:
    for name, resource in template.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::KMS::Key":
            yield name, properties["KeyPolicy"]
        elif resource["Type"] in {"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}:
            yield name, properties["PolicyDocument"]


def _principals(policy: Mapping[str, Any]) -> list[list[str]]:
    found = [statement["Principal"] for statement, _ in statements(policy)]
    return [readable_list(next(iter(who.values()))) if isinstance(who, Mapping) else [who] for who in found]


def _condition(condition: Mapping[str, Any]) -> str:
    return "; ".join(
        f"`{key}` {_OPERATORS[operator]} {_code(readable_list(values), ' or ')}"
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _managed_by_aws(role: Tree) -> list[str]:
    arns = [arn for arn in role["Properties"].get("ManagedPolicyArns", []) if "Ref" not in arn]
    return [readable(arn).rsplit("/", 1)[-1] for arn in arns]


def _of_type(resources: Tree, kind: str) -> Iterator[tuple[str, Tree]]:
    return ((name, resource) for name, resource in resources.items() if resource["Type"] == kind)


def _code(texts: Iterable[str], separator: str = "<br>") -> str:
    return separator.join(f"`{text}`" for text in texts)


def main() -> int:
    """Write the document, or compare it."""
    return write_or_compare(DOCUMENT, document(), "template.yaml")


if __name__ == "__main__":
    sys.exit(main())
