"""S3 as the scanner reads it, on moto."""

from typing import Any

import pytest

from tests.fakes.functions import REGION
from tests.fakes.wire import Wire
from waybill.core.aws import client
from waybill.core.errors import NotFoundError
from waybill.scanning.buckets import S3Bucket
from waybill.scanning.errors import BucketDeniedError, BucketNotFoundError, BucketUnavailableError, ObjectRefusedError
from waybill.scanning.listed_bucket import ListedBucket
from waybill.scanning.models import Entry, ScanRequest
from waybill.scanning.ranges import KeyRange, cut

AWKWARD = ["a b", "a+b", "a%2Fb", "new\nline", "😀.txt", "/leading", "./x", "folder/", "é" * 512, "~", "quote'\""]


@pytest.fixture
def s3(wire: Wire) -> Any:
    made = client("s3")
    made.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def bucket(allowed: frozenset[str] | None = None) -> S3Bucket:
    return S3Bucket(lambda: client("s3"), allowed)


def test_every_key_is_listed_and_opened_under_its_own_name(s3: Any) -> None:
    for key in AWKWARD:
        s3.put_object(Bucket="archive", Key=key, Body=key.encode())
    entries, final = bucket().page("archive", "", "", 1000)
    assert final
    assert [entry.key for entry in entries] == sorted(AWKWARD)
    for entry in entries:
        opened = bucket().open("archive", entry, 0)
        assert (opened.read(2000), opened.changed, opened.size) == (entry.key.encode(), False, entry.size)


@pytest.mark.parametrize("count", [0, 1, 5, 10, 11])
def test_pages_go_on_behind_a_key_and_know_their_end(s3: Any, count: int) -> None:
    keys = [f"p/{number:02}" for number in range(count)]
    for key in [*keys, "other", "q/behind"]:
        s3.put_object(Bucket="archive", Key=key, Body=b"")
    found, after, final = [], "", False
    while not final:
        entries, final = bucket().page("archive", "p/", after, 5)
        found += [entry.key for entry in entries]
        after = found[-1] if found else after
    assert found == keys


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


def test_an_object_is_read_as_it_is_now_or_not_at_all(s3: Any) -> None:
    s3.put_object(Bucket="archive", Key="k", Body=b"first")
    [entry], _ = bucket().page("archive", "", "", 10)
    assert bucket().open("archive", entry, 2).read(10) == b"rst"
    s3.put_object(Bucket="archive", Key="k", Body=b"second")
    opened = bucket().open("archive", entry, 2)
    assert (opened.changed, opened.read(10)) == (True, b"second")
    s3.delete_object(Bucket="archive", Key="k")
    with pytest.raises(ObjectRefusedError, match="GONE"):
        bucket().open("archive", entry, 0)


def test_what_cannot_be_read_at_once_is_told_by_its_class(s3: Any) -> None:
    s3.put_object(Bucket="archive", Key="cold", Body=b"1", StorageClass="GLACIER")
    s3.put_object(Bucket="archive", Key="warm", Body=b"1", StorageClass="STANDARD_IA")
    entries, _ = bucket().page("archive", "", "", 10)
    assert [(entry.key, entry.storage_class) for entry in entries] == [("cold", "GLACIER"), ("warm", "")]


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
