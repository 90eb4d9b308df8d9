"""What a copy carries: the same on both paths, one CopyObject or a multipart upload."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.wire import Request, Wire
from tests.functional.replication.conftest import buckets_with
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.errors import DestinationNotVersionedError, S3RefusedError
from waybill.replication.models import DestinationOptions, ObjectFacts, ObjectPlace

DESTINATION = DESTINATIONS[0]

KEYS = [
    "my file+v1 (é) 100%.zip",
    "a%2Bb+c%20d.zip",
    "q?versionId=x&a=b#c.zip",
    """quotes'"`<>&amp;.zip""",
    "emoji/😀/日本語.zip",
    "/leading",
    "double//slash//",
    "up/../down/./here",
    "folder/",
    "k" * 1024,
    "é" * 512,
]
HEADERS = {
    "CacheControl": "max-age=60, private",
    "ContentDisposition": 'attachment; filename="build 123.zip"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de-AT",
    "ContentType": "application/x-build; v=2",
}
EXPIRES = "Thu, 01 Dec 2033 16:00:00 GMT"
METADATA = {"commit": "5f3e", "with-dash": "a=b&c"}
TAGS = {"team": "a b", "price": "1 = 2", "note": "+1@x/y:z"}

type Copy = Callable[[S3Buckets, ObjectFacts, ObjectPlace], None]


def in_one_call(buckets: S3Buckets, source: ObjectFacts, place: ObjectPlace) -> None:
    buckets.copy(source, place)


def in_parts(buckets: S3Buckets, source: ObjectFacts, place: ObjectPlace) -> None:
    upload_id = buckets.create_upload(source, buckets.headers(source), place)
    buckets.copy_part(source, place, upload_id, 1, (0, source.size - 1))
    buckets.complete_upload(place, upload_id, buckets.parts(place, upload_id))


def start_of_copy(wire: Wire) -> Request:
    return (wire.of("s3.CopyObject") + wire.of("s3.CreateMultipartUpload"))[0]


both_paths = pytest.mark.parametrize("copy", [in_one_call, in_parts])


def described(buckets: S3Buckets, key: str, *, version_id: str | None = None) -> ObjectFacts:
    return buckets.describe_source(SOURCE, key, version_id=version_id, e_tag=None)


def content(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def tags(s3: Any, bucket: str, key: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}


@both_paths
@pytest.mark.parametrize("key", KEYS)
def test_any_key_gets_to_the_destination_as_it_is(buckets: S3Buckets, s3: Any, copy: Copy, key: str) -> None:
    s3.put_object(Bucket=SOURCE, Key=key, Body=b"this one")
    s3.put_object(Bucket=SOURCE, Key="decoy", Body=b"another")
    copy(buckets, described(buckets, key), ObjectPlace(DESTINATION, key))
    listed = s3.list_objects_v2(Bucket=DESTINATION)["Contents"]
    assert [item["Key"] for item in listed] == [key]
    assert content(s3, DESTINATION, key) == b"this one"


@both_paths
def test_everything_that_an_object_carries_arrives(buckets: S3Buckets, s3: Any, wire: Wire, copy: Copy) -> None:
    s3.put_object(
        Bucket=SOURCE,
        Key="a",
        Body=b"abc",
        Metadata=METADATA,
        Tagging=urlencode(TAGS),
        StorageClass="STANDARD_IA",
        WebsiteRedirectLocation="/elsewhere",
        Expires=EXPIRES,
        **HEADERS,
    )
    copy(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    found = s3.head_object(Bucket=DESTINATION, Key="a")
    assert {name: found[name] for name in HEADERS} == HEADERS
    assert found["ExpiresString"] == EXPIRES
    assert found["Metadata"] == METADATA
    assert found["StorageClass"] == "STANDARD_IA"
    assert found["WebsiteRedirectLocation"] == "/elsewhere"
    # S3 copies it on no path by itself, though moto does.
    assert start_of_copy(wire).headers["x-amz-website-redirect-location"] == "/elsewhere"
    assert tags(s3, DESTINATION, "a") == TAGS


def test_any_tag_survives_the_multipart_path(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    tags = {"a&b": "c=d&e", "100%": "+ %2B", "é": "😀", "empty": ""}
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc", Tagging="a=b")
    answer = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
    wire.change("s3.GetObjectTagging", lambda parsed: parsed.update(answer))
    wire.answer("s3.CreateMultipartUpload", 200, "<R><UploadId>u1</UploadId></R>")
    source = described(buckets, "a")
    buckets.create_upload(source, buckets.headers(source), ObjectPlace(DESTINATION, "a"))
    sent = wire.of("s3.CreateMultipartUpload")[0].headers["x-amz-tagging"]
    assert dict(parse_qsl(sent, keep_blank_values=True)) == tags


@both_paths
def test_an_object_that_carries_nothing_gets_nothing(buckets: S3Buckets, s3: Any, copy: Copy) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    copy(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    ours, theirs = (s3.head_object(Bucket=bucket, Key="a") for bucket in (SOURCE, DESTINATION))
    for one in (ours, theirs):
        assert one["Metadata"] == {}
        assert not {"CacheControl", "ContentEncoding", "ExpiresString", "TagCount"} & set(one)
    assert theirs["ContentType"] == ours["ContentType"]
    assert theirs.get("StorageClass", "STANDARD") == "STANDARD"


@both_paths
def test_nothing_of_one_object_gets_onto_the_next(buckets: S3Buckets, s3: Any, copy: Copy) -> None:
    for key in ("a", "b"):
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"abc", Tagging=f"{key}=1", Metadata={key: "1"})
    s3.put_object(Bucket=SOURCE, Key="c", Body=b"abc")
    for key in ("a", "b", "c"):
        copy(buckets, described(buckets, key), ObjectPlace(DESTINATION, key))
    assert [tags(s3, DESTINATION, key) for key in ("a", "b", "c")] == [{"a": "1"}, {"b": "1"}, {}]
    metadata = [s3.head_object(Bucket=DESTINATION, Key=key)["Metadata"] for key in ("a", "b", "c")]
    assert metadata == [{"a": "1"}, {"b": "1"}, {}]


@pytest.mark.parametrize("expires", ["0", "-1", "never", EXPIRES])
def test_expires_is_free_text_on_the_multipart_path_too(buckets: S3Buckets, s3: Any, wire: Wire, expires: str) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    wire.change("s3.HeadObject", lambda answer: answer.update(ExpiresString=expires))
    in_parts(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    assert wire.of("s3.CreateMultipartUpload")[0].headers["expires"] == expires


def test_a_file_name_in_utf8_arrives_as_it_was_sent(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    disposition = 'attachment; filename="é😀.zip"'
    as_read = disposition.encode().decode("latin-1")
    wire.change("s3.HeadObject", lambda answer: answer.update(ContentDisposition=as_read))
    in_parts(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    assert wire.of("s3.CreateMultipartUpload")[0].headers["content-disposition"] == disposition


@pytest.mark.parametrize("key", ["empty.zip", "folder/"])
def test_empty_objects_and_folder_markers_are_copied(buckets: S3Buckets, s3: Any, key: str) -> None:
    s3.put_object(Bucket=SOURCE, Key=key, Body=b"")
    in_one_call(buckets, described(buckets, key), ObjectPlace(DESTINATION, key))
    assert content(s3, DESTINATION, key) == b""


@both_paths
def test_a_version_is_copied_though_it_is_no_longer_the_newest(buckets: S3Buckets, s3: Any, copy: Copy) -> None:
    s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=SOURCE, Key="a b", Body=b"first", Tagging="of=first")["VersionId"]
    s3.put_object(Bucket=SOURCE, Key="a b", Body=b"second", Tagging="of=second")
    copy(buckets, described(buckets, "a b", version_id=first), ObjectPlace(DESTINATION, "a b"))
    assert content(s3, DESTINATION, "a b") == b"first"
    assert tags(s3, DESTINATION, "a b") == {"of": "first"}


@both_paths
def test_without_versions_every_byte_is_pinned_to_the_etag(buckets: S3Buckets, s3: Any, wire: Wire, copy: Copy) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    source = described(buckets, "a")
    copy(buckets, source, ObjectPlace(DESTINATION, "a"))
    copies = wire.of("s3.CopyObject") + wire.of("s3.UploadPartCopy")
    assert [request.headers["x-amz-copy-source-if-match"] for request in copies] == [f'"{source.e_tag}"']


@both_paths
def test_options_say_what_a_destination_gets(s3: Any, wire: Wire, copy: Copy) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc", StorageClass="STANDARD_IA", Tagging="a=b")
    options = DestinationOptions(
        kms_key_id="arn:aws:kms:eu-west-1:123456789012:key/1",
        storage_class="ONEZONE_IA",
        acl="bucket-owner-full-control",
        tags=False,
        owner="123456789012",
    )
    buckets = buckets_with({DESTINATION: options})
    copy(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    start = start_of_copy(wire).headers
    assert start["x-amz-server-side-encryption"] == "aws:kms"
    assert start["x-amz-server-side-encryption-aws-kms-key-id"] == options.kms_key_id
    assert start["x-amz-server-side-encryption-bucket-key-enabled"] == "true"
    assert start["x-amz-storage-class"] == "ONEZONE_IA"
    assert start["x-amz-acl"] == "bucket-owner-full-control"
    assert wire.of("s3.GetObjectTagging") == []
    writing = ("s3.CopyObject", "s3.CreateMultipartUpload", "s3.UploadPartCopy", "s3.CompleteMultipartUpload")
    owners = [request.headers.get("x-amz-expected-bucket-owner") for name in writing for request in wire.of(name)]
    assert set(owners) == {"123456789012"}
    assert tags(s3, DESTINATION, "a") == {}


@both_paths
def test_other_destinations_do_not_get_those_options(s3: Any, wire: Wire, copy: Copy) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    buckets = buckets_with(
        {DESTINATIONS[1]: DestinationOptions(acl="private", owner="1" * 12, storage_class="GLACIER")}
    )
    copy(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    start = start_of_copy(wire).headers
    assert not {"x-amz-acl", "x-amz-expected-bucket-owner"} & set(start)
    assert start["x-amz-storage-class"] == "STANDARD"


@both_paths
@pytest.mark.parametrize(
    ("carried", "days", "expected"),
    [
        (True, 1, {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-legal-hold": "ON"}),
        (True, -1, {"x-amz-object-lock-legal-hold": "ON"}),
        (False, 1, {}),
    ],
)
def test_object_lock_is_carried_where_that_is_asked_for_and_while_it_lasts(
    s3: Any, wire: Wire, copy: Copy, carried: bool, days: int, expected: dict[str, str]
) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    lock = {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": until,
        "ObjectLockLegalHoldStatus": "ON",
    }
    wire.change("s3.HeadObject", lambda answer: answer.update(lock))
    # moto wants a checksum of the body beside a lock, and a copy has no body.
    wire.answer("s3.CopyObject", 200, "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
    buckets = buckets_with({DESTINATION: DestinationOptions(object_lock=carried)})
    copy(buckets, described(buckets, "a"), ObjectPlace(DESTINATION, "a"))
    start = start_of_copy(wire).headers
    sent = {name: value for name, value in start.items() if name.startswith("x-amz-object-lock")}
    retained_until = sent.pop("x-amz-object-lock-retain-until-date", None)
    assert sent == expected
    assert (retained_until is not None) is ("x-amz-object-lock-mode" in expected)


def test_the_answer_to_a_copy_tells_what_was_made(buckets: S3Buckets, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=DESTINATION, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc", ChecksumAlgorithm="SHA256")
    source = described(buckets, "a")
    answered = buckets.copy(source, ObjectPlace(DESTINATION, "a"))
    stored = s3.head_object(Bucket=DESTINATION, Key="a")
    assert (answered.e_tag, answered.version_id) == (stored["ETag"].strip('"'), stored["VersionId"])
    assert (answered.size, answered.bucket) == (3, DESTINATION)
    assert source.checksum
    assert answered.checksum == source.checksum


def test_what_boto3_refuses_to_send_is_no_fault_of_s3(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    s3.put_object(Bucket=SOURCE, Key="a", Body=b"abc")
    source = described(buckets, "a")
    wire.clear()
    with pytest.raises(S3RefusedError, match="Key"):
        buckets.copy(source, ObjectPlace(DESTINATION, ""))
    assert wire.of("s3.CopyObject") == []


def test_a_removal_is_a_marker_where_versions_are_kept_and_refused_elsewhere(buckets: S3Buckets, s3: Any) -> None:
    place = ObjectPlace(DESTINATION, KEYS[0])
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=b"abc")
    with pytest.raises(DestinationNotVersionedError, match=DESTINATION):
        buckets.remove(place)
    assert buckets.find(place) is not None
    s3.put_bucket_versioning(Bucket=DESTINATION, VersioningConfiguration={"Status": "Enabled"})
    assert not buckets.is_hidden(place)
    buckets.remove(place)
    assert buckets.find(place) is None
    assert buckets.is_hidden(place)
    assert not buckets.is_hidden(ObjectPlace(DESTINATION, "never there"))
    listed = s3.list_object_versions(Bucket=DESTINATION, Prefix=place.key)
    assert [marker["IsLatest"] for marker in listed["DeleteMarkers"]] == [True]
    assert len(listed["Versions"]) == 1
