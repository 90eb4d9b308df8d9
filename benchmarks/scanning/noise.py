"""False alarms: what is found in ordinary source code, which has been read and has no secrets in it."""

import gzip
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.scanning.peers import MEGABYTE
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.models import Confidence
from waybill.scanning.domain.detection.rules import detectors

_MOST = 150 * MEGABYTE
_TEXTS = frozenset(
    {".py", ".pyi", ".js", ".ts", ".json", ".yaml", ".yml", ".toml", ".cfg", ".md", ".rst", ".txt", ".c", ".h", ".gz"}
)
_HEADINGS = 16_384
_TESTS = frozenset({"test", "tests", "testing", "selftest", "idle_test"})


def source_files() -> Iterator[tuple[Path, bytes]]:
    """Yield the texts of the standard library and of the packages installed beside it, compressed ones unpacked."""
    left = _MOST
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix not in _TEXTS or not file.is_file():
                continue
            content = file.read_bytes()
            if file.suffix == ".gz":
                with suppress(OSError, EOFError):
                    content = gzip.decompress(content)
            left -= len(content)
            if left < 0:
                return
            yield file, content


def _is_of_tests(file: Path) -> bool:
    return any(part.lower() in _TESTS or part.startswith("test_") for part in file.parts)


def _measure(lab: Lab) -> Iterator[Figure]:
    known = detectors()
    engine, size = Engine(known), Counter[bool]()
    found: Counter[tuple[bool, str, Confidence]] = Counter()
    for file, content in source_files():
        of_tests = _is_of_tests(file)
        size[of_tests] += len(content)
        columns = Columns.of(content[:_HEADINGS], known)
        found.update((of_tests, match.detector, match.confidence) for match in engine.matches(content, columns=columns))
    names = sorted({name for _, name, _ in found}, key=lambda name: (-found[False, name, Confidence.HIGH], name))
    rows = [
        [name, *(found[of_tests, name, sure] for of_tests in (False, True) for sure in reversed(Confidence))]
        for name in names
    ]
    headings = ["Detector", "HIGH", "MEDIUM", "LOW", *(f"in tests: {sure.name}" for sure in reversed(Confidence))]
    title = f"Found in {size[False] / MEGABYTE:.0f} MB of source code, and in {size[True] / MEGABYTE:.0f} MB of tests"
    lab.show(breakdown(title, headings, rows))
    lab.say(
        "The standard library of Python and the packages installed here; the data of tests are values by intent, and"
    )
    lab.say("addresses of mail are those of people. Of the rest everything that is HIGH counts, keys of examples too.")

    def per_10_mb(*, of_tests: bool, sure: Confidence, mail: bool = False) -> float:
        counted = sum(
            count
            for (tests, name, confidence), count in found.items()
            if (tests, confidence) == (of_tests, sure) and (name == "EMAIL") == mail
        )
        return round(counted / (size[of_tests] / (10 * MEGABYTE)), 2)

    beside = {
        "MEDIUM": per_10_mb(of_tests=False, sure=Confidence.MEDIUM),
        "LOW": per_10_mb(of_tests=False, sure=Confidence.LOW),
        "EMAIL, HIGH": per_10_mb(of_tests=False, sure=Confidence.HIGH, mail=True),
        "HIGH in tests": per_10_mb(of_tests=True, sure=Confidence.HIGH),
    }
    how = f"findings of HIGH but addresses of mail, for each 10 MB of {size[False] / MEGABYTE:.0f} MB of source code"
    yield Figure("scanning.high_per_10_mb", per_10_mb(of_tests=False, sure=Confidence.HIGH), "", how, beside, "≤ 1")


BENCHMARKS = (Benchmark(("scanning.high_per_10_mb",), _measure),)
