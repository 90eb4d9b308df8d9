"""`waybill replications retry`: everything that failed, once more, as a job."""

from dataclasses import replace

from waybill.cli.replication.addresses import parse_uri
from waybill.cli.replication.backfill import new_job
from waybill.cli.replication.backfill_run import BackfillRun
from waybill.cli.replication.reports import lasting, report_place
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.server_backfills import WorkedBy, hand_over
from waybill.replication.domain.backfill_job import JobInput
from waybill.replication.domain.failures import failures_below
from waybill.replication.models import FileId


def retry_failures(
    replication: Replication,
    target: str | None,
    to: list[str] | None,
    cause: str | None,
    *,
    wait: bool,
    report: str | None,
    on: WorkedBy = WorkedBy.HERE,
) -> None:
    """Go through the files below `target` that have failed: what still lacks its copy is started."""
    under = parse_uri(target) if target else FileId(replication.cli.stack.output("SourceBucketName"), "")
    if to:
        replication.checked(replace(under, source_key=under.source_key or "any"), tuple(to))
    failed = failures_below(replication.tracking, under.source_bucket, under.source_key, to=to or (), cause=cause)
    if not failed:
        replication.cli.output.show({"entries": 0}, "nothing has failed")
        return
    place = report_place(replication, report) if report else None
    destinations = dict.fromkeys(bucket for entry in failed for bucket in entry.destination_buckets or ())
    job = new_job(replication, under, tuple(destinations), failed, input=JobInput.FAILED, report=lasting(report))
    replication.backfills.create(job)
    if on is WorkedBy.AWS:
        hand_over(replication, job, wait=wait, report=place if wait else None)
    else:
        BackfillRun(replication, job, wait=wait, report=place).run()
