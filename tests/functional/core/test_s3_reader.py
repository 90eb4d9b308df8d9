"""The one reader of S3 objects: what breaks is taken up where it broke, in the same state.

Sources: Amazon S3 API Reference, GetObject (Range, If-Match, versionId); RFC 9110, 14.2 (a range of a representation
that has changed is another's); there were two readers, one of which resumes a broken connection.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import example, given
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.waiting import StillClock
from waybill.core.aws.s3 import S3Reader, S3ReadError
from waybill.core.aws.s3_faults import S3Fault
from waybill.core.retry import Retry

CONTENT = bytes(range(256)) * 40
ETAG = '"state-1"'


class Body(BytesIO):
    """Breaks, or ends, after so many bytes."""

    def __init__(self, content: bytes, good: int, error: Exception | None) -> None:
        super().__init__(content)
        self.good, self.error, self.is_closed = good, error, False

    def read(self, count: int | None = -1) -> bytes:
        piece = super().read(min(count or 0, self.good - self.tell()))
        if not piece and self.tell() < len(self.getbuffer()) and self.error:
            raise self.error
        return piece

    def close(self) -> None:
        self.is_closed = True


class Broken:
    """An S3 whose answers break after `good` bytes each; `requests` are what was asked."""

    def __init__(self, good: int, error: Exception | None = None) -> None:
        self.good, self.error = good, error
        self.e_tag = ETAG
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[Body] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if request.get("IfMatch", self.e_tag) != self.e_tag:
            response: Any = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
            raise ClientError(response, "GetObject")
        start = int(request.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.bodies.append(Body(CONTENT[start:], self.good, self.error))
        return {"Body": self.bodies[-1], "ETag": self.e_tag, "ContentLength": len(CONTENT) - start, "VersionId": "v1"}


def reader(client: Any, tries: int = 5) -> S3Reader:
    return S3Reader(client, retry=Retry(tries=tries, clock=StillClock().clock()))


@pytest.mark.parametrize("error", [None, ReadTimeoutError(endpoint_url=""), ConnectionResetError()])
def test_what_breaks_is_taken_up_behind_what_was_read(error: Exception | None) -> None:
    s3 = Broken(3000, error)
    with reader(s3).open("b", "k", version_id="v1") as opened:
        assert b"".join(opened.chunks(1000)) == CONTENT
        assert (opened.size, opened.e_tag, opened.version_id) == (len(CONTENT), "state-1", "v1")
    assert [request.get("Range") for request in s3.requests] == [None, "bytes=3000-", "bytes=6000-", "bytes=9000-"]
    assert [request.get("IfMatch") for request in s3.requests] == [None, ETAG, ETAG, ETAG]
    assert {request["VersionId"] for request in s3.requests} == {"v1"}
    assert all(body.is_closed for body in s3.bodies)


def test_it_may_break_so_often_and_no_more() -> None:
    with reader(Broken(10), tries=3).open("b", "k") as opened, pytest.raises(S3ReadError) as raised:
        list(opened.chunks())
    assert (raised.value.fault, raised.value.is_transient) == (S3Fault.UNAVAILABLE, True)
    assert raised.value.reason == "broke off 3 times: a short answer"


def test_another_state_is_not_joined_to_what_was_read() -> None:
    s3 = Broken(3000)
    with reader(s3).open("b", "k") as opened:
        opened.read()
        s3.e_tag = '"state-2"'
        with pytest.raises(S3ReadError) as raised:
            list(opened.chunks())
    assert (raised.value.fault, raised.value.is_transient) == (S3Fault.CHANGED, False)


def test_a_state_that_is_named_is_asked_for() -> None:
    with pytest.raises(S3ReadError) as raised:
        reader(Broken(3000)).open("b", "k", e_tag="state-0")
    assert raised.value.fault is S3Fault.CHANGED
    assert reader(Broken(3000)).open("b", "k", e_tag="state-1").e_tag == "state-1"


def test_errors_are_translated_once_wherever_they_come_from() -> None:
    class OurError(Exception):
        pass

    made = S3Reader(Broken(10), retry=Retry(tries=1), translate=lambda error: OurError(error.fault))  # type: ignore[arg-type]
    with pytest.raises(OurError):
        made.open("b", "k", e_tag="state-0")
    with pytest.raises(OurError):
        list(made.open("b", "k").chunks())


@given(good=st.integers(1, 4000), count=st.integers(1, 5000), offset=st.integers(0, len(CONTENT)))
def test_each_byte_comes_once_however_it_breaks(good: int, count: int, offset: int) -> None:
    s3 = Broken(good)
    made = S3Reader(s3, retry=Retry(tries=10**5, clock=StillClock().clock()))  # type: ignore[arg-type]
    opened = made.open("b", "k", offset=offset)
    pieces = list(opened.chunks(count))
    assert b"".join(pieces) == CONTENT[offset:]
    assert opened.size == len(CONTENT)
    assert all(len(piece) <= count for piece in pieces)


@given(content=st.binary(max_size=40).map(lambda some: some.replace(b"0", b"\n")), count=st.integers(1, 9))
@example(content=b"a\r\n\nb\x85c", count=2)
@example(content=b"a\n", count=9)
def test_lines_end_at_line_feeds_and_nowhere_else(content: bytes, count: int) -> None:
    # JSON Lines 1.1: a line ends with a line feed, which the last line may lack. Elsewhere other ends are of the text.
    class Stored:
        def get_object(self, **_: Any) -> dict[str, Any]:
            return {"Body": BytesIO(content), "ETag": ETAG, "ContentLength": len(content)}

    lines = list(reader(Stored()).open("b", "k").lines(count))
    assert lines == content.removesuffix(b"\n").split(b"\n") if content else lines == []


@pytest.fixture
def bucket() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="k", Body=CONTENT)
        client.put_object(Bucket="bucket", Key="empty", Body=b"")
        yield client


def test_on_s3(bucket: Any) -> None:
    assert b"".join(reader(bucket).open("bucket", "k", offset=10).chunks()) == CONTENT[10:]
    assert reader(bucket).open("bucket", "empty").read() == b""
    for name, key, fault in (("bucket", "none", S3Fault.OBJECT_MISSING), ("no-bucket", "k", S3Fault.BUCKET_MISSING)):
        with pytest.raises(S3ReadError) as raised:
            reader(bucket).open(name, key)
        assert raised.value.fault is fault


def test_the_tags_of_an_object_are_those_of_its_version(bucket: Any) -> None:
    # Amazon S3 API Reference, GetObjectTagging: of the newest version, unless `versionId` names another.
    bucket.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first, second = (
        bucket.put_object(Bucket="bucket", Key="tagged", Body=b"1", Tagging=f"scan={value}")["VersionId"]
        for value in ("clean", "bad")
    )
    assert first != second
    assert reader(bucket).tags("bucket", "tagged", version_id=first) == {"scan": "clean"}
    assert reader(bucket).tags("bucket", "tagged") == {"scan": "bad"}
    with pytest.raises(S3ReadError) as raised:
        reader(bucket).tags("bucket", "none")
    assert raised.value.fault is S3Fault.OBJECT_MISSING
