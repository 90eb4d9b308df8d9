"""What the code behind a Lambda function can reach, followed along its annotations.

From a handler on: every function, method and module variable that is mentioned, a method of a `Protocol` as that of
every class that fulfils it. Nothing is run. What a function *may* do is found, not whether it does.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

from tests.template.support.annotations import CLIENTS, Project, Scope, modules_named_in

_SERVICES = (
    "cloudwatch",
    "dynamodb",
    "events",
    "kms",
    "lambda",
    "s3",
    "scheduler",
    "secretsmanager",
    "securityhub",
    "sns",
    "sqs",
    "stepfunctions",
)
# boto3's own methods, as the operations behind them.
_TRANSFERS = {
    "copy": "copy_object",
    "download_file": "get_object",
    "download_fileobj": "get_object",
    "upload_file": "put_object",
    "upload_fileobj": "put_object",
}
# What an item of a transaction does; as an operation `transact_put` and so on.
_VERBS = frozenset({"ConditionCheck", "Delete", "Put", "Update"})
# Their first argument names the operation.
_BY_NAME = frozenset({"generate_presigned_url", "get_paginator"})
_SETTINGS = "waybill.core.settings.WaybillSettings"
_ERROR = "waybill.core.errors.WaybillError"
_CATCHING = frozenset({"isinstance", "issubclass", "suppress"})


@dataclass(frozen=True)
class Reach:
    """What is reached, by full names.

    Operations are boto3's (`head_object`), each with the method that calls it; verbs are what the items of transactions
    do (`transact_put`).
    """

    names: frozenset[str]
    settings: frozenset[str]
    operations: frozenset[tuple[str, str]]
    verbs: frozenset[str]
    errors: frozenset[str]


@dataclass
class _Owner:
    """What one function, class body or module variable mentions."""

    mentions: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)
    verbs: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)


class Code:
    """The modules under the folder `source`, without those below folders named in `leave_out`."""

    def __init__(self, source: Path, leave_out: Collection[str] = ()) -> None:
        self._project = Project(source, leave_out)
        self._owners: dict[str, _Owner] = defaultdict(_Owner)
        self._routes: dict[tuple[str, str, str], str] = {}
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], Reach] = {}
        for module, tree in self._project.trees.items():
            _Collector(self._project, module, self._owners, self._routes).visit(tree)

    def reach(self, handler: str, routes: Collection[tuple[str, str]] = ()) -> Reach:
        """Return what `handler` reaches, with the HTTP `routes` that it serves: `("GET", "/health")`."""
        question = handler, tuple(routes)
        if question not in self._answers:
            self._answers[question] = self._reach(*question)
        return self._answers[question]

    def _reach(self, handler: str, routes: tuple[tuple[str, str], ...]) -> Reach:
        found: set[str] = set()
        waiting = [handler]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            for mentioned in self._owners[name].mentions:
                waiting += self._meant(mentioned, _package_of(handler))
            module, _, variable = name.rpartition(".")
            if variable == "app":
                waiting += [self._routes[module, *route] for route in routes]
        owners = {name: self._owners[name] for name in found}
        return Reach(
            frozenset(found),
            frozenset(setting for owner in owners.values() for setting in owner.settings),
            frozenset((name, operation) for name, owner in owners.items() for operation in owner.operations),
            frozenset(verb for owner in owners.values() for verb in owner.verbs),
            frozenset(error for owner in owners.values() for error in owner.errors),
        )

    def loads(self, handler: str, routes: Collection[tuple[str, str]] = ()) -> frozenset[str]:
        """Return every module that `handler` may load: with its own module, and within the functions that it reaches.

        A function is called from modules that are loaded: one that only fulfils the same protocol adds nothing.
        """
        reached = [name for name in self.reach(handler, routes).names if name in self._project.functions]
        loaded: set[str] = set()
        waiting = {handler.rpartition(".")[0]}
        while waiting:
            name = waiting.pop()
            loaded.add(name)
            # A package is loaded before what is in it.
            waiting |= {name.rpartition(".")[0]} - {""} | set(self._at_import(name))
            waiting |= {
                module
                for function in reached
                if self._project.functions[function][0] == name
                for module in modules_named_in(self._project.functions[function][1])
            }
            waiting -= loaded
        return frozenset(loaded)

    def _at_import(self, module: str) -> Iterator[str]:
        if module in self._project.trees:
            yield from modules_named_in(self._project.trees[module])

    def _meant(self, mentioned: str, package: str) -> Iterator[str]:
        yield mentioned
        if mentioned in self._project.classes:
            yield from self._implied(mentioned)
        holder, _, method = mentioned.rpartition(".")
        if self._project.is_protocol(holder):
            for name in self._project.classes:
                # Workflows never import each other: what only another one's classes fulfil is not meant here.
                if _package_of(name) not in {package, "core"} or self._project.is_protocol(name):
                    continue
                if self._project.fulfils(name, holder) and (definer := self._project.definer(name, method)):
                    yield f"{definer}.{method}"

    def _implied(self, name: str) -> Iterator[str]:
        """What making and using an instance runs without being named: `__init__`, `__enter__`, `__iter__`."""
        for base in self._project.bases(name):
            if base in self._project.classes:
                methods = self._project.classes[base].methods
                yield from (f"{base}.{method}" for method in methods if method.startswith("__"))


class _Collector(ast.NodeVisitor):
    """Notes what each function, class body and module variable of one module mentions."""

    def __init__(
        self, project: Project, module: str, owners: dict[str, _Owner], routes: dict[tuple[str, str, str], str]
    ) -> None:
        self._project = project
        self._owners = owners
        self._routes = routes
        self._module = module
        self._within = [module]
        self._scope: Scope = project.scope(module)
        self._in_function = False

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if self._in_function:
            self.generic_visit(node)
        else:
            self._enter(f"{self._within[-1]}.{node.name}", node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # A function within a function belongs to it.
        name = self._within[-1] if self._in_function else f"{self._within[-1]}.{node.name}"
        for decorator in node.decorator_list:
            self._note_route(decorator, name)
        outer = self._in_function, self._scope
        if not self._in_function:
            owner = self._project.classes.get(self._within[-1])
            self._in_function, self._scope = True, self._project.scope(self._module, node, owner)
        self._enter(name, node)
        self._in_function, self._scope = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_variable(node, node.targets[0])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_variable(node, node.target)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations alone, as everywhere: they run nothing."""

    def visit_TypeAlias(self, node: ast.TypeAlias) -> None:
        """As annotations."""

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        # Naming an error in order to catch it does not raise it.
        for statement in node.body:
            self.visit(statement)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _CATCHING:
            return
        for argument in node.args:
            name = self._project.dotted(self._module, argument, self._scope.local)
            if name in self._project.classes and _SETTINGS in self._project.bases(name)[1:]:
                self._owner.settings.add(name)
        if isinstance(node.func, ast.Attribute) and self._is_client(node.func.value):
            name = _TRANSFERS.get(node.func.attr, node.func.attr)
            if name in _BY_NAME and isinstance(node.args[0], ast.Constant):
                name = str(node.args[0].value)
            if name in boto3_operations():
                self._owner.operations.add(name)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        verbs = {str(key.value) for key in node.keys if isinstance(key, ast.Constant)} & _VERBS
        self._owner.verbs |= {f"transact_{xform_name(verb)}" for verb in verbs}
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._mention(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._mention(node)
        for atom in self._scope.type_of(node.value):
            if atom.kind in ("instance", "class") and (definer := self._project.definer(atom.name, node.attr)):
                self._owner.mentions.add(f"{definer}.{node.attr}")
        self.generic_visit(node)

    def _is_client(self, node: ast.expr) -> bool:
        """Whether it is a client of boto3: by its type, or called so where it has none: `self._client(region)`."""
        found = self._scope.type_of(node)
        if any(atom.name.startswith(CLIENTS) for atom in found):
            return True
        return not found and "client" in ast.unparse(node)

    @property
    def _owner(self) -> _Owner:
        return self._owners[self._within[-1]]

    def _visit_variable(self, node: ast.Assign | ast.AnnAssign, target: ast.expr) -> None:
        named = self._within == [self._module] and isinstance(target, ast.Name)
        self._within.append(f"{self._module}.{target.id}" if named else self._within[-1])
        for part in (*(node.targets if isinstance(node, ast.Assign) else [target]), node.value):
            if part is not None:
                self.visit(part)
        self._within.pop()

    def _enter(self, name: str, node: ast.FunctionDef | ast.ClassDef) -> None:
        self._within.append(name)
        for part in ast.iter_child_nodes(node):
            if part is not getattr(node, "returns", None):
                self.visit(part)
        self._within.pop()

    def _mention(self, node: ast.Name | ast.Attribute) -> None:
        if self._scope.is_variable(node):
            return
        name = self._project.dotted(self._module, node, self._scope.local)
        if name is None or not name.startswith("waybill."):
            return
        self._owner.mentions.add(name)
        if name in self._project.classes and _ERROR in self._project.bases(name):
            self._owner.errors.add(name)

    def _note_route(self, decorator: ast.expr, function: str) -> None:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name("app"), attr=method), args=[ast.Constant(path), *_]):
                # Powertools writes a parameter of a path in other brackets than API Gateway.
                self._routes[self._module, method.upper(), re.sub(r"<(\w+)>", r"{\1}", str(path))] = function


@cache
def boto3_operations() -> dict[str, str]:
    """Return the services' operations by boto3's name for them: `head_object` is `s3.HeadObject`."""
    session = botocore.session.get_session()
    return {
        xform_name(operation): f"{service}.{operation}"
        for service in _SERVICES
        for operation in session.get_service_model(service).operation_names
    }


def _package_of(name: str) -> str:
    """`core` of `waybill.core.aws.clients.client`."""
    return name.split(".")[1]
