"""Outcomes: one for every object, counted once, whatever is repeated, dies, or happens at the same time."""

import random
import threading
from collections import Counter
from typing import Any

import pytest

from tests.fakes.probe import Crash
from tests.functional.scanning.conftest import Scanner
from waybill.scanning.adapters.outcome_table import OUTCOMES_LIMIT
from waybill.scanning.models import ObjectOutcome, ObjectStatus, Slice, Status

SSN = b"ssn 219-45-6789\n"
WRITES = frozenset({"PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem"})


class Death:
    """Kills the worker after a certain effect: a write to the table, or a message sent."""

    def __init__(self, scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
        self.effects = 0
        self.after = 0
        call, send = scanner.client._make_api_call, scanner.queue.send

        def calling(operation: str, arguments: Any) -> Any:
            answer = call(operation, arguments)
            self._note(operation in WRITES)
            return answer

        def sending(slices: Any) -> int:
            sent = send(slices)
            self._note(sent > 0)
            return sent

        monkeypatch.setattr(scanner.client, "_make_api_call", calling)
        monkeypatch.setattr(scanner.queue, "send", sending)

    def _note(self, effect: bool) -> None:
        self.effects += effect
        if effect and self.effects == self.after:
            raise Crash

    def comes_after(self, effects: int) -> None:
        self.effects, self.after = 0, effects


def seen(scanner: Scanner, job_id: str) -> tuple[Any, ...]:
    """Return what users see of a job, without what is its own."""
    report, coverage = scanner.jobs.report(job_id), scanner.jobs.coverage(job_id)
    own = {"job_id", "created_at", "updated_at", "execution_arn"}
    findings = [
        tuple((name, str(value)) for name, value in finding.items() if name not in own)
        for finding in scanner.findings(job_id)
    ]
    return (
        {k: v for k, v in report.items() if k not in own},
        {k: v for k, v in coverage.items() if k not in own} | {"rules": [*coverage["rules"].values()]},
        findings,
    )


def test_a_worker_that_dies_after_any_effect_loses_and_doubles_nothing(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {"a": SSN, "b": b"clean", "changes": SSN, "gone": SSN, "large": (SSN + (b"x" * 99 + b"\n") * 250) * 2}
    death, counted = Death(scanner, monkeypatch), list[int]()

    def carry_out(number: int) -> tuple[Any, ...]:
        scanner.rules = f"rules-{number}"  # nothing from the cache
        scanner.bucket.objects = dict(listed)
        job = scanner.create()
        scanner.list_all(job)
        scanner.bucket.objects["changes"] = SSN * 2
        del scanner.bucket.objects["gone"]
        scanner.seconds = 10  # large objects take several messages
        death.comes_after(number)
        deaths = 0
        while scanner.queue.slices:
            work = scanner.queue.slices[0]
            try:
                scanner.worker.work(work)
            except Crash:
                deaths += 1
            else:
                scanner.queue.slices.remove(work)
        assert deaths == (number > 0)
        counted.append(death.effects)
        death.comes_after(0)
        ended = scanner.completion.finish_if_done(job.job_id)
        assert ended is not None
        # As the sweeper does, where a worker died between the end and the news of it.
        assert ended.announced or scanner.completion.announce_again(ended)
        assert scanner.announcer.told[-1] == (job.job_id, "completed")
        return seen(scanner, job.job_id)

    undisturbed = carry_out(0)
    assert counted[0] > 15
    for number in range(1, counted[0] + 1):
        assert carry_out(number) == undisturbed, f"dead after effect {number}"


def test_five_deliveries_two_of_them_at_once_count_once(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:02}": SSN * 3 for number in range(30)}
    job = scanner.create()
    scanner.list_all(job)
    works = list(scanner.queue.slices) * 3
    threads = [threading.Thread(target=lambda: [scanner.worker.work(work) for work in works]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["succeeded"], report["total_findings"], report["progress_percent"]) == (30, 90, 100.0)
    assert len(scanner.findings(job.job_id)) == 90
    assert scanner.announcer.told == [(job.job_id, "completed")]


def test_of_all_that_end_a_job_at_once_one_tells(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    job = scanner.create()
    announce, completion = scanner.announcer.announce, scanner.completion

    def while_another_worker_asks(*news: Any) -> None:
        asked = completion.finish_if_done(job.job_id)
        assert asked is not None
        assert asked.ended
        announce(*news)

    monkeypatch.setattr(scanner.announcer, "announce", while_another_worker_asks)
    scanner.list_all(job)
    assert scanner.announcer.told == [(job.job_id, "completed")]


def test_of_two_that_find_an_end_untold_one_tells(scanner: Scanner) -> None:
    created = scanner.create()
    scanner.table.jobs.end(created.job_id, Status.CANCELLED)
    job = scanner.table.jobs.get(created.job_id)
    assert job is not None
    assert [scanner.completion.announce_again(job) for _ in range(2)] == [True, False]
    assert scanner.announcer.told == [(job.job_id, "cancelled")]


def test_the_counters_equal_a_recount(scanner: Scanner) -> None:
    chance = random.Random(3)
    statuses = list(ObjectStatus)
    job = scanner.create()
    outcomes = [
        ObjectOutcome(
            f"k{number}", "e", 10, chance.choice(statuses), chance.choice(["", "GONE"]), 7, {"IP": number % 3}
        )
        for number in range(120)
    ]
    threads = [
        threading.Thread(
            target=lambda parts: [scanner.table.outcomes.record(job.job_id, part) for part in parts],
            args=([outcomes[start::16], outcomes[start::8]],),
        )
        for start in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = scanner.table.outcomes.tally(job.job_id)
    assert tally.outcomes == Counter(one.status.value for one in outcomes)
    assert tally.findings == sum(sum(one.counts.values()) for one in outcomes)
    assert tally.reasons == Counter(one.reason for one in outcomes if one.reason)


def test_a_slice_that_was_given_up_on_ends_the_job_with_errors_and_progress_never_falls(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:03}": SSN for number in range(150)}
    job = scanner.create()
    scanner.list_all(job)
    good, bad = scanner.queue.slices
    progress = []
    for step in (
        lambda: scanner.worker.work(good),
        lambda: scanner.failed_slices.fail(bad, "WORKER_FAILED"),
        lambda: scanner.worker.work(bad),
        lambda: scanner.failed_slices.fail(good, "WORKER_FAILED"),
    ):
        step()
        progress.append(scanner.jobs.report(job.job_id)["progress_percent"])
    report = scanner.jobs.report(job.job_id)
    assert (report["succeeded"], report["failed"], report["status"]) == (100, 50, "completed_with_errors")
    assert progress == sorted(progress)


def test_as_many_outcomes_as_a_transaction_holds_are_stored_at_once(scanner: Scanner) -> None:
    job = scanner.create()
    outcomes = [ObjectOutcome(f"k{number}", "e", 1, ObjectStatus.SCANNED) for number in range(OUTCOMES_LIMIT)]
    assert scanner.table.outcomes.record(job.job_id, outcomes[:5]) == {}
    assert set(scanner.table.outcomes.record(job.job_id, outcomes)) == {f"k{number}" for number in range(5)}
    assert scanner.table.outcomes.tally(job.job_id).succeeded == OUTCOMES_LIMIT
    assert set(scanner.table.outcomes.get(job.job_id, ["k7", "none"])) == {"k7"}


def test_of_two_deliveries_that_saw_two_states_the_first_recorded_counts(scanner: Scanner) -> None:
    scanner.bucket.objects = {"k": SSN}
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices

    def replaced(_: str) -> None:
        # While this delivery reads, the object is replaced, and another delivery is done with it.
        scanner.bucket.on_open = lambda key: None
        before, scanner.bucket.objects["k"] = scanner.bucket.objects["k"], SSN * 3
        scanner.worker.work(work)
        scanner.bucket.objects["k"] = before

    scanner.bucket.on_open = replaced
    scanner.worker.work(work)
    assert scanner.jobs.report(job.job_id)["total_findings"] == 3
    assert len(scanner.findings(job.job_id)) == 3


@pytest.mark.parametrize("given_up", [False, True])
def test_findings_of_a_state_before_the_recorded_one_do_not_outlast_two_deaths(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, given_up: bool
) -> None:
    scanner.bucket.objects = {"k": SSN * 3, "other": b"clean"}
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices
    for method in ("outcomes.record", "findings.delete_others"):
        with monkeypatch.context() as patched:
            patched.setattr(*scanner.effect(method), lambda *_: (_ for _ in ()).throw(Crash))
            with pytest.raises(Crash):
                scanner.worker.work(work)
        scanner.bucket.objects["k"] = SSN
    scanner.completion.finish_if_done(job.job_id)  # another worker ends the job
    if given_up:
        scanner.failed_slices.fail(work, "WORKER_FAILED")
    else:
        scanner.worker.work(work)
    assert scanner.jobs.report(job.job_id)["total_findings"] == 1
    assert len(scanner.findings(job.job_id)) == 1


def test_a_part_of_an_object_that_failed_leaves_no_findings(scanner: Scanner) -> None:
    scanner.bucket.objects = {"large": (SSN + (b"x" * 99 + b"\n") * 250) * 2}
    job = scanner.create()
    scanner.list_all(job)
    scanner.seconds = 10
    scanner.worker.work(scanner.queue.slices.pop())
    [rest] = scanner.queue.slices
    assert rest.resume
    assert scanner.findings(job.job_id)
    for _ in range(2):
        scanner.failed_slices.fail(Slice.of(rest.body()), "WORKER_FAILED")
    report = scanner.jobs.report(job.job_id)
    assert (report["failed"], report["total_findings"], report["status"]) == (1, 0, "completed_with_errors")
    assert scanner.findings(job.job_id) == []
