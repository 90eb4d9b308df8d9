"""The worker: what it reads, when, and what it says about what it does not."""

import gzip
from typing import Any

import pytest

from tests.fakes.scanning import AWKWARD_KEYS
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.errors import BucketUnavailableError

SSN = b"ssn 219-45-6789\n"


def test_a_fault_of_s3_leaves_the_slice_for_another_delivery(scanner: Scanner) -> None:
    scanner.bucket.objects = {"a": SSN, "b": SSN}
    job = scanner.create()
    scanner.list_all(job)

    def fault(key: str) -> None:
        if key == "b":
            raise BucketUnavailableError("SlowDown")

    scanner.bucket.on_open = fault
    [work] = scanner.queue.slices
    with pytest.raises(BucketUnavailableError):
        scanner.worker.work(work)
    assert scanner.jobs.report(job.job_id)["succeeded"] == 1
    scanner.bucket.on_open = lambda key: None
    scanner.worker.work(work)
    assert scanner.jobs.report(job.job_id)["status"] == "completed"
    assert scanner.bucket.gets == 3


def test_every_key_that_s3_allows_is_scanned_under_its_own_name(scanner: Scanner) -> None:
    scanner.bucket.objects = {key: b"" if key.endswith("/") else SSN for key in AWKWARD_KEYS}
    report = scanner.run()
    assert (report["status"], report["succeeded"]) == ("completed", len(AWKWARD_KEYS))
    assert {finding["key"] for finding in scanner.findings(report["job_id"])} == set(AWKWARD_KEYS) - {"folder/"}


def test_an_object_that_changes_is_scanned_as_it_is_and_one_that_vanishes_is_gone(scanner: Scanner) -> None:
    scanner.bucket.objects = {"changes": SSN, "vanishes": SSN}
    job = scanner.create()
    scanner.list_all(job)
    scanner.bucket.objects = {"changes": b"two now: 219-45-6780 and 219-45-6781\n"}
    scanner.work_all()
    coverage = scanner.jobs.coverage(job.job_id)
    assert coverage["reasons"] == {"GONE": {"objects": 1, "bytes_not_scanned": len(SSN)}}
    assert [finding["byte_offset"] for finding in scanner.findings(job.job_id)] == [9, 25]


def test_coverage_names_every_reason_and_the_bytes_add_up(scanner: Scanner) -> None:
    small, large = SSN, b"x" * 100
    scanner.bucket.objects = {f"s{number}": small for number in range(10)}
    scanner.bucket.objects |= {f"l{number}": large for number in range(3)}
    scanner.bucket.objects |= {"g1": small, "g2": small, "denied": small}
    scanner.bucket.storage_classes = {"g1": "GLACIER", "g2": "DEEP_ARCHIVE"}
    scanner.bucket.refused = {"denied": "ACCESS_DENIED"}
    job_id = scanner.run(max_object_bytes=50)["job_id"]
    coverage = scanner.jobs.coverage(job_id)
    assert coverage["outcomes"] == {"FINDINGS": 10, "SKIPPED": 5, "FAILED": 1}
    assert {reason: found["objects"] for reason, found in coverage["reasons"].items()} == {
        "OVERSIZE": 3,
        "STORAGE_CLASS": 2,
        "ACCESS_DENIED": 1,
    }
    not_scanned = sum(found["bytes_not_scanned"] for found in coverage["reasons"].values())
    assert coverage["bytes_scanned"] + not_scanned == coverage["bytes_total"]
    assert scanner.jobs.report(job_id)["status"] == "completed_with_errors"


def test_a_second_scan_finds_the_same_with_no_reads_and_a_new_rule_reads_again(scanner: Scanner) -> None:
    scanner.bucket.objects = {"a": SSN, "b": b"clean", "c.png": b"\x89PNG\r\n\x1a\n" + bytes(50)}
    first = scanner.run()
    gets = scanner.bucket.gets
    second = scanner.run()
    assert scanner.bucket.gets == gets

    def same(job_id: str) -> list[dict[str, Any]]:
        own = {"job_id", "created_at"}
        return [
            {name: value for name, value in finding.items() if name not in own} for finding in scanner.findings(job_id)
        ]

    assert same(second["job_id"]) == same(first["job_id"])
    assert (second["succeeded"], second["skipped"], second["total_findings"]) == (2, 1, 1)
    assert scanner.jobs.coverage(second["job_id"])["from_cache"] == 3
    scanner.rules = "rules-2"
    scanner.run()
    assert scanner.bucket.gets == 2 * gets


def test_coverage_says_how_many_objects_have_more_findings_than_are_stored(scanner: Scanner) -> None:
    scanner.bucket.objects = {"few": SSN, "many": SSN * 1001}
    for _ in range(2):  # the second from the cache
        report = scanner.run()
        assert (report["total_findings"], len(scanner.findings(report["job_id"]))) == (1002, 1000)
        assert scanner.jobs.coverage(report["job_id"])["truncated_findings"] == 1


def test_a_large_object_is_finished_over_several_messages(scanner: Scanner) -> None:
    scanner.bucket.objects = {"large.log": "".join(f"line {number} é 219-45-6789\n" for number in range(9000)).encode()}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 10
    messages = 0
    while scanner.queue.slices:
        messages += 1
        scanner.worker.work(scanner.queue.slices.pop(0))
    report = scanner.jobs.report(job.job_id)
    assert messages > 5
    assert (report["status"], report["total_findings"]) == ("completed", 9000)
    assert scanner.jobs.coverage(job.job_id)["bytes_scanned"] == len(scanner.bucket.objects["large.log"])
    lines = [finding["line"] for finding in scanner.findings(job.job_id)]
    assert lines == list(range(1, 1001))


@pytest.mark.parametrize("seconds", [0, 1, 10])
def test_every_message_leaves_less_work_than_it_was(scanner: Scanner, seconds: float) -> None:
    """Lambda lets this function feed itself (`RecursiveLoop: Allow`), so nothing but the work ends the loop."""
    large = b"".join([SSN, b"x" * 120, b"\n"] * 2000)
    scanner.bucket.objects = {f"k{number}": SSN for number in range(4)} | {"large.log": large}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = seconds
    left, looked_at = bytes_left(scanner), 0
    while scanner.queue.slices:
        scanner.worker.work(scanner.queue.slices.pop(0))
        before, left, looked_at = left, bytes_left(scanner), looked_at + 1
        assert left < before
    assert looked_at > 1
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def bytes_left(scanner: Scanner) -> int:
    """What the messages of the queue are about, without what earlier ones have looked at."""
    return sum(
        sum(entry.size for entry in work.entries) - (work.resume["checkpoint"]["offset"] if work.resume else 0)
        for work in scanner.queue.slices
    )


def test_what_there_is_no_time_for_goes_into_another_message(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number}": SSN for number in range(5)}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 1
    scanner.worker.work(scanner.queue.slices.pop())
    assert [len(work.entries) for work in scanner.queue.slices] == [4]
    scanner.work_all()
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_a_large_object_that_is_replaced_in_between_is_read_from_its_start_again(scanner: Scanner) -> None:
    scanner.bucket.objects = {"large.log": b"".join([SSN, b"x" * 120, b"\n"] * 700)}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 10
    scanner.worker.work(scanner.queue.slices.pop())
    scanner.bucket.objects["large.log"] = b"from 219-45-6780 on\n"
    scanner.work_all()
    assert [finding["byte_offset"] for finding in scanner.findings(job.job_id)] == [5]
    assert scanner.jobs.report(job.job_id)["total_findings"] == 1


def test_an_archive_gets_a_whole_run_before_it_is_given_up_on(scanner: Scanner) -> None:
    packed = gzip.compress(SSN * 30_000)
    scanner.bucket.objects = {"a.txt": SSN, "b.gz": packed}
    job = scanner.create()
    scanner.list_all(job)

    def late(key: str) -> None:
        scanner.seconds = 40 if key == "a.txt" else 20

    scanner.bucket.on_open = late
    [work] = scanner.queue.slices
    scanner.queue.slices.clear()
    scanner.worker.work(work)
    [again] = scanner.queue.slices
    assert ([entry.key for entry in again.entries], again.rest, again.resume) == (["b.gz"], True, None)
    assert scanner.jobs.report(job.job_id)["total_findings"] == 1
    scanner.bucket.on_open = lambda key: None
    scanner.seconds = 900
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["total_findings"]) == ("completed", 30_001)


def test_an_archive_that_takes_longer_than_a_run_is_scanned_in_part(scanner: Scanner) -> None:
    scanner.bucket.objects = {"b.gz": gzip.compress(SSN * 30_000)}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 20
    scanner.work_all()
    coverage = scanner.jobs.coverage(job.job_id)
    assert (coverage["outcomes"], list(coverage["reasons"])) == ({"PARTIAL": 1}, ["TIME_LIMIT"])
