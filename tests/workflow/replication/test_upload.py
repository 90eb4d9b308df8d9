"""An upload, from S3's own event to the copies and their record."""

import json
from collections import Counter

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.source import Source

AWKWARD = {
    "spaces": "a b  c {}.zip",
    "plus and encoded plus": "a+b%2Bc {}.zip",
    "percent": "100% of {}%.zip",
    "query characters": "a&b=c?d#e;{}",
    "quotes and brackets": 'it\'s "{}" <[{{1}}]>|\\^`~',
    "accents": "é à ü ñ {}.zip",
    "emoji": "📦 {} 🚀",
    "leading slash": "/{}",
    "double slashes": "a//b///{}//",
    "dots": "../../{}/./..",
}


def test_upload_arrives_at_both_destinations_with_its_record(
    application: Application, source: Source, mailbox: Mailbox, key: str, label: str
) -> None:
    e_tag = source.put(key, b"a build")

    record = source.record(key)

    for bucket in application.destinations:
        assert application.content(bucket, key) == b"a build"
    assert json.loads(record["successfulBuckets"]) == json.loads(record["destinationBuckets"])
    assert json.loads(record["successfulBuckets"]) == application.destinations
    assert (record["totalBuckets"], record["successfulCopies"], record["failedCopies"]) == (2, 2, 0)
    assert (record["eTag"], record["size"]) == (e_tag, 7)
    results = json.loads(record["copyResults"])
    assert [(result["code"], result["strategy"], result["verification"]) for result in results] == [
        ("COPIED", "COPY", "CHECKSUM")
    ] * 2
    [arn] = application.executions(label)
    assert record["executionId"] == arn
    assert application.ended(arn).output == {
        "status": "SUCCESS",
        "message": "All file copies completed successfully",
        "sourceKey": key,
        "sourceBucket": source.name,
        "totalBuckets": 2,
        "executionId": arn,
    }
    assert [run["executionId"] for run in source.history(key)] == [arn]
    assert mailbox.about(label) == []


def test_upload_takes_no_more_requests_than_needed(
    application: Application, gate: Gate, source: Source, key: str, label: str
) -> None:
    source.put(key)
    source.record(key)

    calls = Counter(call.operation for call in gate.calls(label))

    assert calls["StartExecution"] == 1
    # One look at the source; one at each destination, which sends events here since custody watches buckets, so that it
    # may be somebody's source; and one at each copy: the emulated CopyObject answers without the checksum.
    assert (calls["HeadObject"], calls["GetObjectTagging"], calls["CopyObject"]) == (1 + 2 + 2, 0, 2)
    assert (calls["UpdateItem"], calls["PutItem"], calls["TransactWriteItems"]) == (2, 2, 0)
    assert calls["Publish"] == 0


@pytest.mark.parametrize("pattern", AWKWARD.values(), ids=AWKWARD)
def test_awkward_key_arrives_as_it_is(application: Application, source: Source, pattern: str, label: str) -> None:
    key = pattern.format(label)
    source.put(key, label.encode())

    source.record(key)

    for bucket in application.destinations:
        assert application.content(bucket, key) == label.encode()


def test_key_of_1024_bytes_arrives_and_names_a_valid_execution(
    application: Application, source: Source, label: str
) -> None:
    room = 1024 - len(f"{label}/")
    key = f"{label}/{'é' * (room // 2)}{'x' * (room % 2)}"
    assert len(key.encode()) == 1024
    source.put(key)

    record = source.record(key)

    assert len(record["executionName"]) <= 80
    for bucket in application.destinations:
        assert application.content(bucket, key) == b"content"


@pytest.mark.parametrize("key_pattern", ["{}.empty", "folder {}/"])
def test_empty_object_and_folder_marker_arrive(
    application: Application, source: Source, key_pattern: str, label: str
) -> None:
    key = key_pattern.format(label)
    source.put(key, b"")

    source.record(key)

    for bucket in application.destinations:
        assert application.content(bucket, key) == b""


def test_objects_made_by_copy_and_by_multipart_upload_are_replicated(
    application: Application, source: Source, quiet: Source, label: str
) -> None:
    copied, assembled = f"copied-{label}", f"assembled-{label}"
    quiet.put(label, b"elsewhere")
    application.s3.copy_object(Bucket=source.name, Key=copied, CopySource={"Bucket": quiet.name, "Key": label})
    upload = application.s3.create_multipart_upload(Bucket=source.name, Key=assembled)["UploadId"]
    part = application.s3.upload_part(
        Bucket=source.name, Key=assembled, UploadId=upload, PartNumber=1, Body=b"in parts"
    )
    application.s3.complete_multipart_upload(
        Bucket=source.name,
        Key=assembled,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )

    source.record(copied)
    source.record(assembled)

    for bucket in application.destinations:
        assert application.content(bucket, copied) == b"elsewhere"
        assert application.content(bucket, assembled) == b"in parts"


def test_copies_do_not_start_replications(application: Application, source: Source, key: str, label: str) -> None:
    source.put(key)
    source.record(key)

    event = application.s3.get_bucket_notification_configuration
    assert all(event(Bucket=bucket).get("LambdaFunctionConfigurations") is None for bucket in application.destinations)
    assert len(application.executions(label)) == 1
