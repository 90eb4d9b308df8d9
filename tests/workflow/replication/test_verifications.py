"""Verifications that a schedule starts, with the target, the role and the input that the template gives it."""

from typing import Any

from tests.workflow.support.api import api_of
from tests.workflow.support.application import Application
from tests.workflow.support.polling import until


def test_the_schedule_looks_at_every_copy_and_people_are_told_of_what_differs(
    application: Application, label: str
) -> None:
    """The public contract, "Replication": it compares every copy with its source now, and tells of what differs."""
    scheduler, mailbox = application.stack.client("scheduler"), application.mailbox
    workflow = application.outputs["ReplicationJobsWorkflowArn"]
    deployed = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
    [schedule] = [one for one in deployed if one["Target"]["Arn"] == workflow]
    assert schedule["State"] == "DISABLED"  # `VerifySchedule` is off by default
    key, damaged = f"{label} verified", application.destinations[0]
    application.source.put(key, b"a build")
    application.source.record(key)
    application.s3.put_object(Bucket=damaged, Key=key, Body=b"damaged")

    once = {name: schedule[name] for name in ("Target", "FlexibleTimeWindow")}
    scheduler.create_schedule(Name=label, ScheduleExpression="at(2026-01-01T00:00:00)", **once)
    try:

        def told() -> Any:
            return mailbox.about(f"{damaged}: DIFFERS (content) {key}") or mailbox.about("A verification has found")

        [letter] = until(told, "a notification about what the verification has found")[:1]
    finally:
        scheduler.delete_schedule(Name=label)

    verification_id = letter.body.partition("Verification:  ")[2].split()[0]
    shown = api_of(application, "replication").get(f"/verifications/{verification_id}").body
    assert (shown["status"], shown["createdBy"]) == ("COMPLETED_WITH_FINDINGS", "schedule")
    assert shown["sourceBucket"] == application.source.name
    assert shown["counts"]["differs"] >= 1
    items = application.stack.client("dynamodb").query(
        TableName=application.outputs["FileCopyTrackingTableName"],
        KeyConditionExpression="fileKey = :key AND begins_with(sourceBucket, :check)",
        ExpressionAttributeValues={":key": {"S": key}, ":check": {"S": f"{application.source.name}#check#"}},
    )["Items"]
    results = {item["destinationBucket"]["S"]: item["result"]["S"] for item in items}
    assert results == {bucket: "DIFFERS" if bucket == damaged else "EQUAL" for bucket in application.destinations}
