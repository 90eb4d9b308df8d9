"""Figures and break-downs as tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table

from benchmarks.harness.figures import Figure


def number(value: float) -> str:
    """Return `value` as people read it: whole numbers whole, others with three significant digits or two decimals."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def figures_table(figures: Iterable[Figure]) -> Table:
    """Return the table of `figures`."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    for heading, right in (("Figure", False), ("Value", True), ("Unit", False), ("Target", False)):
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading in {"Figure", "Value"})
    table.add_column("Beside", overflow="fold")
    table.add_column("How it was measured", overflow="fold", ratio=1)
    for figure in figures:
        beside = "\n".join(f"{name} {number(value)}" for name, value in figure.beside.items())
        table.add_row(figure.name, number(figure.value), figure.unit, figure.target, beside, figure.how)
    return table


def breakdown(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table whose first column is text and whose others are numbers, or text."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", min_width=len(title))
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else number(cell) for cell in row))
    return table
