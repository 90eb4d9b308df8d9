"""A function fits on a screen: who reads its end still sees its beginning."""

import ast
from collections.abc import Iterator

import pytest

from scripts.template import PROJECT

# Without the docstring, which names parameters and errors.
LINES = 50


def _long(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = ast.get_docstring(node) is not None and (first.end_lineno or 0) - first.lineno + 1
            if (node.end_lineno or 0) - node.lineno + 1 - docstring > LINES:
                yield node.name


def test_functions_fit_on_a_screen() -> None:
    found = {
        file.relative_to(PROJECT).as_posix(): names
        for file in (PROJECT / "src").rglob("*.py")
        if (names := list(_long(file.read_text("utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(("lines", "long"), [(LINES - 1, []), (LINES, ["f"])])
def test_a_docstring_is_not_counted(lines: int, long: list[str]) -> None:
    docstring = '    """Do.\n\n    Raises\n    ------\n    ValueError\n        Never.\n    """\n'
    assert list(_long("def f():\n" + docstring + "    g()\n" * lines)) == long
