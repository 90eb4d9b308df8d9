"""The engine: speed on log text and on hostile lines, beside other engines and programs on the same text."""

import io
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.scanning.corpus import hostile_megabytes, log_text, nothing_but_values, source_code
from benchmarks.scanning.hostile import hostile_objects
from benchmarks.scanning.peers import MEGABYTE, PeerMissingError, Re2Gate, detect_secrets_speed, presidio_speed
from waybill.scanning.domain.detection.blocks import blocks
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import HyperscanGate, StandardGate
from waybill.scanning.domain.detection.rules import detector_of, detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner

_WHOLE = 100 * MEGABYTE
# The slow ones get a part of the same text.
_PART = 4 * MEGABYTE
_SOURCE_CODE = 20 * MEGABYTE
_SMALL_PART = MEGABYTE // 2
_ROUNDS = 3
_VALUES, _WORST_SHOWN = 20_000, 40
_OWN = {
    "id": "STAFF_NUMBER",
    "description": "a detector of one's own",
    "source": "made up",
    "validator": "anything",
    "mask": "****",
    "keywords": ["staff"],
    "rules": [{"pattern": "(?<![A-Za-z0-9])[A-Z]{2}[0-9]{6}(?![0-9])", "gates": ["[A-Z]{2}[0-9]{6}"]}],
    "examples": [],
}


def _speed(engine: Engine, text: bytes) -> float:
    started, position = time.process_time(), 0

    def read(count: int) -> bytes:
        nonlocal position
        part, position = text[position : position + count], position + count
        return part

    for block in blocks(read):
        engine.matches(block.text, block.start, block.end)
    return len(text) / MEGABYTE / (time.process_time() - started)


def _gate_speed(engine: Engine, text: bytes) -> float:
    """Return how fast the gate is by itself, which nothing behind it makes faster."""
    started = time.process_time()
    for place in range(0, len(text), MEGABYTE):
        engine.gate.events(text[place : place + MEGABYTE])
    return len(text) / MEGABYTE / (time.process_time() - started)


def _measure_speed(lab: Lab) -> Iterator[Figure]:
    text, known = log_text(_WHOLE), detectors()
    part = text[:_PART]
    engine = Engine(known, HyperscanGate)
    best = max(_speed(engine, text) for _ in range(_ROUNDS))
    standard = _speed(Engine(known, StandardGate), part)
    by_region = {"regions GB": ("GB",), "regions ES": ("ES",), "regions GB, US, ES, DE": ("GB", "US", "ES", "DE")}
    beside = {
        "gate alone": round(max(_gate_speed(engine, text) for _ in range(_ROUNDS)), 1),
        "source code": round(_speed(engine, source_code(_SOURCE_CODE)), 1),
        **{name: round(_speed(Engine(known, regions=given), part), 1) for name, given in by_region.items()},
        "re": round(standard, 2),
        "google-re2": round(_speed(Engine(known, Re2Gate), part), 1),
        "detect-secrets": round(detect_secrets_speed(part), 3),
    }
    try:
        beside["presidio"] = round(presidio_speed(lab.project, text[:_SMALL_PART]), 3)
    except PeerMissingError as error:
        lab.say(f"presidio-analyzer is not measured: {error}")
    rows = [
        ["Waybill: hyperscan gate", best],
        *([name, speed] for name, speed in beside.items()),
    ]
    lab.show(breakdown("MB/s on log text, 2 % of the lines with a value, one process", ["Engine", "MB/s"], rows))
    lab.say("gate alone: one look of Hyperscan at every byte, which is the floor of this engine.")
    lab.say("source code: modules of Python's standard library, one after the other.")
    lab.say("regions: with telephone numbers as one region writes them; GB dials a zero first, ES does not.")
    lab.say("re and google-re2: the same detectors behind other gates. detect-secrets: its own plug-ins, for secrets.")
    lab.say("presidio: eight pattern recognisers of presidio-analyzer, line by line, without a language model.")
    how = f"processor time, best of {_ROUNDS} on 100 MB of log text, all detectors; the others on a part of it"
    yield Figure("scanning.mb_per_second", round(best, 1), "MB/s", how, beside, "≥ 200")
    yield Figure("scanning.speedup_over_re", round(best / standard, 1), "", "the same detectors, gates on re", {})


def _measure_hostile(lab: Lab) -> Iterator[Figure]:
    plain, regional = (Engine(detectors(), regions=regions) for regions in ((), ("GB", "US", "ES", "DE")))
    texts = hostile_megabytes().items()
    times = {name: _milliseconds(partial(plain.matches, text)) for name, text in texts}
    times |= {f"{name}, a column": _milliseconds(partial(_in_columns, plain, text)) for name, text in texts}
    times |= {f"{name}, regions": _milliseconds(partial(regional.matches, text)) for name, text in texts}
    own = Engine((*detectors(), detector_of(_OWN)), regions=("GB", "US", "ES", "DE"))
    _settle(own)
    for name, content in hostile_objects().items():
        whole = _milliseconds(partial(_scan, own, content))
        times[f"{name}, whole"] = round(whole * MEGABYTE / max(len(content), MEGABYTE), 1)
    lab.show(breakdown("1 MB", ["Text", "ms"], [[name, value] for name, value in times.items()]))
    yield Figure(
        "scanning.worst_ms_hostile_1mb",
        max(times.values()),
        "ms",
        f"the slowest of {len(times)} texts",
        times,
        "< 1000",
    )


def _measure_values(lab: Lab) -> Iterator[Figure]:
    known = detectors()
    engines = {"": Engine(known), ", regions": Engine(known, regions=("GB", "US", "ES", "DE"))}
    seconds: dict[str, float] = {}
    for engine in engines.values():
        # What is compiled, or read from the plans of regions, when it is asked for often enough.
        _settle(engine)
    for name, text in nothing_but_values(known, _VALUES):
        for which, engine in engines.items():
            seconds[f"{name}{which}"] = _milliseconds(partial(engine.matches, text)) / 1000 * MEGABYTE / len(text)
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    rows = [[name, value] for name, value in ordered[:_WORST_SHOWN]]
    lab.show(breakdown(f"The worst of {len(seconds)} texts of nothing but values", ["Text", "s/MB"], rows))
    over = sum(value > 1 for value in seconds.values())
    beside = {"median": round(ordered[len(ordered) // 2][1], 2), "texts over 1 s/MB": float(over)}
    how = f"processor time for {_VALUES // 1000} kB of values of one detector and nothing else, {len(seconds)} texts"
    yield Figure("scanning.worst_s_per_mb_of_values", round(ordered[0][1], 2), "s/MB", how, beside, "≤ 1")


def _scan(engine: Engine, content: bytes) -> None:
    """Scan an object as a job does, with the context of each finding."""
    ObjectScanner(engine, b"key").scan(io.BytesIO(content).read)


def _settle(engine: Engine) -> None:
    engine.matches(log_text(MEGABYTE, planted=1))


def _in_columns(engine: Engine, text: bytes) -> None:
    """Look at a text whose first line names columns."""
    headed = b"name,ssn,password,phone\n" + text
    engine.matches(headed, columns=Columns.of(headed[:1000], engine.detectors))


def _milliseconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return round(1000 * best, 1)


BENCHMARKS = (
    Benchmark(("scanning.mb_per_second", "scanning.speedup_over_re"), _measure_speed),
    Benchmark(("scanning.worst_ms_hostile_1mb",), _measure_hostile),
    Benchmark(("scanning.worst_s_per_mb_of_values",), _measure_values),
)
