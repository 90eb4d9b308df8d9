"""Schedules of scans: each time makes one job, however often the sweeper looks and wherever it dies."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tests.fakes.api import LambdaContext
from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from tests.functional.scanning.test_own_detectors import BADGE
from waybill.core.errors import ConflictError, NotFoundError
from waybill.scanning.domain.admission import Admission
from waybill.scanning.domain.own_detectors import OwnDetectors
from waybill.scanning.domain.schedules import DueScans, Planning
from waybill.scanning.errors import BucketNotFoundError, ScanStoreUnavailableError
from waybill.scanning.handlers import sweep_scans
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import DetectorRequest, ScheduleRequest

WORKFLOW = "arn:aws:states:eu:1:stateMachine:scan"
MONDAY = datetime(2026, 11, 2, 2, tzinfo=UTC)


def planning(scanner: Scanner) -> Planning:
    return planning_at(scanner, MONDAY)


def planning_at(scanner: Scanner, moment: datetime) -> Planning:
    admission = Admission(scanner.own, private_webhooks=False)
    return Planning(scanner.table.schedules, scanner.bucket, lambda: moment, admission)


def weekly(scanner: Scanner, **options: str) -> ScheduleRequest:
    return ScheduleRequest(bucket=scanner.bucket.name, **{"every": "week", **options})


def due(scanner: Scanner, moment: datetime) -> list[str]:
    table, own = scanner.table, scanner.own.counting
    return DueScans(table.schedules, table.jobs, scanner.executions, WORKFLOW, lambda: moment, own).start()


def test_each_week_makes_one_job_of_the_request(scanner: Scanner) -> None:
    planning(scanner).create(weekly(scanner, prefix="2026/"), "alice")
    [first] = due(scanner, MONDAY)
    scanner.table.jobs.end(first, Status.COMPLETED)
    assert due(scanner, MONDAY + timedelta(days=6)) == []
    [second] = due(scanner, MONDAY + timedelta(days=7, minutes=4))
    assert first != second
    assert [state["job_id"] for state in scanner.executions.inputs.values()] == [first, second]
    assert {scanner.jobs.find(job).request.prefix for job in (first, second)} == {"2026/"}
    [schedule] = scanner.table.schedules.all()
    # Fourteen days after the first, however late the second was made.
    assert (schedule.next_at, schedule.last_job) == ("2026-11-16T02:00:00.000Z", second)


@pytest.mark.parametrize("end", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_a_job_that_takes_longer_than_its_schedule_has_no_second_beside_it(scanner: Scanner, end: Status) -> None:
    """As `concurrencyPolicy: Forbid` of a Kubernetes CronJob; what was missed is made up by one job, as elsewhere."""
    planning(scanner).create(weekly(scanner, every="hour"), "alice")
    [first] = due(scanner, MONDAY)
    assert [due(scanner, MONDAY + timedelta(hours=hours)) for hours in (1, 2, 3)] == [[], [], []]
    scanner.table.jobs.end(first, end)
    [second] = due(scanner, MONDAY + timedelta(hours=3, minutes=30))
    assert second != first
    [schedule] = scanner.table.schedules.all()
    assert schedule.next_at == "2026-11-02T06:00:00.000Z"


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


def test_a_suspended_schedule_makes_nothing_and_goes_on_at_the_next_of_its_times(scanner: Scanner) -> None:
    made = planning(scanner).create(weekly(scanner), "alice")
    # Twice, as a form that is sent twice does it.
    assert [planning(scanner).suspend(made.id).suspended for _ in range(2)] == [True, True]
    assert due(scanner, MONDAY + timedelta(days=15)) == []
    later = planning_at(scanner, MONDAY + timedelta(days=15))
    for _ in range(2):
        resumed = later.resume(made.id)
        assert (resumed.suspended, resumed.next_at) == (False, "2026-11-23T02:00:00.000Z")
    assert due(scanner, MONDAY + timedelta(days=16)) == []
    assert len(due(scanner, MONDAY + timedelta(days=21))) == 1


def test_a_schedule_that_is_resumed_before_it_is_due_keeps_its_time(scanner: Scanner) -> None:
    made = planning(scanner).create(weekly(scanner, first_at="2026-11-03"), "alice")
    planning(scanner).suspend(made.id)
    assert planning(scanner).resume(made.id).next_at == made.next_at
    planning(scanner).delete(made.id)
    for change in (planning(scanner).suspend, planning(scanner).resume):
        with pytest.raises(NotFoundError):
            change(made.id)


def test_of_two_who_resume_one_schedule_neither_moves_it_back(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planning(scanner).create(weekly(scanner), "alice")
    suspended = planning(scanner).suspend(made.id)
    later = planning_at(scanner, MONDAY + timedelta(days=8))
    later.resume(made.id)
    # What it has read is from before.
    monkeypatch.setattr(scanner.table.schedules, "all", lambda: [suspended])
    with pytest.raises(ConflictError):
        later.resume(made.id)


def test_a_bucket_that_cannot_be_listed_has_no_schedule(scanner: Scanner) -> None:
    with pytest.raises(BucketNotFoundError):
        planning(scanner).create(ScheduleRequest(bucket="no-such-bucket", every="day"), "alice")
    assert list(scanner.table.schedules.all()) == []


def test_one_idempotency_key_is_one_schedule(scanner: Scanner) -> None:
    first = planning(scanner).create(weekly(scanner), "alice", "key")
    due(scanner, MONDAY)
    assert planning(scanner).create(weekly(scanner), "alice", "key").id == first.id
    assert planning(scanner).create(weekly(scanner), "bob", "key").id != first.id
    assert len(scanner.table.schedules.all()) == 2
    with pytest.raises(ConflictError):
        planning(scanner).create(weekly(scanner, prefix="b/"), "alice", "key")
    planning(scanner).delete(first.id)
    with pytest.raises(ConflictError):
        planning(scanner).create(weekly(scanner), "alice", "key")


def test_a_schedule_that_meets_a_fault_keeps_no_other_waiting(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("alice", "bob"):
        planning(scanner).create(weekly(scanner), who)
    create, asked = scanner.table.jobs.create, []

    def failing(job: Job) -> Job:
        asked.append(job)
        if len(asked) == 1:
            raise ScanStoreUnavailableError("it went away")
        return create(job)

    with monkeypatch.context() as patch:
        patch.setattr(scanner.table.jobs, "create", failing)
        with pytest.raises(ScanStoreUnavailableError):
            due(scanner, MONDAY)
    assert len(scanner.executions.inputs) == 1
    assert len(due(scanner, MONDAY)) == 1


def test_what_lay_still_is_taken_up_where_no_scan_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []

    class Failing:
        due_scans = upload_scans = sweeper = property(lambda self: self)

        def start(self) -> list[str]:
            raise ScanStoreUnavailableError("it went away")

        def sweep(self) -> list[str]:
            swept.append("job")
            return swept

    monkeypatch.setattr(sweep_scans, "deployed", Failing)
    with pytest.raises(ScanStoreUnavailableError):
        sweep_scans.lambda_handler({}, LambdaContext())
    assert swept == ["job"]


def test_a_detector_that_a_schedule_names_stays(scanner: Scanner) -> None:
    own = OwnDetectors(scanner.table.detectors, lambda: MONDAY, scanner.table.schedules)
    own.put("BADGE", DetectorRequest.model_validate(BADGE), "jo")
    asked = ScheduleRequest(bucket=scanner.bucket.name, every="day", detectors=("BADGE",))
    made = planning(scanner).create(asked, "alice")
    with pytest.raises(ConflictError):
        own.delete("BADGE", "jo")
    planning(scanner).delete(made.id)
    assert own.delete("BADGE", "jo").id == "BADGE"


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "inventory", "manifest": "s3://reports/2026/manifest.json"},
        {"first_at": "0001-01-01T00:00:00+14:00"},
        {"first_at": "9999-12-31T23:00:00-02:00"},
    ],
)
def test_a_schedule_that_can_only_be_wrong_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ScheduleRequest.model_validate({"bucket": "archive", "every": "day", **wrong})
