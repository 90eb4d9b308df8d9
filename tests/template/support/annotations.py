"""Which of the project's classes an expression may be about, read from annotations; nothing is run or imported.

The code is typed throughout (`make lint` holds it), so annotations say what a parameter is and what a call gives. A
type here is a set of what may be meant, and containers are as what is in them: a `dict[str, Job]` is a `Job`, and so is
everything that comes out of it. That finds too much rather than too little.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

type Function = ast.FunctionDef | ast.AsyncFunctionDef
type Variables = dict[str, Types]
type Types = frozenset[Atom]


class Atom(NamedTuple):
    """One thing that is meant: an `instance` of a class, a `class`, a `function`, a `module`, or a `callable`.

    `name` is its full name; a callable has what it gives and what it takes.
    """

    kind: str
    name: str = ""
    gives: frozenset["Atom"] = frozenset()
    takes: frozenset["Atom"] = frozenset()


NOTHING: Types = frozenset()
# What a function returns that is generic, or returns itself.
_FROM_ARGUMENTS, _SELF = Atom("arguments"), Atom("self")
CLIENTS = "mypy_boto3_"
# What they give has nothing of what they are given.
_OPAQUE = frozenset({"bool", "bytes", "float", "hash", "id", "int", "isinstance", "issubclass", "len", "repr", "str"})
_PROPERTIES = frozenset({"property", "cached_property"})
_TEACHING = (
    *(ast.FunctionDef, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.For, ast.comprehension),
    *(ast.withitem, ast.ExceptHandler, ast.Match),
)
_SIMPLE = frozenset({"bool", "bytes", "float", "int", "str", "None"})


@dataclass
class Class:
    """A class: its methods and attributes that are its own, by name."""

    name: str
    module: str
    node: ast.ClassDef
    methods: dict[str, Function] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    assigned: dict[str, list[tuple[Function | None, ast.expr]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def members(self) -> set[str]:
        """The names of all that it defines."""
        return {*self.methods, *self.annotations, *self.assigned}


class Project:
    """The modules under the folder `source`, without those below folders named in `leave_out`."""

    def __init__(self, source: Path, leave_out: Collection[str] = ()) -> None:
        self.trees = {
            ".".join(part for part in file.relative_to(source).with_suffix("").parts if part != "__init__"): ast.parse(
                file.read_text("utf-8")
            )
            for file in sorted(source.rglob("*.py"))
            if not set(file.relative_to(source).parts) & set(leave_out)
        }
        self.classes: dict[str, Class] = {}
        self.functions: dict[str, tuple[str, Function, Class | None]] = {}
        self._variables: dict[str, tuple[str, ast.Assign | ast.AnnAssign]] = {}
        self._aliases: dict[str, tuple[str, ast.expr]] = {}
        self._imports = {module: dict(imports_in(tree)) for module, tree in self.trees.items()}
        for module, tree in self.trees.items():
            for statement in _top_level(tree.body):
                self._define(module, statement)
        self._known: dict[object, Types] = {}
        self._scopes: dict[int, Scope] = {}

    def _define(self, module: str, statement: ast.stmt) -> None:
        match statement:
            case ast.ClassDef(name=name):
                self._define_class(f"{module}.{name}", module, statement)
            case ast.FunctionDef(name=name):
                # Of overloads, the last one is what runs.
                self.functions[f"{module}.{name}"] = (module, statement, None)
            case ast.TypeAlias(name=ast.Name(name), value=value):
                self._aliases[f"{module}.{name}"] = (module, value)
            case ast.Assign(targets=[ast.Name(name), *_]) | ast.AnnAssign(target=ast.Name(name)):
                self._variables[f"{module}.{name}"] = (module, statement)

    def _define_class(self, name: str, module: str, node: ast.ClassDef) -> None:
        found = self.classes[name] = Class(name, module, node)
        for statement in node.body:
            match statement:
                case ast.FunctionDef(name=method):
                    found.methods[method] = statement
                    self.functions[f"{name}.{method}"] = (module, statement, found)
                    for target, annotation, value in _set_on_self(statement):
                        if annotation is not None:
                            found.annotations[target] = annotation
                        elif value is not None:
                            found.assigned[target].append((statement, value))
                case ast.AnnAssign(target=ast.Name(attribute), annotation=annotation):
                    found.annotations[attribute] = annotation
                case ast.Assign(targets=[ast.Name(attribute), *_], value=value):
                    found.assigned[attribute].append((None, value))

    def resolve(self, module: str, name: str, local: dict[str, str] | None = None) -> str | None:
        """Return the full name of what `name` is in a module, where it is defined; None for built-in names."""
        full = (local or {}).get(name) or self._imports[module].get(name)
        if full is None:
            own = f"{module}.{name}"
            return own if self.defines(own) else None
        return self._followed(full)

    def _followed(self, full: str) -> str:
        seen = set()
        while full not in seen and full not in self.trees and not self.defines(full):
            seen.add(full)
            holder, _, name = full.rpartition(".")
            if holder not in self.trees:
                break
            full = self._imports[holder].get(name, full)
        return full

    def defines(self, full: str) -> bool:
        """Whether a module of the project defines it."""
        return full in self.classes or full in self.functions or full in self._variables or full in self._aliases

    def bases(self, name: str) -> list[str]:
        """The class and what it derives from, nearest first."""
        found = [name]
        for one in found:
            if one in self.classes:
                for base in self.classes[one].node.bases:
                    full = self.dotted(self.classes[one].module, base)
                    if full and full not in found:
                        found.append(full)
        return found

    def is_protocol(self, name: str) -> bool:
        """Whether the class itself is a `Protocol`."""
        found = self.classes.get(name)
        return found is not None and any(
            (self.dotted(found.module, base) or "").endswith("typing.Protocol") for base in found.node.bases
        )

    def dotted(self, module: str, node: ast.expr, local: dict[str, str] | None = None) -> str | None:
        """Return the full name that a plain `a.b.c`, `a` or `a[…]` means."""
        match node:
            case ast.Name(name):
                return self.resolve(module, name, local)
            case ast.Attribute(value=value, attr=name):
                holder = self.dotted(module, value, local)
                return self._followed(f"{holder}.{name}") if holder else None
            case ast.Subscript(value=value):
                return self.dotted(module, value, local)
        return None

    def definer(self, name: str, member: str) -> str | None:
        """The class that defines what an instance of the class `name` has as `member`."""
        return next((base for base in self.bases(name) if base in self.classes and self._has(base, member)), None)

    def _has(self, name: str, member: str) -> bool:
        return member in self.classes[name].members

    def annotation(self, node: ast.expr | None, module: str, local: dict[str, str] | None = None) -> Types:
        """What a value of the annotated type may be."""
        match node:
            case ast.Constant(value=str(text)):
                return self.annotation(ast.parse(text, mode="eval").body, module, local)
            case ast.Name("Self"):
                return frozenset({_SELF})
            case ast.Name() | ast.Attribute():
                return self._named(self.dotted(module, node, local), node)
            case ast.Subscript():
                return self._subscript(node, module, local)
            case ast.BinOp(left=left, right=right):
                return self.annotation(left, module, local) | self.annotation(right, module, local)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return _union(self.annotation(part, module, local) for part in parts)
        return NOTHING

    def _subscript(self, node: ast.Subscript, module: str, local: dict[str, str] | None) -> Types:
        kind = self.dotted(module, node.value, local) or ast.unparse(node.value)
        inner = NOTHING if kind == "typing.Literal" else self.annotation(node.slice, module, local)
        match kind:
            case "collections.abc.Callable" | "typing.Callable":
                return self._callable(node.slice, module, local)
            case "type":
                return frozenset(one._replace(kind="class") if one.kind == "instance" else one for one in inner)
        return self.annotation(node.value, module, local) | inner

    def _callable(self, inner: ast.expr, module: str, local: dict[str, str] | None) -> Types:
        takes, gives = inner.elts if isinstance(inner, ast.Tuple) else (inner, None)
        return frozenset(
            {Atom("callable", "", self.annotation(gives, module, local), self.annotation(takes, module, local))}
        )

    def _named(self, full: str | None, node: ast.expr) -> Types:
        if full is None:
            # A type parameter: what built-in names and modules of others mean is none of ours.
            generic = isinstance(node, ast.Name) and node.id.isupper()
            return frozenset({_FROM_ARGUMENTS}) if generic else NOTHING
        if full in self._aliases:
            module, value = self._aliases[full]
            return self._once(("alias", full), lambda: self.annotation(value, module))
        if full in self.classes or full.startswith(CLIENTS):
            return frozenset({Atom("instance", full)})
        return NOTHING

    def named(self, full: str) -> Types:
        """What a full name means as an expression."""
        if full in self.trees:
            return frozenset({Atom("module", full)})
        if full in self.classes:
            return frozenset({Atom("class", full)})
        if full in self.functions:
            return frozenset({Atom("function", full)})
        if full in self._variables:
            module, node = self._variables[full]
            if isinstance(node, ast.AnnAssign):
                return self.annotation(node.annotation, module)
            return self._once(("variable", full), lambda: self.scope(module).type_of(node.value))
        return NOTHING

    def member(self, name: str, member: str) -> Types | None:
        """What an instance of the class `name` has as `member`; None where it has none such."""
        definer = self.definer(name, member)
        if definer is None:
            return None
        found = self.classes[definer]
        if member in found.methods:
            method = found.methods[member]
            if any(_last(decorator) in _PROPERTIES for decorator in method.decorator_list):
                return self.returns(f"{definer}.{member}")
            return frozenset({Atom("function", f"{definer}.{member}")})
        if member in found.annotations:
            return self.annotation(found.annotations[member], found.module)
        return self._once(
            (definer, member),
            lambda: _union(
                self.scope(found.module, method, found).type_of(value) for method, value in found.assigned[member]
            ),
        )

    def returns(self, function: str) -> Types:
        """What a call of the function gives, by its annotation."""
        module, node, _ = self.functions[function]
        return self._once(("returns", function), lambda: self.annotation(node.returns, module))

    def scope(self, module: str, function: Function | None = None, owner: Class | None = None) -> "Scope":
        """Return what names mean within a function, or in the module."""
        key = id(function) if function else id(self.trees[module])
        if key not in self._scopes:
            self._scopes[key] = Scope(self, module, function, owner)
            self._scopes[key].learn()
        return self._scopes[key]

    def _once(self, key: object, find: Callable[[], Types]) -> Types:
        if key not in self._known:
            self._known[key] = NOTHING  # what is asked for while it is being found
            self._known[key] = find()
        return self._known[key]

    @cache  # noqa: B019 - there is one project in a run
    def fulfils(self, name: str, protocol: str) -> bool:
        """Whether a class has everything that the protocol asks for, as far as names and plain types tell."""
        if protocol in self.bases(name):
            return True
        asked = {
            member: base
            for base in self.bases(protocol)
            if base in self.classes
            for member in self.classes[base].members
        }
        return all(
            (definer := self.definer(name, member)) is not None and self._fits(definer, base, member)
            for member, base in asked.items()
        )

    def _fits(self, definer: str, asking: str, member: str) -> bool:
        mine, asked = self.classes[definer], self.classes[asking]
        if member not in mine.methods or member not in asked.methods:
            return True
        method, wanted = mine.methods[member], asked.methods[member]
        if not member.startswith("__") and not _takes(method.args, wanted.args):
            return False
        pairs = [(method.returns, wanted.returns)]
        given = {argument.arg: argument.annotation for argument in _arguments(method.args)}
        pairs += [(given.get(one.arg), one.annotation) for one in _arguments(wanted.args)]
        return all(self._same(mine.module, one, asked.module, other) for one, other in pairs)

    def _same(self, module: str, one: ast.expr | None, asking: str, other: ast.expr | None) -> bool:
        if one is None or other is None:
            return True
        plain = {ast.unparse(one), ast.unparse(other)}
        if len(plain) > 1 and plain <= _SIMPLE:
            return False
        ours, theirs = self.annotation(one, module), self.annotation(other, asking)
        mine = {atom.name for atom in ours if atom.kind == "instance"}
        asked = {atom.name for atom in theirs if atom.kind == "instance"}
        if any(self.is_protocol(name) for name in mine | asked) or ours & {_FROM_ARGUMENTS, _SELF}:
            return True
        if bool(mine) != bool(asked):
            return not (plain & _SIMPLE)
        related = {base for name in mine for base in self.bases(name)}
        return not mine or bool(related & asked) or bool({base for name in asked for base in self.bases(name)} & mine)


class Scope:
    """What names and expressions mean within one function, wherever in it."""

    def __init__(self, project: Project, module: str, function: Function | None, owner: Class | None) -> None:
        self.project = project
        self.module = module
        self.local = dict(imports_in(function)) if function else {}
        self._node: ast.AST = function or project.trees[module]
        self._is_module = function is None
        self._owner = owner
        self._variables: Variables = {}

    def learn(self) -> None:
        """Find out what the variables are, until nothing is added."""
        if self._is_module:
            return
        nodes = [node for node in ast.walk(self._node) if _teaches(node)]
        for _ in range(5):
            before = dict(self._variables)
            for node in nodes:
                self._learn_from(node)
            if before == self._variables:
                break

    def _learn_from(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef(args=arguments):
                self._learn_parameters(node, arguments)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, self.type_of(value))
            case ast.AnnAssign(target=target, annotation=annotation):
                self._bind(target, self.project.annotation(annotation, self.module, self.local))
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                self._bind(target, self.type_of(value))
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                self._bind(target, self._method_gives(self.type_of(value), "__iter__"))
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                self._bind(target, self._method_gives(self.type_of(value), "__enter__"))
            case ast.ExceptHandler(type=ast.expr() as kind, name=str(name)):
                self._add(name, self._made(self.type_of(kind)))
            case ast.Match(subject=subject, cases=cases):
                for case in cases:
                    self._learn_pattern(case.pattern, self.type_of(subject))
            case ast.Call():
                self._learn_from_call(node)

    def _learn_parameters(self, node: ast.FunctionDef, arguments: ast.arguments) -> None:
        everything = _arguments(arguments)
        for argument in everything:
            self._add(argument.arg, self.project.annotation(argument.annotation, self.module, self.local))
        if node is not self._node:
            gives = self.project.annotation(node.returns, self.module, self.local)
            self._add(node.name, frozenset({Atom("callable", "", gives)}))
        elif self._owner and everything:
            kind = "class" if any(_last(one) == "classmethod" for one in node.decorator_list) else "instance"
            if not any(_last(one) == "staticmethod" for one in node.decorator_list):
                self._add(everything[0].arg, frozenset({Atom(kind, self._owner.name)}))

    def _learn_pattern(self, pattern: ast.pattern, subject: Types) -> None:
        match pattern:
            case ast.MatchAs(pattern=inner, name=name):
                if inner is not None:
                    self._learn_pattern(inner, subject)
                if name and isinstance(inner, ast.MatchClass):
                    self._add(name, self._made(self.type_of(inner.cls)))
                elif name:
                    self._add(name, subject)
            case ast.MatchClass(cls=kind, patterns=inner, kwd_attrs=attributes, kwd_patterns=named):
                made = self._made(self.type_of(kind))
                for one in inner:
                    self._learn_pattern(one, subject | made)
                for attribute, one in zip(attributes, named, strict=True):
                    self._learn_pattern(one, self._attribute(made, attribute))
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                self._add(name, subject)
        for one in ast.iter_child_nodes(pattern):
            if isinstance(one, ast.pattern) and not isinstance(pattern, ast.MatchClass | ast.MatchAs):
                self._learn_pattern(one, subject)

    def _learn_from_call(self, call: ast.Call) -> None:
        match call:
            case ast.Call(func=ast.Name("isinstance"), args=[ast.Name(name), kind]) if name in self._variables:
                self._add(name, self._made(self.type_of(kind)))
            case _:
                self._learn_lambdas(call)

    def _learn_lambdas(self, call: ast.Call) -> None:
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        lambdas = [value for value in values if isinstance(value, ast.Lambda)]
        if not lambdas:
            return
        given = _union(self.type_of(value) for value in values if not isinstance(value, ast.Lambda))
        if isinstance(call.func, ast.Attribute):
            given |= self.type_of(call.func.value)
        for atom in self.type_of(call.func):
            for function in self._functions_of(atom):
                module, node, _ = self.project.functions[function]
                for argument in _arguments(node.args):
                    for one in self.project.annotation(argument.annotation, module):
                        given |= one.takes
        for value in lambdas:
            for argument in _arguments(value.args):
                self._add(argument.arg, given)

    def _bind(self, target: ast.expr, types: Types) -> None:
        match target:
            case ast.Name(name):
                self._add(name, types)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind(part, types)
            case ast.Starred(value=value):
                self._bind(value, types)
            case ast.Subscript(value=ast.Name(name)) if name in self._variables:
                self._add(name, types)

    def _add(self, name: str, types: Types) -> None:
        self._variables[name] = self._variables.get(name, NOTHING) | types

    def is_variable(self, node: ast.expr) -> bool:
        """Whether `a` or `a.b` begins with a variable of the function, whatever the module calls so."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._variables

    def type_of(self, node: ast.expr | None) -> Types:
        """What an expression may be."""
        match node:
            case ast.Name(name):
                return self._variable(name)
            case ast.Attribute(value=value, attr=name):
                return self._attribute(self.type_of(value), name)
            case ast.Call():
                return self._called(node)
            case ast.Lambda(body=body):
                return frozenset({Atom("callable", "", self.type_of(body))})
            case ast.Compare() | ast.JoinedStr() | ast.Constant() | None:
                return NOTHING
            case ast.Subscript(value=value):
                return self._method_gives(self.type_of(value), "__getitem__") - {_FROM_ARGUMENTS}
        return _union(self.type_of(one) for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr))

    def _variable(self, name: str) -> Types:
        if name in self._variables:
            return self._variables[name]
        full = self.project.resolve(self.module, name, self.local)
        return self.project.named(full) if full else NOTHING

    def _attribute(self, types: Types, name: str) -> Types:
        found: set[Atom] = set()
        for atom in types:
            if atom.kind == "module":
                full = self.project.resolve(atom.name, name) or f"{atom.name}.{name}"
                found |= self.project.named(full)
            elif atom.kind in ("instance", "class") and atom.name in self.project.classes:
                member = self.project.member(atom.name, name)
                # What others' base classes have gives the same again: `model_copy`, `values` of a dictionary.
                found |= {atom} if member is None else {atom if one == _SELF else one for one in member}
            elif atom.kind in ("function", "callable"):
                found.add(atom)
        return frozenset(found)

    def _called(self, node: ast.Call) -> Types:
        if isinstance(node.func, ast.Name) and node.func.id in _OPAQUE:
            return NOTHING
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        match node.func:
            case ast.Name("cast"):
                return self.project.annotation(node.args[0], self.module, self.local)
            case ast.Name("super"):
                bases = self.project.bases(self._owner.name)[1:] if self._owner else []
                return frozenset(Atom("instance", base) for base in bases if base in self.project.classes)
        called = self.type_of(node.func)
        service = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if not called:
            given = _union(self.type_of(value) for value in values)
            return given | _union(self._given_by(atom) for atom in given if atom.kind != "instance")
        found = _union(self._given_by(atom) for atom in called)
        if _FROM_ARGUMENTS in found or _SELF in found:
            found |= self._made(_union(self.type_of(value) for value in values))
            if isinstance(node.func, ast.Attribute):
                found |= self.type_of(node.func.value)
        clients = {atom for atom in found if atom.name.startswith(CLIENTS)}
        if len(clients) > 1 and isinstance(service, str):
            found -= {atom for atom in clients if not atom.name.startswith(f"{CLIENTS}{service}.")}
        return found - {_FROM_ARGUMENTS, _SELF}

    def _given_by(self, atom: Atom) -> Types:
        match atom:
            case Atom("class"):
                return frozenset({atom._replace(kind="instance")})
            case Atom("function", name):
                return self.project.returns(name)
            case Atom("callable", _, gives):
                return gives
            case Atom("instance", name) if name in self.project.classes:
                return _union(self._overloads(name)) or frozenset({atom})
        return NOTHING

    def _overloads(self, name: str) -> Iterator[Types]:
        """What calling an instance gives, by all the overloads of `__call__`."""
        for base in self.project.bases(name):
            found = self.project.classes.get(base)
            for statement in found.node.body if found else ():
                if isinstance(statement, ast.FunctionDef) and statement.name == "__call__" and found:
                    yield self.project.annotation(statement.returns, found.module)

    def _functions_of(self, atom: Atom) -> Iterator[str]:
        if atom.kind == "function":
            yield atom.name
        elif atom.kind == "class" and (definer := self.project.definer(atom.name, "__init__")):
            yield f"{definer}.__init__"

    def _method_gives(self, types: Types, method: str) -> Types:
        found: set[Atom] = set()
        for atom in types:
            member = self.project.member(atom.name, method) if atom.kind == "instance" else None
            if member is None:
                found.add(atom)
            else:
                given = _union(self._given_by(one) for one in member)
                found |= {atom if one == _SELF else one for one in given}
        return frozenset(found)

    def _made(self, types: Types) -> Types:
        return frozenset(atom._replace(kind="instance") if atom.kind == "class" else atom for atom in types)


def _teaches(node: ast.AST) -> bool:
    """Whether it says what a variable is."""
    if isinstance(node, ast.Call):
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        return getattr(node.func, "id", "") == "isinstance" or any(isinstance(value, ast.Lambda) for value in values)
    return isinstance(node, _TEACHING)


def modules_named_in(tree: ast.AST) -> Iterator[str]:
    """Yield every module that running a module, or calling a function, may load: what it imports, at any depth of it.

    Of a module, what its functions import is loaded with those; nothing is loaded for type checking.
    """
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{one.name}" for one in names)
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.FunctionDef() if isinstance(tree, ast.Module):
                waiting += node.decorator_list
            case ast.If(test=ast.Name("TYPE_CHECKING"), orelse=orelse):
                waiting += orelse
            case _:
                waiting += ast.iter_child_nodes(node)


def imports_in(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield every name that is imported in a function, or in a module outside its functions, and what it means."""
    waiting = list(ast.iter_child_nodes(tree))
    within_function = isinstance(tree, ast.FunctionDef)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((one.asname or one.name, f"{module}.{one.name}") for one in names)
            case ast.Import(names=names):
                for one in names:
                    yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
            case ast.FunctionDef() | ast.ClassDef() if not within_function:
                pass
            case _:
                waiting += ast.iter_child_nodes(node)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from _top_level(statement.body)


def _set_on_self(method: Function) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    for node in ast.walk(method):
        match node:
            case ast.AnnAssign(target=ast.Attribute(ast.Name("self"), name), annotation=annotation, value=value):
                yield name, annotation, value
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                        match one:
                            case ast.Attribute(ast.Name("self"), name):
                                yield name, None, value


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    more = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *more]


def _takes(mine: ast.arguments, asked: ast.arguments) -> bool:
    """Whether a method can be called as the one that is asked for: so many by position, and these by name."""
    positions, wanted = mine.args[1:], asked.args[1:]
    if mine.vararg or mine.kwarg or mine.posonlyargs or asked.posonlyargs:
        return True
    by_name = {one.arg for one in asked.kwonlyargs}
    required = {one.arg for one, default in zip(mine.kwonlyargs, mine.kw_defaults, strict=True) if default is None}
    return (
        len(positions) - len(mine.defaults) <= len(wanted) <= len(positions)
        and all(
            one.arg == other.arg or "_" in (one.arg[0], other.arg[0])
            for one, other in zip(positions, wanted, strict=False)
        )
        and by_name <= {one.arg for one in (*positions, *mine.kwonlyargs)}
        and required <= by_name
    )


def _last(node: ast.expr) -> str:
    """`property` of `functools.property` or of `property()`."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


def _union(types: Iterable[Types]) -> Types:
    return frozenset().union(*types)
