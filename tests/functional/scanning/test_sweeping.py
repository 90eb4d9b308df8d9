"""Jobs that nobody works on: listings, ends and news are taken up again, each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.scanning.models import Status
from waybill.scanning.sweeping import Sweeper

LATER = timedelta(minutes=20)


def sweep(scanner: Scanner, after: timedelta = LATER) -> list[str]:
    moment = datetime.now(UTC) + after
    arn = "arn:aws:states:eu:1:stateMachine:scan"
    return Sweeper(scanner.store, scanner.completion, scanner.executions, arn, lambda: moment).sweep()


class Killed(Exception):
    """The function died."""


def test_a_page_that_was_stored_and_not_sent_is_sent_by_the_execution_that_the_sweeper_starts(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {f"k{number}": b"" for number in range(5)}
    job = scanner.create()
    monkeypatch.setattr(scanner.queue, "send", lambda _: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        scanner.list_all(job)
    monkeypatch.undo()
    assert sweep(scanner, timedelta(minutes=5)) == []
    assert sweep(scanner) == [job.job_id]
    [state] = scanner.executions.inputs.values()
    scanner.lister.process_batch(str(state["job_id"]), int(state.get("range", 0)))
    assert len(scanner.queue.slices) == 1
    assert scanner.jobs.find(job.job_id).listing_done


def test_only_ranges_that_nobody_lists_are_started_again_and_once(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(80)}
    job = scanner.create()
    scanner.lister_of(8).process_batch(job.job_id, 0, "arn:lists-0")
    pieces = scanner.splitter().split(job.job_id, 0)
    scanner.executions.inputs.clear()
    running = scanner.executions.start("arn:aws:states:eu:1:stateMachine:scan", "one", {}).execution_arn
    scanner.store.listing_by(job.job_id, pieces[0], running)
    while not scanner.lister_of(8).process_batch(job.job_id, pieces[1]).done:
        pass
    assert sweep(scanner) == [job.job_id]
    started = [state for arn, state in scanner.executions.inputs.items() if arn != running]
    assert {int(state.get("range", 0)) for state in started} == {0, *pieces[2:]}
    assert sweep(scanner) == []
    assert len(scanner.executions.inputs) == len(started) + 1


def test_a_listing_that_died_behind_its_last_page_is_ended(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = scanner.create()
    monkeypatch.setattr(scanner.store, "end_listing", lambda *_, **__: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        scanner.list_all(job)
    monkeypatch.undo()
    assert sweep(scanner) == [job.job_id]
    scanner.list_all(job)
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_an_end_that_nobody_was_told_of_is_told(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = scanner.create()
    announce = scanner.announcer.announce
    monkeypatch.setattr(scanner.announcer, "announce", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        scanner.list_all(job)
    monkeypatch.setattr(scanner.announcer, "announce", announce)
    assert sweep(scanner) == [job.job_id]
    assert sweep(scanner) == []
    assert scanner.announcer.told == [(job.job_id, Status.COMPLETED.value)]


def test_a_job_whose_last_worker_died_behind_its_outcome_is_ended(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {"k": b"1"}
    job = scanner.create()
    scanner.list_all(job)

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(type(scanner.completion), "finish_if_done", die)
    with pytest.raises(Killed):
        scanner.work_all()
    monkeypatch.undo()
    assert scanner.jobs.report(job.job_id)["status"] == "processing"
    assert sweep(scanner) == [job.job_id]
    assert scanner.jobs.report(job.job_id)["status"] == "completed"
