"""Small objects are read several at a time, each once, and nothing is held or open in the end."""

import threading
from typing import Any

import pytest

from tests.fakes.scanning import FakeBucket, etag_of
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.domain.prefetch import SMALL_BYTES, Prefetch
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
    with Prefetch(bucket, "archive", entries, AT_ONCE) as objects:
        assert [objects.open(entry, 0).read(100) for entry in entries] == [b"content"] * 20
    assert bucket.gets == 20


def test_what_is_not_asked_for_is_not_read_much_further() -> None:
    bucket, entries = bucket_of(**{f"k{number:02}": b"content" for number in range(20)})
    with Prefetch(bucket, "archive", entries, AT_ONCE) as objects:
        objects.open(entries[0], 0)
    assert bucket.gets <= 1 + AT_ONCE


def test_large_objects_are_read_when_they_are_asked_for() -> None:
    bucket, entries = bucket_of(small=b"1", large=b"x" * (SMALL_BYTES + 1), replaced=b"2")
    bucket.objects["replaced"] = b"y" * (SMALL_BYTES + 1)
    with Prefetch(bucket, "archive", entries, AT_ONCE) as objects:
        assert objects.open(entries[0], 0).read(10) == b"1"
        large, replaced = objects.open(entries[1], SMALL_BYTES), objects.open(entries[2], 0)
        assert (large.read(10), large.changed) == (b"x", False)
        assert (replaced.read(3), replaced.changed, replaced.size) == (b"yyy", True, SMALL_BYTES + 1)


@pytest.mark.parametrize("error", [BucketUnavailableError("SlowDown"), ObjectRefusedError("ACCESS_DENIED")])
def test_an_objects_fault_is_its_own(error: Exception) -> None:
    bucket, entries = bucket_of(a=b"1", b=b"2", c=b"3")

    def fault(key: str) -> None:
        if key == "b":
            raise error

    bucket.on_open = fault
    with Prefetch(bucket, "archive", entries, AT_ONCE) as objects:
        assert objects.open(entries[0], 0).read(10) == b"1"
        with pytest.raises(type(error)):
            objects.open(entries[1], 0)
        assert objects.open(entries[2], 0).read(10) == b"3"


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
