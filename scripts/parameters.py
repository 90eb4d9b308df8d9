"""Writes docs/parameters.md from template.yaml; with --check, only says whether it is up to date."""

import sys
from collections.abc import Iterator

from scripts.generated import write_or_compare
from scripts.template import PROJECT, Tree, load_template

DOCUMENT = PROJECT / "docs" / "parameters.md"

_HEAD = """\
# Parameters

What a deployment can be told. Made from `template.yaml` by `scripts/parameters`: do not edit it here.

Every parameter has a default that deploys. [Deployment](deployment.md) says which ones nearly every stack sets, and how
to keep them in a file.
"""


def document() -> str:
    """Return the text of docs/parameters.md."""
    template = load_template()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    return "\n".join([_HEAD, *(line for group in groups for line in _group(group, template["Parameters"]))])


def _group(group: Tree, parameters: Tree) -> Iterator[str]:
    yield f"## {group['Label']['default']}\n"
    yield "| parameter | default | takes | |\n|---|---|---|---|"
    for name in group["Parameters"]:
        one = parameters[name]
        default = f"`{one['Default']}`" if str(one["Default"]) else "empty"
        yield f"| `{name}` | {default} | {_cell(_takes(one))} | {_cell(one['Description'])} |"
    yield ""


def _takes(parameter: Tree) -> str:
    """Return what values a parameter may have, in words."""
    if choices := parameter.get("AllowedValues"):
        return ", ".join(f"`{choice}`" for choice in choices)
    bounds = [
        f"{word} {parameter[bound]}"
        for bound, word in (("MinValue", "from"), ("MaxValue", "to"), ("MaxLength", "at most"))
        if bound in parameter
    ]
    kind = "number" if parameter["Type"] == "Number" else "text"
    text = " ".join([kind, *bounds, *(["characters"] if "MaxLength" in parameter else [])])
    return "; ".join(part for part in (text, parameter.get("ConstraintDescription", "")) if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(write_or_compare(DOCUMENT, document(), "template.yaml"))
