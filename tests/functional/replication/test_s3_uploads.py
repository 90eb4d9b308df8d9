"""Multipart uploads: what is open, what is finished, what is listed."""

from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, SOURCE, facts
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import buckets_with
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.domain.part_plan import describe
from waybill.replication.errors import NoSuchBucketError, SupersededError, UploadGoneError
from waybill.replication.models import (
    MIB,
    Checksum,
    CopyLimits,
    DestinationOptions,
    ObjectHeaders,
    ObjectPlace,
    Strategy,
)

PLACE = ObjectPlace(DESTINATIONS[0], KEY)
NO_HEADERS = ObjectHeaders(headers={}, metadata={})


@pytest.fixture
def large(s3: Any, wire: Wire) -> Any:
    """S3, with a source of 11 MiB."""
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"x" * (11 * MIB))
    wire.clear()
    return s3


def test_parts_are_copied_by_ranges_and_put_together(buckets: S3Buckets, large: Any, wire: Wire) -> None:
    source = buckets.describe_source(SOURCE, KEY, version_id=None, e_tag=None)
    upload_id = buckets.create_upload(source, buckets.headers(source), PLACE)
    for number, span in ((2, (5 * MIB, 10 * MIB - 1)), (3, (10 * MIB, 11 * MIB - 1)), (1, (0, 5 * MIB - 1))):
        buckets.copy_part(source, PLACE, upload_id, number, span)
    parts = buckets.parts(PLACE, upload_id)
    assert {number: part.size for number, part in parts.items()} == {1: 5 * MIB, 2: 5 * MIB, 3: MIB}
    buckets.complete_upload(PLACE, upload_id, dict(reversed(parts.items())))
    found = buckets.find(PLACE)
    assert found
    assert (found.size, found.e_tag[-2:]) == (11 * MIB, "-3")
    assert wire.of("s3.UploadPartCopy")[0].headers["x-amz-copy-source-range"] == f"bytes={5 * MIB}-{10 * MIB - 1}"
    assert buckets.open_uploads(PLACE, since="2000") == []


@pytest.mark.parametrize(
    ("checksum", "algorithm"),
    [
        (None, "CRC64NVME"),
        (Checksum(algorithm="CRC32C", value="a="), "CRC32C"),
        (Checksum(algorithm="CRC64NVME", value="a="), "CRC64NVME"),
        # S3 keeps no SHA over the whole of an object in parts.
        (Checksum(algorithm="SHA256", value="a="), "CRC64NVME"),
        (Checksum(algorithm="SHA1", value="a=-2", composite=True), "CRC64NVME"),
    ],
)
def test_an_upload_keeps_a_checksum_over_the_whole_object(
    buckets: S3Buckets, s3: Any, wire: Wire, checksum: Checksum | None, algorithm: str
) -> None:
    buckets.create_upload(facts(checksum=checksum), NO_HEADERS, PLACE)
    sent = wire.of("s3.CreateMultipartUpload")[0].headers
    assert (sent["x-amz-checksum-algorithm"], sent["x-amz-checksum-type"]) == (algorithm, "FULL_OBJECT")


def test_tags_are_read_only_when_there_are_any(buckets: S3Buckets, large: Any, wire: Wire) -> None:
    buckets.create_upload(facts(), NO_HEADERS, PLACE)
    assert "x-amz-tagging" not in wire.of("s3.CreateMultipartUpload")[0].headers
    assert wire.of("s3.GetObjectTagging") == []
    buckets.create_upload(facts(tag_count=1, version_id="null"), NO_HEADERS, PLACE)
    assert len(wire.of("s3.GetObjectTagging")) == 1


def listed_parts(first: int, last: int, *, more: bool) -> str:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>e{number}</ETag><Size>{number}</Size>"
        f"<ChecksumCRC64NVME>c{number}</ChecksumCRC64NVME></Part>"
        for number in range(first, last + 1)
    )
    paging = f"<IsTruncated>{str(more).lower()}</IsTruncated><NextPartNumberMarker>{last}</NextPartNumberMarker>"
    return f"<ListPartsResult>{paging}{parts}</ListPartsResult>"


def test_more_than_a_thousand_parts_are_listed_and_completed(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    # The order that was given last is tried first.
    wire.answer("s3.ListParts", 200, listed_parts(1, 1000, more=True))
    for first, last in ((1001, 2000), (2001, 2345)):
        marker = f"part-number-marker={first - 1}"
        page = listed_parts(first, last, more=last == 2000)
        wire.answer("s3.ListParts", 200, page, when=lambda request, marker=marker: marker in request.url)
    parts = buckets.parts(PLACE, "u")
    assert list(parts) == list(range(1, 2346))
    assert (parts[2345].size, parts[2345].e_tag) == (2345, "e2345")
    assert parts[2345].checksums == {"ChecksumCRC64NVME": "c2345"}

    wire.answer("s3.CompleteMultipartUpload", 200, "<R><ETag>e</ETag></R>")
    buckets.complete_upload(PLACE, "u", parts)
    body = wire.of("s3.CompleteMultipartUpload")[0].body.decode()
    assert body.count("<Part>") == 2345
    assert body.index("<ETag>e999</ETag>") < body.index("<ETag>e1000</ETag>")
    assert "<ChecksumCRC64NVME>c2345</ChecksumCRC64NVME>" in body


def uploads(*listed: tuple[str, str, str], key_marker: str = "") -> str:
    items = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{upload_id}</UploadId><Initiated>{started}</Initiated></Upload>"
        for key, upload_id, started in listed
    )
    more = (
        f"<NextKeyMarker>{key_marker}</NextKeyMarker><NextUploadIdMarker>m</NextUploadIdMarker>" if key_marker else ""
    )
    truncated = str(bool(key_marker)).lower()
    return (
        f"<ListMultipartUploadsResult><IsTruncated>{truncated}</IsTruncated>{more}{items}</ListMultipartUploadsResult>"
    )


def test_only_uploads_to_exactly_that_key_since_the_run_began_are_its_own(
    buckets: S3Buckets, s3: Any, wire: Wire
) -> None:
    since = "2026-11-21T10:00:00.900Z"
    first_page = uploads(
        (KEY, "before", "2026-11-21T09:59:59.000Z"),
        (KEY, "same-second", "2026-11-21T10:00:00.000Z"),
        (f"{KEY}.sha256", "longer-key", "2026-11-21T10:00:01.000Z"),
        key_marker=KEY,
    )
    wire.answer("s3.ListMultipartUploads", 200, uploads((KEY, "later", "2026-11-21T11:00:00.000Z")))
    wire.answer("s3.ListMultipartUploads", 200, first_page, when=lambda request: "key-marker" not in request.url)
    assert buckets.open_uploads(PLACE, since=since) == ["same-second", "later"]
    assert f"prefix={KEY}" in wire.of("s3.ListMultipartUploads")[0].url


def test_an_aborted_upload_leaves_nothing(buckets: S3Buckets, large: Any) -> None:
    upload_id = buckets.create_upload(facts(), NO_HEADERS, PLACE)
    assert buckets.open_uploads(PLACE, since="2000") == [upload_id]
    buckets.abort_upload(PLACE, upload_id)
    buckets.abort_upload(PLACE, upload_id)
    assert buckets.open_uploads(PLACE, since="2000") == []
    with pytest.raises(UploadGoneError):
        buckets.parts(PLACE, upload_id)


def test_the_owner_that_is_expected_is_named_in_every_request(s3: Any, wire: Wire) -> None:
    buckets = buckets_with({PLACE.bucket: DestinationOptions(owner="123456789012")})
    upload_id = buckets.create_upload(facts(), NO_HEADERS, PLACE)
    buckets.parts(PLACE, upload_id)
    buckets.open_uploads(PLACE, since="2026")
    buckets.find(PLACE)
    buckets.abort_upload(PLACE, upload_id)
    asked = [request for request in wire.requests if request.operation != "s3.GetBucketLocation"]
    assert len(asked) == 5
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in asked} == {"123456789012"}


def test_listings_come_page_by_page(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    keys = ["a b+c", "b/1", "b/2", "é"]
    for key in keys:
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"abc")
    pages = list(buckets.list_objects(SOURCE, ""))
    assert [item.key for page in pages for item in page] == keys
    assert {(item.size, item.e_tag) for page in pages for item in page} == {(3, E_TAG)}
    after = [item.key for page in buckets.list_objects(SOURCE, "b/", start_after="b/1") for item in page]
    assert after == ["b/2"]
    wire.refuse("s3.ListObjectsV2", "NoSuchBucket", status=404)
    with pytest.raises(NoSuchBucketError, match=f"s3:ListBucket on {SOURCE}"):
        list(buckets.list_objects(SOURCE, ""))


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "CRC32", "CRC32C"])
@pytest.mark.parametrize(
    ("length", "count", "known"), [(8 * MIB, 3, 8 * MIB), (9 * MIB, 4, None), (17 * MIB, 1, 17 * MIB)]
)
def test_a_checksum_over_parts_is_copied_in_the_same_parts(
    buckets: S3Buckets, s3: Any, wire: Wire, algorithm: str, length: int, count: int, known: int | None
) -> None:
    """HeadObject with `partNumber=1` (S3 API reference) tells the first part's length and how many parts there are."""
    whole = {"ETag": '"abc-3"', "Content-Length": str(17 * MIB), "x-amz-checksum-type": "COMPOSITE"}
    value = {f"x-amz-checksum-{algorithm.lower()}": "aaa=-3"}
    wire.answer("s3.HeadObject", 200, headers=whole | value)
    first = {"Content-Length": str(length), "x-amz-mp-parts-count": str(count), "ETag": '"abc-3"'}
    wire.answer("s3.HeadObject", 206, headers=first, when=lambda request: "partNumber=1" in request.url)

    source = buckets.describe_source(SOURCE, KEY, version_id=None, e_tag=None)
    assert source.part_size == known
    assert wire.of("s3.HeadObject")[-1].headers["if-match"] == '"abc-3"'

    description = describe(source, CopyLimits())
    assert (description.strategy, description.part_size) == (
        (Strategy.MULTIPART, known) if known else (Strategy.COPY, 0)
    )
    buckets.create_upload(source, NO_HEADERS, PLACE)
    asked = wire.of("s3.CreateMultipartUpload")[0].headers
    full = {"SHA1": "CRC64NVME", "SHA256": "CRC64NVME"}.get(algorithm, algorithm)
    expected = (algorithm, "COMPOSITE") if known else (full, "FULL_OBJECT")
    assert (asked["x-amz-checksum-algorithm"], asked["x-amz-checksum-type"]) == expected


def test_the_bytes_of_an_object_are_digested_as_long_as_it_is_the_same(buckets: S3Buckets, s3: Any) -> None:
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    found = buckets.find(ObjectPlace(SOURCE, KEY))
    assert found
    # FIPS 180-2, B.1: the SHA-256 of "abc".
    assert buckets.sha256(found) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abd")
    with pytest.raises(SupersededError):
        buckets.sha256(found)
