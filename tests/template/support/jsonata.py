"""What a JSONata expression of a state machine refers to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jsonata.jsonata import Jsonata

OPEN, CLOSE = "{%", "%}"

# Step Functions developer guide, "Transforming data with JSONata": functions of its own, and one that it has not.
_ADDED = frozenset({"hash", "parse", "partition", "random", "range", "uuid"})
_TAKEN_AWAY = frozenset({"eval"})


@dataclass
class Mentions:
    """Variables that are not the expression's own, and the parts of `$states` that it reads."""

    variables: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def is_expression(text: str) -> bool:
    """Return whether the whole of a text is an expression."""
    return text.startswith(OPEN) and text.endswith(CLOSE)


def expressions(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every expression in a part of a state, with its place there."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from expressions(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from expressions(item, f"{place}[{index}]")
    elif isinstance(value, str) and is_expression(value):
        yield place, value[len(OPEN) : -len(CLOSE)].strip()


def known_functions() -> frozenset[str]:
    """Return the functions that an expression may call, without `$`."""
    Jsonata("1")
    return (frozenset(Jsonata.static_frame.bindings) | _ADDED) - _TAKEN_AWAY


def mentions(expression: str) -> Mentions:
    """Return what an expression refers to.

    Raises
    ------
    jsonata.jexception.JException
        It is not JSONata.
    """
    found = Mentions()
    _visit(Jsonata(expression).ast, frozenset(), found)
    return found


def _visit(node: Any, own: frozenset[str], found: Mentions) -> None:
    if isinstance(node, list | tuple):
        for item in node:
            _visit(item, own, found)
        return
    kind = getattr(node, "type", None)
    if kind is None:
        return
    if kind == "function" and node.procedure.type == "variable" and node.procedure.value not in own:
        found.functions.add(node.procedure.value)
        _visit(node.arguments, own, found)
        return
    if kind == "lambda":
        _visit(node.body, own | {argument.value for argument in node.arguments}, found)
        return
    if kind == "block":
        own |= {one.lhs.value for one in node.expressions if one.type == "bind"}
    if kind == "path":
        _note_part(node.steps, found)
    if kind == "variable" and node.value and node.value not in own:
        found.variables.add(node.value)
    for name, child in vars(node).items():
        if name not in {"procedure", "_outer_instance"} or name == "procedure":
            _visit(child, own, found)


def _note_part(steps: list[Any], found: Mentions) -> None:
    first, second = [*steps, None][:2]
    if first.type == "variable" and first.value == "states" and second is not None:
        found.parts.add(str(second.value))
