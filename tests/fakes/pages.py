"""The pages of the project as somebody reads them who types what they show."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT

_BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INNER = re.compile(r"\$\(((?:waybill|make|sam) [^()]*)\)")
_SPAN = re.compile(r"(?<!`)`(waybill [^`]+)`(?!`)")
_SEPARATORS = {"|", "||", "&&", ";", "&", ">", ">>", "2>&1"}
PROGRAMS = ("waybill", "make", "sam")


@dataclass(frozen=True)
class Typed:
    """A command of a page."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """Return every page that people read, but for the past: the changelog and decisions."""
    found = [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/*.md"),
        *PROJECT.glob("docs/tutorials/*.md"),
        *PROJECT.glob("src/**/*.md"),
    ]
    found += [*PROJECT.glob("src/**/*.md")]
    found += [*PROJECT.glob("benchmarks/*.md"), *PROJECT.glob("events/*.md"), *PROJECT.glob("samples/*.md")]
    return sorted(page for page in found if page.name != "CHANGELOG.md")


def typed(page: Path) -> Iterator[Typed]:
    """Yield the commands of this project's programs in the console blocks of a page, in order."""
    name = page.relative_to(PROJECT).as_posix()
    for command in console_lines(page):
        for inner in _INNER.findall(command):
            yield Typed(name, tuple(shlex.split(inner)))
        yield from _commands(name, _INNER.sub("made", command))


def console_lines(page: Path) -> Iterator[str]:
    """Yield what is typed in the console blocks of a page, a command a line, in order; without the output shown."""
    for block in _BLOCK.findall(page.read_text("utf-8")):
        shown = "\n$ " in f"\n{block}"
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if not shown or line.startswith("$ "):
                yield line.removeprefix("$ ")


def _commands(page: str, line: str) -> Iterator[Typed]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:
        return
    current: list[str] = []
    for word in [*words, ";"]:
        if word not in _SEPARATORS:
            current.append(word)
            continue
        while current and re.fullmatch(r"[A-Z_]+=.*", current[0]):
            current.pop(0)
        if current and current[0].rpartition("/")[2] in PROGRAMS:
            yield Typed(page, (current[0].rpartition("/")[2], *current[1:]))
        current = []


def mentioned(page: Path) -> Iterator[Typed]:
    """Yield the commands of `waybill` that the text of a page names."""
    name = page.relative_to(PROJECT).as_posix()
    for span in _SPAN.findall(re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)):
        yield Typed(name, tuple(span.replace("\n", " ").split()))
