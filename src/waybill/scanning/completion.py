"""The end of a job: once, told, and told again if nobody heard."""

from dataclasses import dataclass

from waybill.scanning.models import Job, Status
from waybill.scanning.ports import Announcer, Store


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
        if job is None:
            return None
        if not job.ended and job.listing_done:
            tally = self.store.tally(job_id)
            if tally.ended >= job.total:
                troubled = tally.failed or job.truncated
                self.store.end(job_id, Status.COMPLETED_WITH_ERRORS if troubled else Status.COMPLETED)
                job = self.store.job(job_id)
        if job is not None and job.ended and not job.announced:
            self.tell(job)
        return job

    def end(self, job_id: str, status: Status, error: str = "") -> Job | None:
        """End the job as failed or cancelled, unless it has ended already; return it as it then is."""
        self.store.end(job_id, status, error)
        job = self.store.job(job_id)
        if job is not None and job.ended and not job.announced:
            self.tell(job)
        return job

    def tell(self, job: Job) -> None:
        """Announce the end; a crash before it is remembered makes it be told again, under the same id."""
        self.announcer.announce(job, self.store.tally(job.job_id))
        self.store.announced(job)
