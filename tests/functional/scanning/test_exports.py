"""Findings as lines of JSON: all of them, once, however often the export dies."""

import json
from dataclasses import dataclass, field

import pytest

from tests.functional.scanning.conftest import Scanner
from tests.functional.scanning.test_results import finding
from waybill.core.errors import NotFoundError
from waybill.scanning.domain.export import Exporter, Progress
from waybill.scanning.errors import ExportUnavailableError


@dataclass
class FakeExports:
    objects: dict[str, bytes] = field(default_factory=dict)
    fails: int = 0

    def put(self, key: str, content: bytes, content_type: str) -> str:
        self.objects[key] = content
        if self.fails:
            self.fails -= 1
            raise ExportUnavailableError("died behind the write")
        return f"s3://exports/{key}"


def exporter_of(scanner: Scanner, exports: FakeExports, seconds: float = 900) -> Exporter:
    table = scanner.table
    return Exporter(table.jobs, table.findings, scanner.triage, exports, lambda: seconds, part_findings=10)


def lines_of(exports: FakeExports, job_id: str) -> list[dict[str, object]]:
    manifest = json.loads(exports.objects[f"{job_id}/manifest.json"])
    text = b"".join(exports.objects[f"{job_id}/{part}"] for part in manifest["parts"])
    lines = [json.loads(line) for line in text.splitlines()]
    assert manifest["findings"] == len(lines)
    return lines


@pytest.mark.parametrize("findings", [0, 1, 10, 11, 25])
@pytest.mark.parametrize("seconds", [900, 0])
def test_all_findings_are_exported_in_parts(scanner: Scanner, findings: int, seconds: float) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k\n", "e" * 32, map(finding, range(findings)))
    exports, progress, calls = FakeExports(), Progress(), 0
    exporter = Exporter(
        scanner.table.jobs, scanner.table.findings, scanner.triage, exports, lambda: seconds, part_findings=10
    )
    while progress.uri is None:
        progress = exporter.export(job.job_id, progress)
        calls += 1
    assert [line["id"] for line in lines_of(exports, job.job_id)] == [
        each["id"] for each in scanner.findings(job.job_id)
    ]
    assert calls == (1 if seconds else max(1, -(-findings // 10)))
    export = scanner.jobs.report(job.job_id)["export"]
    assert export == {"status": "exported", "uri": f"s3://exports/{job.job_id}/manifest.json", "findings": findings}


def test_an_export_that_died_is_made_again_in_the_same_place(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(25)))
    exports = FakeExports(fails=1)
    exporter = Exporter(
        scanner.table.jobs, scanner.table.findings, scanner.triage, exports, lambda: 900, part_findings=10
    )
    with pytest.raises(ExportUnavailableError):
        exporter.export(job.job_id, Progress())
    exporter.export(job.job_id, Progress())
    exporter.export(job.job_id, Progress())
    assert len(lines_of(exports, job.job_id)) == 25
    assert len(exports.objects) == 4


def test_of_an_unknown_job_there_is_no_export(scanner: Scanner) -> None:
    with pytest.raises(NotFoundError):
        Exporter(scanner.table.jobs, scanner.table.findings, scanner.triage, FakeExports(), lambda: 900).export(
            "unknown", Progress()
        )
