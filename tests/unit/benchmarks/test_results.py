"""How figures are kept, and found by name."""

import json
from pathlib import Path

import pytest

from benchmarks.harness import Benchmark, Figure, results
from benchmarks.harness.figures import select

EARLIER = {
    "minting.ms_100_new": {"value": 90, "unit": "ms", "beside": {}},
    "cold_import_ms.gone": {"value": 200, "unit": "ms", "beside": {}},
    "replication.burst_seconds": {"value": 40, "unit": "s", "beside": {"rclone_copy": 4}},
}


def test_figures_are_kept_until_they_are_measured_again() -> None:
    measured = [Figure("cold_import_ms.copy_file", 250.5, "ms", "how", {"modules": 500}, target="< 1")]

    kept = results.merged(EARLIER, measured, ["cold_import_ms.*", "replication.burst_seconds"])

    assert kept == {
        "cold_import_ms.copy_file": {"value": 250.5, "unit": "ms", "beside": {"modules": 500}},
        "minting.ms_100_new": EARLIER["minting.ms_100_new"],
    }


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / ".local" / "bench.json"

    results.write(file, EARLIER)

    assert json.loads(file.read_text("utf-8")) == EARLIER
    assert results.read(file) == EARLIER


@pytest.mark.parametrize("content", [None, "", "{", "[1]"])
def test_a_file_that_holds_no_figures_is_no_obstacle(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "bench.json"
    if content is not None:
        file.write_text(content)

    assert results.read(file) == {}


BENCHMARKS = [
    Benchmark(("replication.burst_completed", "replication.burst_seconds"), lambda _: []),
    Benchmark(("cold_import_ms.*",), lambda _: []),
    Benchmark(("scanning.mb_per_second",), lambda _: []),
]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], [0, 1, 2]),
        (["replication"], [0]),
        (["replication.burst_seconds"], [0]),
        (["*.mb_per_second", "replication"], [0, 2]),
        (["cold_import_ms"], [1]),
        (["cold_import_ms.copy_file"], [1]),
    ],
)
def test_benchmarks_are_chosen_by_the_figures_that_they_make(wanted: list[str], chosen: list[int]) -> None:
    assert select(BENCHMARKS, wanted) == [BENCHMARKS[number] for number in chosen]


@pytest.mark.parametrize("name", ["replication.burst", "replic", "nothing"])
def test_an_unknown_figure_is_named(name: str) -> None:
    with pytest.raises(LookupError, match=f"no benchmark makes {name}$"):
        select(BENCHMARKS, [name])
