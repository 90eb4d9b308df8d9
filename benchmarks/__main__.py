"""`python -m benchmarks [NAME…]`: measures, prints tables, and keeps the figures in `.local/bench.json`."""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.harness import Benchmark, Figure, Lab, results
from benchmarks.harness.figures import discover, select
from benchmarks.harness.report import figures_table

PROJECT = Path(__file__).resolve().parents[1]
_RESULTS = PROJECT / ".local" / "bench.json"
# Wide enough for a table where the output is a file.
_FILE_WIDTH = 150


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help="a figure, a workflow (all its figures), or a pattern; default: all")
    parser.add_argument("--list", action="store_true", help="print the names of all figures and measure nothing")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)
    found = discover()
    if options.list:
        print("\n".join(sorted(name for benchmark in found for name in benchmark.names)))
        return 0
    try:
        chosen = select(found, options.name)
    except LookupError as error:
        parser.error(f"{error}; --list prints what there is")
    with Lab(PROJECT, console) as lab:
        outcomes = [_measure(benchmark, lab, console) for benchmark in chosen]
    console.rule("All figures of this run")
    console.print(figures_table(figure for figures, _ in outcomes for figure in figures))
    console.print(f"Kept in {_RESULTS.relative_to(PROJECT)}.")
    return 0 if all(complete for _, complete in outcomes) else 1


def _measure(benchmark: Benchmark, lab: Lab, console: Console) -> tuple[list[Figure], bool]:
    console.rule(" · ".join(benchmark.names))
    started = time.monotonic()
    figures: list[Figure] = []
    complete = True
    try:
        for figure in benchmark.measure(lab):
            figures.append(figure)
    except Exception:  # the other benchmarks go on, and the exit status tells
        complete = False
        console.print(traceback.format_exc(), style="red", highlight=False, markup=False)
    results.write(_RESULTS, results.merged(results.read(_RESULTS), figures, benchmark.names))
    lab.say(f"measured in {time.monotonic() - started:.0f} s")
    return figures, complete


if __name__ == "__main__":
    sys.exit(main())
