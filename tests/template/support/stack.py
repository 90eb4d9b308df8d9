"""The transformed template, as what it makes: functions, roles and what they may do."""

from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple

from scripts.template import Tree, events_of, load_template, readable, readable_list, statements, transformed_template

FUNCTION = "AWS::Serverless::Function"


class Grant(NamedTuple):
    """One action that a statement allows on one resource, both as `scripts.template.readable` writes them.

    `within` is the resource that holds the policy, `only_with` the condition of the template, `where` that of the
    statement.
    """

    action: str
    resource: str
    within: str
    only_with: str | None
    where: tuple[str, ...]

    @property
    def of_lost_events(self) -> bool:
        """Whether Lambda needs it and no code does: to hand over an event that a function has failed of for good."""
        return self.within == "DeadLetterQueuePolicy" or "EventInvokeConfig" in self.within


class Event(NamedTuple):
    """What invokes a function."""

    kind: str
    properties: Tree


class Stack:
    """Everything that a deployment makes; `source` is the template as it is written."""

    def __init__(self) -> None:
        self.source = load_template()
        self.template = transformed_template()
        self.resources: Tree = self.template["Resources"]

    def __getitem__(self, name: str) -> Tree:
        """The properties of a resource."""
        properties: Tree = self.resources[name]["Properties"]
        return properties

    def of_type(self, kind: str) -> dict[str, Tree]:
        """The properties of every resource of a type, by name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def events(self, function: str) -> list[Event]:
        """What the template lets invoke `function`."""
        return [Event(event["Type"], event["Properties"]) for event in events_of(function)]

    def grants(self, role: str) -> list[Grant]:
        """What the role may do by the policies of this template."""
        properties = self[role]
        found = [
            grant
            for policy in properties.get("Policies", [])
            for grant in grants_of(policy["PolicyName"], policy["PolicyDocument"])
        ]
        for arn in properties.get("ManagedPolicyArns", []):
            if isinstance(arn, dict) and arn.get("Ref") in self.resources:
                found += grants_of(arn["Ref"], self[arn["Ref"]]["PolicyDocument"])
        return found

    def aws_policies(self, role: str) -> set[str]:
        """The names of AWS's own policies that the role has."""
        arns = [readable(arn) for arn in self[role].get("ManagedPolicyArns", [])]
        return {arn.rsplit("/", 1)[-1] for arn in arns if "/" in arn}

    @cached_property
    def policies(self) -> dict[str, Tree]:
        """Every policy document: those of roles, and those of the resources themselves, by their place."""
        found: dict[str, Tree] = {}
        for name, resource in self.resources.items():
            properties = resource.get("Properties", {})
            for key in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
                if key in properties:
                    found[f"{name}.{key}"] = properties[key]
            if resource["Type"] == "AWS::IAM::Role":
                found |= {
                    f"{name}.{one['PolicyName']}": one["PolicyDocument"] for one in properties.get("Policies", [])
                }
        return found


def grants_of(within: str, document: Tree) -> Iterator[Grant]:
    """Yield what a policy allows."""
    for statement, only_with in statements(document):
        if statement["Effect"] != "Allow":
            continue
        where = tuple(sorted(key for keys in statement.get("Condition", {}).values() for key in keys))
        for action in readable_list(statement["Action"]):
            for resource in readable_list(statement["Resource"]):
                yield Grant(action, resource, within, only_with, where)


def names(kind: str) -> list[str]:
    """The resources of a type that the template writes, for rules."""
    return [name for name, found in _kinds()[0].items() if found == kind]


def made_names(kind: str) -> list[str]:
    """The resources of a type that the transformed template has, for rules."""
    return [name for name, found in _kinds()[1].items() if found == kind]


@cache
def _kinds() -> tuple[dict[str, str], dict[str, str]]:
    """The type of each resource as the template is written, and as it is transformed."""
    written, made = load_template()["Resources"], transformed_template()["Resources"]
    return tuple({name: one["Type"] for name, one in resources.items()} for resources in (written, made))  # type: ignore[return-value]


def target(value: Any) -> str:
    """The resource that `!Ref X` or `!GetAtt X.Arn` means."""
    return readable(value).partition(".")[0]
