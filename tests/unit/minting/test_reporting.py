"""The result of a run of chunks."""

import json
from dataclasses import dataclass, field
from typing import IO, Any

import pytest

from waybill.minting.domain.run_report import summary
from waybill.minting.errors import ResultsMissingError


@dataclass
class MemoryRuns:
    """`Runs` in memory."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    def results(self, run: str):
        return iter(self.kept)

    def write_report(self, run: str, report: IO[bytes]) -> str:
        self.report = json.loads(report.read())
        return f"s3://bucket/{run}/report.json"


def result(start: int, count: int, failed: int = 0) -> dict[str, Any]:
    names = [f"identifier-{number:06}-é" for number in range(start, start + count)]
    failures = [{"sourceIdentifier": f"bad-{start + n}", "code": "INVALID_IDENTIFIER"} for n in range(failed)]
    return {"successes": names, "failures": failures, "identifiers": dict.fromkeys(names, "aaaaaaaa")}


def test_a_small_result_is_in_the_state() -> None:
    runs = MemoryRuns([result(0, 100), result(100, 50, failed=2)])
    got = summary(runs, "run", 2, "job")
    assert (got["successCount"], got["failureCount"], got["jobId"]) == (150, 2, "job")
    assert got["successes"] == result(0, 150)["successes"]
    assert len(got["failures"]) == 2
    assert "reportUri" not in got
    assert runs.report == {}


def test_a_large_result_is_a_report_with_the_same_content() -> None:
    runs = MemoryRuns([result(number * 100, 100, failed=1) for number in range(60)])
    got = summary(runs, "run", 60, None)
    assert got == {"successCount": 6000, "failureCount": 60, "reportUri": "s3://bucket/run/report.json"}
    whole = result(0, 6000)
    assert runs.report["successes"] == whole["successes"]
    assert runs.report["identifiers"] == whole["identifiers"]
    assert len(runs.report["failures"]) == 60
    assert (runs.report["successCount"], runs.report["failureCount"]) == (6000, 60)


def test_a_missing_chunk_is_not_passed_over() -> None:
    with pytest.raises(ResultsMissingError, match="1 of 2 chunks"):
        summary(MemoryRuns([result(0, 1)]), "run", 2, None)
