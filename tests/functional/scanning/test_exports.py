"""Findings as lines of JSON: all of them, once, however often the export dies."""

import json
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tests.functional.scanning.conftest import Scanner
from tests.functional.scanning.test_results import finding
from waybill.core.errors import NotFoundError
from waybill.scanning.adapters.security_hub import SecurityHub
from waybill.scanning.domain import export
from waybill.scanning.domain.export import Exporter, Hub, HubImport, Progress
from waybill.scanning.domain.security_hub import security_hub_findings
from waybill.scanning.errors import ExportUnavailableError, SecurityHubRefusedError
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import ScanRequest


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


def hub_of(*answers: dict[str, object] | str) -> SecurityHub:
    """Return Security Hub that gives these answers; what it is sent is held against botocore's model of the service."""
    client = boto3.client("securityhub", region_name="eu-west-1")
    stub = Stubber(client)
    for answer in answers:
        if isinstance(answer, str):
            stub.add_client_error("batch_import_findings", answer)
        else:
            stub.add_response("batch_import_findings", answer, {"Findings": ANY})
    stub.activate()
    return SecurityHub(client)


def sent_finding() -> dict[str, object]:
    job = Job("j", ScanRequest(bucket="town-hall"), Status.COMPLETED, "", "", execution_arn="arn:aws:states:eu:1:e:s:1")
    document = {"key": "k", "detector": "EMAIL", "confidence": "HIGH", "created_at": "2026-11-02T09:15:00.000Z"}
    document |= {"masked_match": "****", "fingerprint": "1", "line": "1", "column": "1"}
    return next(security_hub_findings([document], job, {}, frozenset(), {}))


def hub_import(scanner: Scanner, hub: Hub) -> HubImport:
    return HubImport(hub, scanner.table.outcomes, scanner.table.detectors.names)


TAKEN = {"FailedCount": 0, "SuccessCount": 1}


def test_security_hub_is_told_of_what_is_exported(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.jobs.set_execution(job.job_id, "arn:aws:states:eu-west-1:123456789012:execution:scan:1")
    for key in range(8):
        scanner.table.findings.save(job.job_id, f"k{key}", "e" * 32, map(finding, range(2)))
    sent: list[dict[str, object]] = []
    hub = type("Hub", (), {"import_findings": lambda self, findings: sent.extend(findings)})()
    exporter = replace(exporter_of(scanner, FakeExports()), part_findings=1000, hub_import=hub_import(scanner, hub))
    done = exporter.export(job.job_id, Progress())
    assert done.findings == 16
    assert len({each["Id"] for each in sent}) == len(sent) == 8
    # The model asks for every field that Security Hub needs; a hundred go in one call.
    hub_of(TAKEN, TAKEN).import_findings(sent * 13)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("ThrottlingException", ExportUnavailableError),
        ("InvalidAccessException", SecurityHubRefusedError),
        ({"FailedCount": 1, "SuccessCount": 0}, SecurityHubRefusedError),
    ],
)
def test_what_security_hub_does_not_take_is_no_success(answer: dict[str, object] | str, error: type[Exception]) -> None:
    with pytest.raises(error):
        hub_of(answer).import_findings([sent_finding()])


@pytest.mark.parametrize("seconds", [900, 0])
def test_security_hub_hears_of_an_object_once_and_of_all_of_it(
    scanner: Scanner, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PAGE", 3)
    job = scanner.create()
    scanner.table.jobs.set_execution(job.job_id, "arn:aws:states:eu-west-1:123456789012:execution:scan:1")
    for number, key in enumerate("abcdef"):
        scanner.table.findings.save(job.job_id, key, "e" * 32, map(finding, range(2 * number)))
    sent: list[dict[str, object]] = []
    hub = type("Hub", (), {"import_findings": lambda self, findings: sent.extend(findings)})()
    exporter, progress = (
        replace(exporter_of(scanner, FakeExports(), seconds), hub_import=hub_import(scanner, hub)),
        Progress(),
    )
    while not progress.done:
        progress = exporter.export(job.job_id, progress)
    result = [each["Resources"][0]["DataClassification"]["Result"] for each in sent]  # type: ignore[index]
    assert len({each["Id"] for each in sent}) == len(sent) == 5
    assert sorted(each["SensitiveData"][0]["TotalCount"] for each in result) == [2, 4, 6, 8, 10]


def test_what_security_hub_refuses_is_exported_all_the_same(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(25)))
    exports = FakeExports()
    exporter = replace(exporter_of(scanner, exports), hub_import=hub_import(scanner, hub_of("InvalidAccessException")))
    with pytest.raises(SecurityHubRefusedError):
        exporter.export(job.job_id, Progress())
    assert len(lines_of(exports, job.job_id)) == 25
    assert scanner.jobs.report(job.job_id)["export"]["findings"] == 25
