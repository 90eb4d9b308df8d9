"""A sample of a number of objects: exactly so many, the same ones every time, and all others accounted for."""

import pytest

from tests.fakes.probe import Crash
from tests.fakes.scanning import dies_after
from tests.functional.scanning.conftest import Scanner
from waybill.core.aws.dynamodb import to_item
from waybill.scanning.errors import ListingExpiredError

KEYS = [f"{folder}/{number:02}" for folder in ("in", "out") for number in range(40)]


@pytest.mark.parametrize(("objects", "scanned"), [(1, 1), (7, 7), (80, 80), (200, 80)])
def test_so_many_objects_are_scanned_and_the_rest_is_not_sampled(scanner: Scanner, objects: int, scanned: int) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, b"1")
    scanner.bucket.page_keys = 16
    report = scanner.run(sample={"objects": objects})
    coverage = scanner.jobs.coverage(report["job_id"])
    assert (report["status"], report["total"], report["succeeded"]) == ("completed", 80, scanned)
    assert report["skipped"] == 80 - scanned == coverage["reasons"].get("NOT_SAMPLED", {}).get("objects", 0)
    assert coverage["bytes_scanned"] + (80 - scanned) == coverage["bytes_total"]
    assert scanner.bucket.gets == scanned


def test_the_sample_is_the_same_every_time_and_of_what_the_options_leave(scanner: Scanner) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, b"ssn 219-45-6789")
    first = scanner.run(sample={"objects": 9}, include=["in/*"])
    second = scanner.run(sample={"objects": 9}, include=["in/*"])
    keys = [{finding["key"] for finding in scanner.findings(report["job_id"])} for report in (first, second)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 9
    assert all(key.startswith("in/") for key in keys[0])
    reasons = scanner.jobs.coverage(first["job_id"])["reasons"]
    assert {reason: found["objects"] for reason, found in reasons.items()} == {"EXCLUDED": 40, "NOT_SAMPLED": 31}


def test_a_sample_whose_listing_is_not_stored_any_more_fails_and_says_so(scanner: Scanner) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, b"1")
    job = scanner.create(sample={"objects": 5})
    assert not scanner.lister_of(10, fan_out=1).process_batch(job.job_id).done
    scanner.client.delete_item(TableName="scans", Key=to_item({"pk": f"JOB#{job.job_id}#000", "sk": "PAGE#000000001"}))
    with pytest.raises(ListingExpiredError):
        scanner.list_all(job)
    assert scanner.queue.slices == []


@pytest.mark.parametrize(
    "effect", ["ranges.save_page", "ranges.advance", "queue.send", "ranges.advance_sample", "jobs.end_listing"]
)
@pytest.mark.parametrize("call", [1, 2])
def test_killed_after_any_effect_the_sample_is_the_same_and_counted_once(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str, call: int
) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, b"1")
    scanner.bucket.page_keys = 32
    job = scanner.create(sample={"objects": 20})
    dies_after(monkeypatch, *scanner.effect(effect), 1 if effect == "jobs.end_listing" else call)
    with pytest.raises(Crash):
        scanner.list_all(job)
    scanner.list_all(job)
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["succeeded"], report["skipped"]) == ("completed", 20, 60)
    assert scanner.bucket.gets == 20


def test_a_listing_that_is_cut_short_scans_a_sample_of_what_was_listed(scanner: Scanner) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, b"1")
    job = scanner.create(sample={"objects": 5})
    lister = scanner.lister_of(10, fan_out=1)
    assert not lister.process_batch(job.job_id).done
    lister.stop(job.job_id)
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["total"], report["succeeded"], report["skipped"], report["truncated"]) == (10, 5, 5, True)
