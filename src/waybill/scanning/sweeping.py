"""Jobs that nobody works on any more are taken up again: their listing, their end, the news of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import WaybillError
from waybill.core.executions import ExecutionStarter
from waybill.scanning.completion import Completion
from waybill.scanning.models import Job, ListingRange, Status
from waybill.scanning.ports import Store
from waybill.scanning.splitting import first_state

_GRACE = timedelta(minutes=15)


class RunningExecutions(ExecutionStarter, Protocol):
    """Starts executions, and knows whether they run."""

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running."""
        ...


@dataclass(frozen=True)
class Sweeper:
    """Looks after jobs that have not changed for 15 minutes."""

    store: Store
    completion: Completion
    executions: RunningExecutions
    workflow_arn: str
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
        for job in self.store.unannounced():
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
            return self.completion.tell_again(job)
        if job.status != Status.LISTING:
            after = self.completion.finish_if_done(job.job_id)
            return after is not None and after.ended
        ranges = self.store.ranges(job.job_id)
        # Where all are listed, and the lister died before it said so, any of them says it.
        still = [part for part in ranges if not part.done] or ranges[:1]
        started = [self._start(job, part) for part in still if part.updated_at < before]
        return any(started)

    def _start(self, job: Job, part: ListingRange) -> bool:
        if part.execution_arn and self.executions.is_running(part.execution_arn):
            return False
        # The name tells the last change, so that two sweeps start one execution, and a later one another.
        name = f"scan-{job.job_id}-{part.number}s{re.sub(r'[^0-9]', '', part.updated_at)}"[-80:]
        # So do those of its successors: the first execution may have handed over before, and their names are taken.
        state = first_state(job, part.number) | {"generation": _minutes(part.updated_at)}
        started = self.executions.start(self.workflow_arn, name, state)
        self.store.listing_by(job.job_id, part.number, started.execution_arn)
        return not started.already_running


def _minutes(moment: str) -> int:
    # Sweeps are further apart, and so are hand-overs; in seconds, names could be longer than the 80 characters allowed.
    return int(datetime.fromisoformat(moment).timestamp()) // 60
