"""How many requests a replication makes, counted where boto3 sends them."""

from collections import Counter
from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, SOURCE, a_run
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import Invoke
from waybill.core.clock import iso, now
from waybill.core.errors import WaybillError
from waybill.replication import errors

A, B = DESTINATIONS
MIB = 1024**2
SMALL_PARTS = {"SINGLE_COPY_MAX_BYTES": str(5 * MIB), "PART_SIZE_BYTES": str(5 * MIB), "PART_CONCURRENCY": "2"}


def replicate(invoke: Invoke, key: str, stored: dict[str, Any], **changes: str) -> dict[str, Any]:
    """Walk one upload through the handlers as the state machine does; return the final state's answer."""
    described = {"key": key, "size": stored["Size"], "eTag": stored["ETag"].strip('"'), "sequencer": "01"}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": SOURCE}, "object": described}}
    arn = invoke("replication_worker", {"Records": [record]})["executionArn"]
    execution = {"Id": arn, "Name": arn.rsplit(":", 1)[-1], "StartTime": iso(now())}
    request = {
        "sourceBucket": SOURCE,
        "sourceKey": key,
        "destinationBuckets": [A, B],
        **{name: described[name] for name in ("size", "eTag", "sequencer")},
    }
    run = invoke("validate_input", {"input": request, "execution": execution})
    run |= {"generation": invoke("log_workflow_start", run)["generation"]}
    description = invoke("describe_source", run, **changes)
    results = [
        invoke(
            "copy_file",
            {
                "run": run | {"destinationBuckets": [bucket]},
                "destinationBucket": bucket,
                "description": description,
                "attempt": 1,
            },
            **changes,
        )
        for bucket in (A, B)
    ]
    totals = {"totalBuckets": 2, "successfulCopies": 2, "failedCopies": 0, "results": results}
    answer: dict[str, Any] = invoke("update_dynamodb_final", {"run": run, "totals": totals})
    return answer


def put(s3: Any, wire: Wire, key: str, size: int, **more: Any) -> dict[str, Any]:
    stored: dict[str, Any] = s3.put_object(Bucket=SOURCE, Key=key, Body=bytes(size), **more)
    wire.clear()
    return stored | {"Size": size}


_ONCE = {"s3.GetBucketLocation", "s3.GetBucketNotificationConfiguration"}


def counted(wire: Wire, service: str) -> dict[str, int]:
    """The requests of one service, without what a process asks once of each bucket."""
    found = Counter(
        request.operation.partition(".")[2]
        for request in wire.requests
        if request.operation.startswith(f"{service}.") and request.operation not in _ONCE
    )
    return dict(found)


@pytest.fixture(autouse=True)
def aws(s3: Any, workflow: Any, dynamodb: Any) -> None:
    """Everything that a replication needs."""


@pytest.mark.parametrize("tags", ["", "team=a"])
def test_a_small_file_to_two_destinations(invoke: Invoke, s3: Any, wire: Wire, tags: str) -> None:
    stored = put(s3, wire, "a", 3, Tagging=tags)
    assert replicate(invoke, "a", stored) == {"outcome": "SUCCESS", "recorded": True}
    # The answer to the copy carries the checksum, so nothing has to be looked at again.
    assert counted(wire, "s3") == {"HeadObject": 1, "CopyObject": 2}
    assert counted(wire, "sfn") == {"StartExecution": 1}
    written = counted(wire, "dynamodb")
    read = written.pop("GetItem")
    assert written == {"UpdateItem": 2, "PutItem": 2}
    # Per destination: after the copy, whether it may have landed on top of a newer one. The claim has looked before it.
    assert read == 2
    assert set(Counter(request.operation.partition(".")[0] for request in wire.requests)) == {"s3", "sfn", "dynamodb"}


def test_what_is_recorded_of_a_destination_is_read_from_the_second_run_on(invoke: Invoke, s3: Any, wire: Wire) -> None:
    first = put(s3, wire, "a", 3)
    invoke("log_workflow_start", a_run("another", key="a").wire())
    wire.clear()
    assert replicate(invoke, "a", first)["outcome"] == "SUCCESS"
    assert counted(wire, "dynamodb")["GetItem"] > 2 * 2


def test_each_copy_is_looked_at_where_the_answer_has_no_checksum(invoke: Invoke, s3: Any, wire: Wire) -> None:
    stored = put(s3, wire, "a", 3)
    wire.change("s3.CopyObject", lambda answer: answer["CopyObjectResult"].pop("ChecksumCRC32"))
    assert replicate(invoke, "a", stored)["outcome"] == "SUCCESS"
    assert counted(wire, "s3") == {"HeadObject": 3, "CopyObject": 2}


def test_buckets_are_located_once_per_process(invoke: Invoke, s3: Any, wire: Wire) -> None:
    for key in ("a", "b", "c"):
        replicate(invoke, key, put(s3, wire, key, 3))
    assert wire.of("s3.GetBucketLocation") == []


@pytest.mark.parametrize(("tags", "tag_reads"), [("", 0), ("team=a", 2)])
def test_a_large_file_reads_its_tags_only_when_it_has_some(
    invoke: Invoke, s3: Any, wire: Wire, tags: str, tag_reads: int
) -> None:
    # moto keeps no real CRC over the whole: nothing but the size is compared.
    wire.change("s3.HeadObject", lambda answer: [answer.pop(name, None) for name in ("ChecksumCRC32",)])
    stored = put(s3, wire, "large", 12 * MIB, Tagging=tags)
    assert replicate(invoke, "large", stored, **SMALL_PARTS)["outcome"] == "SUCCESS"
    found = counted(wire, "s3")
    assert found.get("GetObjectTagging", 0) == tag_reads
    assert (found["CreateMultipartUpload"], found["UploadPartCopy"], found["CompleteMultipartUpload"]) == (2, 6, 2)
    assert "CopyObject" not in found


PERMANENT: list[tuple[str, str, int, type[WaybillError]]] = [
    ("s3.CopyObject", "NoSuchBucket", 404, errors.NoSuchBucketError),
    ("s3.CopyObject", "AccessDenied", 403, errors.AccessDeniedError),
    ("s3.CopyObject", "InvalidObjectState", 403, errors.SourceArchivedError),
    ("s3.CopyObject", "KMS.DisabledException", 400, errors.KmsDeniedError),
    ("s3.CopyObject", "InvalidRequest", 400, errors.S3RefusedError),
]


@pytest.mark.parametrize(("operation", "code", "status", "error"), PERMANENT)
def test_what_no_retry_mends_is_one_request_and_an_error_that_the_workflow_knows(
    invoke: Invoke, s3: Any, wire: Wire, operation: str, code: str, status: int, error: type[WaybillError]
) -> None:
    stored = put(s3, wire, "a", 3)
    wire.refuse(operation, code, status=status)
    with pytest.raises(error) as raised:
        replicate(invoke, "a", stored)
    # Step Functions matches this name, and does not retry it.
    assert type(raised.value).__name__ == error.__name__
    assert len(wire.of(operation)) == 1


def test_a_slow_down_is_retried_by_the_sdk_first(invoke: Invoke, s3: Any, wire: Wire) -> None:
    stored = put(s3, wire, "a", 3)
    wire.refuse("s3.CopyObject", "SlowDown", status=503, times=1)
    assert replicate(invoke, "a", stored)["outcome"] == "SUCCESS"
    assert len(wire.of("s3.CopyObject")) == 3
    wire.refuse("s3.CopyObject", "SlowDown", status=503)
    with pytest.raises(errors.ThrottledError):
        replicate(invoke, "b", put(s3, wire, "b", 3))
    assert len(wire.of("s3.CopyObject")) == 3


def test_an_overwritten_source_is_superseded_without_an_error(invoke: Invoke, s3: Any, wire: Wire) -> None:
    stored = put(s3, wire, "a", 3)
    # moto does not look at CopySourceIfMatch.
    wire.refuse("s3.CopyObject", "PreconditionFailed", status=412)
    assert replicate(invoke, "a", stored | {"Size": 3})["recorded"] is True
    assert len(wire.of("s3.CopyObject")) == 2
