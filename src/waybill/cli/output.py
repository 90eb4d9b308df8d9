"""How commands print: tables and notes for people, JSON for scripts, progress bars on long work."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from waybill.core.text import json_text

# In a pipe or a file there is no terminal to fit: nothing is cut.
_UNBOUNDED = 4096
# Rich takes a millisecond a row, and a table of more rows is longer than a terminal keeps.
_MANY_ROWS = 1000

# What moves the cursor, speaks to the terminal or turns the direction of text: in a name that somebody has sent it
# would hide or change what stands around it.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_COLOURS = {
    "green": {
        "ACTIVE",
        "COMPLETED",
        "CREATE_COMPLETE",
        "SUCCEEDED",
        "SUCCESS",
        "UPDATE_COMPLETE",
        "healthy",
        "yes",
    },
    "yellow": {"IN_PROGRESS", "PENDING", "Pending", "RUNNING", "SUPERSEDED"},
    "red": {"ABORTED", "FAILED", "Failed", "PARTIAL_FAILURE", "TIMED_OUT", "no", "unhealthy"},
}


class Output:
    """Results on standard output; everything that is not a result on standard error.

    Parameters
    ----------
    json_wanted : bool
        Print results as JSON, and no notes.
    """

    def __init__(self, *, json_wanted: bool = False) -> None:
        self.json_wanted = json_wanted
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else _UNBOUNDED)
        self.error_console = Console(stderr=True, highlight=False)

    def show(self, data: Any, human: RenderableType) -> None:
        """Print a result: `data` as JSON when JSON is wanted, else `human`."""
        if self.json_wanted:
            print(json_text(data, indent=2), flush=True)  # noqa: T201
        else:
            self.console.print(human, markup=False, soft_wrap=isinstance(human, str))

    def data(self, data: Any) -> None:
        """Print a result as JSON, whatever is wanted otherwise."""
        print(json_text(data, indent=2), flush=True)  # noqa: T201

    def raw(self, text: str) -> None:
        """Print a result in another form as it is, without folding or colour."""
        sys.stdout.write(text)

    def line(self, text: Text) -> None:
        """Print one line of a long result, above the progress bar when there is one."""
        # Where both are on one terminal, only the bar's own console prints above it.
        shared = self.console.is_terminal and self.error_console.is_terminal
        (self.error_console if shared else self.console).print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        """Tell what is happening."""
        if not self.json_wanted:
            self.error_console.print(printable(text), markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, description: str, total: int | None = None) -> Iterator["ProgressBar"]:
        """Show a progress bar while the block runs, on a terminal only.

        Parameters
        ----------
        description : str
            What is being done.
        total : int, optional
            Steps until the end; unknown when missing.
        """
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.error_console,
            transient=True,
            disable=self.json_wanted or not self.error_console.is_terminal,
        )
        with bar:
            yield ProgressBar(bar, description, total)


class ProgressBar:
    """One running progress bar."""

    def __init__(self, bar: Progress, description: str, total: int | None) -> None:
        self._bar = bar
        self._task = bar.add_task(description, total=total)

    def advance(self, steps: int = 1) -> None:
        """Count `steps` as done."""
        self._bar.advance(self._task, steps)

    def expect(self, total: int) -> None:
        """Set the number of steps until the end, once it is known."""
        self._bar.update(self._task, total=total)

    def describe(self, description: str) -> None:
        """Say what is being done now."""
        self._bar.update(self._task, description=description)


class LongTable:
    """A table of so many rows that to fold and colour each would take longer than what it shows."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None) -> None:
        self._title = title
        cells = [["" if value is None else printable(str(value)) for value in row] for row in rows]
        self._cells = [list(columns), *cells]

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> RenderResult:
        """Yield the table for Rich."""
        if self._title is not None:
            yield Segment(f"{printable(self._title)}\n")
        widths = [max(map(cell_len, column)) for column in zip(*self._cells, strict=True)]
        lines = (
            "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self._cells
        )
        yield Segment("".join(f"{line}\n" for line in lines))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> ConsoleRenderable:
    """Return a table that fits the terminal: long values are folded, states are coloured; not of very many rows.

    Parameters
    ----------
    columns : Sequence[str]
        Headings.
    rows : Iterable[Sequence[object]]
        One value per column; None prints as nothing.
    """
    rows = list(rows)
    if len(rows) > _MANY_ROWS:
        return LongTable(columns, rows, title)
    # As text: a name may look like Rich's own markup.
    said = None if title is None else Text(printable(title))
    made = Table(title=said, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(coloured(value) for value in row))
    return made


def details(values: Mapping[str, object]) -> Table:
    """Return one thing's properties, a line each."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in values.items():
        made.add_row(name, coloured(value))
    return made


def coloured(value: object) -> Text:
    """Return a value as text, in its colour when it is a state."""
    if isinstance(value, Text):
        return value
    text = "" if value is None else printable(str(value))
    colour = next((colour for colour, states in _COLOURS.items() if text in states), "")
    return Text(text, style=colour)


def printable(text: str) -> str:
    """Return `text` with the characters that are commands written out as escapes; line ends and tabs stay."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
