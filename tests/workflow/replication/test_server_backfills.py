"""Backfills on the server, begun and resumed over HTTP, with the roles that the template gives."""

from typing import Any

from tests.workflow.support.api import Api, api_of
from tests.workflow.support.application import Application
from tests.workflow.support.polling import until
from waybill.core.clock import now
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.domain.backfill_job import BackfillJob, Entry, JobInput, JobStatus


def ended(api: Api, backfill_id: str) -> Any:
    """Wait until nobody works on the job, and return it."""

    def look() -> Any:
        found = api.get(f"/backfills/{backfill_id}").body
        return found if found["status"] != "RUNNING" else None

    return until(look, f"end of backfill {backfill_id}")


def test_what_is_missing_is_brought_and_what_failed_is_retried_by_the_server(
    application: Application, label: str
) -> None:
    """Source: replication's README, "Backfills": the workflow works on the job until its runs are at their end too."""
    source, api = application.quiet, api_of(application, "replication")
    prefix = f"{label} server backfill/ü "
    for number in range(3):
        source.put(f"{prefix}{number}", b"a build")
    begun = api.post("/backfills", {"sourceBucket": source.name, "prefix": prefix})
    assert (begun.status, begun.body["status"]) == (202, "RUNNING")
    job = ended(api, begun.body["backfillId"])
    assert (job["status"], job["counts"]["compared"], job["counts"]["succeeded"]) == ("COMPLETED", 3, 6)
    for bucket in application.destinations:
        assert application.content(bucket, f"{prefix}2") == b"a build"
    nothing = api.post("/replications/retry", {"sourceBucket": source.name, "prefix": prefix})
    assert (nothing.status, ended(api, nothing.body["backfillId"])["entries"]) == (202, 0)


def test_what_was_given_by_name_is_gone_through_part_by_part(application: Application, label: str) -> None:
    """Source: Step Functions developer guide, "Distributed mode": a child execution for each item."""
    source, api = application.quiet, api_of(application, "replication")
    keys = [f"{label}/{number}" for number in range(5)]
    for key in keys:
        source.put(key, b"a build")
    table = application.outputs["FileCopyTrackingTableName"]
    jobs = BackfillTable(application.stack.client("dynamodb"), table, history_days=1, now=now)
    parts = [keys[:2], keys[2:4], keys[4:]]
    for number, part in enumerate(parts):
        jobs.save_entries(label, "", number, [Entry(key=key) for key in part])
    started = "2026-11-21T10:00:00.000Z"
    jobs.create(
        BackfillJob(
            backfill_id=label,
            status=JobStatus.STOPPED,
            source_bucket=source.name,
            destination_buckets=tuple(application.destinations),
            input=JobInput.MANIFEST,
            entries=len(keys),
            entry_parts=len(parts),
            by_parts=True,
            start_time=started,
            updated_at=started,
            created_by="tests",
            worked_by="tests",
        )
    )
    assert api.post(f"/backfills/{label}/resume", {}).status == 202
    job = ended(api, label)
    assert (job["status"], job["counts"]["compared"], job["counts"]["succeeded"]) == ("COMPLETED", 5, 10)
    assert [line.key for line in jobs.all_lines(jobs.read(label))] == keys
    workflow = application.outputs["ReplicationJobsWorkflowArn"]
    [arn] = application.executions(label, workflow)
    states = application.ended(arn).states
    assert [state for state in states if state == "BackfillParts"] == ["BackfillParts"]
    assert states[-1] == "JobEnded"
