"""`waybill backfills`: the jobs, how they stand, and what can be done with them."""

from rich.console import Group

from waybill.cli.output import details, table
from waybill.cli.replication.backfill_run import BackfillRun, facts_of, reply_of
from waybill.cli.replication.job_lists import begin_of, show_page
from waybill.cli.replication.reports import backfill_report, report_place
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.server_backfills import WorkedBy, hand_over
from waybill.cli.replication.showing import reading
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import RECORD as JOB
from waybill.replication.domain.backfill_job import BackfillJob


def list_backfills(replication: Replication, limit: int, cursor: str | None) -> None:
    """Print the newest jobs, or those after `cursor`."""
    page = replication.backfills.newest(limit, begin_of(cursor, JOB))
    rows = (
        (
            job.backfill_id,
            job.status,
            reading(job.start_time),
            f"{job.counts.compared:,}",
            f"{job.counts.copies:,}",
            f"{job.counts.failed:,}",
            _target(job),
        )
        for job in page.jobs
    )
    columns = ("Backfill", "Status", "Started (UTC)", "Compared", "Copies", "Failed", "Source")
    replies = [reply_of(job) for job in page.jobs]
    show_page(replication.cli.output, "backfills", replies, table(columns, rows), page.position)


def show_backfill(replication: Replication, backfill_id: str, report: str | None) -> None:
    """Print how a job stands; `report` gets its lines so far."""
    job = replication.backfills.read(backfill_id)
    if report:
        report_place(replication, report).write(backfill_report(replication, job))
    facts = {
        "Source": _target(job),
        "Destinations": "\n".join(job.destination_buckets),
        "Begun (UTC)": f"{reading(job.start_time)} by {escaped(job.created_by)}",
        "Last change (UTC)": f"{reading(job.updated_at)} by {escaped(job.worked_by)}",
        "Ended (UTC)": reading(job.completed_at),
        "Last key": escaped(job.last_key),
        "Report": escaped(job.report or ""),
        "Problem": escaped(job.problem or ""),
    }
    shown = facts_of(job) | {name: value for name, value in facts.items() if value}
    replication.cli.output.show(reply_of(job), details(shown))


def resume_backfill(
    replication: Replication, backfill_id: str, *, wait: bool, report: str | None, on: WorkedBy = WorkedBy.HERE
) -> None:
    """Go on with a job, whoever has worked on it; where everything is started already, wait for the runs."""
    where = report or replication.backfills.read(backfill_id).report
    # Who does not wait for the server is gone when there is something to report.
    place = report_place(replication, where) if where and (wait or on is WorkedBy.HERE) else None
    job = replication.backfills.take_over(backfill_id, replication.user())
    if on is WorkedBy.AWS:
        hand_over(replication, job, wait=wait, report=place)
        return
    BackfillRun(replication, job, wait=wait or job.compared_all, report=place).run()


def cancel_backfill(replication: Replication, backfill_id: str) -> None:
    """End a job; runs that it has started go on."""
    job = replication.backfills.cancel(backfill_id)
    replication.cli.output.show(reply_of(job), Group(details(facts_of(job)), "", "Runs that it has started go on."))


def _target(job: BackfillJob) -> str:
    return escaped(f"s3://{job.source_bucket}/{job.prefix}")
