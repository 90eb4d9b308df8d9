"""What is found out about a source before it is copied, and about what lies at a destination."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, SOURCE
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import buckets_with
from waybill.core.errors import WaybillError
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.errors import (
    AccessDeniedError,
    KmsDeniedError,
    NoSuchBucketError,
    S3UnavailableError,
    SourceArchivedError,
    SourceNotFoundError,
    SseCUnsupportedError,
    SupersededError,
    ThrottledError,
)
from waybill.replication.models import Checksum, ObjectFacts, ObjectPlace

PLACE = ObjectPlace(DESTINATIONS[0], KEY)


@pytest.fixture
def stored(s3: Any, wire: Wire) -> Any:
    """S3, with the source in place."""
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc", ChecksumAlgorithm="SHA256")
    wire.clear()
    return s3


def describe(buckets: S3Buckets, *, version_id: str | None = None, e_tag: str | None = None) -> ObjectFacts:
    return buckets.describe_source(SOURCE, KEY, version_id=version_id, e_tag=e_tag)


def test_one_request_tells_everything(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    s3.put_object(
        Bucket=SOURCE,
        Key=KEY,
        Body=b"abc",
        ChecksumAlgorithm="SHA256",
        StorageClass="STANDARD_IA",
        Tagging="a=b&c=d",
        Metadata={"author": "Zo"},
        WebsiteRedirectLocation="/there",
    )
    wire.clear()
    found = describe(buckets)
    assert wire.counts == {"s3.GetBucketLocation": 1, "s3.HeadObject": 1}
    assert wire.of("s3.HeadObject")[0].headers["x-amz-checksum-mode"] == "ENABLED"
    assert found.last_modified
    assert datetime.fromisoformat(found.last_modified) <= datetime.now(UTC)
    # Each header and the metadata by a digest: other people's metadata has no business in states and records.
    assert set(found.properties or {}) == {"Content-Type", "metadata", "x-amz-website-redirect-location"}
    assert found.model_copy(update={"last_modified": None, "properties": None}) == ObjectFacts(
        bucket=SOURCE,
        key=KEY,
        size=3,
        e_tag=E_TAG,
        storage_class="STANDARD_IA",
        checksum=Checksum(algorithm="SHA256", value="ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        tag_count=2,
        website_redirect="/there",
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ChecksumCRC64NVME": "a=", "ChecksumType": "FULL_OBJECT"}, Checksum(algorithm="CRC64NVME", value="a=")),
        (
            {"ChecksumSHA256": "a=", "ChecksumType": "COMPOSITE"},
            Checksum(algorithm="SHA256", value="a=", composite=True),
        ),
        ({"ChecksumSHA1": "a=-3"}, Checksum(algorithm="SHA1", value="a=-3", composite=True)),
        ({"ChecksumCRC32C": "a=", "ChecksumCRC64NVME": "b="}, Checksum(algorithm="CRC64NVME", value="b=")),
        ({}, None),
    ],
)
def test_the_checksum_says_whether_it_is_over_the_whole_object(
    buckets: S3Buckets, stored: Any, wire: Wire, answer: dict[str, str], expected: Checksum | None
) -> None:
    def change(parsed: dict[str, Any]) -> None:
        parsed.pop("ChecksumSHA256", None)
        parsed.update(answer)

    wire.change("s3.HeadObject", change)
    assert describe(buckets).checksum == expected


@pytest.mark.parametrize(
    ("answer", "encryption"),
    [
        ({"ServerSideEncryption": "AES256"}, "AES256"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key"}, "aws:kms"),
        ({}, None),
    ],
)
def test_encryption_decides_whether_etags_prove_anything(
    buckets: S3Buckets, stored: Any, wire: Wire, answer: dict[str, str], encryption: str | None
) -> None:
    wire.change("s3.HeadObject", lambda parsed: parsed.update(answer))
    assert describe(buckets).encryption == encryption


def test_versions_are_named_and_the_null_version_is_none(buckets: S3Buckets, stored: Any, wire: Wire) -> None:
    stored.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    version = stored.put_object(Bucket=SOURCE, Key=KEY, Body=b"abcd")["VersionId"]
    assert describe(buckets).version_id == version
    assert describe(buckets).identity == version
    wire.change("s3.HeadObject", lambda parsed: parsed.update(VersionId="null"))
    null = describe(buckets)
    assert null.version_id is None
    # With the properties: two writes within one second may differ in nothing else.
    assert null.identity.startswith(f"{null.e_tag}@{null.last_modified}#")


def test_the_version_of_the_event_is_described(buckets: S3Buckets, stored: Any) -> None:
    stored.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    first = stored.put_object(Bucket=SOURCE, Key=KEY, Body=b"1")["VersionId"]
    stored.put_object(Bucket=SOURCE, Key=KEY, Body=b"22")
    assert describe(buckets, version_id=first, e_tag="whatever").size == 1


def test_an_object_that_changed_since_its_event_is_superseded(buckets: S3Buckets, stored: Any, wire: Wire) -> None:
    assert describe(buckets, e_tag=E_TAG).size == 3
    stored.put_object(Bucket=SOURCE, Key=KEY, Body=b"newer")
    wire.clear()
    with pytest.raises(SupersededError, match=f"{SOURCE}/{KEY}"):
        describe(buckets, e_tag=E_TAG)
    assert wire.counts == {"s3.HeadObject": 1}


@pytest.mark.parametrize(
    ("answer", "archived"),
    [
        ({"StorageClass": "GLACIER"}, True),
        ({"StorageClass": "DEEP_ARCHIVE"}, True),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, True),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, True),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="Fri"'}, False),
        ({"StorageClass": "GLACIER_IR"}, False),
        ({"StorageClass": "INTELLIGENT_TIERING"}, False),
    ],
)
def test_what_lies_in_an_archive_can_be_compared_and_is_known(
    buckets: S3Buckets, stored: Any, wire: Wire, answer: dict[str, str], archived: bool
) -> None:
    wire.change("s3.HeadObject", lambda parsed: parsed.update(answer))
    found = describe(buckets)
    assert (found.storage_class, found.archived) == (answer["StorageClass"], archived)


def test_a_customer_key_is_told_by_the_head_too(buckets: S3Buckets, stored: Any, wire: Wire) -> None:
    wire.change("s3.HeadObject", lambda parsed: parsed.update(SSECustomerAlgorithm="AES256"))
    with pytest.raises(SseCUnsupportedError, match=f"{SOURCE}/{KEY}"):
        describe(buckets)


# A HEAD that is refused has no body: its status is all. What a GET then says: status, code, message.
EXPLAINED: list[tuple[int, tuple[int, str, str], type[WaybillError]]] = [
    (404, (404, "NoSuchKey", ""), SourceNotFoundError),
    (404, (404, "NoSuchVersion", ""), SourceNotFoundError),
    (404, (404, "NoSuchBucket", ""), NoSuchBucketError),
    (403, (403, "AccessDenied", "Access Denied"), AccessDeniedError),
    (403, (403, "AccessDenied", "not authorized to perform: kms:Decrypt"), KmsDeniedError),
    (403, (403, "InvalidObjectState", ""), SourceArchivedError),
    (400, (400, "KMS.DisabledException", ""), KmsDeniedError),
    (400, (400, "InvalidRequest", "stored using a form of Server Side Encryption"), SseCUnsupportedError),
    (403, (503, "SlowDown", ""), ThrottledError),
    # The two do not agree: it has become readable meanwhile, though it may be empty.
    (404, (206, "", ""), S3UnavailableError),
    (404, (416, "InvalidRange", ""), S3UnavailableError),
]


@pytest.mark.parametrize(("status", "told", "expected"), EXPLAINED)
def test_a_refused_head_is_explained_by_a_get_of_one_byte(
    buckets: S3Buckets,
    stored: Any,
    wire: Wire,
    status: int,
    told: tuple[int, str, str],
    expected: type[WaybillError],
) -> None:
    wire.answer("s3.HeadObject", status)
    if told[0] == 206:
        wire.answer("s3.GetObject", 206, "a")
    else:
        wire.refuse("s3.GetObject", told[1], told[2], status=told[0])
    with pytest.raises(expected, match=f"s3:GetObject on {SOURCE}/{KEY}") as raised:
        describe(buckets)
    assert type(raised.value) is expected
    # A HEAD answered with 400 may have gone to the wrong Region: botocore finds out, and asks there.
    assert len(wire.of("s3.HeadObject")) == (2 if status == 400 else 1)
    assert wire.of("s3.GetObject")[0].headers["range"] == "bytes=0-0"


@pytest.mark.parametrize(("status", "expected"), [(405, SourceNotFoundError), (412, SupersededError)])
def test_a_status_that_says_enough_needs_no_explanation(
    buckets: S3Buckets, stored: Any, wire: Wire, status: int, expected: type[WaybillError]
) -> None:
    wire.answer("s3.HeadObject", status)
    with pytest.raises(expected):
        describe(buckets)
    assert wire.of("s3.GetObject") == []


def test_an_explanation_that_does_not_come_is_ours_to_retry(buckets: S3Buckets, stored: Any, wire: Wire) -> None:
    wire.answer("s3.HeadObject", 403)
    wire.cut("s3.GetObject", ReadTimeoutError(endpoint_url="x"))
    with pytest.raises(S3UnavailableError, match="ReadTimeoutError"):
        describe(buckets)
    wire.cut("s3.HeadObject", ReadTimeoutError(endpoint_url="x"))
    with pytest.raises(S3UnavailableError, match="ReadTimeoutError"):
        describe(buckets)


def test_a_missing_object_and_a_missing_bucket_are_told_apart_on_moto(buckets: S3Buckets, s3: Any) -> None:
    with pytest.raises(SourceNotFoundError, match=f"{SOURCE}/{KEY}"):
        describe(buckets)
    with pytest.raises(NoSuchBucketError, match="no-such-bucket"):
        buckets.describe_source("no-such-bucket", KEY, version_id=None, e_tag=None)


def test_a_deleted_object_is_not_found_though_its_versions_are_there(buckets: S3Buckets, stored: Any) -> None:
    stored.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    marker = stored.delete_object(Bucket=SOURCE, Key=KEY)["VersionId"]
    with pytest.raises(SourceNotFoundError):
        describe(buckets)
    with pytest.raises(SourceNotFoundError):
        describe(buckets, version_id=marker)


def test_what_lies_at_a_destination_is_found_or_is_not_there(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    assert buckets.find(PLACE) is None
    s3.put_object(Bucket=PLACE.bucket, Key=PLACE.key, Body=b"abc")
    found = buckets.find(PLACE)
    assert found
    assert (found.bucket, found.key, found.size, found.e_tag) == (PLACE.bucket, KEY, 3, E_TAG)


@pytest.mark.parametrize(("status", "expected"), [(403, AccessDeniedError), (503, ThrottledError)])
def test_a_destination_that_cannot_be_looked_at_is_not_taken_for_empty(
    buckets: S3Buckets, wire: Wire, status: int, expected: type[WaybillError]
) -> None:
    wire.answer("s3.HeadObject", status)
    with pytest.raises(expected, match=f"s3:GetObject on {PLACE.bucket}/{KEY}"):
        buckets.find(PLACE)
    wire.cut("s3.HeadObject", ReadTimeoutError(endpoint_url="x"))
    with pytest.raises(S3UnavailableError):
        buckets.find(PLACE)


_QUEUE = "<Queue>arn:aws:sqs:eu-west-1:123456789012:q</Queue><Event>s3:ObjectCreated:*</Event>"


@pytest.mark.parametrize(
    ("configuration", "watched"),
    [
        ("", False),
        ("<EventBridgeConfiguration/>", True),
        (f"<QueueConfiguration><Id>q</Id>{_QUEUE}</QueueConfiguration>", True),
        ("<CloudFunctionConfiguration><Id>f</Id></CloudFunctionConfiguration>", True),
    ],
)
def test_a_bucket_that_raises_events_is_known_as_a_source(
    s3: Any, wire: Wire, configuration: str, watched: bool
) -> None:
    """Amazon S3 API reference, GetBucketNotificationConfiguration; asked once per process, whatever comes of it."""
    body = f"<NotificationConfiguration>{configuration}</NotificationConfiguration>"
    wire.answer("s3.GetBucketNotificationConfiguration", 200, body)
    buckets = buckets_with({})
    assert [buckets.sends_events(DESTINATIONS[0]) for _ in range(3)] == [watched] * 3
    assert len(wire.of("s3.GetBucketNotificationConfiguration")) == 1


def test_of_a_bucket_that_tells_nothing_of_its_events_nothing_is_expected(s3: Any, wire: Wire) -> None:
    wire.refuse("s3.GetBucketNotificationConfiguration", "AccessDenied", "Access Denied", status=403)
    assert buckets_with({}).sends_events(DESTINATIONS[0]) is False
    wire.refuse("s3.GetBucketNotificationConfiguration", "SlowDown", "Please reduce your request rate", status=503)
    with pytest.raises(ThrottledError):
        buckets_with({}).sends_events(DESTINATIONS[0])
