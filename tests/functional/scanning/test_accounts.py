"""Listing and accounting: every key delivered, counted once, whatever is repeated or dies."""

import random
import threading
from collections import Counter
from typing import Any

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.scanning.errors import BucketUnavailableError
from waybill.scanning.failing import fail_slice
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Status

SSN = b"ssn 219-45-6789\n"


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000, 9999, 10_000, 10_001, 25_432])
def test_every_key_is_delivered_once_and_the_total_is_exact(scanner: Scanner, count: int) -> None:
    scanner.bucket.objects = {f"k{number:06}": b"" for number in range(count)}
    job = scanner.create()
    batches = scanner.list_all(job)
    delivered = Counter(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert delivered == Counter(list(scanner.bucket.objects))
    assert scanner.jobs.find(job.job_id).total == count == sum(batch.objects for batch in batches)
    assert scanner.bucket.lists == max(1, -(-count // 1000))
    assert [batch.done for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_an_empty_bucket_is_complete_and_a_listing_that_has_not_begun_is_not(scanner: Scanner) -> None:
    job = scanner.create()
    assert scanner.jobs.report(job.job_id)["status"] == "listing"
    scanner.list_all(job)
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["total"], report["progress_percent"]) == ("completed", 0, 100.0)


class Killed(Exception):
    """The function died."""


@pytest.mark.parametrize("effect", ["keep_page", "send", "advance", "end_listing"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_lister_killed_after_any_effect_loses_and_doubles_nothing(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str, page: int
) -> None:
    scanner.bucket.objects = {f"k{number:03}": SSN for number in range(25)}
    scanner.bucket.page_keys = 10
    job = scanner.create()
    owner: Any = scanner.queue if effect == "send" else scanner.store
    original, calls = getattr(owner, effect), 0

    def kill_after(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*args, **more)
        if calls == (1 if effect == "end_listing" else page):
            raise Killed
        return result

    monkeypatch.setattr(owner, effect, kill_after)
    with pytest.raises(Killed):
        scanner.list_all(job)
    # The bucket has changed when the retry comes.
    del scanner.bucket.objects["k000"], scanner.bucket.objects["k012"]
    scanner.list_all(job)
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert report["status"] == "completed"
    assert report["succeeded"] + report["skipped"] + report["failed"] == report["total"]
    assert report["total_findings"] == report["succeeded"]


@pytest.mark.parametrize("effect", ["keep_findings", "record", "end", "announced"])
def test_a_worker_killed_after_any_effect_loses_and_doubles_nothing(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str
) -> None:
    scanner.bucket.objects = {f"k{number}": SSN for number in range(4)}
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices
    original, killed = getattr(scanner.store, effect), False

    def kill_after(*args: Any, **more: Any) -> Any:
        nonlocal killed
        result = original(*args, **more)
        if not killed:
            killed = True
            raise Killed
        return result

    monkeypatch.setattr(scanner.store, effect, kill_after)
    with pytest.raises(Killed):
        scanner.worker.work(work)
    scanner.worker.work(work)
    scanner.completion.finish_if_done(job.job_id)
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["succeeded"], report["total_findings"]) == ("completed", 4, 4)
    assert len(scanner.findings(job.job_id)) == 4
    assert set(scanner.announcer.told) == {(job.job_id, "completed")}


def test_five_deliveries_two_of_them_at_once_count_once(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:02}": SSN * 3 for number in range(30)}
    job = scanner.create()
    scanner.list_all(job)
    works = list(scanner.queue.slices) * 3
    threads = [threading.Thread(target=lambda: [scanner.worker.work(work) for work in works]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["succeeded"], report["total_findings"], report["progress_percent"]) == (30, 90, 100.0)
    assert len(scanner.findings(job.job_id)) == 90
    assert scanner.announcer.told[0] == (job.job_id, "completed")


def test_the_counters_equal_a_recount(scanner: Scanner) -> None:
    chance = random.Random(3)
    statuses = list(ObjectStatus)
    job = scanner.create()
    outcomes = [
        ObjectOutcome(
            f"k{number}", "e", 10, chance.choice(statuses), chance.choice(["", "GONE"]), 7, {"IP": number % 3}
        )
        for number in range(120)
    ]
    threads = [
        threading.Thread(
            target=lambda part: [scanner.store.record(job.job_id, "archive", one, None) for one in part],
            args=(outcomes[start::16] + outcomes[start::8],),
        )
        for start in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = scanner.store.tally(job.job_id)
    assert tally.outcomes == Counter(one.status.value for one in outcomes)
    assert tally.findings == sum(sum(one.counts.values()) for one in outcomes)
    assert tally.reasons == Counter(one.reason for one in outcomes if one.reason)


def test_a_slice_that_was_given_up_on_ends_the_job_with_errors_and_progress_never_falls(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": SSN for number in range(150)}
    job = scanner.create()
    scanner.list_all(job)
    good, bad = scanner.queue.slices
    progress = []
    for step in (
        lambda: scanner.worker.work(good),
        lambda: fail_slice(bad, scanner.store, scanner.completion, "WORKER_FAILED"),
        lambda: scanner.worker.work(bad),
        lambda: fail_slice(good, scanner.store, scanner.completion, "WORKER_FAILED"),
    ):
        step()
        progress.append(scanner.jobs.report(job.job_id)["progress_percent"])
    report = scanner.jobs.report(job.job_id)
    assert (report["succeeded"], report["failed"], report["status"]) == (100, 50, "completed_with_errors")
    assert progress == sorted(progress)


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


AWKWARD = [
    "a b",
    "a+b",
    "a%2Fb",
    "new\nline",
    "😀.txt",
    "/leading",
    "./x",
    "../y",
    "folder/",
    "é" * 512,
    "~",
    "quote'\"",
]


def test_every_key_that_s3_allows_is_scanned_under_its_own_name(scanner: Scanner) -> None:
    scanner.bucket.objects = {key: b"" if key.endswith("/") else SSN for key in AWKWARD}
    report = scanner.run()
    assert (report["status"], report["succeeded"]) == ("completed", len(AWKWARD))
    assert {finding["key"] for finding in scanner.findings(report["job_id"])} == set(AWKWARD) - {"folder/"}


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


def test_what_there_is_no_time_for_goes_into_another_message(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number}": SSN for number in range(5)}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 1
    scanner.worker.work(scanner.queue.slices.pop())
    assert [len(work.entries) for work in scanner.queue.slices] == [4]
    scanner.work_all()
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_a_cancelled_job_reads_and_lists_nothing_more(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": SSN for number in range(60)}
    job = scanner.create()
    scanner.list_all(job)

    def cancel_at(key: str) -> None:
        if key == "k015":
            scanner.jobs.cancel(job.job_id)

    scanner.bucket.on_open = cancel_at
    scanner.work_all()
    assert scanner.bucket.gets < 30
    assert scanner.jobs.report(job.job_id)["status"] == "cancelled"
    assert scanner.lister.process_batch(job.job_id).done
    assert scanner.announcer.told == [(job.job_id, Status.CANCELLED.value)]


def test_options_choose_objects_and_detectors(scanner: Scanner) -> None:
    keys = [f"{folder}/{number}" for folder in ("in", "out") for number in range(50)]
    scanner.bucket.objects = dict.fromkeys(keys, SSN + b"a@corp.org\n")
    report = scanner.run(include=["in/*"], exclude=["*/7"], detectors=["EMAIL"])
    assert (report["succeeded"], report["skipped"], report["detectors"]) == (49, 51, {"EMAIL": 49})
    half = scanner.run(sample={"percent": 50})
    assert 25 < half["succeeded"] < 75
    assert scanner.run(sample={"percent": 50})["succeeded"] == half["succeeded"]
