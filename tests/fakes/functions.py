"""The functions as `template.yaml` declares them: handler, layers, and the environment they would get."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from scripts.template import layers_of, load_template, properties_of

ACCOUNT = "123456789012"
REGION = "eu-west-1"

# What CloudFormation would put in for a reference; other resources go by their logical names.
PHYSICAL = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "waybill",
    "SourceBucket": "global-builds",
    "DestinationBucketA": "region-a-builds",
    "DestinationBucketB": "region-b-builds",
    "FileCopyTrackingTable": "FileCopyTracking",
    "FailureTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:waybill-failures",
}


@dataclass(frozen=True)
class Function:
    """One Lambda function; `module` is its handler's, layers are by their folder's name."""

    name: str
    module: str
    layers: frozenset[str]
    environment: Mapping[str, str]


@cache
def functions() -> dict[str, Function]:
    """Return the functions by handler module, with the parameters' defaults and the names of `PHYSICAL`."""
    template = load_template()
    resources = template["Resources"]
    parameters = {name: str(one["Default"]) for name, one in template["Parameters"].items()}
    values = _Values(parameters | PHYSICAL, template["Conditions"])
    shared = template["Globals"]["Function"]
    found = {}
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        module = properties["Handler"].removesuffix(".lambda_handler")
        variables = shared["Environment"]["Variables"] | properties.get("Environment", {}).get("Variables", {})
        layers = [resources[layer] for layer in layers_of(name)]
        found[module] = Function(
            name,
            module,
            frozenset(layer["Properties"]["ContentUri"].removeprefix("layers/") for layer in layers),
            {variable: values.text(value) for variable, value in variables.items()},
        )
    return found


def table_definition(resource: str) -> dict[str, Any]:
    """Return the arguments that create a table with the keys and indexes of the template; they lack its name."""
    described = properties_of(resource)
    kept = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {name: described[name] for name in kept if name in described}


def tracking_table_definition() -> dict[str, Any]:
    """Return the arguments that create the tracking table as the template describes it."""
    return {"TableName": PHYSICAL["FileCopyTrackingTable"], **table_definition("FileCopyTrackingTable")}


@dataclass(frozen=True)
class _Values:
    names: Mapping[str, str]
    conditions: Mapping[str, Any]

    def text(self, value: Any) -> str:
        match value:
            case {"Ref": str(name)}:
                return self.names.get(name, name)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self.names.get(found[1], found[1]), text)
            case {"Fn::GetAtt": str(text)}:
                return text
            case {"Fn::GetAtt": [*parts]}:
                return ".".join(parts)
            case {"Fn::If": [str(condition), chosen, other]}:
                return self.text(chosen if self._holds(self.conditions[condition]) else other)
            case str() | int():
                return str(value)
        raise NotImplementedError(f"a value of {value}")

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [one, other]}:
                return self.text(one) == self.text(other)
            case {"Fn::Not": [negated]}:
                return not self._holds(negated)
        raise NotImplementedError(f"a condition of {condition}")
