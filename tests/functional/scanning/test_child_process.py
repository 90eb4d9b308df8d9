"""What becomes of work in a process of its own, whatever ends it; decision 13."""

import ctypes
import faulthandler
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.isolation import Read, Send
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome
from waybill.scanning.errors import BucketUnavailableError

CHILD = ChildProcess(memory_bytes=100 << 20, seconds=lambda: 2)


def counting(read: Read, send: Send) -> None:
    size = 0
    while part := read(65_536):
        size += len(part)
    send({"size": size})


def takes_memory(read: Read, send: Send) -> None:
    bytearray(300 << 20)


def crashes(read: Read, send: Send) -> None:
    faulthandler.disable()  # the crash is meant: no trace of it in the output of the tests
    ctypes.string_at(0)


def fails(read: Read, send: Send) -> None:
    raise KeyError("hostile")


def hangs(read: Read, send: Send) -> None:
    while True:
        pass


def is_killed(read: Read, send: Send) -> None:
    os.kill(os.getpid(), 9)


def children() -> set[str]:
    """Return the processes that this one has begun and not waited for (proc(5): task/TID/children)."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def open_files() -> set[str]:
    """Return what this process holds open, but for the folder that is read to know it."""
    return {f"{entry}: {entry.readlink()}" for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}


def test_what_is_read_and_sent_is_whole() -> None:
    content = bytes(20_000_000)
    assert CHILD(counting, io.BytesIO(content).read) == ([{"size": len(content)}], None)


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (takes_memory, "MEMORY"),
        (is_killed, "MEMORY"),
        (crashes, "PARSER_FAILED"),
        (fails, "PARSER_FAILED"),
        (hangs, "TIME_LIMIT"),
    ],
)
def test_what_was_sent_before_the_end_is_kept(end: Callable[[Read, Send], None], fault: str) -> None:
    def work(read: Read, send: Send) -> None:
        send({"found": 1})
        end(read, send)

    assert CHILD(work, io.BytesIO(bytes(1_000_000)).read) == ([{"found": 1}], fault)


def test_much_is_sent_while_much_is_read() -> None:
    def work(read: Read, send: Send) -> None:
        for number in range(5000):
            send({"number": number, "text": "x" * 500})
        counting(read, send)

    sent, fault = CHILD(work, io.BytesIO(bytes(5_000_000)).read)
    assert (len(sent), fault) == (5001, None)


def test_a_fault_of_reading_is_the_readers_and_leaves_no_process_and_no_file() -> None:
    def read(_: int) -> bytes:
        raise BucketUnavailableError("gone")

    before = children(), open_files()
    with pytest.raises(BucketUnavailableError):
        CHILD(counting, read)
    assert (children(), open_files()) == before


def test_an_archive_that_crashes_its_parser_keeps_what_was_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "ssn 219-45-6789")
        archive.writestr("b.txt", "ssn 219-45-6789")
    original = zipfile.ZipFile.open

    def opened(self: Any, entry: Any, *more: Any) -> Any:
        if entry.filename == "b.txt":
            crashes(io.BytesIO().read, lambda _: None)
        return original(self, entry, *more)

    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    report = ObjectScanner(Engine(detectors()), b"key", isolation=CHILD).scan(io.BytesIO(file.getvalue()).read)
    assert (report.outcome, len(report.findings)) == (Outcome.PARTIAL, 1)
    assert dict(report.reasons) == {"PARSER_FAILED": 1}
