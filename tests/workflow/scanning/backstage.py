"""The scanner from behind: its table and its queues, with all rights."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.workflow.support.application import Application
from tests.workflow.support.polling import until
from waybill.core.clock import now
from waybill.scanning.adapters.queues import SqsQueue
from waybill.scanning.adapters.s3 import S3Bucket
from waybill.scanning.adapters.table import ScansTable
from waybill.scanning.domain.listed_bucket import ListedBucket
from waybill.scanning.domain.listing import Lister
from waybill.scanning.models import Job, Slice, Status, Tally
from waybill.scanning.request_models import ScanRequest


@dataclass
class Kept:
    """A queue that keeps what the lister sends, for a test to send as it likes."""

    slices: list[Slice] = field(default_factory=list)

    def send(self, slices: Iterable[Slice]) -> int:
        """Keep them."""
        before = len(self.slices)
        self.slices += slices
        return len(self.slices) - before


@dataclass(frozen=True)
class Backstage:
    """Jobs on the running stack as they are stored, and what is in the queues."""

    application: Application

    @property
    def outputs(self) -> Any:
        return self.application.outputs

    @property
    def table(self) -> ScansTable:
        """The table, with all rights."""
        return ScansTable(self.application.stack.client("dynamodb"), self.outputs["ScansTableName"], now=now)

    @property
    def queue(self) -> SqsQueue:
        """The workers' queue."""
        return SqsQueue(self.application.sqs, self.outputs["ScanQueueUrl"])

    def listed(self, bucket: str, label: str) -> list[Slice]:
        """Create and list a job here, and return its slices instead of sending them."""
        kept, created = Kept(), now().isoformat()
        s3 = S3Bucket(lambda: self.application.s3, None)
        self.table.jobs.create(Job(label, ScanRequest(bucket=bucket), Status.LISTING, created, created))
        lister = Lister(self.table.jobs, self.table.ranges, lambda _: ListedBucket(s3), kept, lambda: 900, fan_out=1)
        while not lister.process_batch(label).done:
            pass
        return kept.slices

    def ended(self, job_id: str) -> tuple[Job, Tally]:
        """Wait for the end of a job."""

        def look() -> Job | None:
            job = self.table.jobs.get(job_id)
            return job if job and job.ended and job.announced else None

        job = until(look, f"end of the scan {job_id}")
        return job, self.table.outcomes.tally(job_id)

    def findings(self, job_id: str) -> list[dict[str, Any]]:
        """Return all findings of a job."""
        found, position = self.table.findings.page(job_id, 1000, None, {})
        assert position is None
        return found

    def drained(self, url: str) -> None:
        """Wait until a queue holds nothing, nor anybody anything of it."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

        def look() -> bool:
            held = self.application.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return all(int(held[name]) == 0 for name in names)

        until(look, f"{url} is empty")
