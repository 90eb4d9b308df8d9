"""The engine: speed on log text and on hostile lines, beside other engines on the same text, and accuracy."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import re2
from detect_secrets.core import scan as detect_secrets_scan
from detect_secrets.settings import default_settings

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.scanning.corpus import hostile_megabytes, log_text
from waybill.scanning.detection.blocks import blocks
from waybill.scanning.detection.engine import Engine
from waybill.scanning.detection.gates import INDEX_BITS, QUAD, HyperscanGate, StandardGate
from waybill.scanning.detection.rules import detectors

_MEGABYTE = 1_000_000
_WHOLE = 100 * _MEGABYTE
# The slow ones get a part of the same text.
_PART = 4 * _MEGABYTE
_ROUNDS = 3
_LABELLED = "WAYBILL_PII_LABELLED"
_LABELS = {
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "CREDIT_CARD": "CREDIT_CARD",
    "US_SSN": "US_SSN",
    "EMAIL_ADDRESS": "EMAIL",
}


class _Re2Gate:
    """The gates on google-re2, one pass for each."""

    def __init__(self, patterns: list[str]) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        base64 = f"(?:{QUAD}){{6}}"
        self._patterns = [re2.compile(pattern.encode(), options=options) for pattern in (*patterns, base64)]

    def events(self, text: bytes) -> list[int]:
        return sorted(
            match.end() << INDEX_BITS | index
            for index, pattern in enumerate(self._patterns)
            for match in pattern.finditer(text)
        )


def _speed(engine: Engine, text: bytes) -> float:
    started, position = time.perf_counter(), 0

    def read(count: int) -> bytes:
        nonlocal position
        part, position = text[position : position + count], position + count
        return part

    for block in blocks(read):
        engine.matches(block.text, block.start, block.end)
    return len(text) / _MEGABYTE / (time.perf_counter() - started)


def _detect_secrets_speed(text: bytes, folder: Path) -> float:
    file = folder / "part.log"
    file.write_bytes(text)
    started = time.perf_counter()
    with default_settings():
        list(detect_secrets_scan.scan_file(str(file)))
    return len(text) / _MEGABYTE / (time.perf_counter() - started)


def _measure_speed(lab: Lab) -> Iterator[Figure]:
    import tempfile

    text = log_text(_WHOLE)
    part = text[:_PART]
    engine, known = Engine(detectors(), HyperscanGate), detectors()
    best = max(_speed(engine, text) for _ in range(_ROUNDS))
    standard = _speed(Engine(known, StandardGate), part)
    with tempfile.TemporaryDirectory() as folder:
        beside = {
            "re": round(standard, 2),
            "google-re2": round(_speed(Engine(known, _Re2Gate), part), 1),
            "detect-secrets": round(_detect_secrets_speed(part, Path(folder)), 3),
        }
    rows = [["Waybill: hyperscan gate", best], *([name, speed] for name, speed in beside.items())]
    lab.show(breakdown("MB/s on log text, 2 % of the lines with a value, one process", ["Engine", "MB/s"], rows))
    how = f"best of {_ROUNDS} on 100 MB of log text, all detectors; the others on 4 MB of it"
    yield Figure("scanning.mb_per_second", round(best, 1), "MB/s", how, beside, "≥ 200")
    yield Figure("scanning.speedup_over_re", round(best / standard, 1), "", "the same detectors, gates on re", {})


def _measure_hostile(lab: Lab) -> Iterator[Figure]:
    engine = Engine(detectors(), HyperscanGate)
    times = {name: _milliseconds(lambda text=text: engine.matches(text)) for name, text in hostile_megabytes().items()}
    lab.show(breakdown("One line of 1 MB", ["Line", "ms"], [[name, value] for name, value in times.items()]))
    yield Figure(
        "scanning.worst_ms_hostile_1mb", max(times.values()), "ms", "the slowest of four lines", times, "< 1000"
    )


def _milliseconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return round(1000 * best, 1)


def _measure_accuracy(lab: Lab) -> Iterator[Figure]:
    place = os.environ.get(_LABELLED)
    if not place:
        lab.say(f"accuracy: name a file of presidio-research (data/…json) in {_LABELLED}")
        return
    engine = Engine(detectors(), HyperscanGate)
    true, missed, extra = _confusion(engine, json.loads(Path(place).read_text("utf-8")))
    rows: list[list[str | float]] = []
    for name in sorted(_LABELS.values()):
        recall = true[name] / max(1, true[name] + missed[name])
        precision = true[name] / max(1, true[name] + extra[name])
        rows.append([name, true[name] + missed[name], recall, precision])
        yield Figure(f"scanning.recall.{name}", round(recall, 3), "", "labelled sentences", {"precision": precision})
    lab.show(breakdown("Labelled sentences", ["Detector", "Values", "Recall", "Precision"], rows))


def _confusion(engine: Engine, sentences: list[dict[str, object]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    true: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for sentence in sentences:
        text: str = sentence["full_text"]
        found = engine.matches(text.encode())
        hit: set[int] = set()
        for span in sentence["spans"]:
            if name := _LABELS.get(span["entity_type"]):
                first, last = (len(text[: span[side]].encode()) for side in ("start_position", "end_position"))
                hits = {i for i, m in enumerate(found) if m.detector == name and m.start < last and first < m.end}
                (true if hits else missed)[name] += 1
                hit |= hits
        extra.update(match.detector for index, match in enumerate(found) if index not in hit)
    return true, missed, extra


BENCHMARKS = (
    Benchmark(("scanning.mb_per_second", "scanning.speedup_over_re"), _measure_speed),
    Benchmark(("scanning.worst_ms_hostile_1mb",), _measure_hostile),
    Benchmark(("scanning.recall.*",), _measure_accuracy),
)
