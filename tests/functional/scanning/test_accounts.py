"""Listing and accounting: every key delivered, counted once, whatever is repeated or dies."""

from collections import Counter
from typing import Any

import pytest

from tests.fakes.probe import Crash
from tests.fakes.scanning import dies_after
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.errors import QueueUnavailableError
from waybill.scanning.models import Status

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


@pytest.mark.parametrize("effect", ["ranges.save_page", "queue.send", "ranges.advance", "jobs.end_listing"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_lister_killed_after_any_effect_loses_and_doubles_nothing(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str, page: int
) -> None:
    scanner.bucket.objects = {f"k{number:03}": SSN for number in range(25)}
    scanner.bucket.page_keys = 10
    job = scanner.create()
    dies_after(monkeypatch, *scanner.effect(effect), 1 if effect == "jobs.end_listing" else page)
    with pytest.raises(Crash):
        scanner.list_all(job)
    # The bucket has changed when the retry comes.
    del scanner.bucket.objects["k000"], scanner.bucket.objects["k012"]
    scanner.list_all(job)
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert report["status"] == "completed"
    assert report["succeeded"] + report["skipped"] + report["failed"] == report["total"]
    assert report["total_findings"] == report["succeeded"]


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


def test_a_listing_whose_messages_are_refused_stops_before_the_page_and_goes_on_later(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {f"k{number:02}": b"" for number in range(30)}
    scanner.bucket.page_keys = 10
    job = scanner.create()
    send, calls = scanner.queue.send, 0

    def refuse(works: Any) -> int:
        nonlocal calls
        calls += 1
        if calls in {2, 3}:
            raise QueueUnavailableError("refused")
        return send(works)

    monkeypatch.setattr(scanner.queue, "send", refuse)
    for _ in range(2):
        with pytest.raises(QueueUnavailableError):
            scanner.list_all(job)
        assert scanner.table.ranges.all(job.job_id)[0].total == 10
    scanner.list_all(job)
    assert scanner.jobs.find(job.job_id).total == 30
    sent = Counter(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert sent == Counter(list(scanner.bucket.objects))
