"""Listings in ranges that nobody works on are taken up again, range by range, each once."""

import pytest

from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import NotificationUnavailableError
from waybill.scanning.models import Status


def test_only_ranges_that_nobody_lists_are_started_again_and_once(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(80)}
    job = scanner.create()
    scanner.lister_of(8).process_batch(job.job_id, 0, "arn:lists-0")
    pieces = scanner.splitter().split(job.job_id, 0)
    scanner.executions.inputs.clear()
    running = scanner.executions.start("arn:aws:states:eu:1:stateMachine:scan", "one", {}).execution_arn
    scanner.table.ranges.set_execution(job.job_id, pieces[0], running)
    while not scanner.lister_of(8).process_batch(job.job_id, pieces[1]).done:
        pass
    assert scanner.sweep() == [job.job_id]
    started = [state for arn, state in scanner.executions.inputs.items() if arn != running]
    assert {int(state.get("range", 0)) for state in started} == {0, *pieces[2:]}
    assert scanner.sweep() == []
    assert len(scanner.executions.inputs) == len(started) + 1


def test_a_listing_that_died_behind_its_last_page_is_ended(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = scanner.create()
    monkeypatch.setattr(scanner.table.jobs, "end_listing", lambda *_, **__: (_ for _ in ()).throw(Crash))
    with pytest.raises(Crash):
        scanner.list_all(job)
    monkeypatch.undo()
    assert scanner.sweep() == [job.job_id]
    scanner.list_all(job)
    assert scanner.jobs.report(job.job_id)["status"] == "completed"


def test_a_job_is_taken_up_however_many_came_after_it(scanner: Scanner) -> None:
    still = scanner.create()
    for _ in range(101):
        scanner.completion.end(scanner.create().job_id, Status.CANCELLED)
    assert scanner.sweep() == [still.job_id]


def test_the_news_of_an_end_that_died_is_told_by_the_sweeper_once(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = scanner.create()
    monkeypatch.setattr(scanner.table.jobs, "mark_announced", lambda *_: (_ for _ in ()).throw(Crash))
    with pytest.raises(Crash):
        scanner.list_all(job)
    monkeypatch.undo()
    assert scanner.sweep() == [job.job_id]
    assert scanner.sweep() == []
    assert scanner.announcer.told == [(job.job_id, "completed")] * 2


def test_the_successors_of_a_range_taken_up_have_names_that_earlier_ones_have_not(scanner: Scanner) -> None:
    scanner.create()
    scanner.sweep()
    [state] = scanner.executions.inputs.values()
    assert state["generation"] > 1_000_000


def test_a_job_whose_news_nobody_takes_keeps_no_other_waiting(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, untold = scanner.create(), scanner.create()
    scanner.table.jobs.end(untold.job_id, Status.FAILED)

    def refused(*_: object) -> None:
        raise NotificationUnavailableError("EventBridge refused the event")

    monkeypatch.setattr(scanner.announcer, "announce", refused)
    with pytest.raises(NotificationUnavailableError):
        scanner.sweep()
    assert [state["job_id"] for state in scanner.executions.inputs.values()] == [listed.job_id]
