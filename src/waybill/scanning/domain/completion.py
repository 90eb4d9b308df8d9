"""The end of a job: once, told, and told again if nobody heard."""

from dataclasses import dataclass

from waybill.scanning.domain.ports import Announcer, Store
from waybill.scanning.models import Job, Status


@dataclass(frozen=True)
class Completion:
    """Ends jobs whose objects all have an outcome."""

    store: Store
    announcer: Announcer

    def finish_if_done(self, job_id: str) -> Job | None:
        """End the job if its listing is done and every object has its outcome; return it as it then is.

        Whoever asks last sees the last outcome: every worker asks after its own have been counted, the lister after it
        has frozen the total.
        """
        job = self.store.job(job_id)
        if job is None or job.ended or not job.listing_done:
            return job
        tally = self.store.tally(job_id)
        if tally.ended < job.total:
            return job
        troubled = tally.failed or job.truncated
        return self.end(job_id, Status.COMPLETED_WITH_ERRORS if troubled else Status.COMPLETED)

    def end(self, job_id: str, status: Status, error: str = "") -> Job | None:
        """End the job, unless it has ended already; return it as it then is.

        Of all that end it at once, the one whose write counted tells; where that one dies, `tell_again` does.

        Raises
        ------
        NotificationUnavailableError
            EventBridge or SNS could not take the news now.
        """
        ended = self.store.end(job_id, status, error)
        job = self.store.job(job_id)
        if ended and job is not None:
            self._tell(job)
        return job

    def tell_again(self, job: Job) -> bool:
        """Tell the end of a job that lies untold, under the same id; False when somebody else has taken that up."""
        if not self.store.take_up(job):
            return False
        self._tell(job)
        return True

    def _tell(self, job: Job) -> None:
        self.announcer.announce(job, self.store.tally(job.job_id))
        self.store.announced(job)
