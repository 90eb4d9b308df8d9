"""Whole programs on one file: `waybill scan-file`, and beside it the fastest public scanner of secrets."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.scanning.corpus import log_text, source_code
from benchmarks.scanning.peers import MEGABYTE, PeerMissingError, kingfisher_program

_LOG, _SOURCE = 100 * MEGABYTE, 20 * MEGABYTE
_ROUNDS = 3
# Both may end with a status that says what was found.
_FOUND = frozenset({0, 3, 200, 205})


def _seconds(program: Sequence[str | Path], file: Path) -> float:
    """Return the processor time of a program on a file, with that of the processes that it starts; the best of some."""
    best = float("inf")
    for _ in range(_ROUNDS):
        before = _children()
        done = subprocess.run([*program, file], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode not in _FOUND:
            raise RuntimeError(f"{program[0]} failed: {done.stderr.decode(errors='replace')[-1000:]}")
        best = min(best, _children() - before)
    return best


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measure(lab: Lab) -> Iterator[Figure]:
    waybill = Path(sys.executable).with_name("waybill")
    programs: dict[str, list[str | Path]] = {"waybill scan-file": [waybill, "scan-file", "--format", "ndjson"]}
    speeds: dict[str, float] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            # One thread; secrets alone, as they are its rules; nothing is asked of the vendors.
            options = ["--jobs", "1", "--no-validate", "--git-history", "none", "--format", "jsonl"]
            quiet = ["--no-update-check", "--max-file-size", "256", "--rule-cache-dir", folder]
            programs["kingfisher"] = [kingfisher_program(lab.project), "scan", *options, *quiet]
        except PeerMissingError as error:
            lab.say(f"kingfisher is not measured: {error}")
        files = {name: Path(folder) / f"{name}.txt" for name in ("empty", "log", "source")}
        for name, text in (("empty", b""), ("log", log_text(_LOG)), ("source", source_code(_SOURCE))):
            files[name].write_bytes(text)
        for name, program in programs.items():
            idle = _seconds(program, files["empty"])
            log, source = (
                files[each].stat().st_size / MEGABYTE / (_seconds(program, files[each]) - idle)
                for each in ("log", "source")
            )
            speeds |= {name: round(log, 1), f"{name}, source code": round(source, 1)}
            rows.append([name, log, source, idle])
    headings = ["Program", "MB/s, log text", "MB/s, source code", "s, empty file"]
    lab.show(breakdown("Whole programs, processor time less that on an empty file", headings, rows))
    how = "processor time on 100 MB of log text less that on an empty file, findings written as NDJSON"
    value = speeds.pop("waybill scan-file")
    yield Figure("scanning.whole_process_mb_per_second", value, "MB/s", how, speeds, "≥ 200")


BENCHMARKS = (Benchmark(("scanning.whole_process_mb_per_second",), _measure),)
