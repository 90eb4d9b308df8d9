"""Writes docs/parameters.md and samples/parameters.yaml from template.yaml; with --check, only compares them."""

import json
import sys
from collections.abc import Iterator

from scripts.generated import write_or_compare
from scripts.template import PROJECT, Tree, load_template

DOCUMENT = PROJECT / "docs" / "parameters.md"
SAMPLE = PROJECT / "samples" / "parameters.yaml"
# What nearly every stack is asked for.
ASKED = ("Stage", "AlertEmail", "AuthIssuer", "AuthAudience", "AuthJwksUrl")

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


def sample() -> str:
    """Return the text of samples/parameters.yaml: what is asked, and all else as comments."""
    template = load_template()
    parameters = template["Parameters"]
    lines = [
        "# For `sam deploy --parameter-overrides file://…` (docs/deployment.md); made by `scripts/parameters`.",
        "",
    ]
    for name in ASKED:
        lines += [f"# {parameters[name]['Description']}", f"{name}: {_text(parameters[name]['Default'])}", ""]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines += [f"# --- {group['Label']['default']}", ""]
        for name in (name for name in group["Parameters"] if name not in ASKED):
            lines += [f"# {parameters[name]['Description']}", f"# {name}: {_text(parameters[name]['Default'])}", ""]
    return "\n".join(lines)


def _text(default: object) -> str:
    return json.dumps(str(default))  # JSON is YAML


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
    written = ((DOCUMENT, document()), (SAMPLE, sample()))
    sys.exit(max(write_or_compare(file, text, "template.yaml") for file, text in written))
