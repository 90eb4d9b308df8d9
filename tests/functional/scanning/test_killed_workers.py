"""A worker that is killed by an object: one object costs only itself."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.adapters.heartbeat import INVISIBLE_SECONDS, Heartbeat
from waybill.scanning.errors import BucketUnavailableError, QueueUnavailableError
from waybill.scanning.models import Slice

POISON = "k7"


@contextmanager
def killing(scanner: Scanner, monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> Iterator[None]:
    """Let everything that reads the poisoned object end like this."""
    original = scanner.bucket.open

    def opened(bucket: str, entry: Any, offset: int) -> Any:
        if entry.key == POISON:
            raise fault
        return original(bucket, entry, offset)

    with monkeypatch.context() as patched:
        patched.setattr(scanner.bucket, "open", opened)
        yield


def deliver(scanner: Scanner, work: Slice) -> int:
    """Deliver a message until it is done, as SQS does; return how often its worker has died."""
    deaths = 0
    while True:
        try:
            scanner.worker.work(work, deaths + 1)
        except Crash:
            deaths += 1
        else:
            return deaths


def test_an_object_that_kills_its_worker_costs_itself(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner.bucket.objects = {f"k{number}": b"nothing" for number in range(100)}
    job = scanner.create()
    scanner.list_all(job)
    assert len(scanner.queue.slices) == 1
    deaths = 0
    with killing(scanner, monkeypatch, Crash()):
        while scanner.queue.slices:
            deaths += deliver(scanner, scanner.queue.slices.pop(0))
    # Once with the others, once alone: with the time that a message is invisible, less than three minutes.
    assert deaths == 2
    assert deaths * INVISIBLE_SECONDS < 180
    tally = scanner.table.outcomes.tally(job.job_id)
    assert dict(tally.outcomes) == {"FAILED": 1, "SCANNED": 99}
    assert dict(tally.reasons) == {"WORKER_FAILED": 1}
    assert scanner.jobs.report(job.job_id)["status"] == "completed_with_errors"


def test_a_large_object_that_kills_its_worker_fails_at_the_third_time(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {POISON: b"nothing"}
    job = scanner.create()
    scanner.list_all(job)
    with killing(scanner, monkeypatch, Crash()):
        assert deliver(scanner, scanner.queue.slices.pop()) == 2
    assert dict(scanner.table.outcomes.tally(job.job_id).outcomes) == {"FAILED": 1}


def test_a_fault_that_was_handled_is_no_death(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner.bucket.objects = {f"k{number}": b"nothing" for number in range(10)}
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices
    scanner.queue.slices.clear()
    with killing(scanner, monkeypatch, BucketUnavailableError("slow down")):
        for deliveries in (1, 2, 3):
            with pytest.raises(BucketUnavailableError):
                scanner.worker.work(work, deliveries)
            scanner.worker.add_fault(work)
    assert scanner.queue.slices == []
    scanner.worker.work(work, 4)
    assert dict(scanner.table.outcomes.tally(job.job_id).outcomes) == {"SCANNED": 10}


def test_an_unforeseen_fault_of_the_engine_costs_its_object_alone(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from waybill.scanning.domain.detection.engine import Engine

    original = Engine.matches

    def matches(self: Engine, text: bytes, *more: Any) -> Any:
        if b"poison" in text:
            raise KeyError("unforeseen")
        return original(self, text, *more)

    monkeypatch.setattr(Engine, "matches", matches)
    scanner.bucket.objects = {"a": b"ssn 219-45-6789", "b": b"poison", "c": b"ssn 219-45-6789"}
    report = scanner.run()
    assert (report["total_findings"], report["succeeded"], report["failed"]) == (2, 3, 0)
    assert scanner.jobs.coverage(report["job_id"])["reasons"]["PARSER_FAILED"]["objects"] == 1


class Beats:
    """A queue that counts; the first call fails."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def wait(self, receipt_handle: str, seconds: int) -> None:
        self.calls.append((receipt_handle, seconds))
        if len(self.calls) == 1:
            raise QueueUnavailableError("slow down")


def test_a_message_stays_invisible_while_somebody_works_on_it_and_not_longer() -> None:
    queue = Beats()
    with Heartbeat(queue, "handle", every=0.01):
        deadline = time.monotonic() + 10
        while len(queue.calls) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    beats = len(queue.calls)
    assert beats >= 3
    assert set(queue.calls) == {("handle", INVISIBLE_SECONDS)}
    time.sleep(0.1)
    assert len(queue.calls) == beats
    assert all(thread.name != "heartbeat" for thread in threading.enumerate())
