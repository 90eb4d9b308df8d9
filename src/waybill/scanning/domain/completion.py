"""The end of a job: recorded once, and announced until it is known to be."""

from dataclasses import dataclass
from typing import Protocol

from waybill.scanning.models import Job, Status, Tally


class Announcer(Protocol):
    """Announces that a job has ended; the same end again has the same id."""

    def announce(self, job: Job, tally: Tally) -> None:
        """Announce it; raises NotificationUnavailableError."""
        ...


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...
    def end(self, job_id: str, status: Status, error: str = "") -> bool: ...
    def touch(self, job: Job) -> bool: ...
    def mark_announced(self, job: Job) -> None: ...


class _Outcomes(Protocol):
    def tally(self, job_id: str) -> Tally: ...


@dataclass(frozen=True)
class JobCompletion:
    """Ends jobs whose objects all have an outcome."""

    jobs: _Jobs
    outcomes: _Outcomes
    announcer: Announcer

    def finish_if_done(self, job_id: str) -> Job | None:
        """End the job if its listing is done and every object has its outcome; return it as it then is.

        Whoever asks last sees the last outcome: every worker asks after its own have been counted, the lister after it
        has frozen the total.
        """
        job = self.jobs.get(job_id)
        if job is None or job.ended or not job.listing_done:
            return job
        tally = self.outcomes.tally(job_id)
        if tally.ended < job.total:
            return job
        troubled = tally.failed or job.truncated
        return self.end(job_id, Status.COMPLETED_WITH_ERRORS if troubled else Status.COMPLETED)

    def end(self, job_id: str, status: Status, error: str = "") -> Job | None:
        """End the job, unless it has ended already; return it as it then is.

        Of all that end it at once, the one whose write counted announces it; where it dies, `announce_again` does.

        Raises
        ------
        NotificationUnavailableError
            EventBridge or SNS could not take the event now.
        """
        ended = self.jobs.end(job_id, status, error)
        job = self.jobs.get(job_id)
        if ended and job is not None:
            self._announce(job)
        return job

    def announce_again(self, job: Job) -> bool:
        """Announce an end that nobody has announced, under the same id; False when somebody else is doing so."""
        if not self.jobs.touch(job):
            return False
        self._announce(job)
        return True

    def _announce(self, job: Job) -> None:
        self.announcer.announce(job, self.outcomes.tally(job.job_id))
        self.jobs.mark_announced(job)
