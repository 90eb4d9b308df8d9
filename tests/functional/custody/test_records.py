"""What the workflows' own stores write is what custody reads: whoever renames an attribute fails here."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, facts, failure, result
from tests.fakes.subject_access import CREATED, Told, a_request
from tests.functional.custody.conftest import CustodyOnMoto, table, typed
from tests.functional.custody.samples import ABC, CHECKSUM, NOW, tracking
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.domain.file_records import StoredWaiver
from waybill.consignments.domain.registration import upload_prefix
from waybill.consignments.models import Consignment, ConsignmentRun, ConsignmentStatus, ConsignmentType, RegisteredFile
from waybill.custody import runtime
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.tracing import Asked, ByConsignment, ByDigest, ByIdentifier, ByPlace, TracedEvent
from waybill.custody.models import Place
from waybill.minting.adapters.document_records import DocumentsTable
from waybill.minting.adapters.lifecycle import LifecycleTable
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.models import LifeEvent, LifeStatus, Proposal, SourceId, StoredDocument
from waybill.replication.adapters.verification_table import VerificationTable
from waybill.replication.adapters.versions_table import VersionsTable
from waybill.replication.domain.copy_result import CopyResult
from waybill.replication.domain.records import Dismissal
from waybill.replication.domain.verification import VerificationCheck, VerificationResult, VerificationWay
from waybill.replication.models import (
    CopyCode,
    CopyProof,
    CopyTask,
    SourceDescription,
    SourceVersion,
    Strategy,
)
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.adapters.job_table import JobTable
from waybill.scanning.adapters.outcome_table import OutcomeTable
from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus, Status
from waybill.scanning.request_models import ScanRequest
from waybill.subject_access.adapters.alerts import OnceAlerts
from waybill.subject_access.adapters.lists import SubjectAccessLists
from waybill.subject_access.adapters.s3 import ReportsBucket
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.downloads import What, download
from waybill.subject_access.domain.fulfilment import Fulfilment
from waybill.subject_access.domain.keys import copy_key, package_key, report_key
from waybill.subject_access.domain.lifecycle import Ages, Lifecycle
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.models import Claim, RequestState, StoredReport


def history(asked: Asked) -> list[TracedEvent]:
    events = runtime.tracer().trace(asked, limit=100).events
    assert all(event.intact for event in events)
    return list(events)


def told(events: list[TracedEvent]) -> list[tuple[object, object]]:
    return [(event.said["type"], event.said["outcome"]) for event in events]


def test_replication(custody: CustodyOnMoto) -> None:
    store, run, again = tracking(custody), a_run("1", destination_prefix="copies/"), a_run("2")
    source = facts(version_id="v1", checksum=CHECKSUM)
    store.claim(run)
    store.record_destination(run, result(run, DESTINATIONS[0], bytes=3, version_id="v9"), source)
    store.record_destination(run, failure(run, DESTINATIONS[1]), None)
    custody.record(Workflow.REPLICATION)
    store.dismiss(
        run.file, [DESTINATIONS[1]], Dismissal(by="alice@example.org", at="2026-11-21T11:00:00.000Z", reason="because")
    )
    custody.record(Workflow.REPLICATION)
    store.record_destination(
        again,
        result(again, DESTINATIONS[0], code="SKIPPED_IDENTICAL", bytes=0, timestamp="2026-11-22T10:00:00.000Z"),
        source,
    )
    custody.record(Workflow.REPLICATION)
    events = history(ByPlace(Place(SOURCE, KEY)))
    # Two of one moment come in the order of their ids.
    assert sorted(told(events[:2])) == [("replication", "failure"), ("replication", "success")]
    assert told(events[2:]) == [("policy assignment", "success"), ("fixity check", "success")]
    copied = next(event for event in events if event.said["type"] == "replication" and event.states[1:])
    assert copied.states[1].place == Place(DESTINATIONS[0], f"copies/{KEY}")
    # A size is that of the file, whatever was moved: none of it where the copy was there already.
    assert [event.states[0].size for event in events if event.states[1:]] == [3, 3]
    assert (copied.states[0].version_id, copied.states[0].sha256, copied.states[1].version_id) == ("v1", ABC, "v9")
    # By its content, and by the place of the copy: the same history.
    assert {event.event.leaf.id for event in history(ByDigest(ABC))} == {event.event.leaf.id for event in events}
    assert events[0].event in [each.event for each in history(ByPlace(Place(DESTINATIONS[0], f"copies/{KEY}")))]
    assert custody.refused() == []


def test_a_removal_that_was_carried_on_is_a_deletion(custody: CustodyOnMoto) -> None:
    store, run = tracking(custody), a_run()
    store.claim(run)
    store.record_destination(run, result(run, DESTINATIONS[0], code="REMOVED", bytes=0, version_id="m1"), facts())
    custody.record(Workflow.REPLICATION)
    [event] = history(ByPlace(Place(SOURCE, KEY)))
    assert told([event]) == [("deletion", "success")]
    assert (event.states[1].place, event.states[1].version_id) == (Place(DESTINATIONS[0], KEY), "m1")
    assert [state.size for state in event.states] == [None, None]
    assert custody.refused() == []


def test_what_was_put_right_after_a_late_copy_is_a_write_of_its_own(custody: CustodyOnMoto) -> None:
    """Each as often as it happened, and not as often as it is told."""
    store, run, newer = tracking(custody), a_run("1"), a_run("2")
    source = facts(version_id="v2", checksum=CHECKSUM)
    store.record_destination(newer, result(newer, DESTINATIONS[0], bytes=3, version_id="c2"), source)
    records = custody.record(Workflow.REPLICATION)
    for number, (code, version) in enumerate([("PUT_BACK", "c3"), ("PUT_BACK", "c4"), ("REMOVED_AGAIN", None)]):
        at = f"2026-11-29T10:00:0{number}.000Z"
        done = result(run, DESTINATIONS[0], code=code, bytes=3, version_id=version, timestamp=at)
        store.record_put_back(run, done, source if version else None)
        records += custody.record(Workflow.REPLICATION)
    custody.call("record_events", {"Records": records[::-1]})
    events = history(ByPlace(Place(SOURCE, KEY)))
    told_of = [(event.said["type"], event.states[1].version_id) for event in events]
    assert told_of == [("replication", "c2"), ("replication", "c3"), ("replication", "c4"), ("deletion", None)]
    assert {event.states[1].place for event in events} == {Place(DESTINATIONS[0], KEY)}
    assert custody.refused() == []


def test_every_version_that_was_brought_is_a_copy_of_its_own(custody: CustodyOnMoto) -> None:
    """`ReplicateEveryVersion`: each version once, one that failed too, and not the run's result besides."""
    store, run = tracking(custody), a_run()
    versions = VersionsTable(
        custody.dynamodb, table("FileCopyTrackingTable"), store, history_days=90, now=lambda: datetime.now(UTC)
    )
    records = []
    for number in (1, 2):
        source = facts(version_id=f"v{number}", checksum=CHECKSUM)
        description = SourceDescription(source=source, strategy=Strategy.COPY)
        task = CopyTask(run=run, destination_bucket=DESTINATIONS[0], description=description)
        landed = CopyResult(facts(bucket=DESTINATIONS[0], version_id=f"c{number}"), CopyProof.CHECKSUM)
        version = SourceVersion(f"v{number}", "2026-11-29T10:00:00.000Z")
        for _ in range(number):
            versions.record_version(task, version, CopyCode.COPIED, landed)
            records += custody.record(Workflow.REPLICATION)
    versions.record_version(task, SourceVersion("v3", "2026-11-29T10:00:00.000Z"), "KMS_DENIED", None)
    store.record_destination(run, result(run, DESTINATIONS[0], bytes=3, version_id="c2", versions=2), source)
    records += custody.record(Workflow.REPLICATION)
    custody.call("record_events", {"Records": records[::-1]})
    events = history(ByPlace(Place(SOURCE, KEY)))
    assert sorted(told(events)) == [("replication", "failure"), ("replication", "success"), ("replication", "success")]
    copies = {(event.states[0].version_id, event.states[1].version_id) for event in events if event.states[1:]}
    assert copies == {("v1", "c1"), ("v2", "c2")}
    assert custody.refused() == []


def test_what_says_nothing_new_makes_no_event(custody: CustodyOnMoto) -> None:
    store, run = tracking(custody), a_run()
    store.claim(run)
    store.record_upload(run, DESTINATIONS[0], facts(), "upload-1")
    records = custody.record(Workflow.REPLICATION)
    assert len(records) == 2
    assert custody.items() == []


def test_consignments(custody: CustodyOnMoto) -> None:
    store = ConsignmentsTable(custody.dynamodb, table("ConsignmentsTable"))
    consignment = Consignment(
        consignment_id="c-1",
        type=next(iter(ConsignmentType)),
        reference="R",
        transferring_body="Body",
        user_id="alice/é",
        announced=1,
        status=ConsignmentStatus.REGISTERED,
        created_at="2026-11-29T09:00:00.000Z",
    )
    store.create(consignment)
    store.add_files("c-1", [RegisteredFile("f-1", "a/b.txt", 3, ABC)])
    custody.record(Workflow.CONSIGNMENTS)
    claimed = store.claim("c-1", ConsignmentRun("run-1", "arn:run-1", "2026-11-29T10:00:00.000Z"))
    verdicts = [
        ("FFID", "Success"),
        ("Antivirus", "Success"),
        ("ChecksumMatch", "Mismatch"),
        ("ServerChecksum", "Success"),
        ("ClientFilePath", "Success"),
        ("ClientChecks", "Success"),
    ]
    results = {
        "accepted": True,
        "checksum": ABC,
        "versionId": "v1",
        "objectSize": 3,
        "copiedTo": "clean",
        "copy": {"eTag": "etag", "versionId": "v2", "sha256": ABC},
        "removed": {"place": "quarantine", "versionId": "m1"},
        "antivirus": {"software": "yara-x", "softwareVersion": "1.23.0", "databaseVersion": "r1", "datetime": 1},
        "fileFormat": {"software": "siegfried", "matches": [{"puid": "x-fmt/111"}, {"puid": None}]},
        "verdicts": [{"statusName": name, "value": value, "rule": "r"} for name, value in verdicts],
    }
    store.write_files(claimed, [{"fileId": "f-1", "statuses": dict(verdicts), "results": results}])  # type: ignore[typeddict-item]
    custody.record(Workflow.CONSIGNMENTS)
    events = history(ByConsignment("c-1", "f-1"))
    assert sorted(told(events)) == sorted(
        [
            ("ingestion start", "success"),
            ("format identification", "success"),
            ("virus check", "success"),
            ("fixity check", "failure"),
            ("message digest calculation", "success"),
            ("validation", "success"),
            ("deletion", "success"),
            ("accession", "success"),
        ]
    )
    assert events[0].said["at"] == "2026-11-29T09:00:00.000Z"
    assert {event.said["at"] for event in events[1:]} == {"2026-11-29T10:00:00.000Z"}
    upload = Place("ConsignmentUploadBucket", upload_prefix("alice/é", "c-1") + "f-1")
    assert {event.states[0].place for event in events} == {upload}
    assert history(ByPlace(Place("ConsignmentCleanBucket", "c-1/f-1"))) == events
    copies = {event.said["type"]: event.states[1] for event in events if event.states[1:]}
    clean, gone = copies["accession"], copies["deletion"]
    assert (clean.place, clean.version_id, clean.sha256) == (Place("ConsignmentCleanBucket", "c-1/f-1"), "v2", ABC)
    assert (gone.place, gone.version_id) == (Place("ConsignmentQuarantineBucket", "c-1/f-1"), "m1")
    identified = next(event for event in events if event.said["type"] == "format identification")
    assert identified.said["detail"]["puids"] == ["x-fmt/111"]  # type: ignore[index, call-overload]
    waiver: StoredWaiver = {
        "statusName": "ChecksumMatch",
        "value": "Mismatch",
        "reason": "because carol says so",
        "by": "carol",
        "at": "2026-11-29T11:00:00.000Z",
        "checksum": ABC,
    }
    row = store.file_row(claimed.consignment_id, "f-1")
    assert row is not None
    store.add_waiver(claimed.consignment_id, row, waiver)
    custody.record(Workflow.CONSIGNMENTS)
    events = history(ByConsignment("c-1", "f-1"))
    assert told(events[-1:]) == [("policy assignment", "success")]
    assert len(events) == 9
    sealed = json.dumps([event.event.leaf.sealed for event in events])
    assert not [name for name in ("alice", "carol", "because") if name in sealed]


def test_verifications(custody: CustodyOnMoto) -> None:
    store = VerificationTable(custody.dynamodb, table("FileCopyTrackingTable"), history_days=9, now=lambda: NOW)
    for number, check in enumerate(
        (
            {"result": VerificationResult.EQUAL, "way": VerificationWay.DEEP, "sha256": ABC, "size": 3},
            {"result": VerificationResult.DIFFERS, "difference": "content"},
            {"result": VerificationResult.NOT_PROVEN},
            {"result": VerificationResult.MISSING},
        )
    ):
        at = f"2026-11-29T1{number}:00:00.000Z"
        found = VerificationCheck(key=KEY, destination_bucket=DESTINATIONS[0], at=at, **check)
        store.record_check(SOURCE, f"verification-{number}", found)
        custody.record(Workflow.REPLICATION)
    events = history(ByPlace(Place(SOURCE, KEY)))
    assert told(events) == [("fixity check", "success"), ("fixity check", "failure"), ("fixity check", "failure")]
    assert [event.said["detail"]["result"] for event in events] == ["EQUAL", "DIFFERS", "MISSING"]  # type: ignore[index, call-overload]
    assert events == history(ByPlace(Place(DESTINATIONS[0], KEY)))


def test_minting(custody: CustodyOnMoto) -> None:
    registry = IdentifiersTable(custody.dynamodb, table("IdentifiersTable"))
    source = SourceId("Work", "sierra", "b1161044-secret")
    registry.assign([Proposal(source, "kx7dn2ph")], token="t", at="2026-11-29T09:00:00.000000Z", job_id="job-1")
    lives = LifecycleTable(custody.dynamodb, table("IdentifiersTable"))
    lives.record(
        LifeEvent("kx7dn2ph", 1, LifeStatus.WITHDRAWN, "a reason", "2026-11-29T10:00:00.000000Z", by="bob"), []
    )
    documents = DocumentsTable(custody.dynamodb, table("IdentifiersTable"))
    written = StoredDocument("kx7dn2ph", "documents", "downstream/kx7dn2ph.json", ABC, 3, "v1")
    documents.record(written, "2026-11-29T09:00:01.000Z", "job-1")
    custody.record(Workflow.MINTING)
    # Written anew, it is another event; told again, it is the same.
    documents.record(replace(written, version_id="v2"), "2026-11-29T09:00:02.000Z", None)
    records = custody.record(Workflow.MINTING)
    custody.call("record_events", {"Records": records})
    stored = history(ByPlace(Place("documents", "downstream/kx7dn2ph.json")))
    assert told(stored) == [("creation", "success")] * 2
    assert [(event.states[0].version_id, event.states[0].sha256) for event in stored] == [("v1", ABC), ("v2", ABC)]
    assert custody.refused() == []
    events = history(ByIdentifier("kx7dn2ph"))
    assert told(events) == [("identifier assignment", "success"), ("metadata modification", "success")]
    assert "secret" not in json.dumps(custody.items(), default=str)
    assert "a reason" not in json.dumps(custody.items(), default=str)


@pytest.mark.parametrize(
    ("status", "types"),
    [
        (ObjectStatus.SCANNED, [("forensic feature analysis", "success")]),
        (ObjectStatus.PARTIAL, [("forensic feature analysis", "warning")]),
        (ObjectStatus.SKIPPED, []),
    ],
)
def test_scanning(custody: CustodyOnMoto, status: ObjectStatus, types: list[tuple[str, str]]) -> None:
    items = ItemTable(custody.dynamodb, table("ScansTable"), now=lambda: NOW)
    job = Job(
        "job-1", ScanRequest(bucket="town-hall"), Status.LISTING, "2026-11-29T09:00:00.000Z", "2026-11-29T09:00:00.000Z"
    )
    JobTable(items).create(job)
    OutcomeTable(items).record("job-1", [ObjectOutcome("a/b.csv", "etag", 9, status, counts={"EMAIL": 7})])
    custody.record(Workflow.SCANNING)
    found = [item for item in custody.items() if "sealed" in item]
    assert len(found) == len(types)
    if types:
        assert told(history(ByPlace(Place("town-hall", "a/b.csv")))) == types
        assert "EMAIL" not in json.dumps(found, default=str)


def test_subject_access(custody: CustodyOnMoto) -> None:
    store = SubjectAccessTable(custody.dynamodb, table("SubjectAccessTable"), now=lambda: NOW)
    day = "AUDIT#2026-11-29"
    store.record(day, Action("alice", "REFUSED", {"status": 403}))
    store.record(day, Action("alice", "REFUSED", {"status": 409}))
    custody.record(Workflow.SUBJECT_ACCESS)
    entries = {item["pk"]: item for item in custody.items() if item["pk"].startswith("T#")}
    assert list(entries) == [f"T#{day}"]
    assert len([item for item in custody.items() if item["pk"] == f"T#{day}"]) == 2
    assert "alice" not in json.dumps(custody.items(), default=str)


def test_reports_of_subject_access(custody: CustodyOnMoto) -> None:
    stored = {"number": 4, "at": "2026-11-29T10:00:00.000Z", "actor": "worker", "action": "REPORT_STORED"}
    more = {"hash": "a" * 64, "previous": "", "detail": {"generation": 2, "sha256": ABC, "bytes": 3}}
    item = {"pk": "SAR#request-1", "sk": "AUD#00000004", **stored, **more}
    custody.dynamodb.put_item(TableName=table("SubjectAccessTable"), Item=typed(item))
    custody.record(Workflow.SUBJECT_ACCESS)
    place = Place("SubjectAccessReportsBucket", report_key("request-1", 2, ABC))
    assert told(history(ByPlace(place))) == [("creation", "success")]


@pytest.mark.parametrize(("what", "key_of"), [("subject", copy_key), ("package", package_key)])
def test_what_goes_with_a_report_is_a_file_of_its_own(custody: CustodyOnMoto, what: What, key_of: Any) -> None:
    """The person's copy and the package: stored with their report, and given out each by itself."""
    name, bucket = table("SubjectAccessTable"), "reports"
    custody.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    store, reports = (
        SubjectAccessTable(custody.dynamodb, name, now=lambda: NOW),
        ReportsBucket(custody.s3, bucket, custody.s3),
    )
    files = {}
    for each, made in {"staff": report_key, "subject": copy_key, "package": package_key}.items():
        digest = hashlib.sha256(each.encode()).hexdigest()
        files[each] = StoredReport(made("request-1", 2, digest), len(each), digest, 1)
        custody.s3.put_object(Bucket=bucket, Key=files[each].key, Body=each.encode())
    store.create(a_request(state=RequestState.IN_PROGRESS, claim_token="t", generation=2), [], CREATED)
    alerts = OnceAlerts(custody.dynamodb, name, Told(), now=lambda: NOW)
    report = replace(files["staff"], copy=files["subject"], package=files["package"])
    Fulfilment(store, reports, alerts, lambda: NOW).save_report(
        Claim(request_id="request-1", claim_token="t", generation=2), report
    )
    completed = Change(
        replace(store.request("request-1") or a_request(), state=RequestState.COMPLETED),
        Action("worker", "COMPLETED", {}),
    )
    store.change("request-1", lambda _: completed)
    download(store, reports, "request-1", "alice", NOW, "application/json", what)
    custody.record(Workflow.SUBJECT_ACCESS)
    events = history(ByPlace(Place("SubjectAccessReportsBucket", files[what].key)))
    assert sorted(told(events)) == [("creation", "success"), ("dissemination", "success")]
    assert {(event.states[0].sha256, event.states[0].size) for event in events} == {(files[what].sha256, len(what))}
    assert told(history(ByPlace(Place("SubjectAccessReportsBucket", files["staff"].key)))) == [("creation", "success")]
    assert custody.refused() == []


def test_reports_that_are_downloaded_and_removed(custody: CustodyOnMoto) -> None:
    """Disseminated and deleted, in the terms of PREMIS' event types; one event each, however often it is told."""
    name, bucket = table("SubjectAccessTable"), "reports"
    custody.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = report_key("request-1", 2, ABC)
    etag = custody.s3.put_object(Bucket=bucket, Key=key, Body=b"abc")["ETag"]
    store = SubjectAccessTable(custody.dynamodb, name, now=lambda: NOW)
    file = {"report_key": key, "report_sha256": ABC, "report_bytes": 3, "report_etag": etag, "pages": 1}
    ended = {"law_ended_at": NOW - timedelta(days=9), "ended_at": NOW - timedelta(days=9)}
    store.create(a_request(state=RequestState.DELIVERED, **file, **ended), [], CREATED)
    reports = ReportsBucket(custody.s3, bucket, custody.s3)
    download(store, reports, "request-1", "alice", NOW, "application/json")
    ages = Ages(timedelta(days=7), timedelta(days=365))
    Lifecycle(store, SubjectAccessLists(custody.dynamodb, name), reports, ages, lambda: NOW).archive()
    records = custody.record(Workflow.SUBJECT_ACCESS)
    custody.call("record_events", {"Records": records[::-1]})
    events = history(ByPlace(Place("SubjectAccessReportsBucket", key)))
    assert sorted(told(events)) == [("deletion", "success"), ("dissemination", "success")]
    assert {(event.states[0].sha256, event.states[0].size) for event in events} == {(ABC, 3)}
    [deleted] = [event for event in events if event.said["type"] == "deletion"]
    assert deleted.said["detail"] == {"objects": 1}
    assert custody.refused() == []


def test_one_record_that_nobody_understands_stops_nothing(custody: CustodyOnMoto) -> None:
    store, run = tracking(custody), a_run()
    store.record_destination(run, result(run, DESTINATIONS[0], bytes=3), facts())
    records = custody.stream(Workflow.REPLICATION)
    for value in ({"S": "soon"}, {"N": "-5"}):
        broken = json.loads(json.dumps(records[0]))
        broken["dynamodb"]["NewImage"]["bytes"] = value
        broken["dynamodb"]["NewImage"]["sourceBucket"] = {"S": f"{SOURCE}#dest#other"}
        records.insert(0, broken)
    assert custody.call("record_events", {"Records": records}) == {"batchItemFailures": []}
    assert told(history(ByPlace(Place(SOURCE, KEY)))) == [("replication", "success")]
    refused = [json.loads(body) for body in custody.refused()]
    assert [(one["table"], one["problem"]) for one in refused] == [("replication", "bytes is no number")] * 2
    assert all(set(one) == {"table", "key", "problem"} for one in refused)
