"""Ranges that nobody lists, and the executions that go on with them from their checkpoints."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waybill.core.executions import RunningExecutions
from waybill.scanning.domain.split import first_state
from waybill.scanning.models import Job, ListingRange


class _Ranges(Protocol):
    def set_execution(self, job_id: str, number: int, execution_arn: str) -> None: ...
    def all(self, job_id: str) -> list[ListingRange]: ...


@dataclass(frozen=True)
class Restarter:
    """Starts executions of `workflow_arn`."""

    ranges: _Ranges
    executions: RunningExecutions
    workflow_arn: str

    def open_ranges(self, job_id: str) -> list[ListingRange]:
        """Return the ranges that are not listed to their end.

        Where all are, and the lister died before it said so, any of them says it: the first.
        """
        ranges = self.ranges.all(job_id)
        return [part for part in ranges if not part.done] or ranges[:1]

    def restart(self, job: Job, part: ListingRange) -> bool:
        """Let an execution go on with a range, unless one runs; return whether this call has started it."""
        if part.execution_arn and self.executions.is_running(part.execution_arn):
            return False
        # The name tells the last change, so that two calls start one execution, and a later one another.
        name = f"scan-{job.job_id}-{part.number}s{re.sub(r'[^0-9]', '', part.updated_at)}"[-80:]
        # So do those of its successors: the first execution may have handed over before, and their names are taken.
        state = first_state(job, part.number) | {"generation": _minutes(part.updated_at)}
        started = self.executions.start(self.workflow_arn, name, state)
        self.ranges.set_execution(job.job_id, part.number, started.execution_arn)
        return not started.already_running


def _minutes(moment: str) -> int:
    # Hand-overs are further apart; in seconds, names could be longer than the 80 characters allowed.
    return int(datetime.fromisoformat(moment).timestamp()) // 60
