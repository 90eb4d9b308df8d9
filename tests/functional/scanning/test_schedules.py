"""Schedules of scans: each time makes one job, however often the sweeper looks and wherever it dies."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import NotFoundError
from waybill.scanning.domain.schedules import DueScans, Planning
from waybill.scanning.errors import BucketNotFoundError
from waybill.scanning.models import ScheduleRequest

WORKFLOW = "arn:aws:states:eu:1:stateMachine:scan"
MONDAY = datetime(2026, 11, 2, 2, tzinfo=UTC)


def planning(scanner: Scanner) -> Planning:
    return Planning(scanner.table.schedules, scanner.bucket, lambda: MONDAY)


def weekly(scanner: Scanner, **options: str) -> ScheduleRequest:
    return ScheduleRequest(bucket=scanner.bucket.name, **{"every": "week", **options})


def due(scanner: Scanner, moment: datetime) -> list[str]:
    return DueScans(scanner.table.schedules, scanner.table.jobs, scanner.executions, WORKFLOW, lambda: moment).start()


def test_each_week_makes_one_job_of_the_request(scanner: Scanner) -> None:
    planning(scanner).create(weekly(scanner, prefix="2026/"), "alice")
    [first] = due(scanner, MONDAY)
    assert due(scanner, MONDAY + timedelta(days=6)) == []
    [second] = due(scanner, MONDAY + timedelta(days=7, minutes=4))
    assert first != second
    assert [state["job_id"] for state in scanner.executions.inputs.values()] == [first, second]
    assert {scanner.jobs.find(job).request.prefix for job in (first, second)} == {"2026/"}
    [schedule] = scanner.table.schedules.all()
    # Fourteen days after the first, however late the second was made.
    assert (schedule.next_at, schedule.last_job) == ("2026-11-16T02:00:00.000Z", second)


def test_times_that_nobody_looked_at_are_made_up_by_one_job(scanner: Scanner) -> None:
    planning(scanner).create(weekly(scanner), "alice")
    assert len(due(scanner, MONDAY + timedelta(days=30))) == 1
    assert scanner.table.schedules.all()[0].next_at == "2026-12-07T02:00:00.000Z"


def test_a_sweeper_that_died_before_the_schedule_moved_on_makes_no_second_job(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    planning(scanner).create(weekly(scanner), "alice")
    with monkeypatch.context() as patch:
        patch.setattr(scanner.table.schedules, "move", lambda *_: (_ for _ in ()).throw(Crash))
        with pytest.raises(Crash):
            due(scanner, MONDAY)
    assert len(due(scanner, MONDAY + timedelta(minutes=5))) == 1
    assert len(scanner.executions.inputs) == 1
    assert len(scanner.table.jobs.newest(10, None)[0]) == 1


def test_a_schedule_begins_when_it_is_asked_to_and_ends_when_it_is_deleted(scanner: Scanner) -> None:
    made = planning(scanner).create(weekly(scanner, first_at="2026-11-03"), "alice")
    assert due(scanner, MONDAY) == []
    assert planning(scanner).delete(made.id).id == made.id
    assert due(scanner, MONDAY + timedelta(days=2)) == []
    assert list(scanner.table.schedules.all()) == []
    with pytest.raises(NotFoundError):
        planning(scanner).delete(made.id)


def test_a_bucket_that_cannot_be_listed_has_no_schedule(scanner: Scanner) -> None:
    with pytest.raises(BucketNotFoundError):
        planning(scanner).create(ScheduleRequest(bucket="no-such-bucket", every="day"), "alice")
    assert list(scanner.table.schedules.all()) == []
