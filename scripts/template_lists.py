"""The lists of `template.yaml` that follow from its sections and from the routes: `scripts/lists` writes them there.

A workflow's section declares its functions, buckets, queues, schedules and machines. What the shared resources say of
all of them is made here.
"""

import ast
import json
from collections.abc import Callable, Iterator, Mapping

from scripts.template import PROJECT, Tree, template_with_loops
from waybill.console.routes import ROUTES as CONSOLE_ROUTES
from waybill.gateway.registry import API_MODULES, apis

# The path that is served by another function than the rest of its API, which has a contract without HTTP too.
_SERVED_BY_ANOTHER = {"/step-function": "StepFunctionInvokerFunction"}
_CONSOLE = "ConsoleFunction"
_URI = "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}.Arn}}/invocations"


def _of_type(template: Tree, *types: str) -> Iterator[tuple[str, Tree]]:
    return ((name, one) for name, one in template["Resources"].items() if one["Type"] in types)


def paths(template: Tree) -> Iterator[str]:
    """Yield the paths of the API; those of one function are alike, but for those that need no token."""
    serving = _serving(template)
    routes = {
        one.path: (_SERVED_BY_ANOTHER.get(one.path, serving[module]), one.public)
        for module, api in zip(API_MODULES, apis(), strict=True)
        for one in api.operations()
    }
    # The console's by their depth: it has its own routes.
    names = ("", *(f"/{{{name}}}" for name in "abcdefgh"))
    deepest = max(route.path.count("/") + 1 for route in CONSOLE_ROUTES)
    routes |= {"/console" + "".join(names[: depth + 1]): (_CONSOLE, True) for depth in range(deepest + 1)}
    anchors: set[str] = set()
    for path, (function, public) in routes.items():
        anchor = f"Public{function}" if public else function
        key = f'"{path}"' if "{" in path else path
        yield f"{key}: *{anchor}" if anchor in anchors else f"{key}: &{anchor} {_integration(function, public)}"
        anchors.add(anchor)


def _integration(function: str, public: bool) -> str:
    security = "security: [{NONE: []}], " if public else ""
    served = f'{{type: aws_proxy, httpMethod: POST, uri: !Sub "{_URI.format(function)}"}}'
    return (
        f"{{x-amazon-apigateway-any-method: {{{security}x-amazon-apigateway-integration: {served}, responses: {{}}}}}}"
    )


def _serving(template: Tree) -> dict[str, str]:
    """Return the function that serves each API, by the API's module: its handler is what imports `app` from there."""
    found: dict[str, str] = {}
    for name, function in _of_type(template, "AWS::Serverless::Function"):
        handler = function["Properties"]["Handler"].removesuffix(".lambda_handler").replace(".", "/")
        for node in ast.parse((PROJECT / "src" / f"{handler}.py").read_text("utf-8")).body:
            if (
                isinstance(node, ast.ImportFrom)
                and node.module in API_MODULES
                and name not in _SERVED_BY_ANOTHER.values()
            ):
                found[node.module] = name
    if missing := set(API_MODULES) - set(found):
        raise ValueError(f"no function of template.yaml has a handler that serves {', '.join(sorted(missing))}")
    return found


def functions_of_the_api(template: Tree) -> Iterator[str]:
    """Yield the functions that the API invokes."""
    yield from (f"- {name}" for name in [*_SERVED_BY_ANOTHER.values(), *_serving(template).values(), _CONSOLE])


def buckets(template: Tree) -> Iterator[str]:
    """Yield the buckets whose section has no policy for them."""
    plain = (one for one in template_with_loops()["Resources"].values() if isinstance(one, dict))
    own = [one["Properties"]["Bucket"]["Ref"] for one in plain if one["Type"] == "AWS::S3::BucketPolicy"]
    yield from (f"- {name}" for name, _ in _of_type(template, "AWS::S3::Bucket") if name not in own)


def queues(template: Tree) -> Iterator[str]:
    """Yield the queues that have no policy of their own."""
    yield from (f"- !Ref {name}" for name in _queues(template))


def arns_of_queues(template: Tree) -> Iterator[str]:
    """Yield the same queues, as resources of a policy."""
    yield from (f"- !GetAtt {name}.Arn" for name in _queues(template))


def _queues(template: Tree) -> list[str]:
    own = [
        one["Properties"]["Queues"]
        for name, one in _of_type(template, "AWS::SQS::QueuePolicy")
        if name != "QueuesPolicy"
    ]
    with_policy = {queue["Ref"] for listed in own for queue in listed}
    return [name for name, _ in _of_type(template, "AWS::SQS::Queue") if name not in with_policy]


def machines(template: Tree) -> Iterator[str]:
    """Yield the state machines whose executions send events as they end: none of Express ones do."""
    standard = (name for name, one in _of_type(template, "AWS::Serverless::StateMachine") if _is_standard(one))
    yield from (f"- !Ref {name}" for name in standard)


def _is_standard(machine: Tree) -> bool:
    return bool(machine["Properties"]["Type"] == "STANDARD")


def scheduled_functions(template: Tree) -> Iterator[str]:
    """Yield the functions that schedules invoke."""
    yield from (f"- !GetAtt {name}.Arn" for name in _scheduled(template, "AWS::Serverless::Function"))


def scheduled_machines(template: Tree) -> Iterator[str]:
    """Yield the state machines that schedules start."""
    yield from (f"- !Ref {name}" for name in _scheduled(template, "AWS::Serverless::StateMachine"))


def _scheduled(template: Tree, kind: str) -> list[str]:
    events = ((name, one["Properties"].get("Events", {}).values()) for name, one in _of_type(template, kind))
    return [name for name, some in events if any(event["Type"] == "ScheduleV2" for event in some)]


def rules(template: Tree) -> Iterator[str]:
    """Yield the rules that hand what they cannot deliver to OperationsDeadLetterQueue."""
    for name, rule in _of_type(template, "AWS::Events::Rule"):
        if _gives_up_to_operations(rule):
            arn = f"!GetAtt {name}.Arn"
            yield f"- !If [{rule['Condition']}, {arn}, !Ref AWS::NoValue]" if "Condition" in rule else f"- {arn}"
    for name, function in _of_type(template, "AWS::Serverless::Function"):
        for event, one in function["Properties"].get("Events", {}).items():
            if one["Type"] == "EventBridgeRule" and _gives_up_to_operations(one):
                yield f"- !GetAtt {name}{event}.Arn"


def _gives_up_to_operations(rule: Tree) -> bool:
    return '"DeadLetterConfig": {"Arn": {"Fn::GetAtt": "OperationsDeadLetterQueue.Arn"}}' in json.dumps(rule)


LISTS: Mapping[str, Callable[[Tree], Iterator[str]]] = {
    "paths": paths,
    "functions-of-the-api": functions_of_the_api,
    "buckets": buckets,
    "queues": queues,
    "arns-of-queues": arns_of_queues,
    "machines": machines,
    "scheduled-functions": scheduled_functions,
    "scheduled-machines": scheduled_machines,
    "rules": rules,
}
