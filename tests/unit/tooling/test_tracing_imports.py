"""Traces are one module's business (decision 20)."""

import ast
from pathlib import Path

_TRACING = ("aws_xray_sdk", "aws_lambda_powertools.tracing")
_ONLY = "src/waybill/core/observability.py"


def _imports(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_one_module_knows_the_library_of_traces(project: Path) -> None:
    users = {
        str(module.relative_to(project))
        for module in (project / "src").rglob("*.py")
        if any(name.startswith(_TRACING) or name == "aws_lambda_powertools.Tracer" for name in _imports(module))
    }
    assert users == {_ONLY}
