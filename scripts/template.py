"""`template.yaml` for scripts and tests: as it is written, and as SAM transforms it."""

import copy
import json
import logging
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

PROJECT = Path(__file__).resolve().parents[1]

# The key under which a policy statement carries the comment on its first line.
REASON = "#"

_COMMENT = re.compile(r"\s#\s+(?P<text>.*\S)")
_REFERENCE = re.compile(r"\$\{(?P<name>[^}!]+)\}")
_SERVED_BY = re.compile(r"functions/\$\{(?P<function>\w+)\.Arn\}/invocations")
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "<region>",
    "AWS::AccountId": "<account>",
    "AWS::StackName": "<stack>",
    "AWS::URLSuffix": "amazonaws.com",
}

type Tree = dict[str, Any]


class _Loader(yaml.CSafeLoader):  # ten times as fast as the one in Python
    """Reads CloudFormation's short forms as their long ones, and the comments of policy statements."""

    lines: tuple[str, ...] = ()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        comment = _COMMENT.search(self.lines[node.start_mark.line]) if "Effect" in mapping else None
        return mapping | {REASON: comment["text"]} if comment else mapping


def _long_form(loader: yaml.CSafeLoader, suffix: str, node: yaml.Node) -> Tree:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def template_with_loops(text: str | None = None) -> Tree:
    """Return the template as it is written; that of the project, unless another is given."""
    text = (PROJECT / "template.yaml").read_text("utf-8") if text is None else text
    loader = _Loader(text)
    loader.lines = tuple(text.splitlines())
    # What an alias leads to becomes a copy, as `sam build` writes it: who changes one changes no other.
    written: Tree = json.loads(json.dumps(loader.get_single_data()))
    return written


@cache
def _loaded() -> Tree:
    return without_loops(template_with_loops())


def without_loops(written: Tree) -> Tree:
    """Return what AWS::LanguageExtensions makes of a template before SAM sees it.

    So far as `template.yaml` goes: loops over listed names, which stand in keys and in `!Sub "${Name}"`. A test
    compares the result with cfn-lint's, whose import takes longer than most tests.
    """
    return written | {"Resources": _expanded(written["Resources"], {})}


def _expanded(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case list():
            return [_expanded(item, names) for item in value]
        case {"Ref": str(name)} if name in names:
            return names[name]
        case {"Fn::Sub": str(text)} if (whole := _REFERENCE.fullmatch(text)) and whole["name"] in names:
            return names[whole["name"]]
        case Mapping():
            return dict(_entries(value, names))
    return value


def _entries(mapping: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if key.startswith("Fn::ForEach::"):
            identifier, collection, fragment = value
            for item in collection:
                yield from _entries(fragment, {**names, identifier: item})
        else:
            yield _REFERENCE.sub(lambda found: names.get(found["name"], found[0]), key), _expanded(value, names)


def load_template() -> Tree:
    """Return the template without its loops; `!Ref X` is `{"Ref": "X"}`, `!GetAtt A.B` is `{"Fn::GetAtt": "A.B"}`."""
    return copy.deepcopy(_loaded())


def properties_of(resource: str) -> Tree:
    """Return what the template says of one resource, as `load_template` writes it."""
    return copy.deepcopy(_loaded()["Resources"][resource]["Properties"])


class ApiPath(NamedTuple):
    """A path of the API: the function that serves it, and whether it needs no token."""

    path: str
    function: str
    public: bool


def api_paths() -> list[ApiPath]:
    """Return the paths of the API, as its definition has them; each is served by one function for all methods."""
    paths = _loaded()["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]
    return [_api_path(path, methods) for path, methods in paths.items()]


def _api_path(path: str, methods: Tree) -> ApiPath:
    ((name, method),) = methods.items()
    served = _SERVED_BY.search(method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"])
    if name != "x-amazon-apigateway-any-method" or served is None:
        raise ValueError(f"{path} is not served by one function for all methods")
    return ApiPath(path, served["function"], public=method.get("security") == [{"NONE": []}])


def events_of(function: str) -> list[Tree]:
    """Return what invokes a function: its events as the template writes them, and an `Api` for each of its paths."""
    written = _loaded()["Resources"][function]["Properties"].get("Events", {})
    paths = [{"Type": "Api", "Properties": {"Path": one.path}} for one in api_paths() if one.function == function]
    return copy.deepcopy([*written.values(), *paths])


def layers_of(function: str) -> list[str]:
    """Return the names of the layers that a function has on AWS, those of all functions first."""
    template = _loaded()
    written = template["Globals"]["Function"]["Layers"] + template["Resources"][function]["Properties"].get(
        "Layers", []
    )
    # The embedded AWS has some by itself: there, the condition is another.
    return [layer.get("Fn::If", ["", "", layer])[2]["Ref"] for layer in written]


@cache
def _transformed() -> Tree:
    return transformed(load_template())


def transformed(template: Tree) -> Tree:
    """Return what SAM makes of a template without loops, which is changed on the way."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    # What `sam deploy` uploads and writes here; SAM's library takes no local path.
    uploaded = "s3://bucket/key"
    template["Globals"]["Function"]["CodeUri"] = uploaded
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update({name: uploaded for name in ("ContentUri", "DefinitionUri") if name in properties})
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    result: Tree = translator.translate(template, {})
    return result


def transformed_template() -> Tree:
    """Return the template with every resource that SAM makes of it."""
    return copy.deepcopy(_transformed())


def readable(value: Any) -> str:
    """Return a scalar of the template as text: `<Name>` inside of a text for what is not known before the deployment.

    A reference alone is the bare name of its resource, `<Name>` for a parameter of the deployment's own.
    """
    if not isinstance(value, Mapping):
        return str(value)
    (function, argument), *_ = value.items()
    match function:
        case "Ref":
            return _PSEUDO.get(str(argument), str(argument))
        case "Fn::GetAtt":
            name, _, attribute = (argument if isinstance(argument, str) else ".".join(argument)).partition(".")
            return name if attribute == "Arn" else f"{name}.{attribute}"
        case "Fn::Sub" if isinstance(argument, str):
            return _REFERENCE.sub(_name_of, argument)
        case "Fn::If":
            return readable(argument[1])
        case "Fn::Join":
            delimiter, parts = argument
            return str(delimiter).join(f"<{text}>" if _is_name(part) else text for part, text in _each(parts))
    raise ValueError(f"no readable form of {value}")


def readable_list(value: Any) -> list[str]:
    """Return a list of the template, or a single item in the place of one, as texts."""
    if isinstance(value, Mapping) and "Fn::Split" in value:
        delimiter, text = value["Fn::Split"]
        whole = readable(text)
        return [f"<{whole}>"] if _is_name(text) else whole.split(delimiter)
    return [readable(item) for item in value] if isinstance(value, list) else [readable(value)]


def statements(document: Mapping[str, Any]) -> Iterator[tuple[Tree, str | None]]:
    """Yield the statements of a policy, each with the condition of the template that it is under."""
    found = document["Statement"]
    for entry in found if isinstance(found, list) else [found]:
        if "Fn::If" in entry:
            condition, then, otherwise = entry["Fn::If"]
            if otherwise != {"Ref": "AWS::NoValue"}:
                raise ValueError(f"a statement under {condition} has another in its place")
            yield then, condition
        else:
            yield entry, None


def _each(parts: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(parts, list):
        yield from ((part, readable(part)) for part in parts)
    else:
        yield from ((None, text) for text in readable_list(parts))


def _is_name(value: Any) -> bool:
    return isinstance(value, Mapping) and "Ref" in value and value["Ref"] not in _PSEUDO


def _name_of(reference: re.Match[str]) -> str:
    name = reference["name"]
    return _PSEUDO.get(name, f"<{name}>")
