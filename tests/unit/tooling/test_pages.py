"""What pages tell people to type is there: commands, options, targets, parameters, files, and what links lead to."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.conftest import PROJECT
from tests.fakes.pages import Typed, mentioned, pages, typed
from waybill.cli.app import app

TYPED = [each for page in pages() for each in typed(page)]
MENTIONED = list(dict.fromkeys(each for page in pages() for each in mentioned(page)))
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def parsed(words: tuple[str, ...]) -> None:
    """Parse a command line as the program does, and call nothing."""
    command: Any = get_command(app)
    context: Any = None
    name, rest = words[0], list(words[1:])
    while True:
        try:
            context = command.make_context(name, rest, parent=context)
        except SystemExit:
            return
        except Exception as error:
            # Help and version end here, and a file that an earlier command has made.
            if type(error).__name__ == "Exit" or str(error).endswith("does not exist."):
                return
            raise
        below = [*context._protected_args, *context.args]
        if not isinstance(command, TyperGroup) or not below:
            return
        name, command, rest = command.resolve_command(context, below)


def of(program: str) -> list[Typed]:
    return [each for each in TYPED if each.words[0] == program]


@pytest.mark.parametrize("command", of("waybill"), ids=str)
def test_a_command_that_is_typed_exists_with_its_options(command: Typed) -> None:
    # Brackets around what may be left out are not typed.
    parsed(tuple(word.strip("[]") for word in command.words))


@pytest.mark.parametrize("command", MENTIONED, ids=str)
def test_a_command_that_is_mentioned_exists(command: Typed) -> None:
    root: Any = get_command(app)
    words = list(command.words[1:])
    known = root
    context: Any = None
    while words and isinstance(known, TyperGroup):
        context = known.context_class(known, parent=context, resilient_parsing=True)
        if words[0].startswith("-"):
            break
        names = re.split(r"[|]", words.pop(0))
        found = [known.get_command(context, name) for name in names if name not in {"…", "..."}]
        if hasattr(known, "resolve_command") and None in found and known.name == "identifiers":
            found = [known.get_command(context, "show")]
        assert None not in found, f"there is no `{' '.join(command.words)}`"
        known = found[0] if found else None
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(words)) if known is not None else ():
        assert option in {name for each in known.params for name in each.opts} | {"--help"}, f"no {option}"


@pytest.mark.parametrize("command", of("make"), ids=str)
def test_a_target_of_make_exists(command: Typed) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    for word in command.words[1:]:
        assert "=" in word or re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE), word


@pytest.mark.parametrize("command", of("sam"), ids=str)
def test_a_parameter_of_sam_exists(command: Typed) -> None:
    template = (PROJECT / "template.yaml").read_text("utf-8")
    for word in command.words:
        if re.match(r"[A-Z][A-Za-z0-9]+=", word):
            assert f"\n  {word.partition('=')[0]}:\n" in template, word
        if word.startswith("events/"):
            assert (PROJECT / word).is_file(), word
        if re.fullmatch(r"[A-Z]\w+Function", word):
            assert f"\n  {word}:\n" in template, word


@pytest.mark.parametrize("command", TYPED, ids=str)
def test_a_file_that_is_named_lies_in_the_repository(command: Typed) -> None:
    for word in command.words:
        if re.match(r"(samples|docs|scripts|events|src|tests)/", word):
            assert (PROJECT / word).exists(), word


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_the_readme_shows_of_local_files_is_what_comes() -> None:
    # Its only sample output of a command that needs no stack.
    readme = (PROJECT / "README.md").read_text("utf-8")
    shown = readme.partition("# the same engine on local files\nPlace")
    done = subprocess.run(
        [PROJECT / ".venv/bin/waybill", "scan-file", "samples/some.log", "samples/people.csv"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    wanted = f"Place{shown[2].partition('```')[0]}"
    assert [line.rstrip() for line in done.stdout.splitlines()] == [line.rstrip() for line in wanted.splitlines()]
