"""What CloudFormation makes of the transformed template with given parameters: conditions and functions carried out."""

import re
from collections.abc import Mapping
from typing import Any

from scripts.template import Tree

_REFERENCE = re.compile(r"\$\{(?P<name>[^}!]+)\}")
_NOTHING = object()
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/waybill/00000000-0000-0000-0000-000000000000",
    "AWS::StackName": "waybill",
    "AWS::URLSuffix": "amazonaws.com",
}


class Deployment:
    """The resources of a deployment; what a resource is called stands for itself, unless `names` says otherwise.

    Parameters
    ----------
    template
        The transformed template.
    names
        What references give, by what they name: `AWS::StackName`, `DataKey`, `DataKey.Arn`.
    parameters
        The values of parameters; the others have their defaults.
    """

    def __init__(self, template: Tree, names: Mapping[str, str] | None = None, **parameters: str) -> None:
        self._conditions: Tree = template["Conditions"]
        self._maps: Tree = template.get("Mappings", {})
        defaults = {name: one["Default"] for name, one in template["Parameters"].items()}
        self._values = {**PSEUDO, **defaults, **parameters, **(names or {})}
        self.resources: Tree = {
            name: self.value({key: part for key, part in resource.items() if key != "Condition"})
            for name, resource in template["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def of_type(self, kind: str) -> dict[str, Tree]:
        """The properties of every resource of a type, by name."""
        return {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}

    def holds(self, condition: Any) -> bool:
        """Whether a condition is true; that of a resource without one is."""
        match condition:
            case None:
                return True
            case str(name):
                return self.holds(self._conditions[name])
            case {"Condition": str(name)}:
                return self.holds(self._conditions[name])
            case {"Fn::Equals": [one, other]}:
                return str(self.value(one)) == str(self.value(other))
            case {"Fn::Not": [negated]}:
                return not self.holds(negated)
            case {"Fn::And": parts}:
                return all(self.holds(part) for part in parts)
            case {"Fn::Or": parts}:
                return any(self.holds(part) for part in parts)
        raise NotImplementedError(f"a condition of {condition}")

    def value(self, written: Any) -> Any:
        """Carry out the functions of a part of the template."""
        match written:
            case list():
                return [one for item in written if (one := self.value(item)) is not _NOTHING]
            case {"Ref": _} | {"Fn::GetAtt": _}:
                return self._referred(written)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.value(then if self.holds(condition) else otherwise)
            case {"Fn::FindInMap": [name, key, entry]}:
                return self._maps[name][self.value(key)][self.value(entry)]
            case {"Fn::Select": [place, parts]}:
                return self.value(parts)[int(place)]
            case {"Fn::Sub": _} | {"Fn::Join": _} | {"Fn::Split": _}:
                return self._text(written)
            case Mapping():
                return {key: one for key, part in written.items() if (one := self.value(part)) is not _NOTHING}
        return written

    def _referred(self, written: Tree) -> Any:
        ((_, what),) = written.items()
        name = what if isinstance(what, str) else ".".join(what)
        return _NOTHING if name == "AWS::NoValue" else self._values.get(name, name)

    def _text(self, written: Tree) -> Any:
        match written:
            case {"Fn::Sub": [str(text), variables]}:
                return self._substituted(text, self.value(variables))
            case {"Fn::Sub": text}:
                return self._substituted(text, {})
            case {"Fn::Join": [delimiter, parts]}:
                return str(delimiter).join(str(part) for part in self.value(parts))
            case {"Fn::Split": [delimiter, text]}:
                return self.value(text).split(delimiter)

    def _substituted(self, text: str, variables: Mapping[str, Any]) -> str:
        return _REFERENCE.sub(
            lambda found: str(variables.get(found["name"], self._values.get(found["name"], found["name"]))), text
        )
