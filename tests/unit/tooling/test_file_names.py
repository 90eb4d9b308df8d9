"""A file that documentation, a docstring or a comment names is there: what was renamed is named anew everywhere."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from scripts.template import PROJECT


def _files() -> Iterator[str]:
    for folder, inside, names in PROJECT.walk():
        inside[:] = [each for each in inside if each == ".github" or not each.startswith((".", "__"))]
        yield from ((folder / name).relative_to(PROJECT).as_posix() for name in names)


FILES = frozenset(_files())
NAMES = frozenset(PurePosixPath(file).name for file in FILES)
_NAMED = re.compile(r"(?<![\w*{}<>$./…-])(?:\.\./)*((?:[\w.-]+/)*[\w-]+\.(?:py|ya?ml))(?![\w*(])")
# Where paths begin, besides within the part of the program whose file names them.
_ROOTS = ("", "src/", "src/waybill/", "src/waybill/cli/")
# What is made, or is another project's.
_ELSEWHERE = re.compile(r"\.local/|canary\.yaml$|parameters\.yaml$|action\.yml$")


def _python(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        yield from (token.string for token in tokenize.tokenize(lines.readline) if token.type == tokenize.COMMENT)
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def texts(file: str) -> Iterator[str]:
    """Return what a file says to people; the changelog speaks of its day."""
    path = PROJECT / file
    if path.suffix == ".py":
        if not all(is_there(name, file) for name in _NAMED.findall(path.read_text("utf-8"))):
            # Code too names files, of its own making: only what is said counts.
            yield from _python(path)
    elif path.suffix == ".md" and file != "CHANGELOG.md":
        yield path.read_text("utf-8")
    elif path.suffix in {".yaml", ".yml", ".toml"} or path.name == "Makefile":
        yield from re.findall(r"#.*", path.read_text("utf-8"))


def is_there(name: str, said_in: str) -> bool:
    """Return whether a name is that of a file: by itself that of any, with a folder that of one of the same part."""
    if _ELSEWHERE.search(name):
        return True
    if "/" not in name:
        return name in NAMES
    part = "/".join(said_in.split("/")[:3]) + "/" if said_in.startswith("src/waybill/") else ""
    return _is_of(name, part)


@cache
def _is_of(name: str, part: str) -> bool:
    within = (file for file in FILES if file.startswith(part))
    return any(root + name in FILES for root in _ROOTS) or any(file.endswith(f"/{name}") for file in within)


@pytest.mark.parametrize("name", ["poll_that_was_renamed.py", "src/waybill/no_workflow/api.py"])
def test_a_name_that_is_no_files_is_seen(name: str) -> None:
    assert [found for found in _NAMED.findall(f"see `{name}`: it") if not is_there(found, "README.md")] == [name]


def test_every_file_that_is_named_is_there() -> None:
    gone = {
        f"{file}: {name}"
        for file in FILES
        for text in texts(file)
        for name in _NAMED.findall(text)
        if not is_there(name, file)
    }
    assert gone == set()
