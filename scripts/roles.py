"""Writes the names of the roles into `waybill/core/roles.py`; with --check, only compares them.

A role is what a route says: `Role.SCANNING` in an `api.py` is the role `scanning`. They are read as text, for routes
cannot be imported before their roles have names.
"""

import ast
import sys
from collections.abc import Iterator
from functools import partial

from scripts.generated import filled, write_or_compare
from scripts.template import PROJECT

_ROLES = PROJECT / "src" / "waybill" / "core" / "roles.py"


def roles() -> set[str]:
    """Return the names that routes give to roles, `ADMIN` excepted, which has all of them."""
    files = [file for name in ("api", "admin_api") for file in (PROJECT / "src" / "waybill").glob(f"*/{name}.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_role(node.value)} - {"ADMIN"}


def _is_role(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "Role"


def members(names: set[str]) -> Iterator[str]:
    """Yield a member for each name."""
    yield from (f'{name} = "{name.lower().replace("_", "-")}"' for name in sorted(names))


if __name__ == "__main__":
    text = filled(_ROLES.read_text("utf-8"), {"roles": partial(members, roles())})
    sys.exit(write_or_compare(_ROLES, text, "the routes", "lists"))
