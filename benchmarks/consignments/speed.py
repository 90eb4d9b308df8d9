"""The speed of the whole check: small files beside three functions of the old design, a large one beside `hashlib`."""

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.consignments.corpus import CORPUS, generated, given
from benchmarks.consignments.disk import DiskObjects, record_of
from benchmarks.consignments.three_reads import ThreeReads
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.adapters.scanner_pair import ScannerPair
from waybill.consignments.domain.checks.checker import FileChecker, FileTimeLimits
from waybill.consignments.domain.checks.contents import ContentFetcher
from waybill.consignments.domain.checks.engines import YaraEngine
from waybill.consignments.domain.checks.malware_rules import MalwareRules
from waybill.consignments.domain.checks.models import Examination, FileRecord
from waybill.consignments.domain.checks.parsers import Parsers
from waybill.consignments.domain.checks.spool import Workspace
from waybill.consignments.domain.file_records import CheckedRecord

_FILES = 300
_ROUNDS = 3
_SMALL_ROUNDS = 5
_MEGABYTE = 1_000_000
_LARGE = 512 * _MEGABYTE
_NEVER = 1 << 60


class _Bench:
    """The checker on a folder of files."""

    def __init__(self, folder: Path) -> None:
        rules = shipped()
        (folder / "work").mkdir()
        self.files = folder / "files"
        self.files.mkdir()
        self.scanners = ScannerPair(rules.write(folder), rules.excluded, {})
        self.scanners.versions()
        self.workspace = Workspace(folder / "work")
        self.engine = YaraEngine(rules.yara, rules.version)

    def check(self, large_bytes: int = _NEVER) -> list[CheckedRecord]:
        checker = FileChecker(
            self.fetcher(large_bytes),
            self.scanners,
            self.engine,
            FileTimeLimits(),
            lambda: 900.0,
            lambda: time.time_ns() // 1_000_000,
            last_attempt=False,
        )
        lines = list(checker.lines([record_of(path) for path in self.paths()]))
        if any(line["failures"] for line in lines):
            raise AssertionError("a file failed")
        return lines

    def paths(self) -> list[Path]:
        return sorted(self.files.iterdir())

    def fetcher(self, large_bytes: int = _NEVER) -> ContentFetcher:
        return ContentFetcher(DiskObjects(self.files), self.workspace, large_bytes, lambda: 900.0)


def _measure_small(lab: Lab) -> Iterator[Figure]:
    corpus = given()
    if not corpus:
        lab.say(f"real files: name the folder of a corpus in {CORPUS}; generated ones alone are checked")
    with tempfile.TemporaryDirectory() as place:
        bench = _Bench(Path(place))
        for name, content in [*generated(_FILES), *((f"given-{name}", content) for name, content in corpus)]:
            (bench.files / name).write_bytes(content)
        count = len(bench.paths())
        bench.check()
        records = [FileRecord.model_validate(record_of(path)) for path in bench.paths()]
        three = ThreeReads(Path(place))
        objects = DiskObjects(bench.files)
        three.check(objects, records[:6])
        # In turns, so that whatever else the machine does falls on both.
        rounds = [
            (_seconds(bench.check), _seconds(lambda: three.check(objects, records))) for _ in range(_SMALL_ROUNDS)
        ]
        ours, theirs = (min(times) for times in zip(*rounds, strict=True))
        _show_parts(lab, bench, ours)
        bench.scanners.close()
    speeds = {"waybill": count / ours, "fido_and_three_reads": count / theirs}
    what = f"{_FILES} generated files" + (f", {len(corpus)} of a corpus" if corpus else "")
    rows = [[name.replace("_", " "), speed, 1000 * count / speed / count] for name, speed in speeds.items()]
    lab.show(breakdown(f"Small files: {what}", ["Check", "files/s", "ms per file"], rows))
    how = f"{what}; hash, scan, identify and inspect from local disk; best of {_SMALL_ROUNDS} each, in turns"
    beside = {"fido_and_three_reads": round(speeds["fido_and_three_reads"], 1)}
    yield Figure("consignments.files_per_second", round(speeds["waybill"], 1), "files/s", how, beside)
    speedup = round(speeds["waybill"] / speeds["fido_and_three_reads"], 1)
    yield Figure("consignments.speedup_over_three_reads", speedup, "", how, {}, "≥ 10")


def _show_parts(lab: Lab, bench: _Bench, whole: float) -> None:
    """Show the share of each part, each timed alone in this process."""
    scanners = Parsers(MalwareRules(shipped().compiled, ()))
    parts = dict.fromkeys(("read, hash and copy", "identify", "inspect", "scan"), 0.0)
    for path in bench.paths():
        record = FileRecord.model_validate(record_of(path))
        started = time.perf_counter()
        with bench.fetcher().fetch(record, None, 1.0) as fetched:
            parts["read, hash and copy"] += time.perf_counter() - started
            request = {"extension": record.extension, "partial": False, "scanSeconds": 60}
            for part in ("identify", "inspect", "scan"):
                started = time.perf_counter()
                scanners._parts[part](fetched.path, request)
                parts[part] += time.perf_counter() - started
    rows = [[name, 1000 * seconds, 100 * seconds / sum(parts.values())] for name, seconds in parts.items()]
    rows.append(["all of it, identifying beside the rest", 1000 * whole, ""])
    lab.show(breakdown("Share of time, small files", ["Part", "ms in all", "%"], rows))


def _measure_large(lab: Lab) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as place:
        bench = _Bench(Path(place))
        path = bench.files / "large.bin"
        chance = random.Random(5)
        with path.open("wb") as file:
            for _ in range(_LARGE // (8 * _MEGABYTE)):
                file.write(chance.randbytes(8 * _MEGABYTE))
        copy = Path(place) / "large.bin"
        work: dict[str, Callable[[], object]] = {
            "hashlib": lambda: _hash(path),
            "waybill": bench.check,
            "waybill_as_a_stream": lambda: bench.check(_MEGABYTE),
            "copy": lambda: _copy(path, copy),
            **{
                part: partial(bench.scanners.examine, Examination(copy, {part: 600.0}, "bin"))
                for part in ("identify", "inspect", "scan")
            },
        }
        # In turns, so that whatever else the machine does falls on all of them.
        rounds = [{name: _seconds(done) for name, done in work.items()} for _ in range(_ROUNDS)]
        times = {name: min(each[name] for each in rounds) for name in work}
        bench.scanners.close()
    # A file is scanned when it is whole, and hashed meanwhile: no less than either, nor than all of it on all cores.
    steps = times["hashlib"], times["copy"] + times["scan"]
    times["possible_on_this_machine"] = max(*steps, sum(steps) / len(os.sched_getaffinity(0)))
    size = _LARGE // (8 * _MEGABYTE) * 8 * _MEGABYTE
    speeds = {name: size / _MEGABYTE / seconds for name, seconds in times.items()}
    rows = [[name.replace("_", " "), times[name], speed] for name, speed in speeds.items()]
    lab.show(breakdown("One file of 512 MB of noise", ["What", "s", "MB/s"], rows))
    names = ("hashlib", "waybill_as_a_stream", "scan", "possible_on_this_machine")
    beside = {name: round(speeds[name], 1) for name in names}
    how = f"512 MB of noise: read, hashed, copied, scanned, identified; best of {_ROUNDS} each, in turns"
    yield Figure("consignments.mb_per_second_large", round(speeds["waybill"], 1), "MB/s", how, beside)


def _copy(path: Path, copy: Path) -> None:
    buffer = memoryview(bytearray(1 << 20))
    copy.unlink(missing_ok=True)
    with path.open("rb", buffering=0) as file, copy.open("wb", buffering=0) as made:
        while count := file.readinto(buffer):
            made.write(buffer[:count])


def _hash(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


BENCHMARKS = (
    Benchmark(("consignments.files_per_second", "consignments.speedup_over_three_reads"), _measure_small),
    Benchmark(("consignments.mb_per_second_large",), _measure_large),
)
