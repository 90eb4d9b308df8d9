"""S3 as the scanner reads it, on moto: states of objects, refusals and faults, and keys of every kind."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from tests.fakes.functions import REGION
from tests.fakes.scanning import AWKWARD_KEYS
from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.scanning.adapters.s3 import S3Bucket
from waybill.scanning.errors import (
    BucketDeniedError,
    BucketNotFoundError,
    BucketUnavailableError,
    ObjectRefusedError,
)
from waybill.scanning.models import Entry

BODY = b"first line\nsecond line\n"


@pytest.fixture
def s3(wire: Wire) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


@pytest.fixture
def bucket(s3: Any) -> S3Bucket:
    return S3Bucket(lambda: s3, None)


def put(s3: Any, key: str, body: bytes = BODY, **more: Any) -> Entry:
    etag = s3.put_object(Bucket="archive", Key=key, Body=body, **more)["ETag"].strip('"')
    return Entry(key, len(body), etag)


def test_every_key_is_listed_and_opened_under_its_own_name(s3: Any, bucket: S3Bucket) -> None:
    entries = {put(s3, key) for key in AWKWARD_KEYS}
    listed, final = bucket.page("archive", "", "", 1000)
    assert (set(listed), final) == (entries, True)
    assert all(bucket.open("archive", entry, 0).read(1000) == BODY for entry in listed)


def test_pages_go_on_behind_a_key(s3: Any, bucket: S3Bucket) -> None:
    for number in range(5):
        put(s3, f"in/{number}")
    put(s3, "out")
    first, final = bucket.page("archive", "in/", "", 3)
    assert ([entry.key for entry in first], final) == (["in/0", "in/1", "in/2"], False)
    rest, final = bucket.page("archive", "in/", first[-1].key, 3)
    assert ([entry.key for entry in rest], final) == (["in/3", "in/4"], True)


def test_an_object_is_read_in_its_listed_state_from_an_offset_on(s3: Any, bucket: S3Bucket, wire: Wire) -> None:
    entry = put(s3, "a")
    wire.clear()
    opened = bucket.open("archive", entry, 11)
    assert (opened.read(6), opened.read(100), opened.read(1)) == (b"second", b" line\n", b"")
    assert (opened.etag, opened.size, opened.changed) == (entry.etag, len(BODY), False)
    [request] = wire.of("s3.GetObject")
    assert request.headers["if-match"] == f'"{entry.etag}"'
    assert set(wire.counts) == {"s3.GetObject"}


def test_an_object_that_was_replaced_is_read_from_its_start_as_it_is(s3: Any, bucket: S3Bucket) -> None:
    entry = put(s3, "a")
    now = put(s3, "a", b"another")
    opened = bucket.open("archive", entry, 11)
    assert (opened.read(100), opened.etag, opened.changed) == (b"another", now.etag, True)


def test_storage_classes_that_cannot_be_read_at_once_are_listed(s3: Any, bucket: S3Bucket) -> None:
    for storage_class in ("STANDARD", "STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"):
        put(s3, storage_class, StorageClass=storage_class)
    listed = {entry.key: entry.storage_class for entry in bucket.page("archive", "", "", 10)[0]}
    assert {key for key, storage_class in listed.items() if storage_class in {"GLACIER", "DEEP_ARCHIVE"}} == {
        "GLACIER",
        "DEEP_ARCHIVE",
    }
    assert listed["STANDARD"] == listed["STANDARD_IA"] == ""


@pytest.mark.parametrize(
    ("code", "status", "message", "reason", "skips"),
    [
        ("NoSuchKey", 404, "", "GONE", True),
        ("AccessDenied", 403, "", "ACCESS_DENIED", False),
        ("AccessDenied", 403, "not authorized to perform: kms:Decrypt", "KMS_DENIED", False),
        ("InvalidObjectState", 403, "", "STORAGE_CLASS", True),
        ("InvalidRequest", 400, "The object was stored using a form of Server Side Encryption.", "SSE_C", False),
        ("InvalidArgument", 400, "", "S3_REFUSED", False),
    ],
)
def test_what_s3_refuses_has_its_reason(
    s3: Any, bucket: S3Bucket, wire: Wire, code: str, status: int, message: str, reason: str, skips: bool
) -> None:
    entry = put(s3, "a")
    wire.refuse("s3.GetObject", code, message, status=status)
    with pytest.raises(ObjectRefusedError) as refused:
        bucket.open("archive", entry, 0)
    assert (refused.value.reason, refused.value.skips) == (reason, skips)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("ServiceUnavailable", 503)])
def test_a_fault_of_s3_is_no_outcome(s3: Any, bucket: S3Bucket, wire: Wire, code: str, status: int) -> None:
    entry = put(s3, "a")
    wire.refuse("s3.GetObject", code, status=status)
    with pytest.raises(BucketUnavailableError):
        bucket.open("archive", entry, 0)
    wire.refuse("s3.ListObjectsV2", code, status=status)
    with pytest.raises(BucketUnavailableError):
        bucket.page("archive", "", "", 10)


def test_a_network_that_fails_is_no_outcome(s3: Any, bucket: S3Bucket, wire: Wire) -> None:
    entry = put(s3, "a")
    wire.cut("s3.GetObject", ConnectTimeoutError(endpoint_url="https://s3"))
    with pytest.raises(BucketUnavailableError):
        bucket.open("archive", entry, 0)


def test_a_bucket_that_cannot_be_listed_is_told_before_a_job_exists(s3: Any, bucket: S3Bucket, wire: Wire) -> None:
    bucket.check("archive", "in/")
    with pytest.raises(BucketNotFoundError):
        bucket.check("no-such-bucket", "")
    with pytest.raises(BucketDeniedError):
        S3Bucket(lambda: s3, frozenset({"another"})).check("archive", "")
    wire.refuse("s3.ListObjectsV2", "AccessDenied", status=403)
    with pytest.raises(BucketDeniedError):
        bucket.check("archive", "")
