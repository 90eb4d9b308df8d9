"""Gathers the pages of the documentation site in `.local/site/pages`: the repository's, and what is made of code.

Pages keep their places, so that a link that works in the repository works on the site.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from scripts.template import PROJECT
from waybill.cli.app import app

PAGES = PROJECT / ".local" / "site" / "pages"

LINK = re.compile(r"\]\(([^()\s#]+)(?:#[^()\s]*)?\)")
_EVERYWHERE = {"stack", "profile", "json", "debug", "help"}
_METHODS = ("get", "post", "put", "patch", "delete")


def main() -> None:
    """Write every page, with the files that pages lead to."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for page in pages():
        _copy(page)
        for linked in _linked(page):
            _copy(linked)
    reference = PAGES / "docs" / "reference"
    reference.mkdir(parents=True)
    (reference / "commands.md").write_text("\n".join(commands()), "utf-8")
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    (reference / "api.md").write_text("\n".join(operations(document)), "utf-8")
    decisions = PAGES / "docs" / "decisions"
    (decisions / "README.md").write_text("\n".join(_contents(decisions)), "utf-8")
    print(f"{len(list(PAGES.rglob('*.md')))} pages in {PAGES.relative_to(PROJECT)}")


def pages() -> list[Path]:
    """Return the pages of the repository."""
    found = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("src/**/*.md")]
    return [*found, *PROJECT.glob("benchmarks/*.md"), *PROJECT.glob("events/*.md"), *PROJECT.glob("samples/*.md")]


def _copy(file: Path) -> None:
    target = PAGES / file.relative_to(PROJECT)
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".md":
        target.write_text(LINK.sub(lambda link: to_page(file, link), file.read_text("utf-8")), "utf-8")
    else:
        shutil.copyfile(file, target)


def to_page(page: Path, link: re.Match[str]) -> str:
    """Return a link as it is, or to the page of a folder: a site lists no folders."""
    is_folder = ":" not in link[1] and (page.parent / link[1]).is_dir()
    return f"]({link[1].rstrip('/')}/README.md)" if is_folder else link[0]


def _linked(page: Path) -> Iterator[Path]:
    """Yield the files of the repository that a page leads to and that are no pages."""
    for target in LINK.findall(page.read_text("utf-8")):
        file = (page.parent / target).resolve()
        if ":" not in target and file.is_file() and file.suffix != ".md":
            yield file


def _contents(folder: Path) -> Iterator[str]:
    yield "# Decisions\n"
    for page in sorted(folder.glob("0*.md")):
        title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        yield f"- [{title}]({page.name})"


def commands() -> Iterator[str]:
    """Yield the page of the command line: every command with its arguments and options."""
    yield "# Commands\n\nMade of the program itself. `-h` after any command shows the same.\n"
    root: Any = get_command(app)
    yield from _command(root, typer.Context(root, info_name="waybill", **root.context_settings))


def _command(command: Any, context: Any) -> Iterator[str]:
    yield f"## `{context.command_path}`\n" if context.parent else "## Every command takes\n"
    yield f"{_prose(command.help or '')}\n"
    own = (each for each in command.params if not context.parent or each.name not in _EVERYWHERE)
    shown = [each for each in own if not getattr(each, "hidden", False)]
    if shown:
        yield "| | |\n|---|---|"
        yield from (f"| `{_name(each)}` | {_prose(getattr(each, 'help', '') or '')} |" for each in shown)
        yield ""
    if hasattr(command, "list_commands"):
        for name in sorted(command.list_commands(context)):
            below = command.get_command(context, name)
            yield from _command(below, typer.Context(below, info_name=name, parent=context))


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return f"{', '.join(parameter.opts)}{value}".replace("|", "\\|")


def operations(document: dict[str, Any]) -> Iterator[str]:
    """Yield the page of the API: every operation with its roles, parameters and answers."""
    yield "# API\n\nMade of [openapi.json](../openapi.json), which `GET /openapi.json` answers.\n"
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                by_tag.setdefault(item[method]["tags"][0], []).extend(_operation(method, path, item[method]))
    for tag, lines in by_tag.items():
        yield f"## {tag}\n"
        yield from lines


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### `{method.upper()} {path}`\n"
    roles = ", ".join(f"`{role}`" for role in operation.get("x-required-roles", ())) or "none"
    said = _prose(operation.get("description", operation["summary"]))
    yield f"{said} Name: `{operation['operationId']}`. Roles: {roles}.\n"
    if parameters := operation.get("parameters"):
        yield "| parameter | in | |\n|---|---|---|"
        for one in parameters:
            needed = "" if one.get("required") else " (optional)"
            yield f"| `{one['name']}`{needed} | {one['in']} | {_prose(one.get('description', ''))} |"
        yield ""
    answers = [(status, one["description"]) for status, one in operation["responses"].items() if "description" in one]
    yield from (f"- {status}: {_prose(said)}" for status, said in answers)
    yield ""


def _prose(text: str) -> str:
    """Return text of a docstring in one line that is safe in a table."""
    return " ".join(text.replace("\b", "").split()).replace("|", "\\|").replace("<", "&lt;").replace("{", "&#123;")


if __name__ == "__main__":
    main()
