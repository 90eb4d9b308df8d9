"""New objects are scanned as they come: each version once, whatever is told twice, late, out of order, or dies."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import WaybillError
from waybill.scanning.adapters.upload_table import UploadTable
from waybill.scanning.domain.uploads import WINDOW, NotedUploads, UploadedVersion, UploadNotes, UploadScans
from waybill.scanning.errors import ScanStoreUnavailableError
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry
from waybill.scanning.request_models import WindowRequest

BUCKET = "town-hall-exports"
SAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "events/scanning/note_uploads.json").read_text("utf-8")
)
WORKFLOW = "arn:aws:states:eu-west-2:111122223333:stateMachine:waybill-scanning"
SSN = b"ssn 219-45-6789\n"


@dataclass
class Uploading:
    scanner: Scanner
    moment: datetime = datetime(2026, 11, 12, 10, 1, tzinfo=UTC)
    notes: UploadNotes = field(init=False)
    scans: UploadScans = field(init=False)

    def __post_init__(self) -> None:
        table, executions = self.scanner.table, self.scanner.executions
        self.notes = UploadNotes(table.uploads, frozenset({BUCKET}), lambda: self.moment)
        self.scans = UploadScans(
            table.uploads,
            frozenset({BUCKET}),
            table.jobs,
            executions,
            WORKFLOW,
            lambda: self.moment,
            self.scanner.own.counting,
        )

    def note(self, key: str, version: str = "v1", sequencer: str = "01", bucket: str = BUCKET) -> bool:
        described = {"key": key, "size": 5, "etag": f"e-{version}", "version-id": version, "sequencer": sequencer}
        return self.notes.note(SAMPLE | {"detail": {"bucket": {"name": bucket}, "object": described}})

    def later(self, **passed: int) -> list[str]:
        self.moment += timedelta(**passed)
        return self.scans.start()

    def listed(self, job_id: str) -> list[Entry]:
        job = self.scanner.table.jobs.get(job_id)
        assert job is not None
        assert isinstance(job.request, WindowRequest)
        source, after, found = NotedUploads(self.scanner.table.uploads), "", list[Entry]()
        while True:
            entries, after, final = source.page(job.request, KeyRange(after), 7)
            found += entries
            if final:
                return found


@pytest.fixture
def uploading(scanner: Scanner) -> Uploading:
    return Uploading(scanner)


def test_the_sample_is_an_upload() -> None:
    upload = UploadedVersion.of(SAMPLE)
    assert upload is not None
    assert (upload.bucket, upload.key, upload.size) == (BUCKET, "2026/register.csv", 5)
    assert upload.etag == SAMPLE["detail"]["object"]["etag"]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.s3", "detail-type": "Object Created"},
        SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": []}},
        SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": {"key": "k", "size": "5"}}},
        SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": {"key": "", "size": 5}}},
        SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": {"key": "k" * 2000, "size": 5}}},
        SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": {"key": "k", "size": True}}},
        SAMPLE | {"detail-type": "Object Deleted"},
        SAMPLE | {"source": "somebody"},
    ],
)
def test_what_tells_of_no_upload_is_nothing_to_note(uploading: Uploading, event: dict[str, Any]) -> None:
    assert not uploading.notes.note(event)
    assert uploading.later(minutes=30) == []


def test_what_comes_in_a_few_minutes_is_one_job_that_lists_the_newest_of_each_key(uploading: Uploading) -> None:
    for number in range(40):
        assert uploading.note(f"k{number:02}")
    assert uploading.note("k03", "v3", "03")
    assert not uploading.note("k03", "v2", "02"), "an older one that comes later"
    assert uploading.later(minutes=1) == [], "the window is not over"
    [job_id] = uploading.later(minutes=9)
    listed = uploading.listed(job_id)
    assert sorted(entry.key for entry in listed) == [f"k{number:02}" for number in range(40)]
    assert next(entry.etag for entry in listed if entry.key == "k03") == "e-v3"
    assert uploading.later(minutes=30) == []


def test_a_version_that_is_told_of_again_is_scanned_once(uploading: Uploading) -> None:
    assert uploading.note("k")
    assert not uploading.note("k")
    [job_id] = uploading.later(minutes=20)
    assert not uploading.note("k"), "hours later too: EventBridge delivers at least once"
    assert uploading.later(minutes=20) == []
    assert len(uploading.listed(job_id)) == 1
    assert uploading.note("k", "v2", "02")
    [newer] = uploading.later(minutes=20)
    assert newer != job_id
    assert [entry.etag for entry in uploading.listed(newer)] == ["e-v2"]


def test_an_older_version_that_was_overtaken_is_not_noted_when_it_is_told_of_again(uploading: Uploading) -> None:
    """Amazon EventBridge user guide: events come at least once, and in any order."""
    assert uploading.note("k", "v2", "02")
    assert not uploading.note("k", "v1", "01")
    [job_id] = uploading.later(minutes=20)
    assert not uploading.note("k", "v1", "01")
    assert uploading.later(minutes=20) == []
    assert [entry.etag for entry in uploading.listed(job_id)] == ["e-v2"]


def test_an_older_version_whose_event_comes_first_in_a_later_window_is_not_listed(uploading: Uploading) -> None:
    """What stands under its key is the newer one, which has a job: an older one is no more to be read there."""
    assert uploading.note("k", "v2", "02")
    [job_id] = uploading.later(minutes=20)
    assert not uploading.note("k", "v1", "01")
    assert uploading.note("another", "v1", "01")
    [later] = uploading.later(minutes=20)
    assert [entry.key for entry in uploading.listed(later)] == ["another"]
    assert [entry.etag for entry in uploading.listed(job_id)] == ["e-v2"]


def test_without_versions_it_is_the_sequencer_that_tells_uploads_apart(uploading: Uploading) -> None:
    for _ in range(2):
        described = {"key": "k", "size": 5, "etag": "e", "sequencer": "01"}
        uploading.notes.note(SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": described}})
    described = {"key": "k", "size": 5, "etag": "e", "sequencer": "02"}
    assert uploading.notes.note(SAMPLE | {"detail": {"bucket": {"name": BUCKET}, "object": described}})


def test_an_upload_into_another_bucket_is_not_noted(uploading: Uploading) -> None:
    assert not uploading.note("k", bucket="another-bucket")
    assert uploading.later(minutes=30) == []


def test_a_note_that_died_before_it_was_written_is_written_by_the_next_try(
    uploading: Uploading, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(UploadTable, "note", lambda *_: (_ for _ in ()).throw(ScanStoreUnavailableError("test")))
        with pytest.raises(WaybillError):
            uploading.note("k")
    assert uploading.note("k")
    [job_id] = uploading.later(minutes=20)
    assert len(uploading.listed(job_id)) == 1


@pytest.mark.parametrize("dies_in", ["create", "start", "set_execution", "close"])
def test_a_sweep_that_dies_at_any_place_makes_one_job(
    uploading: Uploading, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    uploading.note("k")
    scanner = uploading.scanner
    owner: Any = {"start": scanner.executions, "close": scanner.table.uploads}.get(dies_in, scanner.table.jobs)
    with monkeypatch.context() as patch:
        patch.setattr(owner, dies_in, lambda *_: (_ for _ in ()).throw(ScanStoreUnavailableError("test")))
        with pytest.raises(WaybillError):
            uploading.later(minutes=20)
    [job_id] = uploading.later(minutes=1)
    assert len(scanner.executions.inputs) == 1
    assert uploading.later(minutes=1) == []
    assert uploading.listed(job_id)[0].key == "k"


def test_a_bucket_that_is_no_longer_scanned_so_makes_no_job(uploading: Uploading) -> None:
    uploading.note("k")
    uploading.moment += WINDOW * 3
    assert replace(uploading.scans, buckets=frozenset({"another-bucket"})).start() == []
    assert replace(uploading.scans, buckets=frozenset()).start() == []
    # Nothing of it waits any more, also when the bucket is chosen again.
    assert uploading.scanner.table.uploads.waiting("9999") == []
    assert uploading.scans.start() == []


def test_nothing_that_is_noted_stays_for_good(uploading: Uploading) -> None:
    """Time to live removes items by `expires`, whatever the buckets are by then."""
    uploading.note("k")
    items = uploading.scanner.table.uploads._items
    stored = list(items.table.scan())
    assert len(stored) == 3
    assert all(item["expires"] > uploading.moment.timestamp() for item in stored)


def test_a_job_of_uploads_is_scanned_to_its_end(uploading: Uploading, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = uploading.scanner
    scanner.bucket.objects = {f"k{number}": SSN for number in range(3)} | {"old": SSN}
    for number in range(3):
        uploading.note(f"k{number}")
    [job_id] = uploading.later(minutes=20)
    monkeypatch.setattr(Scanner, "source", lambda self, _: NotedUploads(self.table.uploads))
    job = scanner.jobs.find(job_id)
    scanner.list_all(job)
    scanner.work_all()
    report = scanner.jobs.report(job_id)
    assert (report["status"], report["total"], report["total_findings"]) == ("completed", 3, 3)


def test_a_window_is_over_when_nobody_can_note_anything_in_it_any_more(uploading: Uploading) -> None:
    uploading.moment = datetime(2026, 11, 12, 10, 4, 59, tzinfo=UTC)
    uploading.note("k")
    # A call that began at the end of the window ends within a minute.
    assert uploading.later(seconds=60) == []
    assert len(uploading.later(seconds=2)) == 1
    assert timedelta(minutes=1) < WINDOW
