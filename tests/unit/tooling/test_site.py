"""The documentation site has every page, command and operation."""

import json
from typing import Any

import yaml

from scripts.site import LINK, commands, operations, pages, to_page
from tests.conftest import PROJECT

GENERATED = {"docs/reference/commands.md", "docs/reference/api.md", "docs/decisions/README.md"}


class _Names(yaml.SafeLoader):
    """Passes over the one tag of the configuration: the name of a Python function."""


_Names.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda loader, suffix, node: suffix)


def test_every_page_has_one_place_in_the_navigation() -> None:
    settings: Any = yaml.load((PROJECT / "docs" / "mkdocs.yml").read_text("utf-8"), _Names)
    named = [page for entry in settings["nav"] for page in _leaves(entry)]
    there = {page.relative_to(PROJECT).as_posix() for page in pages()}
    assert sorted({page for page in there if not page.startswith("docs/decisions/")} | GENERATED) == sorted(named)


def _leaves(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    below = entry.values() if isinstance(entry, dict) else entry
    return [leaf for one in below for leaf in _leaves(one)]


def test_a_link_to_a_folder_leads_to_its_page() -> None:
    """A site lists no folders, and mkdocs takes such a link as it is."""
    leading = [(page, link) for page in pages() for link in LINK.finditer(page.read_text("utf-8"))]
    led = {(page.parent / to_page(page, link)[2:-1].partition("#")[0]).resolve() for page, link in leading}
    folders = {each.relative_to(PROJECT).as_posix() for each in led if each.is_dir()}
    assert folders == set()
    made = {PROJECT / each for each in GENERATED}
    readmes = {each for each in led if each.name == "README.md" and not each.exists()}
    assert readmes <= made


def test_every_operation_is_on_the_page_of_the_api() -> None:
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
    page = "\n".join(operations(document))
    names = [one["operationId"] for item in document["paths"].values() for one in item.values() if "operationId" in one]
    assert names
    assert [name for name in names if page.count(f"Name: `{name}`") != 1] == []


def test_commands_below_commands_are_on_the_page_of_the_program() -> None:
    page = "\n".join(commands())
    assert "\n## `waybill consignments waive`\n" in page
    assert "\n| `--min-confidence C` |" in page
