"""Runs of one consignment that meet: the one that was started last counts, in whatever order their states come."""

import itertools
import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.functional.consignments.bench import UPLOADS, ConsignmentRun, Workbench, clean_check, virus_result
from waybill.consignments import runtime
from waybill.consignments.domain.lookup import LONGEST_RUN, OwnExecutions, as_it_stands
from waybill.consignments.domain.results_write import Judged, record_results
from waybill.consignments.errors import RunSupersededError, UploadMismatchError
from waybill.core.aws.clients import client
from waybill.core.clock import iso, moment_of, now
from waybill.core.errors import RateLimitedError
from waybill.core.executions import ExecutionRefusedError, ExecutionState

DEFINITION = Path(__file__).parents[3] / "statemachine" / "consignments.asl.json"
FILES = {"a.pdf": b"one", "b.pdf": b"two"}
BROKEN = {"Error": "Lambda.TooManyRequestsException", "Cause": "Rate exceeded"}


def broke(run: ConsignmentRun, step: str = "Get Files") -> bool:
    """Fail a run at a step; return whether that is recorded."""
    return bool(run.state("record_failure", step=step, error=BROKEN)["recorded"])


def test_a_run_that_fails_before_its_claim_is_recorded(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    run = ConsignmentRun(bench, consignment_id, "run-1")
    # Twice, as a lost answer would have it.
    assert [broke(run), broke(run)] == [True, True]
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"], shown["runs"]) == ("Failed", {"ClientChecks": "Failed"}, 1)
    assert (shown["failure"]["step"], shown["executionArn"]) == ("Get Files", run.arn)


@pytest.mark.parametrize("claims", [False, True], ids=["before its claim", "after its claim"])
def test_nothing_of_an_earlier_run_stands_beside_a_failure(bench: Workbench, claims: bool) -> None:
    consignment_id = bench.received(FILES)
    bench.run(consignment_id, "run-1")
    assert bench.shown(consignment_id)["statuses"]["ServerFFID"] == "Completed"
    again = ConsignmentRun(bench, consignment_id, "run-2", iso(now()))
    if claims:
        for key in bench.keys(UPLOADS):
            client("s3").delete_object(Bucket=UPLOADS, Key=key)
        with pytest.raises(UploadMismatchError):
            again.begin()
        assert (bench.shown(consignment_id)["status"], bench.shown(consignment_id)["statuses"]) == ("InProgress", {})
    assert broke(again)
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"], shown["runs"]) == ("Failed", {"ClientChecks": "Failed"}, 2)


def test_the_failure_of_an_earlier_run_changes_nothing_for_a_later_one(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    bench.run(consignment_id, "run-2")
    assert not broke(ConsignmentRun(bench, consignment_id, "run-1"))
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["runs"], "failure" in shown) == ("Completed", 1, False)


def test_the_failure_of_an_unknown_consignment_is_recorded_nowhere(bench: Workbench) -> None:
    assert not broke(ConsignmentRun(bench, "0f8fad5b-d9cb-469f-a165-70867728950e", "run-1"))
    assert client("dynamodb").scan(TableName="consignments")["Items"] == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("starts", [("10:00:00.001", "10:00:00.002", "10:00:01"), ("10:00:00",) * 3])
def test_whatever_order_claims_come_in_the_run_started_last_has_the_consignment(
    bench: Workbench, order: tuple[int, ...], starts: tuple[str, ...]
) -> None:
    consignment_id = bench.received(FILES)
    runs = [
        ConsignmentRun(bench, consignment_id, f"run-{number}", f"2026-11-22T{at}Z") for number, at in enumerate(starts)
    ]
    newest = -1
    for number in (*order, *order):
        newest = max(newest, number)
        if number == newest:
            runs[number].state("get_files", input={})
        else:
            with pytest.raises(RunSupersededError):
                runs[number].state("get_files", input={})
    assert bench.shown(consignment_id)["executionArn"] == runs[2].arn


def test_a_claim_that_is_repeated_takes_nothing_back(bench: Workbench) -> None:
    """The answer of a state was lost, and another run began before the state was tried again."""
    consignment_id = bench.received(FILES)
    first, second = (ConsignmentRun(bench, consignment_id, name) for name in ("run-1", "run-2"))
    first.begin()
    second.begin()
    with pytest.raises(RunSupersededError):
        first.begin()
    second.check()
    assert second.end() == {"sent": 0}
    assert bench.shown(consignment_id)["runs"] == 2


def test_a_run_that_is_overtaken_while_it_writes_leaves_no_row(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    first, second = (ConsignmentRun(bench, consignment_id, name) for name in ("run-1", "run-2"))
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": [virus_result("eicar")]}
    first.begin()
    first.check()
    for state in ("process_map_results", "redacted_files"):
        first.state(state)
    judged = first.state("generate_statuses")
    newest = runtime.consignment_of(first.context)
    second.state("get_files", input={})
    with pytest.raises(RunSupersededError):
        record_results(
            runtime.table(),
            newest,
            runtime.documents_of(first.context),
            Judged(judged["statuses"], judged["status"], copies=0),
        )
    assert {path: file["statuses"] for path, file in bench.files(consignment_id).items()} == {
        path: {} for path in FILES
    }


def test_a_consignment_without_files_is_in_progress_no_longer_than_it_is_claimed(bench: Workbench) -> None:
    consignment_id = bench.received({})
    assert ConsignmentRun(bench, consignment_id, "run-1").state("get_files", input={})["files"] == 0
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"]) == ("Registered", {})


def test_an_execution_that_was_ended_from_outside_is_shown_as_broken(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    arn = bench.ask("POST", f"/backend-checks/{consignment_id}").json["executionArn"]
    run = ConsignmentRun(bench, consignment_id, arn.rpartition(":")[2])
    assert run.arn == arn
    run.begin()
    running = bench.shown(consignment_id)
    assert (running["status"], "failure" in running) == ("InProgress", False)
    client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause="by hand")
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"]) == ("Failed", {"ServerFFID": "InProgress", "ClientChecks": "Failed"})
    assert shown["failure"] == {
        "step": "Workflow",
        "executionName": run.name,
        "error": "ABORTED",
        "cause": "the execution ended as ABORTED",
    }
    # The next run is one like any other.
    again = bench.ask("POST", f"/backend-checks/{consignment_id}").json
    assert (again["alreadyRunning"], again["executionArn"] != arn) == (False, True)


def test_the_failure_of_an_earlier_run_is_not_the_state_of_the_next(bench: Workbench) -> None:
    # Status and execution are those of the new run once its start is answered.
    consignment_id = bench.received(FILES)
    # Of two that begin at the same moment, the one whose name sorts later is the newer.
    first = ConsignmentRun(bench, consignment_id, "-first")
    first.begin()
    assert broke(first, "Map")
    assert bench.shown(consignment_id)["status"] == "Failed"
    arn = bench.ask("POST", f"/backend-checks/{consignment_id}").json["executionArn"]
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["executionArn"], shown["statuses"]) == ("InProgress", arn, {})
    assert "failure" not in shown
    claimed = ConsignmentRun(bench, consignment_id, arn.rpartition(":")[2])
    claimed.begin()
    assert bench.shown(consignment_id)["executionArn"] == arn


def test_an_execution_that_ended_before_it_claimed_is_a_failure_of_the_workflow(bench: Workbench) -> None:
    # A consignment that nobody checked was Registered, exit status 0.
    consignment_id = bench.received(FILES)
    arn = bench.ask("POST", f"/backend-checks/{consignment_id}").json["executionArn"]
    client("stepfunctions").stop_execution(executionArn=arn)
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["executionArn"]) == ("Failed", arn)
    assert (shown["failure"]["step"], shown["statuses"]) == ("Workflow", {"ClientChecks": "Failed"})
    # The next run is one like any other.
    again = bench.ask("POST", f"/backend-checks/{consignment_id}").json["executionArn"]
    assert (bench.shown(consignment_id)["status"], again != arn) == ("InProgress", True)


def test_an_execution_that_ends_between_two_looks_is_shown_as_it_ended(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    ConsignmentRun(bench, consignment_id, "run-1").begin()
    earlier = runtime.table().find(consignment_id)
    assert earlier is not None

    class Ends:
        """The execution fails, and has recorded it, after it was found in progress."""

        def state(self, execution_arn: str) -> ExecutionState:
            assert execution_arn == earlier.execution_arn
            assert broke(ConsignmentRun(bench, consignment_id, "run-1"), "Map")
            return ExecutionState("FAILED", error="States.Runtime")

    shown = as_it_stands(earlier, runtime.table(), Ends())
    assert (shown.status, (shown.failure or {})["step"]) == ("Failed", "Map")


@pytest.mark.parametrize("refusal", [RateLimitedError("ThrottlingException"), ExecutionRefusedError("another stack's")])
@pytest.mark.parametrize("is_claimed", [True, False])
def test_a_consignment_is_shown_where_nobody_tells_of_its_execution(
    bench: Workbench, refusal: Exception, *, is_claimed: bool
) -> None:
    """AWS Backup restores a table under another stack, whose functions may not describe the first one's executions."""
    consignment_id = bench.received(FILES)
    if is_claimed:
        ConsignmentRun(bench, consignment_id, "run-1").begin()
    else:
        bench.ask("POST", f"/backend-checks/{consignment_id}")
    consignment = runtime.table().find(consignment_id)
    assert consignment is not None

    class Silent:
        """Step Functions, which does not tell."""

        def state(self, execution_arn: str) -> ExecutionState:
            raise refusal

    shown = as_it_stands(consignment, runtime.table(), Silent())
    assert (shown.status, shown.failure) == ("InProgress", None)


def test_a_run_that_another_stack_has_started_ends_visibly(bench: Workbench) -> None:
    """AWS Backup restores a table under another stack: nothing of the first one's execution ever gets into it."""
    consignment_id = bench.received(FILES)
    ConsignmentRun(bench, consignment_id, "run-1").begin()
    consignment = runtime.table().find(consignment_id)
    assert consignment is not None
    workflow = "arn:aws:states:eu-west-1:123456789012:stateMachine:restored-consignments"
    states = OwnExecutions(runtime.executions(), workflow)
    shown = as_it_stands(consignment, runtime.table(), states)
    assert (shown.status, (shown.failure or {})["error"]) == ("Failed", "ExecutionOfAnotherStack")
    # So does one that was started and has claimed nothing.
    runtime.table().note_start(consignment, f"{consignment.execution_arn}-2")
    unclaimed = runtime.table().find(consignment_id) or consignment
    assert as_it_stands(unclaimed, runtime.table(), states).status == "Failed"


@pytest.mark.parametrize(("age", "status"), [(LONGEST_RUN, "InProgress"), (2 * LONGEST_RUN, "Failed")])
def test_a_run_that_step_functions_has_forgotten_ends_visibly(bench: Workbench, age: timedelta, status: str) -> None:
    """Step Functions keeps executions for 90 days (its quotas); the workflow's own limit is shorter."""
    consignment_id = bench.received(FILES)
    ConsignmentRun(bench, consignment_id, "run-1").begin()
    consignment = runtime.table().find(consignment_id)
    assert consignment is not None
    began = moment_of(consignment.run_started_at)
    assert began is not None

    class Forgetful:
        """Step Functions, which knows nothing of it."""

        def state(self, execution_arn: str) -> None:
            return None

    shown = as_it_stands(consignment, runtime.table(), Forgetful(), lambda: began + age)
    assert shown.status == status
    assert json.loads(DEFINITION.read_text())["TimeoutSeconds"] == LONGEST_RUN.total_seconds()
