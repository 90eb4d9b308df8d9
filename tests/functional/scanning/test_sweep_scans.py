"""Jobs that nobody works on any more are taken up: their listing, their end, the news of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.scanning.models import Job
from waybill.scanning.sweeping import Sweeper

SSN = b"ssn 219-45-6789\n"


@dataclass
class Night:
    """The sweeper, some minutes after now."""

    scanner: Scanner
    minutes: int = 20
    _machine: str = field(default="arn:aws:states:eu-west-1:123456789012:stateMachine:scan")

    def sweep(self) -> list[str]:
        later = datetime.now(UTC) + timedelta(minutes=self.minutes)
        scanner = self.scanner
        return Sweeper(scanner.store, scanner.completion, scanner.executions, self._machine, lambda: later).sweep()


@pytest.fixture
def night(scanner: Scanner) -> Night:
    scanner.bucket.objects = {f"k{number:02}": SSN for number in range(12)}
    return Night(scanner)


def listed_and_scanned(scanner: Scanner, job: Job) -> None:
    scanner.list_all(job)
    scanner.work_all()


def test_a_listing_that_nobody_goes_on_with_is_started_again_once(scanner: Scanner, night: Night) -> None:
    job = scanner.create()
    assert night.sweep() == [job.job_id]
    [(arn, state)] = scanner.executions.inputs.items()
    assert state["job_id"] == job.job_id
    assert night.sweep() == []
    scanner.executions.end(arn, "ABORTED")
    assert night.sweep() == [job.job_id]
    assert len(scanner.executions.inputs) == 2
    listed_and_scanned(scanner, job)
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_a_page_that_was_stored_and_not_sent_is_sent_by_the_listing_that_is_started_again(
    scanner: Scanner, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = scanner.create()
    with monkeypatch.context() as patch:
        patch.setattr(scanner.queue, "send", lambda slices: (_ for _ in ()).throw(TimeoutError))
        with pytest.raises(TimeoutError):
            scanner.list_all(job)
    assert scanner.queue.slices == []
    assert night.sweep() == [job.job_id]
    listed_and_scanned(scanner, job)
    assert scanner.jobs.report(job.job_id)["succeeded"] == 12


def test_a_job_whose_last_worker_died_before_it_ended_it_is_ended(scanner: Scanner, night: Night) -> None:
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices
    worker = scanner.worker
    object.__setattr__(worker, "completion", type("Dead", (), {"finish_if_done": lambda self, job_id: None})())
    worker.work(work)
    assert scanner.jobs.report(job.job_id)["status"] == "processing"
    assert night.sweep() == [job.job_id]
    assert scanner.jobs.find(job.job_id).status == "completed"
    assert scanner.announcer.told == [(job.job_id, "completed")]


def test_an_end_that_nobody_was_told_of_is_told(
    scanner: Scanner, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = scanner.create()
    with monkeypatch.context() as patch:
        patch.setattr(scanner.announcer, "announce", lambda *_: (_ for _ in ()).throw(TimeoutError))
        with pytest.raises(TimeoutError):
            listed_and_scanned(scanner, job)
    assert scanner.announcer.told == []
    assert night.sweep() == [job.job_id]
    assert scanner.announcer.told == [(job.job_id, "completed")]
    assert night.sweep() == []


def test_jobs_that_have_changed_lately_are_left_alone(scanner: Scanner, night: Night) -> None:
    scanner.create()
    night.minutes = 10
    assert night.sweep() == []
    assert scanner.executions.inputs == {}
