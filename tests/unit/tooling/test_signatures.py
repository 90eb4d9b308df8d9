"""What crosses an edge has a type: `Any` stands in no signature of a handler, and elsewhere where it is said why.

A value of `Any` may be anything and be used as anything (typing, "The Any type"): a checker finds no fault in it.
"""

import ast
from collections.abc import Iterator

import pytest

from scripts.template import PROJECT

SOURCE = PROJECT / "src" / "waybill"

UNTYPED = {
    "console/adapters/api.py": "JSON of the API's answers, which the pages read field by field",
    "core/api.py": "Powertools' resolver and its decorators, whose own signatures say so",
    "core/views.py": "Pydantic's own, which every model of an answer inherits",
    "subject_access/api.py": "Powertools' answers with bytes, which have no model",
}


def _untyped(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
            said = [one.annotation for one in every if one is not None] + [node.returns]
            if any(_names_any(one) for one in said if one is not None):
                yield node.name


def _names_any(annotation: ast.expr) -> bool:
    for part in ast.walk(annotation):
        if isinstance(part, ast.Name | ast.Attribute) and ast.unparse(part).rpartition(".")[2] == "Any":
            return True
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _names_any(_parsed(part.value)):
            return True
    return False


def _parsed(annotation: str) -> ast.expr:
    """Return what a quoted annotation says; a text in a `Literal` may be no expression."""
    try:
        return ast.parse(annotation, mode="eval").body
    except SyntaxError:
        return ast.Constant(None)


def _found(*places: str) -> dict[str, list[str]]:
    files = sorted(file for place in places for file in SOURCE.glob(place))
    assert len(files) > 40
    found = {file.relative_to(SOURCE).as_posix(): list(_untyped(ast.parse(file.read_text("utf-8")))) for file in files}
    return {name: functions for name, functions in found.items() if functions}


def test_what_a_function_is_given_and_returns_has_a_type() -> None:
    assert _found("*/handlers/*.py") == {}


def test_any_in_adapters_and_routes_is_said_why() -> None:
    found = _found("*/adapters/*.py", "*/api.py", "*/*_api.py", "*/runtime.py", "*/*views.py")
    assert {name: functions for name, functions in found.items() if name not in UNTYPED} == {}
    assert sorted(UNTYPED) == sorted(found), "a file that has none any more is to have none again"


@pytest.mark.parametrize(
    "planted",
    [
        'def f(a: "dict[str, Any]"): ...',
        "def f(*, b: list[Any]): ...",
        "def f(**c: typing.Any): ...",
        'def f() -> "dict[Any, list[int]] | None": ...',
    ],
)
def test_a_planted_any_is_found(planted: str) -> None:
    assert list(_untyped(ast.parse(planted))) == ["f"]


def test_what_has_a_type_is_passed_over() -> None:
    planted = "def f(**c: object) -> int: ...\ndef g(a: Literal['Any of them'], b: Anything): ..."
    assert list(_untyped(ast.parse(planted))) == []
