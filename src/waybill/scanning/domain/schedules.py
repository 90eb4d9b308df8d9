"""Schedules of scans: a request, how often it is made, and when next; each time makes one job, whatever is repeated."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from waybill.core.clock import iso
from waybill.core.errors import ConflictError, NotFoundError, WaybillError
from waybill.core.executions import ExecutionStarter, id_for
from waybill.scanning.domain.jobs import NewJobs, start_listing
from waybill.scanning.models import Job, Status
from waybill.scanning.request_models import EVERY, ScanRequest, ScheduleRequest

MOST = 100
"""Schedules of a stack: a page of its table holds them all."""


@dataclass(frozen=True)
class Schedule:
    """A request that is made `every` so often, next at `next_at` unless it is suspended; `last_job` is its newest."""

    id: str
    every: Literal["hour", "day", "week"]
    request: ScanRequest
    created_at: str
    created_by: str
    next_at: str
    last_job: str = ""
    # What tells the request for it from any other.
    asked: str = ""
    suspended: bool = False


class Schedules(Protocol):
    """Where schedules are kept."""

    def all(self) -> Sequence[Schedule]:
        """Return all of them, by id."""
        ...

    def add(self, schedule: Schedule) -> bool:
        """Store a new one; False where one of its id was stored before, even if it was taken away."""
        ...

    def move(self, schedule: Schedule, next_at: str, last_job: str) -> bool:
        """Record that it was due; False where it is not as it was read."""
        ...

    def suspend(self, schedule_id: str) -> Schedule | None:
        """Let one make nothing until it is resumed, and return it; None where there is none."""
        ...

    def resume(self, schedule: Schedule, next_at: str) -> Schedule | None:
        """Let one go on at a moment, and return it; None where it is not as it was read."""
        ...

    def delete(self, schedule_id: str) -> Schedule | None:
        """Take one away, and return it; None where there is none."""
        ...


class _Bucket(Protocol):
    def check(self, bucket: str, prefix: str) -> None: ...


class _Jobs(NewJobs, Protocol):
    def get(self, job_id: str) -> Job | None: ...


class _Admission(Protocol):
    def check(self, request: ScanRequest) -> None: ...


@dataclass(frozen=True)
class Planning:
    """What people do with schedules."""

    schedules: Schedules
    bucket: _Bucket
    now: Callable[[], datetime]
    admission: _Admission

    def create(self, wanted: ScheduleRequest, subject: str, idempotency_key: str | None = None) -> Schedule:
        """Store a schedule for a bucket that can be listed; it is due for the first time at `first_at`, or now.

        With an idempotency key it is stored once per caller and key.

        Raises
        ------
        ConflictError
            There are as many as there may be, or the key was used for another schedule, or for one that was deleted.
        InvalidInputError
            It asks for what there is not, or for a webhook that may not be called; says which field.
        BucketNotFoundError, BucketDeniedError
            The bucket cannot be listed.
        """
        schedule_id = id_for(subject, idempotency_key) if idempotency_key else str(uuid.uuid4())
        if earlier := self._earlier(schedule_id, wanted):
            return earlier
        self.admission.check(wanted)
        self.bucket.check(wanted.bucket, wanted.prefix)
        if len(self.schedules.all()) >= MOST:
            raise ConflictError(f"there are {MOST} schedules, and there may be no more")
        moment = iso(self.now())
        by = hashlib.sha256(subject.encode()).hexdigest()
        first = max(wanted.first_at or moment, moment)
        schedule = Schedule(schedule_id, wanted.every, wanted.scan(), moment, by, first, asked=wanted.fingerprint())
        if self.schedules.add(schedule):
            return schedule
        if earlier := self._earlier(schedule_id, wanted):
            return earlier
        raise ConflictError("this Idempotency-Key was used for a schedule that was deleted")

    def _earlier(self, schedule_id: str, wanted: ScheduleRequest) -> Schedule | None:
        found = next((each for each in self.schedules.all() if each.id == schedule_id), None)
        if found is not None and found.asked != wanted.fingerprint():
            raise ConflictError("this Idempotency-Key was used for another schedule")
        return found

    def suspend(self, schedule_id: str) -> Schedule:
        """Let a schedule make nothing until it is resumed. Raises NotFoundError."""
        found = self.schedules.suspend(schedule_id)
        if found is None:
            raise NotFoundError("there is no such schedule")
        return found

    def resume(self, schedule_id: str) -> Schedule:
        """Let a suspended schedule go on at the next of its times; those that have passed are not made up.

        Raises
        ------
        NotFoundError
            There is none.
        ConflictError
            Others change it at this moment.
        """
        found = next((each for each in self.schedules.all() if each.id == schedule_id), None)
        if found is None:
            raise NotFoundError("there is no such schedule")
        if not found.suspended:
            return found
        moment = self.now()
        due = iso(following(found, moment)) if found.next_at <= iso(moment) else found.next_at
        resumed = self.schedules.resume(found, due)
        if resumed is None:
            raise ConflictError("others are changing this schedule; try again")
        return resumed

    def delete(self, schedule_id: str) -> Schedule:
        """Take a schedule away; its jobs stay. Raises NotFoundError."""
        gone = self.schedules.delete(schedule_id)
        if gone is None:
            raise NotFoundError("there is no such schedule")
        return gone


@dataclass(frozen=True)
class DueScans:
    """Makes the jobs of the schedules that are due; `own` returns the own detectors that count now."""

    schedules: Schedules
    jobs: _Jobs
    executions: ExecutionStarter
    workflow_arn: str
    now: Callable[[], datetime]
    own: Callable[[], Mapping[str, int]]

    def start(self) -> list[str]:
        """Make a job for every schedule that is due, and return their ids; times that were missed are made up by one.

        A schedule whose last job goes on waits for its end, so that jobs of one schedule never pile up.
        A job's id tells of which time it is, so that a repeated call finds it made: the schedule moves on last. A
        schedule that meets a fault does not keep the others waiting: the fault is raised when all have had their turn.
        """
        moment = self.now()
        started: list[str] = []
        faults: list[WaybillError] = []
        for each in self.schedules.all():
            try:
                if each.next_at <= iso(moment) and not each.suspended and not self._goes_on(each):
                    started.append(self._start(each, moment))
            except WaybillError as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return started

    def _goes_on(self, schedule: Schedule) -> bool:
        last = self.jobs.get(schedule.last_job) if schedule.last_job else None
        return last is not None and not last.ended

    def _start(self, schedule: Schedule, moment: datetime) -> str:
        created = iso(moment)
        named = hashlib.sha256(f"{schedule.id}:{schedule.next_at}".encode()).digest()
        job = self.jobs.create(
            Job(
                str(uuid.UUID(bytes=named[:16], version=5)),
                schedule.request,
                Status.LISTING,
                created,
                created,
                created_by=schedule.created_by,
                own=self.own(),
            )
        )
        start_listing(job, self.jobs, self.executions, self.workflow_arn)
        self.schedules.move(schedule, iso(following(schedule, moment)), job.job_id)
        return job.job_id


def following(schedule: Schedule, moment: datetime) -> datetime:
    """Return the first time behind `moment` that a schedule is due at, counted from when it was due."""
    due, step = datetime.fromisoformat(schedule.next_at), EVERY[schedule.every]
    return due + step * ((moment - due) // step + 1)
