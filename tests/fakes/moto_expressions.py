"""moto's expressions at less cost: each was read, copied by `copy`, and gone through ten times for every item."""

import copy
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import pytest
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing.ast_nodes import Expression, Node, UpdateExpressionFunction
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import DepthFirstTraverser

_PROCESSORS: dict[tuple[type, type], Any] = {}


def cheaper_expressions(patched: pytest.MonkeyPatch) -> None:
    """Read an expression once, however many items it is applied to, and go through it by the kinds of its nodes.

    What is read of an update is copied before it is changed, by moto itself; words of a condition are never changed.
    """
    patched.setattr(UpdateExpressionParser, "make", staticmethod(cache(UpdateExpressionParser.make)))
    patched.setattr(Node, "__deepcopy__", _copied, raising=False)
    patched.setattr(Node, "find_clauses", _clauses)
    patched.setattr(DepthFirstTraverser, "traverse_node_recursively", _gone_through)
    read = cache(_words(ConditionExpressionParser._lex_condition_expression))
    patched.setattr(
        ConditionExpressionParser, "_lex_condition_expression", lambda parser: deque(read(parser.condition_expression))
    )


def _words(lex: Callable[[Any], deque[Any]]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(lex(ConditionExpressionParser(text, {}, {})))


def _copied(node: Any, memo: dict[int, Any]) -> Any:
    made = object.__new__(type(node))
    memo[id(node)] = made
    for name, value in vars(node).items():
        if name == "children" and value is not None:
            made.children = [child if type(child) is str else copy.deepcopy(child, memo) for child in value]
        else:
            setattr(made, name, value if type(value) is str else copy.deepcopy(value, memo))
    return made


def _clauses(node: Any, kinds: Any) -> list[Any]:
    found = []
    for child in node.children or ():
        kind = type(child)
        if kind in kinds:
            found.append(child)
        elif _has_clauses(kind):
            found.extend(_clauses(child, kinds))
    return found


@cache
def _has_clauses(kind: type) -> bool:
    return issubclass(kind, (Expression, UpdateExpressionFunction))


def _gone_through(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Process the nodes below and then this one, as moto does: each by the first class that it is of."""
    kind = type(node)
    if not _is_node(kind):
        return node
    parent = node.parent
    for place, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, place)
        _gone_through(traverser, child, place)
    if (process := _processor(traverser, kind)) is not None:
        node = process(traverser, node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _processor(traverser: Any, kind: type) -> Any:
    """Return the method that processes nodes of a kind, the same for every traverser of a class."""
    key = (type(traverser), kind)
    if key not in _PROCESSORS:
        chosen = cast("dict[type, Any]", traverser._processing_map())
        found = next((processor for of_kind, processor in chosen.items() if issubclass(kind, of_kind)), None)
        _PROCESSORS[key] = found and found.__func__
    return _PROCESSORS[key]


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)
