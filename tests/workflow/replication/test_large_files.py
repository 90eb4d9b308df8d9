"""Files too large for one CopyObject, in one function and in batches of parts: complete, or without a trace."""

import json
import os
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.events import EARLIER, LATER
from tests.workflow.support.gate import ABORTED, BUSY, Gate, Refusal
from tests.workflow.support.requests import Requests
from tests.workflow.support.source import Source

MIB = 1024**2
# The stack's thresholds are 6 and 20 MiB, its parts 5 MiB, and its batches two parts.
SMALL = 1 * MIB
ONE_FUNCTION = 16 * MIB + 1
BATCHES = 26 * MIB + 1
STRATEGIES = {"COPY": SMALL, "MULTIPART": ONE_FUNCTION, "MULTIPART_BATCHES": BATCHES}
MULTIPART = {"in one function": ONE_FUNCTION, "in batches": BATCHES}

ATTRIBUTES = {
    "Metadata": {"owner": "build", "note": "a=b&c"},
    "ContentType": "application/zip",
    "CacheControl": "max-age=60",
    "ContentDisposition": 'attachment; filename="a b.zip"',
    "ContentEncoding": "identity",
    "ContentLanguage": "en-GB",
    "Expires": datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC),
    "WebsiteRedirectLocation": "/elsewhere",
    "StorageClass": "STANDARD_IA",
}
TAGS = {"team": "a & b", "formula": "x=y+z", "path": "a/b"}


@pytest.fixture(scope="module")
def content() -> bytes:
    """Bytes of which no two parts are equal."""
    return os.urandom(BATCHES)


def parts_of(gate: Gate, label: str, bucket: str) -> Counter[str]:
    """Return how often each part was copied to `bucket`."""
    return Counter(call.query["partNumber"] for call in gate.calls(label, "UploadPartCopy", bucket=bucket))


@pytest.mark.parametrize(("strategy", "size"), STRATEGIES.items(), ids=STRATEGIES)
def test_everything_arrives_the_same_whichever_way_it_is_copied(
    application: Application, quiet: Source, content: bytes, strategy: str, size: int, key: str, label: str
) -> None:
    quiet.put(key, content[:size], **ATTRIBUTES)
    tags = [{"Key": name, "Value": value} for name, value in TAGS.items()]
    application.s3.put_object_tagging(Bucket=quiet.name, Key=key, Tagging={"TagSet": tags})

    ended = application.run(quiet.request(key), label)

    assert ended.output["status"] == "SUCCESS"
    for bucket in application.destinations:
        copy = application.s3.head_object(Bucket=bucket, Key=key)
        assert {name: copy.get(name) for name in ATTRIBUTES} == ATTRIBUTES
        found = application.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in found} == TAGS
        assert application.content(bucket, key) == content[:size]
        assert application.open_uploads(bucket, key) == []
        item = quiet.destinations(key)[bucket]
        assert (item["strategy"], item["bytes"], item["code"]) == (strategy, size, "COPIED")
        # The emulated S3 keeps no checksum over the whole of a multipart object.
        assert item["verification"] == ("CHECKSUM" if strategy == "COPY" else "SIZE")


@pytest.mark.parametrize("size", [6 * MIB, 6 * MIB + 1, 10 * MIB, 20 * MIB, 20 * MIB + 1, 25 * MIB])
def test_sizes_at_the_thresholds_and_at_whole_parts_arrive(
    application: Application, requests: Requests, quiet: Source, content: bytes, size: int, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key, content[:size])

    application.run(quiet.request(key, [bucket]), label)

    assert application.content(bucket, key) == content[:size]
    requests.were(label, bucket=bucket, UploadPartCopy=0 if size <= 6 * MIB else -(-size // (5 * MIB)))


@pytest.mark.parametrize("size", MULTIPART.values(), ids=MULTIPART)
def test_repeated_failures_of_parts_copy_only_what_is_missing(
    application: Application, gate: Gate, quiet: Source, content: bytes, size: int, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key, content[:size])

    with gate.refusing("UploadPartCopy", label, ABORTED, times=2) as refused:
        ended = application.run(quiet.request(key, [bucket]), label)

    assert refused.seen == 2
    assert ended.output["status"] == "SUCCESS"
    assert application.content(bucket, key) == content[:size]
    copied = parts_of(gate, label, bucket)
    assert sum(copied.values()) == len(copied) + 2
    assert application.open_uploads(bucket, key) == []


@pytest.mark.parametrize(("function", "size"), [("CopyFileFunction", ONE_FUNCTION), ("CopyPartBatchFunction", BATCHES)])
def test_function_that_is_killed_is_resumed_where_it_stopped(
    application: Application, gate: Gate, quiet: Source, content: bytes, function: str, size: int, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key, content[:size])

    with gate.holding("UploadPartCopy", label, part="3", times=1) as third:
        arn = application.start(quiet.request(key, [bucket]), label)
        third.wait()
        application.kill(function)

    assert application.ended(arn).output["status"] == "SUCCESS"
    assert application.content(bucket, key) == content[:size]
    assert application.open_uploads(bucket, key) == []
    assert len(gate.calls(label, "CreateMultipartUpload")) == 1


@pytest.mark.parametrize("size", MULTIPART.values(), ids=MULTIPART)
def test_failure_for_good_leaves_no_upload_behind(
    application: Application, gate: Gate, quiet: Source, content: bytes, size: int, key: str, label: str
) -> None:
    bad, good = application.destinations
    quiet.put(key, content[:size])

    with gate.refusing("UploadPartCopy", label, Refusal(403, "AccessDenied"), bucket=bad):
        ended = application.run(quiet.request(key), label)

    assert ended.error == "PARTIAL_FAILURE"
    found = quiet.destinations(key)
    assert (found[bad]["code"], found[bad]["attempts"]) == ("ACCESS_DENIED", 1)
    assert "s3:PutObject" in found[bad]["cause"]
    assert len(gate.calls(label, "AbortMultipartUpload", bucket=bad)) == 1
    assert application.open_uploads(bad, key) == []
    assert application.content(bad, key) is None
    assert application.content(good, key) == content[:size]


@pytest.mark.parametrize("size", MULTIPART.values(), ids=MULTIPART)
@pytest.mark.parametrize(
    "operation", ["CreateMultipartUpload", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "PutItem"]
)
def test_function_that_fails_after_a_call_goes_on_to_the_same_end(
    application: Application,
    gate: Gate,
    quiet: Source,
    content: bytes,
    operation: str,
    size: int,
    key: str,
    label: str,
) -> None:
    """The call is made, and the function never learns of it."""
    bucket = application.destinations[0]
    quiet.put(key, content[:size])
    refusal = BUSY if operation == "PutItem" else ABORTED

    with gate.refusing(operation, label, refusal, times=1, made=True) as lost:
        ended = application.run(quiet.request(key, [bucket]), label)

    assert lost.seen == 1
    assert ended.output["status"] == "SUCCESS"
    assert application.content(bucket, key) == content[:size]
    assert application.open_uploads(bucket, key) == []
    assert quiet.record(key)["successfulCopies"] == 1


def test_file_that_is_there_already_is_not_copied_in_batches_again(
    application: Application, requests: Requests, quiet: Source, content: bytes, key: str, label: str
) -> None:
    quiet.put(key, content)
    application.run(quiet.request(key), label)

    again = application.run(quiet.request(key), f"{label}-again")

    assert again.output["status"] == "SUCCESS"
    assert {item["code"] for item in quiet.destinations(key).values()} == {"SKIPPED_IDENTICAL"}
    requests.were(label, CreateMultipartUpload=len(application.destinations))


def test_upload_that_boto3_opens_twice_leaves_none_behind(
    application: Application, gate: Gate, quiet: Source, content: bytes, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    quiet.put(key, content[:ONE_FUNCTION])

    with gate.losing_answers("CreateMultipartUpload", label, times=1) as lost:
        ended = application.run(quiet.request(key, [bucket]), label)

    assert lost.seen == 1
    assert ended.output["status"] == "SUCCESS"
    assert application.open_uploads(bucket, key) == []


@pytest.mark.parametrize("size", MULTIPART.values(), ids=MULTIPART)
def test_source_overwritten_between_parts_never_makes_a_mixture(
    application: Application, gate: Gate, quiet: Source, content: bytes, size: int, key: str, label: str
) -> None:
    bucket = application.destinations[0]
    old_e_tag = quiet.put(key, content[:size])
    with gate.holding("UploadPartCopy", label, part="4") as fourth:
        late = application.start(quiet.request(key, [bucket], eTag=old_e_tag, sequencer=EARLIER), f"{label}-old")
        fourth.wait()
        new_e_tag = quiet.put(key, content[:size][::-1])

    assert application.ended(late).output["status"] == "SUPERSEDED"
    assert application.content(bucket, key) is None
    assert application.open_uploads(bucket, key) == []

    newer = application.run(quiet.request(key, [bucket], eTag=new_e_tag, sequencer=LATER), f"{label}-new")
    assert newer.output["status"] == "SUCCESS"
    assert application.content(bucket, key) == content[:size][::-1]


def test_batches_run_as_a_map_of_their_own(
    application: Application, requests: Requests, quiet: Source, content: bytes, key: str, label: str
) -> None:
    quiet.put(key, content)

    ended = application.run(quiet.request(key), label)

    assert ended.output["status"] == "SUCCESS"
    batches = -(-BATCHES // (2 * 5 * MIB))
    for bucket in application.destinations:
        # Each batch asks once which parts are there, and so does the completion.
        requests.were(label, bucket=bucket, ListParts=batches + 1, CompleteMultipartUpload=1)
    assert json.loads(quiet.record(key)["failedBuckets"]) == []
