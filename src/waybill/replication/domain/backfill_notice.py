"""What people are told of failed runs: one message per run, but of a backfill's at most one per job and hour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from waybill.core.errors import NotFoundError
from waybill.core.notifications import Notification, Notifier
from waybill.core.text import escaped, shell_word
from waybill.replication import WORKFLOW
from waybill.replication.domain.backfill_job import BackfillJob
from waybill.replication.domain.outcome import failure_notification
from waybill.replication.models import ReplicationRun


@dataclass(frozen=True)
class Notice:
    """The answer to a failed run of a job: whether it is the one that tells, and how many have failed so far."""

    is_first: bool
    failed_runs: int


class JobNotices(Protocol):
    """Who tells of a job. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def read(self, backfill_id: str) -> BackfillJob:
        """Return the job; raises `NotFoundError`."""
        ...

    def notice(self, backfill_id: str, hour: str, execution_id: str) -> Notice:
        """Note a failed run of the job, once; the first of an `hour` is the first as often as it asks.

        How many have failed is counted for the first alone, which tells of it.
        """
        ...


@dataclass(frozen=True)
class FailureNotices:
    """Tells of failed runs."""

    notifier: Notifier
    jobs: JobNotices
    now: Callable[[], datetime]

    def tell(self, run: ReplicationRun, failure: Mapping[str, Any]) -> None:
        """Tell of the run, or of its backfill, unless another run of that has done so in this hour.

        A run that dies before it has told is told of when it is repeated, with the same id.
        """
        if run.backfill_id is None:
            self.notifier.notify(failure_notification(run, failure))
            return
        try:
            job = self.jobs.read(run.backfill_id)
        except NotFoundError:
            # Nobody waits for such a job, or looks at it: each of its runs is told of.
            self.notifier.notify(failure_notification(run, failure))
            return
        hour = f"{self.now():%Y-%m-%dT%H}"
        notice = self.jobs.notice(run.backfill_id, hour, run.execution_id)
        if not notice.is_first:
            return
        self.notifier.notify(job_notification(job, notice, hour, failure_notification(run, failure)))


def job_notification(job: BackfillJob, notice: Notice, hour: str, first: Notification) -> Notification:
    """Return what people are told of a job with failures; `first` is what is told of the run that failed first."""
    counts, source = job.counts, f"s3://{job.source_bucket}/{job.prefix}"
    lines = [
        "❌ A backfill has copies that failed",
        "",
        f"Backfill:      {job.backfill_id}",
        f"Source:        {escaped(source)}",
        f"Status:        {job.status}",
        f"Compared:      {counts.compared} objects so far",
        f"Started:       {counts.started} objects so far",
        f"Failed runs:   {notice.failed_runs} so far",
        "",
        "No other message comes of this backfill before the next full hour (UTC).",
        "",
        "🔎 Where to look",
        f"Job:      waybill backfills show {job.backfill_id}",
        "Failures: waybill replications --status FAILED",
        f"Again:    waybill replications retry {shell_word(source)} --wait",
        "",
        "The first failure of this hour:",
        "",
        first.body,
    ]
    return Notification(
        workflow=WORKFLOW,
        status=first.status,
        about=f"backfill {job.backfill_id}",
        subject=f"Backfill Failures: {job.backfill_id}",
        body="\n".join(lines),
        notification_id=f"{job.backfill_id}-{hour}",
    )
