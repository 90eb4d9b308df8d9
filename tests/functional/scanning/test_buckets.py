"""What the scanner reads of S3 for its listings: ranges with keys that fill their length, refusals, inventories."""

from typing import Any

import pytest

from tests.fakes.functions import REGION
from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.core.errors import NotFoundError
from waybill.scanning.adapters.s3 import S3Bucket
from waybill.scanning.domain.listed_bucket import ListedBucket
from waybill.scanning.domain.ranges import cut
from waybill.scanning.errors import BucketDeniedError, BucketNotFoundError, BucketUnavailableError, ObjectRefusedError
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry
from waybill.scanning.request_models import ScanRequest


@pytest.fixture
def s3(wire: Wire) -> Any:
    made = client("s3")
    made.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def bucket(allowed: frozenset[str] | None = None) -> S3Bucket:
    return S3Bucket(lambda: client("s3"), allowed)


def test_ranges_are_cut_and_listed_with_keys_that_fill_their_length(s3: Any) -> None:
    long = "é" * 500
    keys = sorted(
        [*(f"{long}{number}" for number in range(10)), *(f"k{number:02}" for number in range(40)), long, "z" * 1024]
    )
    for key in keys:
        s3.put_object(Bucket="archive", Key=key, Body=b"")
    source, request = ListedBucket(bucket()), ScanRequest(bucket="archive")
    ranges = cut(KeyRange(), source.cuts(request, KeyRange(), 32, 2))
    assert len(ranges) > 8
    assert all(len(part.upto.encode()) <= 1024 for part in ranges)
    listed: list[str] = []
    for part in ranges:
        entries, _, final = source.page(request, part, 1000)
        listed += [entry.key for entry in entries]
        assert final
    assert listed == keys


def test_buckets_that_are_missing_or_not_on_the_list_are_refused(s3: Any) -> None:
    with pytest.raises(BucketNotFoundError):
        bucket().check("no-such-bucket", "")
    with pytest.raises(BucketDeniedError, match="may be scanned"):
        bucket(frozenset({"other"})).check("archive", "")
    bucket(frozenset({"archive"})).check("archive", "")


def test_files_are_read_in_one_state_and_from_allowed_buckets(s3: Any) -> None:
    s3.put_object(Bucket="archive", Key="file", Body=b"content")
    etag = bucket().open_file("archive", "file").etag
    assert bucket().open_file("archive", "file", etag).read(100) == b"content"
    s3.put_object(Bucket="archive", Key="file", Body=b"other")
    with pytest.raises(BucketUnavailableError):
        bucket().open_file("archive", "file", etag)
    with pytest.raises(NotFoundError, match="s3://archive/none"):
        bucket().open_file("archive", "none")
    with pytest.raises(BucketDeniedError):
        bucket(frozenset({"other"})).open_file("archive", "file")
    with pytest.raises(ObjectRefusedError):
        bucket().open("archive", Entry("none", 1, "e"), 0)
