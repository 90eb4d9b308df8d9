"""Figures, the benchmarks that measure them, and how both are found by name."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import benchmarks

if TYPE_CHECKING:
    from benchmarks.harness.lab import Lab


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes
    ----------
    name : str
        As users and scripts know it, ``<workflow>.<what>``.
    value : float
        The number, in `unit`.
    unit : str
        Such as ``s`` or ``MB``; empty for plain counts.
    how : str
        One sentence: what was counted or timed, on what.
    beside : Mapping[str, float]
        What it is to be read beside: peers measured in the same run, or its own parts.
    target : str
        What the project asks of it, as it is shown; empty when nothing is asked.
    """

    name: str
    value: float
    unit: str
    how: str
    beside: Mapping[str, float] = field(default_factory=dict)
    target: str = ""

    def entry(self) -> dict[str, Any]:
        """Return the figure as `bench.json` holds it."""
        return {"value": self.value, "unit": self.unit, "beside": dict(self.beside)}


@dataclass(frozen=True)
class Benchmark:
    """Measures the figures `names`; a name that ends in ``*`` stands for those that are found while measuring.

    `measure` may raise after some figures: those are kept, and the run as a whole has failed.
    """

    names: tuple[str, ...]
    measure: Callable[["Lab"], Iterable[Figure]]

    def makes(self, wanted: str) -> bool:
        """Return whether `wanted` (a figure's name, the beginning of one up to a dot, or a pattern) is made here."""
        return any(
            name == wanted or name.startswith(f"{wanted}.") or fnmatchcase(name, wanted) or fnmatchcase(wanted, name)
            for name in self.names
        )


def discover() -> list[Benchmark]:
    """Return what every module of this package lists as `BENCHMARKS`, in the order of the modules' names."""
    modules = (importlib.import_module(found.name) for found in _modules())
    return [benchmark for module in modules for benchmark in getattr(module, "BENCHMARKS", ())]


def _modules() -> Iterator[pkgutil.ModuleInfo]:
    for found in pkgutil.walk_packages(benchmarks.__path__, f"{benchmarks.__name__}."):
        if not found.name.endswith(".__main__"):
            yield found


def select(found: Sequence[Benchmark], wanted: Sequence[str]) -> list[Benchmark]:
    """Return the benchmarks that make any of `wanted`; all of them when nothing is named.

    Raises
    ------
    LookupError
        Nothing makes one of `wanted`; names it.
    """
    for name in wanted:
        if not any(benchmark.makes(name) for benchmark in found):
            raise LookupError(f"no benchmark makes {name}")
    return [one for one in found if not wanted or any(one.makes(name) for name in wanted)]
