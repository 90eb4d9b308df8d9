"""Jobs that nobody works on any more are taken up: their listing, their end, the notification of it."""

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.scanning.models import Job

SSN = b"ssn 219-45-6789\n"


@pytest.fixture
def twelve(scanner: Scanner) -> Scanner:
    scanner.bucket.objects = {f"k{number:02}": SSN for number in range(12)}
    return scanner


def listed_and_scanned(scanner: Scanner, job: Job) -> None:
    scanner.list_all(job)
    scanner.work_all()


def test_a_listing_that_nobody_goes_on_with_is_started_again_once(twelve: Scanner) -> None:
    job = twelve.create()
    assert twelve.sweep() == [job.job_id]
    [(arn, state)] = twelve.executions.inputs.items()
    assert state["job_id"] == job.job_id
    assert twelve.sweep() == []
    twelve.executions.end(arn, "ABORTED")
    assert twelve.sweep() == [job.job_id]
    assert len(twelve.executions.inputs) == 2
    listed_and_scanned(twelve, job)
    assert twelve.jobs.report(job.job_id)["status"] == "completed"


def test_a_page_that_was_stored_and_not_sent_is_sent_by_the_listing_that_is_started_again(
    twelve: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = twelve.create()
    with monkeypatch.context() as patch:
        patch.setattr(twelve.queue, "send", lambda slices: (_ for _ in ()).throw(TimeoutError))
        with pytest.raises(TimeoutError):
            twelve.list_all(job)
    assert twelve.queue.slices == []
    assert twelve.sweep() == [job.job_id]
    listed_and_scanned(twelve, job)
    assert twelve.jobs.report(job.job_id)["succeeded"] == 12


def test_a_job_whose_last_worker_died_before_it_ended_it_is_ended(twelve: Scanner) -> None:
    job = twelve.create()
    twelve.list_all(job)
    [work] = twelve.queue.slices
    worker = twelve.worker
    object.__setattr__(worker, "completion", type("Dead", (), {"finish_if_done": lambda self, job_id: None})())
    worker.work(work)
    assert twelve.jobs.report(job.job_id)["status"] == "processing"
    assert twelve.sweep() == [job.job_id]
    assert twelve.jobs.find(job.job_id).status == "completed"
    assert twelve.announcer.told == [(job.job_id, "completed")]


def test_an_end_that_nobody_was_told_of_is_told(twelve: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = twelve.create()
    with monkeypatch.context() as patch:
        patch.setattr(twelve.announcer, "announce", lambda *_: (_ for _ in ()).throw(TimeoutError))
        with pytest.raises(TimeoutError):
            listed_and_scanned(twelve, job)
    assert twelve.announcer.told == []
    assert twelve.sweep() == [job.job_id]
    assert twelve.announcer.told == [(job.job_id, "completed")]
    assert twelve.sweep() == []


def test_jobs_that_have_changed_lately_are_left_alone(twelve: Scanner) -> None:
    twelve.create()
    assert twelve.sweep(minutes=10) == []
    assert twelve.executions.inputs == {}
