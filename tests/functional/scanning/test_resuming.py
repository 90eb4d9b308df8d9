"""A job that has failed goes on where it was: nothing is lost, listed, scanned or told twice."""

from collections import Counter
from typing import Any

import pytest

from tests.fakes.probe import Crash
from tests.fakes.scanning import dies_after
from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import ConflictError, NotFoundError
from waybill.scanning.errors import BucketDeniedError, QueueUnavailableError
from waybill.scanning.models import Job, Status

SSN = b"ssn 219-45-6789\n"
KEYS = [f"k{number:02}" for number in range(60)]


def failed(scanner: Scanner, **options: Any) -> Job:
    """Return a job whose listing has failed behind its first page, and whose executions have ended."""
    scanner.bucket.objects = dict.fromkeys(KEYS, SSN)
    scanner.bucket.page_keys = 20
    job = scanner.create(**options)

    def refuse() -> None:
        if scanner.bucket.lists > 1:
            raise BucketDeniedError("archive may not be listed")

    scanner.bucket.on_page = refuse
    with pytest.raises(BucketDeniedError):
        scanner.list_all(job)
    scanner.bucket.on_page = lambda: None
    scanner.completion.end(job.job_id, Status.FAILED, "BucketDeniedError")
    return job


def assert_all_is_scanned_once(scanner: Scanner, job: Job) -> None:
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["total"], report["succeeded"]) == ("completed", 60, 60)
    assert (report["total_findings"], report["progress_percent"], "error" in report) == (60, 100.0, False)
    assert scanner.bucket.gets == 60


def test_a_failed_job_goes_on_from_its_checkpoint_and_ends_once_more(scanner: Scanner) -> None:
    job = failed(scanner)
    assert scanner.jobs.report(job.job_id)["error"] == "BucketDeniedError"
    resumed = scanner.jobs.resume(job.job_id, scanner.restarter)
    assert (resumed.status, resumed.event_id) == (Status.LISTING, f"{job.job_id}-ended-1")
    assert [state.get("range", 0) for state in scanner.executions.inputs.values()] == [0]
    scanner.list_all(job)
    scanner.work_all()
    assert_all_is_scanned_once(scanner, job)
    assert scanner.bucket.lists == 4
    assert scanner.announcer.told == [(job.job_id, "failed"), (job.job_id, "completed")]


def test_what_was_listed_is_scanned_while_the_job_is_failed(scanner: Scanner) -> None:
    job = failed(scanner)
    assert scanner.jobs.report(job.job_id)["queued"] == 20
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["succeeded"], report["queued"]) == ("failed", 20, 0)
    scanner.jobs.resume(job.job_id, scanner.restarter)
    scanner.list_all(job)
    scanner.work_all()
    assert_all_is_scanned_once(scanner, job)


def test_slices_that_were_given_up_on_while_the_job_is_failed_let_it_end_with_errors(scanner: Scanner) -> None:
    job = failed(scanner)
    scanner.failed_slices.fail(scanner.queue.slices.pop(), "WORKER_FAILED")
    scanner.jobs.resume(job.job_id, scanner.restarter)
    scanner.list_all(job)
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["failed"], report["succeeded"]) == ("completed_with_errors", 20, 40)


def test_a_job_whose_messages_were_all_refused_is_resumed_with_nothing_lost(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, SSN)
    job = scanner.create()
    with monkeypatch.context() as patched:
        patched.setattr(scanner.queue, "send", lambda _: (_ for _ in ()).throw(QueueUnavailableError("refused")))
        with pytest.raises(QueueUnavailableError):
            scanner.list_all(job)
    scanner.completion.end(job.job_id, Status.FAILED, "QueueUnavailableError")
    scanner.bucket.objects["k99"] = SSN  # the page is stored: what comes later is not in it
    scanner.jobs.resume(job.job_id, scanner.restarter)
    scanner.list_all(job)
    sent = Counter(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert sent == Counter(KEYS)
    scanner.work_all()
    assert_all_is_scanned_once(scanner, job)


@pytest.mark.parametrize("effect", ["jobs.resume", "executions.start", "ranges.set_execution"])
def test_a_resumption_that_dies_after_any_effect_is_repeated_without_harm(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str
) -> None:
    job = failed(scanner)
    dies_after(monkeypatch, *scanner.effect(effect))
    with pytest.raises(Crash):
        scanner.jobs.resume(job.job_id, scanner.restarter)
    for _ in range(2):
        assert scanner.jobs.resume(job.job_id, scanner.restarter).resumed == 1
    assert len(scanner.executions.inputs) == 1
    scanner.list_all(job)
    scanner.work_all()
    assert_all_is_scanned_once(scanner, job)


def test_one_that_was_resumed_by_nobody_in_the_end_is_taken_up_by_the_sweeper(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = failed(scanner)
    with monkeypatch.context() as patched:
        dies_after(patched, scanner.table.jobs, "resume")
        with pytest.raises(Crash):
            scanner.jobs.resume(job.job_id, scanner.restarter)
    assert scanner.sweep() == [job.job_id]
    assert len(scanner.executions.inputs) == 1


def test_a_job_that_failed_when_all_was_listed_ends_at_once(scanner: Scanner) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, SSN)
    job = scanner.create()
    scanner.list_all(job)
    scanner.completion.end(job.job_id, Status.FAILED, "NotificationUnavailableError")
    scanner.work_all()
    assert scanner.jobs.report(job.job_id)["status"] == "failed"
    assert scanner.jobs.resume(job.job_id, scanner.restarter).status == Status.COMPLETED
    assert scanner.executions.inputs == {}
    assert_all_is_scanned_once(scanner, job)


def test_an_end_that_is_told_while_the_job_is_resumed_is_not_taken_for_the_last(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = dict.fromkeys(KEYS, SSN)
    job = scanner.create()
    with monkeypatch.context() as patched:
        patched.setattr(scanner.announcer, "announce", lambda *_: scanner.jobs.resume(job.job_id, scanner.restarter))
        scanner.completion.end(job.job_id, Status.FAILED, "QueueUnavailableError")
    assert [each.job_id for each in scanner.table.jobs.unannounced()] == [job.job_id]
    scanner.list_all(job)
    scanner.work_all()
    assert_all_is_scanned_once(scanner, job)
    assert scanner.announcer.told == [(job.job_id, "completed")]


def test_only_failed_jobs_are_resumed_and_those_at_work_left_alone(scanner: Scanner) -> None:
    listing = scanner.create()
    assert scanner.jobs.resume(listing.job_id, scanner.restarter).resumed == 0
    assert scanner.executions.inputs == {}
    scanner.jobs.cancel(listing.job_id)
    completed = scanner.run()
    for job_id, status in ((listing.job_id, "cancelled"), (completed["job_id"], "completed")):
        with pytest.raises(ConflictError, match=status):
            scanner.jobs.resume(job_id, scanner.restarter)
    with pytest.raises(NotFoundError):
        scanner.jobs.resume("unknown", scanner.restarter)
