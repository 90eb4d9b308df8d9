"""One idea has one word: names do not come back to those that an idea had before (CONTRIBUTING.md, "Conventions")."""

import ast
import re
from collections.abc import Iterator

from scripts.template import PROJECT

SOURCE = PROJECT / "src" / "waybill"

# What was said, and what is said for it.
FORMER = {
    "furniture": "header, footer",
    "heir": "alias",
    "ink": "text operators",
    "landing": "copy result",
    "news": "notification",
    "passing": "transient",
    "patience": "retry",
    "telling": "notification",
    "wiring": "runtime",
}


def _names() -> Iterator[tuple[str, str]]:
    for file in SOURCE.rglob("*.py"):
        yield file.relative_to(SOURCE).as_posix(), file.stem
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield file.relative_to(SOURCE).as_posix(), node.name


def former(name: str) -> list[str]:
    """Return the words of a name, whichever way it is written, that have another word now."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return [word for word in words if word in FORMER]


def test_no_module_class_or_function_is_called_by_a_former_word() -> None:
    found = {f"{file}: {name}": FORMER[word] for file, name in _names() for word in former(name)}
    assert found == {}


def test_a_former_word_is_seen_however_it_is_written() -> None:
    assert [former(name) for name in ("FailureTelling", "_draw_furniture", "news_of")] == [
        ["telling"],
        ["furniture"],
        ["news"],
    ]
    assert [former(name) for name in ("thinking", "newsletter", "surpassing_all")] == [[], [], []]
