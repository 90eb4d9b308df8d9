"""A job listed in ranges: cut while others list, killed anywhere, cut again; every key once, totals exact."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.models import ListingRange, Status

AWKWARD = [
    f"{folder}{number}" for folder in ("é/", "~/", "A/", "a/", "%2F/", "", " ", "😀", "//") for number in range(30)
]
# As many folders with half as many keys: cut as often as a test needs that repeats each step.
FEWER = AWKWARD[::2]


def list_in_turns(scanner: Scanner, job_id: str, chance: random.Random, batch: int = 6) -> None:
    """List a job as its executions do, in any order, until none is left; a step that dies is repeated."""

    def step[Result](act: Callable[[], Result]) -> Result:
        while True:
            with suppress(Crash):
                return act()

    running = [0]
    ended = set()
    while running:
        number = chance.choice(running)
        listed = step(lambda: scanner.lister_of(batch).process_batch(job_id, number))  # noqa: B023
        if listed.split:
            step(lambda: scanner.splitter().split(job_id, number))  # noqa: B023
        if listed.done:
            ended.add(number)
        started = {int(state.get("range", 0)) for state in scanner.executions.inputs.values()}
        running = sorted({0, *started} - ended)


def delivered(scanner: Scanner) -> set[str]:
    return {entry.key for work in scanner.queue.slices for entry in work.entries}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("prefix", ["", "a", "é/"])
def test_the_ranges_together_are_the_plain_listing(scanner: Scanner, seed: int, prefix: str) -> None:
    scanner.bucket.objects = dict.fromkeys(AWKWARD, b"")
    wanted = {key for key in AWKWARD if key.startswith(prefix)}
    job = scanner.create(prefix)
    list_in_turns(scanner, job.job_id, random.Random(seed))
    sent = Counter(entry.key for work in scanner.queue.slices for entry in work.entries)
    assert sent == Counter(wanted)
    found = scanner.jobs.find(job.job_id)
    assert (found.total, found.listing_done, found.status) == (len(wanted), True, Status.PROCESSING)
    if len(wanted) > 50:
        assert len(scanner.table.ranges.all(job.job_id)) > 4


@pytest.mark.parametrize(
    "effect",
    ["ranges.save_page", "queue.send", "ranges.advance", "ranges.split", "executions.start", "jobs.end_listing"],
)
@pytest.mark.parametrize("seed", range(2))
def test_killed_after_any_effect_of_a_cut_listing_nothing_is_lost_or_counted_twice(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, effect: str, seed: int
) -> None:
    scanner.bucket.objects = dict.fromkeys(FEWER, b"")
    job = scanner.create()
    owner, method = scanner.effect(effect)
    original, chance, deaths = getattr(owner, method), random.Random(seed), 0

    def kill_after(*args: Any, **more: Any) -> Any:
        nonlocal deaths
        result = original(*args, **more)
        if not deaths or (deaths < 6 and chance.random() < 0.5):
            deaths += 1
            raise Crash
        return result

    monkeypatch.setattr(owner, method, kill_after)
    list_in_turns(scanner, job.job_id, chance)
    assert deaths
    assert len(scanner.table.ranges.all(job.job_id)) > 4
    assert delivered(scanner) == set(FEWER)
    found = scanner.jobs.find(job.job_id)
    assert (found.total, found.listing_done) == (len(FEWER), True)


def test_a_batch_that_wakes_up_after_the_cut_counts_nothing_that_the_pieces_count(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(80)}
    job = scanner.create()
    lister = scanner.lister_of(8)
    assert lister.process_batch(job.job_id).split
    original, slept = scanner.queue.send, False

    def sleep_before_sending(slices: Any) -> int:
        nonlocal slept
        if not slept:
            slept = True
            # Meanwhile its invocation was given up on, repeated, and the range was cut.
            scanner.table.ranges.page(job.job_id, scanner.table.ranges.all(job.job_id)[0], 2)
            scanner.splitter().split(job.job_id, 0)
        return original(slices)

    monkeypatch.setattr(scanner.queue, "send", sleep_before_sending)
    lister.process_batch(job.job_id)
    assert len(scanner.table.ranges.all(job.job_id)) > 1
    monkeypatch.setattr(scanner.queue, "send", original)
    list_in_turns(scanner, job.job_id, random.Random(1), batch=8)
    assert scanner.jobs.find(job.job_id).total == 80
    assert delivered(scanner) == set(scanner.bucket.objects)


def test_a_repeated_cut_starts_what_was_cut_and_cuts_nothing_more(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(80)}
    job = scanner.create()
    scanner.lister_of(8).process_batch(job.job_id)
    pieces = scanner.splitter().split(job.job_id, 0)
    assert len(pieces) == 7
    assert scanner.splitter().split(job.job_id, 0) == pieces
    assert len(scanner.executions.inputs) == 7
    assert {state["range"] for state in scanner.executions.inputs.values()} == set(pieces)


def test_small_buckets_and_those_without_fan_out_are_not_cut(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(50)}
    job = scanner.create()
    assert not scanner.lister_of(50).process_batch(job.job_id).split
    assert scanner.bucket.lists == 1
    job = scanner.create()
    assert not scanner.lister_of(20, fan_out=1).process_batch(job.job_id).split


def test_progress_and_totals_are_those_of_all_ranges_while_they_are_listed(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"1" for number in range(80)}
    job = scanner.create()
    scanner.lister_of(8).process_batch(job.job_id)
    for piece in scanner.splitter().split(job.job_id, 0)[:2]:
        scanner.lister_of(4).process_batch(job.job_id, piece)
    report, coverage = scanner.jobs.report(job.job_id), scanner.jobs.coverage(job.job_id)
    assert (report["status"], report["total"], report["queued"], report["progress_percent"]) == ("listing", 16, 16, 0)
    assert (coverage["objects_total"], coverage["bytes_total"], coverage["listing_complete"]) == (16, 16, False)
    scanner.jobs.cancel(job.job_id)
    assert all(
        scanner.lister_of(4).process_batch(job.job_id, part.number).done
        for part in scanner.table.ranges.all(job.job_id)
    )


def test_the_execution_that_lists_a_range_is_remembered(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": b"" for number in range(40)}
    job = scanner.create()
    for generation in (1, 2):
        scanner.lister_of(8).process_batch(job.job_id, 0, f"arn:execution:scan-{generation}")
    assert scanner.jobs.report(job.job_id)["execution_arn"] == "arn:execution:scan-2"
    assert scanner.jobs.report(job.job_id)["step_function_status"] == "RUNNING"


def test_a_job_may_have_more_than_a_thousand_ranges(scanner: Scanner) -> None:
    job = scanner.create()
    for first in (99, 999):
        [whole] = [part for part in scanner.table.ranges.all(job.job_id) if part.number == 0]
        new = [ListingRange(first + index, f"k{first + index}", whole.upto, parent=0) for index in range(3)]
        assert scanner.table.ranges.split(job.job_id, whole, new, f"k{first}")
    numbers = [part.number for part in scanner.table.ranges.all(job.job_id)]
    assert numbers == [0, 99, 100, 101, 999, 1000, 1001]
