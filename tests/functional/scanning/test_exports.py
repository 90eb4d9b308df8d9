"""Findings as lines of JSON: all of them, once, however often the export dies."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tests.functional.scanning.conftest import Scanner
from tests.functional.scanning.test_results import finding
from waybill.core.errors import NotFoundError
from waybill.scanning.adapters.security_hub import SecurityHub
from waybill.scanning.domain import export
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.export import Exporter, Hub, HubImport, HubRefusal, Progress
from waybill.scanning.domain.objects import Objects
from waybill.scanning.domain.security_hub import security_hub_findings
from waybill.scanning.errors import ExportUnavailableError, SecurityHubRefusedError
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import DetectorRequest, ScanRequest
from waybill.scanning.views import SecurityHubView


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
    objects = Objects(table.ranges, table.outcomes, b"secret")
    return Exporter(table.jobs, table.findings, objects, scanner.triage, exports, lambda: seconds, part_findings=10)


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
    exporter = exporter_of(scanner, exports, seconds)
    while progress.uri is None:
        progress = exporter.export(job.job_id, progress)
        calls += 1
    assert [line["id"] for line in lines_of(exports, job.job_id)] == [
        each["id"] for each in scanner.findings(job.job_id)
    ]
    # One more for the objects, of which there are none.
    assert calls == (1 if seconds else max(1, -(-findings // 10)) + 1)
    export = scanner.jobs.report(job.job_id)["export"]
    assert export == {
        "status": "exported",
        "uri": f"s3://exports/{job.job_id}/manifest.json",
        "findings": findings,
        "objects": 0,
    }


def test_an_export_that_died_is_made_again_in_the_same_place(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(25)))
    exports = FakeExports(fails=1)
    exporter = exporter_of(scanner, exports)
    with pytest.raises(ExportUnavailableError):
        exporter.export(job.job_id, Progress())
    exporter.export(job.job_id, Progress())
    exporter.export(job.job_id, Progress())
    assert len(lines_of(exports, job.job_id)) == 25
    assert len(exports.objects) == 4


@pytest.mark.parametrize("seconds", [900, 0])
def test_an_export_has_the_objects_with_what_became_of_each(scanner: Scanner, seconds: float) -> None:
    """Issue, Part A: the export has objects as well as findings; each once, as `GET /jobs/{id}/objects` names it."""
    for number in range(23):
        scanner.bucket.objects[f"k{number:02}\n"] = b"ann@corp-mail.org" if number % 2 else b"nothing"
    scanner.bucket.refused["k00\n"] = "ACCESS_DENIED"
    job, exports = scanner.jobs.find(scanner.run()["job_id"]), FakeExports()
    exported(exporter_of(scanner, exports, seconds), job.job_id)
    manifest = json.loads(exports.objects[f"{job.job_id}/manifest.json"])
    text = b"".join(exports.objects[f"{job.job_id}/{part}"] for part in manifest["object_parts"])
    listed = Objects(scanner.table.ranges, scanner.table.outcomes, b"").page(job, 100, None)["objects"]
    assert [json.loads(line) for line in text.splitlines()] == listed
    assert (manifest["objects"], len(manifest["object_parts"]), len(listed)) == (23, 3, 23)
    assert (listed[0]["status"], listed[0]["reason"]) == ("FAILED", "ACCESS_DENIED")
    assert scanner.jobs.report(job.job_id)["export"]["objects"] == 23


def test_an_export_without_a_list_says_so(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a listing are kept for 30 days, findings for as long as the job."""
    scanner.bucket.objects["k"] = b"ann@corp-mail.org"
    job_id, exports = scanner.run()["job_id"], FakeExports()
    monkeypatch.setattr(scanner.table.ranges, "page", lambda *_: None)
    exported(exporter_of(scanner, exports), job_id)
    assert "objects" not in json.loads(exports.objects[f"{job_id}/manifest.json"])
    assert scanner.jobs.report(job_id)["export"]["objects"] is None
    assert len(lines_of(exports, job_id)) == 1


def test_of_an_unknown_job_there_is_no_export(scanner: Scanner) -> None:
    with pytest.raises(NotFoundError):
        exporter_of(scanner, FakeExports()).export("unknown", Progress())


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


@dataclass
class FakeHub:
    """`Hub` in memory: refuses findings of these keys, and tells of what it has two at a time."""

    refused: frozenset[str] = frozenset()
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def import_findings(self, findings: Sequence[dict[str, Any]]) -> list[HubRefusal]:
        self.sent += findings
        bad = [each for each in findings if each["Title"].rpartition("/")[2] in self.refused]
        self.known |= {each["Id"]: each for each in findings if each not in bad}
        return [HubRefusal(each["Id"], "InvalidInput", "no") for each in bad]

    def findings(self, product: str, prefix: str, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        ids = sorted(name for name in self.known if name.startswith(prefix))
        first = int(token or 0)
        return [self.known[name] for name in ids[first : first + 2]], str(first + 2) if first + 2 < len(ids) else None

    def states(self) -> dict[str, str]:
        return {each["Title"].rpartition("/")[2]: each["RecordState"] for each in self.known.values()}


def hub_import(scanner: Scanner, hub: Hub) -> HubImport:
    return HubImport(hub, scanner.table.outcomes, scanner.table.detectors.all)


TAKEN = {"FailedCount": 0, "SuccessCount": 1}


def test_security_hub_is_told_of_what_is_exported(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.jobs.set_execution(job.job_id, "arn:aws:states:eu-west-1:123456789012:execution:scan:1")
    for key in range(8):
        scanner.table.findings.save(job.job_id, f"k{key}", "e" * 32, map(finding, range(2)))
    hub = FakeHub()
    exporter = replace(exporter_of(scanner, FakeExports()), part_findings=1000, hub_import=hub_import(scanner, hub))
    done = exporter.export(job.job_id, Progress())
    sent = hub.sent
    assert done.findings == 16
    assert len({each["Id"] for each in sent}) == len(sent) == 8
    # The model asks for every field that Security Hub needs; a hundred go in one call.
    hub_of(TAKEN, TAKEN).import_findings(sent * 13)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("ThrottlingException", ExportUnavailableError),
        ("InvalidAccessException", SecurityHubRefusedError),
    ],
)
def test_what_security_hub_does_not_take_is_no_success(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        hub_of(answer).import_findings([sent_finding()])


def exported(exporter: Exporter, job_id: str) -> Progress:
    """Export as the function does, whose messages tell how far it is."""
    progress = Progress()
    while not progress.done:
        progress = exporter.export(job_id, Progress.of(json.loads(json.dumps(asdict(progress)))))
    return progress


def test_a_finding_that_security_hub_refuses_costs_only_itself_and_is_named(scanner: Scanner) -> None:
    """The API reference of BatchImportFindings: `FailedFindings` has those that were not imported, and why."""
    refusal = {"Id": "waybill/a", "ErrorCode": "InvalidInput", "ErrorMessage": "Title is too long"}
    answers = [{"FailedCount": 1, "SuccessCount": 99, "FailedFindings": [refusal]}, TAKEN]
    assert hub_of(*answers).import_findings([sent_finding()] * 101) == [HubRefusal(*refusal.values())]
    for key in "abc":
        scanner.bucket.objects[key] = b"ann@corp-mail.org"
    job_id = scanner.run()["job_id"]
    hub = FakeHub(refused=frozenset({"b"}))
    done = exported(replace(exporter_of(scanner, FakeExports()), hub_import=hub_import(scanner, hub)), job_id)
    assert hub.states() == {"a": "ACTIVE", "c": "ACTIVE"}
    told = scanner.jobs.report(job_id)["export"]["security_hub"]
    assert (told["status"], told["imported"], told["archived"], told["refused"]) == ("told", 3, 0, 1)
    assert [each["code"] for each in told["errors"]] == ["InvalidInput"]
    assert SecurityHubView.model_validate(told)
    assert done.hub.refused == 1


@pytest.mark.parametrize("seconds", [900, 0])
def test_what_a_later_job_does_not_find_any_more_is_archived(scanner: Scanner, seconds: float) -> None:
    """AWS Security Hub user guide: a provider sets `RecordState` to `ARCHIVED` when a finding no longer applies."""
    for key in ("mended", "deleted", "stays", "unread"):
        scanner.bucket.objects[key] = b"ann@corp-mail.org"
    hub = FakeHub()
    exporter = replace(exporter_of(scanner, FakeExports(), seconds), hub_import=hub_import(scanner, hub))
    exported(exporter, scanner.run()["job_id"])
    assert set(hub.states().values()) == {"ACTIVE"}
    scanner.bucket.objects["mended"] = b"nothing"
    scanner.bucket.refused["unread"] = "ACCESS_DENIED"
    scanner.bucket.objects["unread"] += b"\n"
    del scanner.bucket.objects["deleted"]
    job_id = scanner.run()["job_id"]
    exported(exporter, job_id)
    assert hub.states() == {"mended": "ARCHIVED", "deleted": "ARCHIVED", "stays": "ACTIVE", "unread": "ACTIVE"}
    assert scanner.jobs.report(job_id)["export"]["security_hub"]["archived"] == 2
    # Found again, it is open again.
    scanner.bucket.objects["mended"] = b"ann@corp-mail.org again"
    exported(exporter, scanner.run()["job_id"])
    assert hub.states()["mended"] == "ACTIVE"


def test_a_job_does_not_speak_for_one_that_has_ended_later(scanner: Scanner) -> None:
    """Two exports at a time: what the later job has found is there, however late the earlier one is exported."""
    earlier = scanner.run()["job_id"]
    scanner.bucket.objects["new"] = b"ann@corp-mail.org"
    later, hub = scanner.run()["job_id"], FakeHub()
    exporter = replace(exporter_of(scanner, FakeExports()), hub_import=hub_import(scanner, hub))
    for job_id in (later, earlier):
        # As every delivery and every export does.
        scanner.table.jobs.save_webhook(job_id, {"status": "delivered"})
        exported(exporter, job_id)
    assert hub.states() == {"new": "ACTIVE"}


def test_security_hub_is_asked_for_what_it_has_of_one_bucket() -> None:
    """The service model of botocore, against which the stub holds what is asked."""
    client = boto3.client("securityhub", region_name="eu-west-1")
    stub = Stubber(client)
    filters = {
        "ProductArn": [{"Value": "p", "Comparison": "EQUALS"}],
        "Id": [{"Value": "waybill/b/", "Comparison": "PREFIX"}],
    }
    stub.add_response("get_findings", {"Findings": [], "NextToken": "n"}, {"Filters": filters, "MaxResults": 100})
    more = {"Filters": filters, "MaxResults": 100, "NextToken": "n"}
    stub.add_response("get_findings", {"Findings": []}, more)
    stub.activate()
    hub = SecurityHub(client)
    assert hub.findings("p", "waybill/b/", None) == ([], "n")
    assert hub.findings("p", "waybill/b/", "n") == ([], None)


def test_security_hub_reads_what_a_detector_of_ones_own_is_for(scanner: Scanner) -> None:
    definition = DetectorRequest.model_validate({"description": "Badge of the town hall", "allows": {"texts": ["x"]}})
    scanner.own.put("BADGE", definition, "jo")
    scanner.own.delete("BADGE", "jo")
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, [finding(1, "BADGE"), finding(2, "EMAIL")])
    hub = FakeHub()
    exported(replace(exporter_of(scanner, FakeExports()), hub_import=hub_import(scanner, hub)), job.job_id)
    titles = {each["GeneratorId"]: each["Title"].partition(" in s3:")[0] for each in hub.sent}
    email = next(each.description for each in detectors() if each.id == "EMAIL")
    assert titles == {"waybill/BADGE": "Badge of the town hall", "waybill/EMAIL": email}


@pytest.mark.parametrize("seconds", [900, 0])
def test_security_hub_hears_of_an_object_once_and_of_all_of_it(
    scanner: Scanner, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PAGE", 3)
    job = scanner.create()
    scanner.table.jobs.set_execution(job.job_id, "arn:aws:states:eu-west-1:123456789012:execution:scan:1")
    for number, key in enumerate("abcdef"):
        scanner.table.findings.save(job.job_id, key, "e" * 32, map(finding, range(2 * number)))
    hub = FakeHub()
    exporter = replace(exporter_of(scanner, FakeExports(), seconds), hub_import=hub_import(scanner, hub))
    exported(exporter, job.job_id)
    sent = hub.sent
    result = [each["Resources"][0]["DataClassification"]["Result"] for each in sent]
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
