"""Which resources of the template need which."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.template import Tree

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z0-9:]+)")


def references(value: Any) -> Iterator[str]:
    """Yield every name that `value` refers to: resources, parameters and pseudo parameters."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item.partition(".")[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                yield from _substituted(item)
            else:
                yield from references(item)


def needs(resources: Tree) -> dict[str, set[str]]:
    """Return which resources CloudFormation makes before each resource."""
    found = {}
    for name, resource in resources.items():
        before = resource.get("DependsOn", [])
        named = {before} if isinstance(before, str) else set(before)
        found[name] = (named | set(references(resource.get("Properties", {})))) & set(resources)
    return found


def _substituted(item: Any) -> Iterator[str]:
    text, variables = (item, {}) if isinstance(item, str) else item
    yield from (found["name"] for found in _REFERENCE.finditer(text) if found["name"] not in variables)
    yield from references(variables)
