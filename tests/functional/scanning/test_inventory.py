"""S3 Inventory as the source of a job: the latest versions alone, under their own names, from files that are whole."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import InvalidInputError, NotFoundError
from waybill.scanning.errors import InventoryBrokenError
from waybill.scanning.models import Entry

CURRENT = "Bucket, Key, Size, ETag, StorageClass"
VERSIONS = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag, StorageClass"
AWKWARD = ["a b", "a+b", "a%2Fb", "new\nline", "😀.txt", 'quo"te,', "é" * 100, "folder/"]


def rows(*values: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(values)
    return text.getvalue().encode()


def current(*keys: str) -> bytes:
    return rows(
        *(("archive", quote_plus(key), len(key), f"etag-{index}", "STANDARD") for index, key in enumerate(keys))
    )


def listed(scanner: Scanner, batch_keys: int = 10_000, **options: Any) -> list[Entry]:
    job = scanner.create(source="inventory", **options)
    batches = scanner.list_all(job, scanner.lister_of(batch_keys, fan_out=1))
    entries = [entry for work in scanner.queue.slices for entry in work.entries]
    assert scanner.jobs.find(job.job_id).total == len(entries) == sum(batch.objects for batch in batches)
    return entries


def test_the_latest_versions_are_listed_under_their_own_names(scanner: Scanner) -> None:
    old = [("archive", quote_plus(key), f"v{index}", "false", "false", 1, "old", "STANDARD") for index, key in
           enumerate(AWKWARD)]  # fmt: skip
    new = [("archive", quote_plus(key), "v9", "true", "false", 7, "new", "STANDARD") for key in AWKWARD]
    gone = [("archive", "deleted", "v9", "true", "true", "", "", ""), ("archive", "deleted", "v1", "false", "false", 3,
            "e", "STANDARD")]  # fmt: skip
    cold = [("archive", "cold", "v1", "true", "false", 5, "e", "GLACIER")]
    manifest = scanner.files.deliver(rows(*old, *new), rows(*gone, *cold), columns=VERSIONS)
    assert listed(scanner, manifest=manifest) == [
        *(Entry(key, 7, "new") for key in AWKWARD),
        Entry("cold", 5, "e", "GLACIER"),
    ]
    assert scanner.bucket.lists == 0


def test_the_prefix_is_that_of_the_decoded_key(scanner: Scanner) -> None:
    manifest = scanner.files.deliver(current("a b/1", "a b/2", "a+b/1", "c"), columns=CURRENT)
    assert [entry.key for entry in listed(scanner, manifest=manifest, prefix="a b/")] == ["a b/1", "a b/2"]


@pytest.mark.parametrize("batch_keys", [1, 7, 10, 1000])
def test_a_listing_goes_on_where_it_was_within_a_file_and_behind_it(scanner: Scanner, batch_keys: int) -> None:
    files = [[f"{file}-{number:02}" for number in range(count)] for file, count in enumerate((10, 0, 21, 1))]
    manifest = scanner.files.deliver(*(current(*keys) for keys in files), columns=CURRENT)
    assert [entry.key for entry in listed(scanner, batch_keys, manifest=manifest)] == [
        key for keys in files for key in keys
    ]


def test_an_empty_inventory_is_a_complete_job(scanner: Scanner) -> None:
    job = scanner.create(source="inventory", manifest=scanner.files.deliver(columns=CURRENT))
    scanner.list_all(job)
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_objects_that_are_gone_since_are_skipped_and_the_rest_is_scanned(scanner: Scanner) -> None:
    scanner.bucket.objects = {"here": b"ssn 219-45-6789\n"}
    manifest = scanner.files.deliver(current("here", "gone"), columns=CURRENT)
    report = scanner.run(source="inventory", manifest=manifest)
    assert (report["status"], report["succeeded"], report["skipped"]) == ("completed", 1, 1)
    assert scanner.jobs.coverage(report["job_id"])["reasons"]["GONE"]["objects"] == 1
    assert report["total_findings"] == 1


@pytest.mark.parametrize("given_up", [False, True])
@pytest.mark.parametrize("sample", [None, {"objects": 3}])
def test_an_object_that_an_inventory_tells_of_again_and_again_has_one_outcome_and_the_job_ends(
    scanner: Scanner, sample: dict[str, int] | None, given_up: bool
) -> None:
    scanner.bucket.objects = dict.fromkeys(("a", "b", "c", "d"), b"1")
    files = [current("a", "b", "a"), current("b", "c"), current("a", "b", "d")]
    manifest = scanner.files.deliver(*files, columns=CURRENT)
    job = scanner.create(source="inventory", manifest=manifest, sample=sample)
    scanner.list_all(job)
    for work in scanner.queue.slices * 2:
        if given_up:
            scanner.failed_slices.fail(work, "WORKER_FAILED")
        else:
            scanner.worker.work(work)
    report, coverage = scanner.jobs.report(job.job_id), scanner.jobs.coverage(job.job_id)
    objects = 3 if sample else 4
    assert (report["status"], report["total"]) == ("completed_with_errors" if given_up else "completed", 7)
    assert report["failed" if given_up else "succeeded"] == objects
    assert sum(found["objects"] for found in coverage["reasons"].values()) == (7 if given_up else 7 - objects)
    assert "DUPLICATE" in coverage["reasons"]
    not_scanned = sum(found["bytes_not_scanned"] for found in coverage["reasons"].values())
    assert coverage["bytes_scanned"] + not_scanned == coverage["bytes_total"] == 7


def test_two_workers_that_meet_a_row_twice_at_once_count_both_rows(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {"a": b"1", "b": b"2"}
    manifest = scanner.files.deliver(current("a"), current("a", "b"), columns=CURRENT)
    job = scanner.create(source="inventory", manifest=manifest)
    scanner.list_all(job)
    first, second = scanner.queue.slices

    def meanwhile(_: str) -> None:
        scanner.bucket.on_open = lambda key: None
        scanner.worker.work(second)

    scanner.bucket.on_open = meanwhile
    scanner.worker.work(first)
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["succeeded"], report["skipped"]) == ("completed", 2, 1)


def test_large_inventories_are_cut_between_files(scanner: Scanner) -> None:
    files = [[f"{file}-{number}" for number in range(5)] for file in range(12)]
    manifest = scanner.files.deliver(*(current(*keys) for keys in files), columns=CURRENT)
    job = scanner.create(source="inventory", manifest=manifest)
    assert scanner.lister_of(3).process_batch(job.job_id).split
    pieces = scanner.splitter().split(job.job_id, 0)
    assert len(pieces) == 7
    for number in [0, *pieces]:
        while not scanner.lister_of(3).process_batch(job.job_id, number).done:
            pass
    keys = sorted(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert keys == sorted(key for part in files for key in part)
    assert scanner.jobs.find(job.job_id).total == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sourceBucket": "other"}, "inventory of other"),
        ({"fileFormat": "ORC"}, "ORC"),
        ({"fileSchema": "Bucket, Key"}, "ETag, Size"),
        ({"files": None}, "not the manifest"),
    ],
)
def test_a_manifest_that_cannot_be_used_makes_no_job(scanner: Scanner, changes: dict[str, Any], message: str) -> None:
    manifest = scanner.files.deliver(current("a"), columns=CURRENT, **changes)
    with pytest.raises(InvalidInputError, match=message) as refused:
        scanner.create(source="inventory", manifest=manifest)
    assert refused.value.errors[0].field == "manifest"
    assert scanner.table.jobs.newest(10, None) == ([], None)


def test_a_manifest_that_is_missing_or_not_whole_makes_no_job(scanner: Scanner) -> None:
    manifest = scanner.files.deliver(current("a"), columns=CURRENT)
    key = manifest.removeprefix("s3://inventories/")
    with pytest.raises(NotFoundError):
        scanner.create(source="inventory", manifest=manifest.replace("2026", "2027"))
    scanner.files.objects[key] = json.dumps({"files": []}).encode()
    with pytest.raises(InvalidInputError, match="MD5"):
        scanner.create(source="inventory", manifest=manifest)
    assert scanner.table.jobs.newest(10, None) == ([], None)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(current("other")), gzip.compress(current("a"))[:-9], b"", current("a")],
    ids=["another file", "truncated", "empty", "not packed"],
)
def test_a_file_that_is_not_the_manifests_fails_the_listing(scanner: Scanner, content: bytes) -> None:
    job = scanner.create(source="inventory", manifest=scanner.files.deliver(current("a"), columns=CURRENT))
    [key] = [key for key in scanner.files.objects if key.endswith(".gz")]
    scanner.files.objects[key] = content
    with pytest.raises(InventoryBrokenError, match="MD5"):
        scanner.list_all(job)
    assert scanner.queue.slices == []


@pytest.mark.parametrize("content", [b"one column\n", b'"archive","a","no number","e","STANDARD"\n', b"\xff\xfe"])
def test_a_file_that_is_no_inventory_fails_the_listing(scanner: Scanner, content: bytes) -> None:
    job = scanner.create(source="inventory", manifest=scanner.files.deliver(content, columns=CURRENT))
    with pytest.raises(InventoryBrokenError, match="file 1"):
        scanner.list_all(job)
