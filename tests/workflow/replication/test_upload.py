"""An upload, from the event to the copies and their record."""

import json

from tests.workflow.support.application import Application
from tests.workflow.support.mailbox import Mailbox


def test_upload_arrives_at_both_destinations_with_its_record(
    application: Application, mailbox: Mailbox, key: str, label: str
) -> None:
    e_tag = application.upload(key, b"a build")

    record = application.record(key)

    for bucket in application.destinations:
        assert application.content(bucket, key) == b"a build"
    assert json.loads(record["successfulBuckets"]) == application.destinations
    assert (record["totalBuckets"], record["successfulCopies"], record["failedCopies"]) == (2, 2, 0)
    assert record["eTag"] == e_tag
    [arn] = application.executions(label)
    assert record["executionId"] == arn
    assert mailbox.about(label) == []
