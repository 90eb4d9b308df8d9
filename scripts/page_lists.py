"""The parts of pages that follow from all workflows: `scripts/lists` writes them there."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from scripts.template import PROJECT, Tree
from waybill import __version__
from waybill.core.roles import Role
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import apis

_ALL = Role.ADMIN.value
_PACKAGES = PROJECT / "src" / "waybill"


@cache
def _operations() -> list[Tree]:
    """Return the operations of the OpenAPI document, each with its `route`, such as `GET /health`."""
    paths: Tree = openapi_document(apis(), __version__)["paths"]
    return [
        operation | {"route": f"{method.upper()} {path}", "roles": sorted(operation.get("x-required-roles", []))}
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "operationId" in operation
    ]


def routes() -> Iterator[str]:
    """Yield a table for each workflow: what there is, who may call it, and what it does."""
    for tag in sorted({one["tags"][0] for one in _operations()}):
        yield f"\n### {tag}\n\n| route | role | |\n|---|---|---|"
        for one in _operations():
            if one["tags"][0] == tag:
                roles = ", ".join(f"`{role}`" for role in one["roles"] if role != _ALL) or "none"
                yield f"| `{one['route']}` | {roles} | {one['summary']} |"
    yield ""


def roles() -> Iterator[str]:
    """Yield the sentence that names every role."""
    named = sorted({role for one in _operations() for role in one["roles"]} - {_ALL})
    names = ", ".join(f"`{role}`" for role in named)
    yield from textwrap.wrap(f"The roles are {names}, and `{_ALL}`, which has them all.", 140, break_on_hyphens=False)


def workflows() -> Iterator[str]:
    """Yield the pages of the packages for the navigation of the site."""
    yield from sorted(f"- {_title(page)}: {page.relative_to(PROJECT)}" for page in _readmes())


def _readmes() -> list[Path]:
    return sorted(_PACKAGES.glob("*/README.md"))


def _title(page: Path) -> str:
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(":")[0]


def alarms() -> Iterator[str]:
    """Yield a table of the alarms that the pages of the packages explain."""
    yield "\n| alarm | means | what to do |\n|---|---|---|"
    for page in _readmes():
        section = page.read_text("utf-8").partition("\n## Alarms\n")[2].partition("\n## ")[0]
        for name, means in re.findall(r"^\| (`\w+Alarm`.*?) \| (.*?) \|", section, flags=re.MULTILINE):
            yield f"| {name} | {means} | [{_title(page)}](../{page.relative_to(PROJECT)}#alarms) |"
    yield ""


LISTS: Mapping[str, Mapping[str, Callable[[], Iterator[str]]]] = {
    "src/waybill/gateway/README.md": {"routes": routes},
    "docs/identity-providers.md": {"roles": roles},
    "docs/mkdocs.yml": {"workflows": workflows},
    "docs/operations.md": {"alarms": alarms},
}
