"""Reading objects: one state from the first byte to the last, however often the connection breaks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.waiting import StillClock
from waybill.consignments.adapters.source_objects import S3Objects
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import FileRecord, Reason
from waybill.core.retry import Retry

RECORD = FileRecord(fileId="1", s3SourceBucket="uploads", s3SourceBucketKey="key", versionId="v1", eTag='"one"')


class Body(BytesIO):
    """A body whose connection breaks with `error` after so many bytes."""

    def __init__(self, content: bytes, error: Exception | None, after: int) -> None:
        super().__init__(content)
        self._error = error
        self._after = after

    def read(self, count: int | None = -1) -> bytes:
        left = self._after - self.tell()
        if self._error is not None and left <= 0:
            raise self._error
        wanted = len(self.getvalue()) if count is None or count < 0 else count
        return super().read(min(wanted, left) if self._error is not None else wanted)


@dataclass
class Client:
    """S3 with one object, whose answers break as `breaks` says: after how many bytes, one number per answer."""

    content: bytes
    breaks: list[int]
    error: Exception
    refusal: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def get_object(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if len(self.asked) > 1 and self.refusal:
            status = {"HTTPStatusCode": 412 if self.refusal == "PreconditionFailed" else 503}
            answer: Any = {"Error": {"Code": self.refusal}, "ResponseMetadata": status}
            raise ClientError(answer, "GetObject")
        start = int(asked.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        after = self.breaks.pop(0) if self.breaks else None
        rest = self.content[start:]
        body = Body(rest, None if after is None else self.error, after or 0)
        return {"Body": body, "ETag": '"one"', "ContentLength": len(rest), "VersionId": "v1"}


def objects(client: Client) -> S3Objects:
    return S3Objects(client, Retry(clock=StillClock().clock()))  # type: ignore[arg-type]


def chunks(client: Client, count: int = 7) -> Iterator[bytes]:
    opened = objects(client).open(RECORD)
    while chunk := opened.read(count):
        yield chunk


ERRORS = [
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ReadTimeoutError(endpoint_url=""),
    ConnectionResetError(),
]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4), st.sampled_from(ERRORS), st.integers(1, 20))
def test_every_byte_arrives_once_wherever_the_connection_breaks(
    content: bytes, breaks: list[int], error: Exception, count: int
) -> None:
    client = Client(content, list(breaks), error)
    assert b"".join(chunks(client, count)) == content
    assert {asked["VersionId"] for asked in client.asked} == {"v1"}
    assert {asked["IfMatch"] for asked in client.asked} == {'"one"'}


def test_what_is_taken_up_again_is_only_what_is_missing() -> None:
    client = Client(b"0123456789", [4], ConnectionResetError())
    assert list(chunks(client, 4)) == [b"0123", b"4567", b"89"]
    assert [asked.get("Range") for asked in client.asked] == [None, "bytes=4-"]


def test_an_answer_that_ends_early_is_taken_up_again() -> None:
    client = Client(b"0123456789", [], ConnectionResetError())
    opened = objects(client).open(RECORD)
    opened._body = BytesIO(b"012")
    assert b"".join(iter(lambda: opened.read(100), b"")) == b"0123456789"


def test_a_connection_that_breaks_for_ever_is_an_error_that_may_pass() -> None:
    with pytest.raises(ChecksUnavailableError, match="broke off 5 times: ConnectionResetError"):
        list(chunks(Client(b"0123456789", [0] * 9, ConnectionResetError())))


def test_an_object_that_is_replaced_while_it_is_read_is_refused() -> None:
    client = Client(b"0123456789", [4], ConnectionResetError(), refusal="PreconditionFailed")
    with pytest.raises(FileRefusedError) as refused:
        list(chunks(client))
    assert refused.value.failure.reason is Reason.OBJECT_REPLACED


def test_s3_that_fails_meanwhile_is_an_error_that_may_pass() -> None:
    client = Client(b"0123456789", [4], ConnectionResetError(), refusal="SlowDown")
    with pytest.raises(ChecksUnavailableError, match="SlowDown"):
        list(chunks(client))


def test_the_state_that_was_found_is_kept_where_the_record_has_none() -> None:
    client = Client(b"0123456789", [4], ConnectionResetError())
    opened = objects(client).open(RECORD.model_copy(update={"e_tag": None, "version_id": None}))
    while opened.read(4):
        pass
    assert [asked.get("IfMatch") for asked in client.asked] == [None, '"one"']
