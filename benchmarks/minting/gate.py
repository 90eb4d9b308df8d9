"""How many names per second one core looks at, before what cannot be undone."""

import time
from collections.abc import Iterator, Sequence

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from waybill.minting.domain.source_ids import examine

_NAMES, _ROUNDS = 25_000, 3
_PATTERNS = {
    "sierra-{0}": "as it stands",
    "calm/{0}": "system and value",
    "Work[sierra-system-number/b{0:07}x]": "typed",
    "Akte Müller {0}": "not in ASCII",
}


def _gate(lab: Lab) -> Iterator[Figure]:
    rates = {
        what: max(_rate([pattern.format(number) for number in range(_NAMES)]) for _ in range(_ROUNDS))
        for pattern, what in _PATTERNS.items()
    }
    lab.show(breakdown("Names looked at per second", ["Written", "per second"], [[*each] for each in rates.items()]))
    # As many of each kind: their times add up.
    every = round(len(rates) / sum(1 / rate for rate in rates.values()))
    how = f"processor time for {_NAMES:,} names of each kind, the best of {_ROUNDS}; all may be minted"
    yield Figure("minting.names_per_second", every, "names/s", how, rates, target="≥ 100,000")


def _rate(names: Sequence[str]) -> float:
    started = time.process_time()
    faults = [name for name in names if examine(name).fault]
    if faults:
        raise AssertionError(f"{faults[0]} may not be minted")
    return round(len(names) / (time.process_time() - started))


BENCHMARKS = (Benchmark(("minting.names_per_second",), _gate),)
