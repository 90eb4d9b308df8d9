"""Backfills that the server works on (`--on aws`)."""

import shlex
from enum import StrEnum

import typer
from rich.console import Group

from waybill.cli.output import details
from waybill.cli.replication.backfill_run import command_line, facts_of, reply_of
from waybill.cli.replication.reports import ReportPlace, backfill_report
from waybill.cli.replication.runtime import Replication
from waybill.cli.watch import watch
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import FINAL, BackfillJob, BackfillTurn, JobStatus


class WorkedBy(StrEnum):
    """Who works on a backfill: this machine, or the stack's functions."""

    HERE = "here"
    AWS = "aws"


def hand_over(replication: Replication, job: BackfillJob, *, wait: bool, report: ReportPlace | None = None) -> None:
    """Let the server work on a job whose record says so; with `wait`, see it through and write its `report`.

    Exit status 1 when it failed.
    """
    turn = BackfillTurn.of_job(job)
    workflow = replication.cli.stack.output("ReplicationJobsWorkflowArn")
    replication.executions.start(workflow, turn.execution_name, turn.wire())
    if wait:
        job = _watched(replication, job)
    words = shlex.join(command_line(replication, ["backfills", "show", job.backfill_id]))
    hint = [] if job.status in FINAL else ["", f"The server works on it. How it stands: {words}"]
    if job.problem:
        hint = ["", f"The server has stopped working on it: {escaped(job.problem)}"]
    replication.cli.output.show(reply_of(job), Group(details(facts_of(job)), *hint))
    if report:
        report.write(backfill_report(replication, job))
    if job.counts.failed or (wait and job.status is not JobStatus.COMPLETED):
        raise typer.Exit(1)


def _watched(replication: Replication, job: BackfillJob) -> BackfillJob:
    """Return the job as it is when nobody works on it any more."""
    shown, backfill_id = 0, job.backfill_id
    with replication.cli.output.progress("comparing", job.entries) as bar:
        for found in watch(lambda: replication.backfills.read(backfill_id)):
            job = found
            bar.advance(job.counts.compared - shown)
            shown = job.counts.compared
            if job.compared_all:
                bar.describe(f"waiting, {job.counts.pending:,} copies are under way")
            if job.status is not JobStatus.RUNNING:
                break
    return job
