"""Small objects are read several at a time, each once, and nothing is held or open in the end."""

import threading
from typing import Any

import pytest

from tests.fakes.scanning import FakeBucket, etag_of
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.domain.small_objects import SMALL_BYTES, prefetched
from waybill.scanning.errors import BucketUnavailableError, ObjectRefusedError
from waybill.scanning.models import Entry

AT_ONCE = 4
_SECONDS = 20


def bucket_of(**objects: bytes) -> tuple[FakeBucket, list[Entry]]:
    return FakeBucket(objects=dict(objects)), [
        Entry(key, len(content), etag_of(content)) for key, content in objects.items()
    ]


def test_so_many_are_read_at_a_time_and_no_more() -> None:
    bucket, entries = bucket_of(**{f"k{number:02}": b"content" for number in range(20)})
    together = threading.Barrier(AT_ONCE)
    # Whoever comes waits for three others: were fewer read at a time, nobody would go on.
    bucket.on_open = lambda _: together.wait(_SECONDS) and None
    with prefetched(bucket, "archive", entries, AT_ONCE) as objects:
        assert [opened and opened.read(100) for _, opened in objects] == [b"content"] * 20
    assert bucket.gets == 20


def test_what_is_not_asked_for_is_not_read_much_further() -> None:
    bucket, entries = bucket_of(**{f"k{number:02}": b"content" for number in range(20)})
    with prefetched(bucket, "archive", entries, AT_ONCE) as objects:
        assert objects.take(entries[0])
    assert bucket.gets <= 1 + AT_ONCE


def test_large_objects_are_read_when_they_are_asked_for() -> None:
    bucket, entries = bucket_of(small=b"1", large=b"x" * (SMALL_BYTES + 1), replaced=b"2")
    bucket.objects["replaced"] = b"y" * (SMALL_BYTES + 1)
    with prefetched(bucket, "archive", entries, AT_ONCE) as objects:
        first, large, replaced = (objects.take(entry) for entry in entries)
        assert first
        assert replaced
        assert (first.read(10), large) == (b"1", None)
        assert (replaced.read(3), replaced.changed, replaced.size) == (b"yyy", True, SMALL_BYTES + 1)


@pytest.mark.parametrize("error", [BucketUnavailableError("SlowDown"), ObjectRefusedError("ACCESS_DENIED")])
def test_an_objects_fault_is_its_own(error: Exception) -> None:
    bucket, entries = bucket_of(a=b"1", b=b"2", c=b"3")

    def fault(key: str) -> None:
        if key == "b":
            raise error

    bucket.on_open = fault
    with prefetched(bucket, "archive", entries, AT_ONCE) as objects:
        first = objects.take(entries[0])
        assert first
        assert first.read(10) == b"1"
        with pytest.raises(type(error)):
            objects.take(entries[1])
        third = objects.take(entries[2])
        assert third
        assert third.read(10) == b"3"


def test_a_worker_reads_each_object_once_and_none_that_it_need_not_read(scanner: Scanner) -> None:
    opened: list[Any] = []
    scanner.bucket.objects = {f"k{number:02}": b"ssn 219-45-6789\n" for number in range(40)} | {
        "empty": b"",
        "x.png": b"1",
    }
    scanner.bucket.on_open = opened.append
    report = scanner.run(exclude=["*.png"])
    assert (report["succeeded"], report["skipped"], report["total_findings"]) == (41, 1, 40)
    assert sorted(opened) == [f"k{number:02}" for number in range(40)]
    scanner.run(exclude=["*.png"])
    assert len(opened) == 40
