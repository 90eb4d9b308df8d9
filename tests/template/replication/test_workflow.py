"""The replication workflow: the states that people know, how often each is tried, and how a failed run ends."""

from importlib import import_module
from typing import Any

from tests.template.support.code import Code
from tests.template.support.machines import Scope, State, machines
from tests.template.support.rules import every
from tests.template.support.stack import Stack
from waybill.core.errors import RetryableError

(MACHINE,) = (machine for machine in machines() if machine.file.name == "replication.asl.json")
STATES = {state.name: state for state in MACHINE.states}
TASKS = [state.name for state in MACHINE.states if state.kind == "Task"]

STATES_THAT_PEOPLE_KNOW = {
    "ValidateInput": "Task",
    "LogWorkflowStart": "Task",
    "CopyToMultipleBuckets": "Map",
    "CopyFile": "Task",
    "FormatSuccessResult": "Pass",
    "FormatErrorResult": "Task",
    "ProcessResults": "Pass",
    "UpdateDynamoDBFinal": "Task",
    "CheckIfAllSuccessful": "Choice",
    "AllCopiesSuccessful": "Pass",
    "SomeCopiesFailed": "Pass",
    "SendFailureNotification": "Task",
    "NotificationFailed": "Pass",
}

COPY = {"MaxAttempts": 3, "IntervalSeconds": 2, "BackoffRate": 2}
DYNAMODB = {"MaxAttempts": 3, "IntervalSeconds": 1, "BackoffRate": 2}
SNS = {"MaxAttempts": 2, "IntervalSeconds": 1, "BackoffRate": 2}

# Faults that pass by themselves, and still are not worth another attempt in this state.
NOT_TRIED_AGAIN = {
    "CopyPartBatch": {"UploadGoneError": "another attempt would find the upload gone too"},
    "CompleteMultipartCopy": {"UploadGoneError": "it has looked already whether the object is there"},
    "FormatErrorResult": {"UploadGoneError": "an upload that is gone is what it wants"},
    "DescribeSource": {"UploadGoneError": "it has no upload; S3's answers are read in one place"},
    "StartMultipartCopy": {"VerificationFailedError": "it compares only what has been found equal"},
}


@every(("state", "kind"), STATES_THAT_PEOPLE_KNOW.items())
def test_states_that_people_know(state: str, kind: str) -> None:
    assert STATES[state].kind == kind


def test_ten_destinations_at_a_time() -> None:
    assert STATES["CopyToMultipleBuckets"].body["MaxConcurrency"] == 10


@every(
    ("state", "error", "guide"),
    [
        ("CopyFile", "ThrottledError", COPY),
        ("CopyFile", "S3UnavailableError", COPY),
        ("StartMultipartCopy", "ThrottledError", COPY),
        ("CompleteMultipartCopy", "S3UnavailableError", COPY),
        ("DescribeSource", "ThrottledError", COPY),
        ("LogWorkflowStart", "TrackingUnavailableError", DYNAMODB),
        ("FormatErrorResult", "TrackingUnavailableError", DYNAMODB),
        ("UpdateDynamoDBFinal", "TrackingUnavailableError", DYNAMODB),
        ("SendFailureNotification", "TrackingUnavailableError", DYNAMODB),
        ("SendFailureNotification", "NotificationUnavailableError", SNS),
    ],
)
def test_retries_are_those_of_the_guide(state: str, error: str, guide: dict[str, int]) -> None:
    retrier = retrier_of(STATES[state], error)
    assert {key: retrier[key] for key in guide} == guide


@every("state", ["CopyFile", "CompleteMultipartCopy"])
def test_a_copy_that_differs_is_made_once_more(state: str) -> None:
    assert retrier_of(STATES[state], "VerificationFailedError")["MaxAttempts"] == 1


@every("state", TASKS)
def test_every_fault_that_passes_is_tried_again(code: Code, stack: Stack, state: str) -> None:
    reached = code.reach(stack[f"{state}Function"]["Handler"]).errors
    passing = {name.rpartition(".")[2] for name in reached if is_retryable(name)}
    tried_again = {name for retrier in STATES[state].retriers for name in retrier["ErrorEquals"]}
    assert passing - tried_again == set(NOT_TRIED_AGAIN.get(state, {}))


def test_one_destination_never_fails_another() -> None:
    """Whatever is raised inside an iteration is caught inside of it."""
    (iteration,) = (scope for scope in MACHINE.scopes if scope.holder == ("CopyToMultipleBuckets",))
    for state in iteration.states.values():
        assert state.kind != "Fail"
        if state.kind in {"Task", "Map"}:
            assert state.catchers[-1]["ErrorEquals"] == ["States.ALL"]


def test_a_failed_run_ends_in_fail_after_it_was_told() -> None:
    scope = MACHINE.scopes[0]
    failed = STATES["SomeCopiesFailed"]
    assert [edge.to for edge in failed.edges] == ["SendFailureNotification"]
    assert {edge.to for edge in STATES["SendFailureNotification"].edges} == {"CheckFailureEnding", "NotificationFailed"}
    assert [edge.to for edge in STATES["NotificationFailed"].edges] == ["CheckFailureEnding"]
    assert {scope.states[str(edge.to)].kind for edge in STATES["CheckFailureEnding"].edges} >= {"Fail"}


def test_nothing_is_written_before_the_input_is_validated() -> None:
    assert MACHINE.scopes[0].start == "ValidateInput"
    (rejected,) = (
        catcher for catcher in STATES["ValidateInput"].catchers if catcher["ErrorEquals"] == ["InvalidInputError"]
    )
    assert STATES[rejected["Next"]].body["Error"] == "INVALID_INPUT"


def test_a_run_that_was_claimed_always_writes_its_final_record() -> None:
    """From the copies on, every path leads through UpdateDynamoDBFinal or tells that it could not."""
    scope = MACHINE.scopes[0]
    assert ends_without(scope, "CopyToMultipleBuckets", {"UpdateDynamoDBFinal", "SendFailureNotification"}) == set()


def test_both_types_of_the_workflow_come_from_one_definition() -> None:
    assert {name: resource["Type"] for name, resource in MACHINE.resources.items()} == {
        "FileCopyWorkflow": "STANDARD",
        "FileCopyExpressWorkflow": "EXPRESS",
    }


def ends_without(scope: Scope, start: str, stations: set[str]) -> set[str]:
    """The states that end the scope on a path from `start` which comes through none of `stations`."""
    found: set[str] = set()
    waiting, seen = [start], {start}
    while waiting:
        name = waiting.pop()
        for edge in scope.states[name].edges:
            if edge.to is None:
                found.add(name)
            elif edge.to not in seen | stations:
                seen.add(edge.to)
                waiting.append(edge.to)
    return found


def is_retryable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    error = getattr(import_module(module), attribute)
    return error is not RetryableError and issubclass(error, RetryableError)


def retrier_of(state: State, error: str) -> dict[str, Any]:
    (retrier,) = (retrier for retrier in state.retriers if error in retrier["ErrorEquals"])
    return retrier
