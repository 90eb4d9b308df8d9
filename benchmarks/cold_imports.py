"""How long a new process takes to import each handler."""

from collections.abc import Iterator
from statistics import median

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Function
from benchmarks.harness.report import breakdown

_INTERPRETERS = 5
_PREFIX = "cold_import_ms."


def _measure(lab: Lab) -> Iterator[Figure]:
    functions = _functions(lab)
    rows = []
    figures = []
    for function in functions:
        measured = [lab.runtime.import_time(function) for _ in range(_INTERPRETERS)]
        milliseconds = sorted(time for time, _ in measured)
        modules = measured[0][1]
        layers = ", ".join(layer.parent.name for layer in function.layers)
        rows.append([function.step, median(milliseconds), milliseconds[0], milliseconds[-1], modules, layers])
        figures.append(_figure(function, round(median(milliseconds), 1), modules))
    headings = ["Handler", "Median ms", "Least ms", "Most ms", "Modules", "Layers"]
    lab.show(breakdown(f"Import in {_INTERPRETERS} new interpreters", headings, rows))
    lab.say("Each sees the runtime's SDK, the application's code and the layers that the function lists, nothing else.")
    lab.say("Layers and SDK are in byte code; the code is compiled anew, as by a function whose disk is read-only.")
    yield from figures


def _figure(function: Function, milliseconds: float, modules: int) -> Figure:
    how = f"median of {_INTERPRETERS} new interpreters"
    return Figure(f"{_PREFIX}{function.step}", milliseconds, "ms", how, {"modules": modules})


def _functions(lab: Lab) -> list[Function]:
    """Return all functions, after a look at whether they are the handlers of the source tree."""
    source = lab.project / "src"
    found = {
        ".".join(file.relative_to(source).with_suffix("").parts)
        for file in source.glob("waybill/**/handlers/*.py")
        if file.name != "__init__.py"
    }
    deployed = lab.deployment.functions
    if found != set(deployed):
        raise AssertionError(f"handlers without a function, or functions elsewhere: {sorted(found ^ set(deployed))}")
    functions = [deployed[module] for module in sorted(deployed)]
    steps = [function.step for function in functions]
    if twice := {step for step in steps if steps.count(step) > 1}:
        raise AssertionError(f"figures are named by handler, and these names are there twice: {sorted(twice)}")
    return functions


BENCHMARKS = (Benchmark((f"{_PREFIX}*",), _measure),)
