"""`waybill replicate s3://BUCKET/KEY`: one run, started once, and watched to its end."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, ended, failure, result
from tests.fakes.wire import Wire
from tests.functional.cli.conftest import MACHINE, Program, lines, plain, recorded, run_of
from waybill.cli import watch
from waybill.cli.replication import waiting
from waybill.cli.replication.runtime import Replication
from waybill.core.clock import Clock
from waybill.core.executions import StartedExecution
from waybill.replication import runtime
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.records import RecordStatus
from waybill.replication.models import ReplicationRun

A, B = DESTINATIONS
URI = f"s3://{SOURCE}/{KEY}"
MISSING_BUCKET = "s3:PutObject on region-b-builds: NoSuchBucket"


@pytest.fixture
def while_waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Let these things happen, one in each pause of the program; return the pauses."""

    def plan(*happenings: Callable[[], Any]) -> list[float]:
        coming, pauses = list(happenings), []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) > 100:
                raise AssertionError("the program waits for something that has happened")
            if coming:
                coming.pop(0)()

        clock = SimpleNamespace(sleep=sleep, monotonic=lambda: 10.0 * len(pauses))
        monkeypatch.setattr(watch, "Clock", lambda **_: Clock(monotonic=clock.monotonic, sleep=sleep))
        monkeypatch.setattr(waiting, "time", clock)
        return pauses

    return plan


@pytest.fixture
def only(executions: FakeExecutions) -> Callable[..., ReplicationRun]:
    """The run of the only execution that was started."""

    def run(**changes: Any) -> ReplicationRun:
        ((arn, payload),) = executions.inputs.items()
        return run_of(arn, payload, **changes)

    return run


def test_a_run_is_started_for_all_destinations(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload()
    ran = waybill("replicate", URI, "--json")
    ((arn, payload),) = executions.inputs.items()
    assert (ran.status, ran.err) == (0, "")
    assert ran.json["executionArn"] == arn
    assert ran.json["alreadyRunning"] is False
    assert payload.pop("requestId")
    assert payload == {
        "sourceBucket": SOURCE,
        "sourceKey": KEY,
        "destinationBuckets": [A, B],
        "force": False,
    }


def test_odd_keys_reach_the_workflow_as_they_are(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    keys = ["/a", "a//b", "a b+c%20 (é)?x#y.zip", "s3://", "a/"]
    upload(*keys)
    assert [waybill("replicate", f"s3://{SOURCE}/{key}").status for key in keys] == [0] * 5
    assert [payload["sourceKey"] for payload in executions.inputs.values()] == keys


def test_destinations_can_be_named(waybill: Program, executions: FakeExecutions, upload: Callable[..., None]) -> None:
    upload()
    assert waybill("replicate", URI, "--to", B, "--to", "elsewhere-builds", "--to", B).status == 0
    (payload,) = executions.inputs.values()
    assert payload["destinationBuckets"] == [B, "elsewhere-builds"]


def test_a_running_run_answers_and_one_that_has_ended_does_not(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    """The outcome of an earlier run is never shown as the present state."""
    upload()
    first = waybill("replicate", URI)
    assert "before" not in first.out
    running = waybill("replicate", URI)
    executions.end(next(iter(executions.inputs)), "FAILED")
    ended = waybill("replicate", URI, "--json")

    note = "--wait looks at the destinations when it has ended."
    assert (running.status, lines(running)[-1]) == (0, f"This run was started before and is still running; {note}")
    assert (ended.status, ended.json["alreadyRunning"]) == (0, False)
    assert "FAILED" not in ended.out
    assert len(executions.inputs) == 2


def test_force_starts_another_run_each_time(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload()
    waybill("replicate", URI)
    for _ in range(2):
        assert waybill("replicate", URI, "--force", "--json").json["alreadyRunning"] is False
    assert len(executions.inputs) == 3


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (f"s3://{SOURCE}/none", f"there is no object s3://{SOURCE}/none"),
        (f"s3://globalbuilds/{KEY}", "there is no bucket globalbuilds"),
        (f"s3://{SOURCE}/a\x1b[2J\u202eb", r"a\x1b[2J\u202eb"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--wait",), ("--force", "--wait")])
def test_a_mistyped_source_is_named_and_leaves_no_trace(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    target: str,
    words: str,
    options: tuple[str, ...],
) -> None:
    """A slip in a name is said, and leaves neither a run nor a record."""
    upload()
    ran = waybill("replicate", target, *options)
    assert ran.status == 1
    assert words in ran.err
    assert not executions.inputs
    assert not list(tracking.newest(list(RecordStatus)))


def test_waiting_ends_with_the_run(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    only: Callable[..., ReplicationRun],
    while_waiting: Callable[..., list[float]],
) -> None:
    upload()

    def end() -> None:
        run = only()
        shown = {"verification": "CHECKSUM", "strategy": "COPY", "bytes": 3}
        recorded(tracking, run, result(run, A, **shown), result(run, B, code="SKIPPED_IDENTICAL", bytes=0))
        executions.end(run.execution_id)

    unclaimed = [lambda: None] * 40  # longer than an Express run may take
    pauses = while_waiting(*unclaimed, lambda: recorded(tracking, only(), end=False), end)
    ran = waybill("replicate", URI, "--wait", "--json")

    assert (ran.status, ran.json["outcome"]) == (0, "SUCCESS")
    assert [(one["destinationBucket"], one["code"]) for one in ran.json["results"]] == [
        (A, "COPIED"),
        (B, "SKIPPED_IDENTICAL"),
    ]
    assert pauses == sorted(pauses)
    assert len(pauses) == 42


def test_waiting_for_a_run_that_fails_shows_why(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    only: Callable[..., ReplicationRun],
    while_waiting: Callable[..., list[float]],
) -> None:
    upload()

    def end() -> None:
        run = only()
        recorded(tracking, run, result(run, A), failure(run, B))
        executions.end(run.execution_id, "FAILED", cause='{"status":"PARTIAL_FAILURE"}')

    while_waiting(end)
    ran = waybill("replicate", URI, "--wait")

    assert ran.status == 1
    assert "Outcome  PARTIAL_FAILURE" in lines(ran)
    assert [line.split()[:2] for line in lines(ran) if line.startswith("region-")] == [
        [A, "COPIED"],
        [B, "NO_SUCH_BUCKET"],
        [B, "s3:PutObject"],
    ]
    assert lines(ran)[-1].endswith(MISSING_BUCKET)


@pytest.mark.parametrize(
    ("status", "details", "outcome", "exit_status"),
    [
        ("FAILED", {"cause": "sourceKey: must not be empty"}, "FAILED", 1),
        ("TIMED_OUT", {}, "TIMED_OUT", 1),
        ("ABORTED", {}, "ABORTED", 1),
        ("SUCCEEDED", {"output": '{"status": "PARTIAL_FAILURE"}'}, "PARTIAL_FAILURE", 1),
    ],
)
def test_waiting_for_a_run_that_left_no_record(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    while_waiting: Callable[..., list[float]],
    status: str,
    details: dict[str, str],
    outcome: str,
    exit_status: int,
) -> None:
    upload()
    earlier = a_run("earlier")
    recorded(tracking, earlier, *(result(earlier, bucket) for bucket in DESTINATIONS))
    while_waiting(lambda: executions.end(next(iter(executions.inputs)), status, **details))
    ran = waybill("replicate", URI, "--wait")
    assert ran.status == exit_status
    assert f"Outcome  {outcome}" in lines(ran)
    assert details.get("cause", "") in ran.out
    assert "COPIED" not in ran.out


def overtake(tracking: TrackingTable, run: ReplicationRun) -> None:
    mine = recorded(tracking, run, end=False)
    superseded = [result(mine, bucket, success=False, code="SUPERSEDED") for bucket in DESTINATIONS]
    tracking.finish(mine, *ended(*superseded))


@pytest.mark.parametrize("last", ["SUCCESS", "PARTIAL_FAILURE"])
def test_waiting_for_a_run_that_was_overtaken_looks_once_more(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    while_waiting: Callable[..., list[float]],
    last: str,
) -> None:
    """Status 0 only if every destination has the object in the end."""
    upload()

    def overtaken() -> None:
        ((arn, payload),) = executions.inputs.items()
        overtake(tracking, run_of(arn, payload))
        executions.end(arn)

    def end() -> None:
        arn, payload = list(executions.inputs.items())[-1]
        run = run_of(arn, payload)
        recorded(tracking, run, result(run, A), result(run, B) if last == "SUCCESS" else failure(run, B))
        executions.end(arn)

    while_waiting(overtaken, end)
    ran = waybill("replicate", URI, "--wait", "--json")
    assert (ran.status, ran.json["outcome"]) == (0 if last == "SUCCESS" else 1, last)
    assert len(executions.inputs) == 2


def test_waiting_ends_when_it_is_overtaken_again_and_again(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    while_waiting: Callable[..., list[float]],
) -> None:
    upload()

    def overtaken() -> None:
        arn, payload = list(executions.inputs.items())[-1]
        overtake(tracking, run_of(arn, payload))
        executions.end(arn)

    while_waiting(*[overtaken] * 20)
    ran = waybill("replicate", URI, "--wait", "--json")
    assert (ran.status, ran.json["outcome"]) == (1, "SUPERSEDED")
    assert len(executions.inputs) == 5


def test_waiting_for_somebody_elses_run_looks_at_every_destination_after_it(
    waybill: Program,
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    while_waiting: Callable[..., list[float]],
) -> None:
    """Somebody else's run may have looked before the change: one of its own follows, whose outcome is the answer."""
    upload()
    waybill("replicate", URI)
    ((arn, payload),) = executions.inputs.items()
    recorded(tracking, run_of(arn, payload), end=False)

    def end(number: int) -> None:
        arn, payload = list(executions.inputs.items())[number]
        run = run_of(arn, payload)
        recorded(tracking, run, result(run, A), result(run, B, code="SKIPPED_IDENTICAL"))
        executions.end(arn)

    while_waiting(lambda: end(0), lambda: end(1))
    ran = waybill("replicate", URI, "--wait", "--json")
    assert (ran.status, ran.json["outcome"], ran.json["alreadyRunning"]) == (0, "SUCCESS", False)
    assert len(executions.inputs) == 2


class Express(FakeExecutions):
    """Express executions have an ARN of their own each, and cannot be asked."""

    def start(self, state_machine_arn: str, name: str, payload: Any) -> StartedExecution:
        started = super().start(state_machine_arn, name, payload)
        arn = f"{state_machine_arn.replace(':stateMachine:', ':express:')}:{name}:uuid-{len(self.inputs)}"
        return StartedExecution(arn, started.start_date, False)

    def find(self, state_machine_arn: str, name: str) -> None:
        return None

    def is_running(self, execution_arn: str) -> bool:
        return False

    def state(self, execution_arn: str) -> None:
        return None


@pytest.fixture
def express(monkeypatch: pytest.MonkeyPatch) -> Express:
    fake = Express()
    monkeypatch.setattr(runtime, "executions", lambda: fake)
    monkeypatch.setattr(Replication, "executions", fake)
    return fake


@pytest.mark.parametrize("end", ["executionId", "executionName"])
def test_waiting_for_an_express_run_reads_its_record(
    waybill: Program,
    express: Express,
    tracking: TrackingTable,
    upload: Callable[..., None],
    while_waiting: Callable[..., list[float]],
    end: str,
) -> None:
    """The record is the run's own, or that of another run of the same name, which came first."""
    upload()

    def finish() -> None:
        ((arn, payload),) = express.inputs.items()
        name = arn.rsplit(":", 1)[-1]
        number = 1 if end == "executionId" else 0
        own = f"{MACHINE.replace(':stateMachine:', ':express:')}:{name}:uuid-{number}"
        run = run_of(arn, payload).model_copy(update={"execution_id": own})
        recorded(tracking, run, result(run, A), failure(run, B))

    while_waiting(lambda: None, finish)
    ran = waybill("replicate", URI, "--wait", "--json")
    assert (ran.status, ran.json["outcome"]) == (1, "PARTIAL_FAILURE")
    assert [one["code"] for one in ran.json["results"]] == ["COPIED", "NO_SUCH_BUCKET"]


def test_waiting_for_an_express_run_without_a_record_ends(
    waybill: Program, express: Express, upload: Callable[..., None], while_waiting: Callable[..., list[float]]
) -> None:
    upload()
    pauses = while_waiting()
    ran = waybill("replicate", URI, "--wait")
    assert ran.status == 1
    assert ran.err.endswith("left no record: its log says why\n")
    assert 10 * len(pauses) > 300


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_the_run_while_it_lasts(
    on_terminal: Callable[..., Any],
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    only: Callable[..., ReplicationRun],
    while_waiting: Callable[..., list[float]],
    columns: int,
) -> None:
    upload()

    def end() -> None:
        recorded(tracking, only(), *(result(only(), bucket) for bucket in DESTINATIONS))
        executions.end(only().execution_id)

    while_waiting(end)
    ran = on_terminal(columns, "replicate", URI, "--wait")
    assert ran.status == 0
    assert "waiting" in ran.err
    assert max(len(line) for line in plain(ran.out).splitlines()) <= columns


def test_nothing_but_the_start_is_asked_of_aws(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None], wire: Wire
) -> None:
    upload()
    wire.clear()
    waybill("replicate", URI)
    assert wire.counts == {"s3.GetBucketLocation": 1, "s3.HeadObject": 1, "dynamodb.GetItem": 1}
