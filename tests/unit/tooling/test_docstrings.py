"""What a port says of a method, its adapter does not say again (CONTRIBUTING.md, "Conventions")."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.samples import PROJECT

WORKFLOWS = sorted(folder.parent for folder in (PROJECT / "src" / "waybill").glob("*/adapters"))


def classes(folder: Path) -> Iterator[ast.ClassDef]:
    for file in sorted(folder.rglob("*.py")):
        yield from (node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef))


def docstrings(found: ast.ClassDef) -> set[tuple[str, str]]:
    """Return the methods of a class with their docstrings."""
    methods = [node for node in found.body if isinstance(node, ast.FunctionDef)]
    return {(method.name, text) for method in methods if (text := ast.get_docstring(method))}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda folder: folder.name)
def test_no_adapter_repeats_the_docstring_of_its_port(workflow: Path) -> None:
    ports = [found for found in classes(workflow / "domain") if "Protocol" in map(ast.unparse, found.bases)]
    said = set().union(*map(docstrings, ports))
    repeated = [
        f"{adapter.name}.{name}" for adapter in classes(workflow / "adapters") for name, _ in docstrings(adapter) & said
    ]
    assert repeated == []
    assert WORKFLOWS


def test_the_check_finds_what_it_looks_for() -> None:
    port, adapter = ast.parse(
        "class Port(Protocol):\n  def f(self):\n    'Do it.'\nclass Adapter:\n  def f(self):\n    'Do it.'\n"
    ).body
    assert isinstance(port, ast.ClassDef)
    assert isinstance(adapter, ast.ClassDef)
    assert docstrings(port) & docstrings(adapter) == {("f", "Do it.")}
