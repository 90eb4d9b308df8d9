"""Jobs that nobody works on any more are taken up again: their listing, their end, the notification of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import WaybillError
from waybill.scanning.domain.completion import JobCompletion
from waybill.scanning.domain.restart import Restarter
from waybill.scanning.models import Job, Status

_GRACE = timedelta(minutes=15)


class _Jobs(Protocol):
    def unannounced(self) -> list[Job]: ...


@dataclass(frozen=True)
class Sweeper:
    """Looks after jobs that have not changed for 15 minutes."""

    jobs: _Jobs
    completion: JobCompletion
    restarter: Restarter
    now: Callable[[], datetime]

    def sweep(self) -> list[str]:
        """Take up what lies still; return the ids of those jobs.

        A range whose execution does not run is started again, from its checkpoint; pages stored but not sent are sent
        then. A job whose last outcome was counted by a worker that died is ended; an end that nobody was told of is
        told. A job that meets a fault does not keep those behind it waiting: the fault is raised when all have had
        their turn.
        """
        before = iso(self.now() - _GRACE)
        taken_up: list[str] = []
        faults: list[WaybillError] = []
        for job in self.jobs.unannounced():
            try:
                if job.updated_at < before and self._take_up(job, before):
                    taken_up.append(job.job_id)
            except WaybillError as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return taken_up

    def _take_up(self, job: Job, before: str) -> bool:
        if job.ended:
            return self.completion.announce_again(job)
        if job.status != Status.LISTING:
            after = self.completion.finish_if_done(job.job_id)
            return after is not None and after.ended
        started = [
            self.restarter.restart(job, part)
            for part in self.restarter.open_ranges(job.job_id)
            if part.updated_at < before
        ]
        return any(started)
