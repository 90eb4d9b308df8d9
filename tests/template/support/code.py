"""What the code behind a Lambda function can reach, followed along the types that mypy finds.

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
from mypy import build
from mypy.modulefinder import BuildSource
from mypy.nodes import Expression, MypyFile, RefExpr, TypeInfo
from mypy.options import Options
from mypy.subtypes import is_subtype
from mypy.traverser import NameAndMemberCollector
from mypy.types import AnyType, Instance, Type, UnionType, get_proper_type

_SERVICES = (
    "cloudwatch",
    "dynamodb",
    "events",
    "kms",
    "lambda",
    "s3",
    "scheduler",
    "secretsmanager",
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
_LOAD = "waybill.core.settings.load"
_ERROR = "waybill.core.errors.WaybillError"
_CATCHING = frozenset({"isinstance", "issubclass", "suppress"})

type Position = tuple[int, int, int | None, int | None]


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
        files = {
            ".".join(part for part in file.relative_to(source).with_suffix("").parts if part != "__init__"): file
            for file in sorted(source.rglob("*.py"))
            if not set(file.relative_to(source).parts) & set(leave_out)
        }
        checked = _checked(source, files)
        trees = {name: tree for name in files if (tree := checked.graph[name].tree)}
        self._classes = {info.fullname: info for tree in trees.values() for info in _classes_of(tree)}
        self._owners: dict[str, _Owner] = defaultdict(_Owner)
        self._routes: dict[tuple[str, str, str], str] = {}
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], Reach] = {}
        for name, file in files.items():
            collector = _Collector(trees[name], checked.types, self._owners, self._routes)
            collector.visit(ast.parse(file.read_text("utf-8")))

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

    def _meant(self, mentioned: str, package: str) -> Iterator[str]:
        yield mentioned
        if mentioned in self._classes:
            yield f"{mentioned}.__init__"
            yield f"{mentioned}.__post_init__"
        holder, _, method = mentioned.rpartition(".")
        protocol = self._classes.get(holder)
        if protocol and protocol.is_protocol:
            for name, info in self._classes.items():
                # Workflows never import each other: what only another one's classes fulfil is not meant here.
                if _package_of(name) not in {package, "core"} or info.is_protocol:
                    continue
                if is_subtype(Instance(info, []), Instance(protocol, [])) and (member := info.get(method)):
                    yield member.fullname or f"{name}.{method}"


class _Collector(ast.NodeVisitor):
    """Notes what each function, class body and module variable of one module mentions."""

    def __init__(
        self,
        tree: MypyFile,
        types: dict[Expression, Type],
        owners: dict[str, _Owner],
        routes: dict[tuple[str, str, str], str],
    ) -> None:
        expressions = NameAndMemberCollector()
        tree.accept(expressions)
        mentioned = [*expressions.name_exprs, *expressions.member_exprs]
        self._references: dict[Position, RefExpr] = {_position_of(expression): expression for expression in mentioned}
        self._types = {
            _position_of(member.expr): get_proper_type(types[member.expr])
            for member in expressions.member_exprs
            if member.expr in types
        }
        self._owners = owners
        self._routes = routes
        self._module = tree.fullname
        self._within = [tree.fullname]
        self._in_function = False

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._enter(f"{self._within[-1]}.{node.name}", node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # A function within a function belongs to it.
        name = self._within[-1] if self._in_function else f"{self._within[-1]}.{node.name}"
        for decorator in node.decorator_list:
            self._note_route(decorator, name)
        outer, self._in_function = self._in_function, True
        self._enter(name, node)
        self._in_function = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        if self._within == [self._module] and isinstance(node.targets[0], ast.Name):
            self._enter(f"{self._module}.{node.targets[0].id}", node)
        else:
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self._within == [self._module] and isinstance(node.target, ast.Name):
            self._enter(f"{self._module}.{node.target.id}", node)
        else:
            self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        # Naming an error in order to catch it does not raise it.
        for statement in node.body:
            self.visit(statement)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _CATCHING:
            return
        called = self._references.get(_position(node.func))
        if called and called.fullname == _LOAD and (argument := self._references.get(_position(node.args[0]))):
            self._owner.settings.add(argument.fullname)
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
        holder = self._references.get(_position(node.value))
        classes = list(_classes_in(self._types.get(_position(node.value))))
        if holder and isinstance(holder.node, TypeInfo):
            classes.append(holder.node)
        for info in classes:
            if (member := info.get(node.attr)) and member.fullname:
                self._owner.mentions.add(member.fullname)
        self.generic_visit(node)

    def _is_client(self, node: ast.expr) -> bool:
        """Whether it is a client of boto3: by its type, or called so where it has none: `self._client(region)`."""
        found = self._types.get(_position(node))
        if isinstance(found, Instance):
            return found.type.fullname.startswith("mypy_boto3_")
        return isinstance(found, AnyType) and "client" in ast.unparse(node)

    @property
    def _owner(self) -> _Owner:
        return self._owners[self._within[-1]]

    def _enter(self, name: str, node: ast.AST) -> None:
        self._within.append(name)
        self.generic_visit(node)
        self._within.pop()

    def _mention(self, node: ast.Name | ast.Attribute) -> None:
        reference = self._references.get(_position(node))
        if not reference or not reference.fullname.startswith("waybill."):
            return
        self._owner.mentions.add(reference.fullname)
        if isinstance(reference.node, TypeInfo) and reference.node.has_base(_ERROR):
            self._owner.errors.add(reference.fullname)

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


def _checked(source: Path, files: dict[str, Path]) -> build.BuildResult:
    options = Options()
    options.python_version = (3, 13)
    options.mypy_path = [str(source)]
    options.follow_imports = "skip"
    options.incremental = False
    options.export_types = True
    options.preserve_asts = True
    # Type errors are for `make lint` to find; without the libraries' types there are others here.
    return build.build([BuildSource(str(file), name) for name, file in files.items()], options)


def _classes_of(tree: MypyFile) -> Iterator[TypeInfo]:
    for symbol in tree.names.values():
        if isinstance(symbol.node, TypeInfo) and symbol.node.module_name == tree.fullname:
            yield symbol.node


def _classes_in(found: Type | None) -> Iterator[TypeInfo]:
    if isinstance(found, UnionType):
        for item in found.items:
            yield from _classes_in(get_proper_type(item))
    elif isinstance(found, Instance) and found.type.fullname.startswith("waybill."):
        yield found.type


def _package_of(name: str) -> str:
    """`core` of `waybill.core.aws.clients.client`."""
    return name.split(".")[1]


def _position(node: ast.expr) -> Position:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _position_of(expression: Expression) -> Position:
    return expression.line, expression.column, expression.end_line, expression.end_column
