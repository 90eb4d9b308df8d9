"""Executions that start once, on moto's Step Functions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.core.aws.step_functions import StepFunctions
from waybill.core.errors import RateLimitedError, RetryableError, TooLargeError
from waybill.core.executions import INPUT_LIMIT_BYTES, ExecutionRefusedError, execution_name, stable_json

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:machine"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:machine:name"


@pytest.fixture
def executions(wire: Wire) -> StepFunctions:
    sfn = client("stepfunctions")
    sfn.create_state_machine(name="machine", definition="{}", roleArn="arn:aws:iam::123456789012:role/any")
    wire.clear()
    return StepFunctions(sfn)


def test_an_execution_starts_with_one_request_and_the_same_bytes(executions: StepFunctions, wire: Wire) -> None:
    started = executions.start(MACHINE, "name", {"b": "é", "a": [1]})
    assert (started.execution_arn, started.already_running) == (EXECUTION, False)
    assert started.start_date <= datetime.now(UTC)
    assert wire.counts == {"sfn.StartExecution": 1}
    assert wire.requests[0].document["input"] == '{"a":[1],"b":"é"}'


@pytest.mark.parametrize("ended", [False, True])
def test_a_used_name_is_the_execution_that_has_it(executions: StepFunctions, wire: Wire, ended: bool) -> None:
    first = executions.start(MACHINE, "name", {"a": 1})
    if ended:
        client("stepfunctions").stop_execution(executionArn=first.execution_arn)
    wire.refuse("sfn.StartExecution", "ExecutionAlreadyExists")
    again = executions.start(MACHINE, "name", {"a": 2})
    assert (again.execution_arn, again.start_date) == (first.execution_arn, first.start_date)
    assert again.already_running


def test_a_used_name_is_enough_where_its_execution_is_no_longer_described(
    executions: StepFunctions, wire: Wire
) -> None:
    wire.refuse("sfn.StartExecution", "ExecutionAlreadyExists")
    again = executions.start(MACHINE, "name", {})
    assert (again.execution_arn, again.already_running) == (EXECUTION, True)


def test_executions_are_found_by_name(executions: StepFunctions) -> None:
    assert executions.find(MACHINE, "name") is None
    started = executions.start(MACHINE, "name", {})
    found = executions.find(MACHINE, "name")
    assert found
    assert (found.execution_arn, found.start_date, found.already_running) == (EXECUTION, started.start_date, True)


def test_an_execution_runs_until_it_has_ended(executions: StepFunctions) -> None:
    assert executions.is_running(EXECUTION) is False
    assert executions.state(EXECUTION) is None
    executions.start(MACHINE, "name", {})
    assert executions.is_running(EXECUTION) is True
    client("stepfunctions").stop_execution(executionArn=EXECUTION, error="E", cause="C")
    state = executions.state(EXECUTION)
    assert state
    assert (state.status, state.output) == ("ABORTED", None)
    assert executions.is_running(EXECUTION) is False


def test_express_executions_are_not_asked_about(executions: StepFunctions, wire: Wire) -> None:
    arn = "arn:aws:states:eu-west-1:123456789012:express:machine:name:uuid"
    assert executions.is_running(arn) is False
    assert wire.requests == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", RateLimitedError),
        ("ExecutionLimitExceeded", RateLimitedError),
        ("TooManyRequestsException", RateLimitedError),
        ("InternalFailure", RetryableError),
        ("ServiceUnavailable", RetryableError),
        ("StateMachineDoesNotExist", ClientError),
        ("InvalidExecutionInput", ClientError),
    ],
)
def test_refusals_are_told_apart(executions: StepFunctions, wire: Wire, code: str, expected: type[Exception]) -> None:
    wire.refuse("sfn.StartExecution", code)
    wire.refuse("sfn.DescribeExecution", code)
    for call in (
        lambda: executions.start(MACHINE, "name", {}),
        lambda: executions.find(MACHINE, "name"),
        lambda: executions.is_running(EXECUTION),
    ):
        with pytest.raises(expected, match=code) as raised:
            call()
        assert type(raised.value).__mro__.index(expected) <= 1


def test_a_request_that_gets_lost_may_be_repeated(executions: StepFunctions, wire: Wire) -> None:
    wire.cut("sfn.StartExecution", ConnectTimeoutError(endpoint_url="x"))
    with pytest.raises(RetryableError, match="ConnectTimeoutError while starting name"):
        executions.start(MACHINE, "name", {})


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_an_input_over_the_limit_is_refused_before_it_is_sent(
    executions: StepFunctions, wire: Wire, character: str
) -> None:
    overhead = len(stable_json({"a": ""}))
    fits = (INPUT_LIMIT_BYTES - overhead) // len(character.encode())
    assert executions.start(MACHINE, "name", {"a": character * fits})
    wire.clear()
    with pytest.raises(TooLargeError, match="the input of other is over 262144 bytes"):
        executions.start(MACHINE, "other", {"a": character * (fits + 1)})
    assert wire.requests == []


def test_names_tell_identities_apart_and_not_labels(executions: StepFunctions, wire: Wire) -> None:
    names: list[Any] = [
        execution_name("a b.zip", "x", "y"),
        execution_name("a b.zip", "xy", ""),
        execution_name("a b.zip", "x\x00y"),
        execution_name("😀", "x", "y"),
        execution_name("", "x", "y", ""),
    ]
    assert len({name.rsplit("-", 1)[-1] for name in names[:3]}) == 3
    assert names[3] == names[0].rsplit("-", 1)[-1]
    for name in names:
        assert executions.start(MACHINE, name, {}).execution_arn.endswith(f":{name}")


def test_an_execution_of_another_stack_is_told_apart_from_a_fault(executions: StepFunctions, wire: Wire) -> None:
    """Step Functions API Reference, "Common Errors": AccessDeniedException, for what is there and what is not."""
    wire.refuse("sfn.DescribeExecution", "AccessDeniedException")
    wire.refuse("sfn.StartExecution", "AccessDeniedException")
    for asks in (executions.state, executions.is_running):
        with pytest.raises(ExecutionRefusedError, match="execution:machine:name"):
            asks(EXECUTION)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        executions.start(MACHINE, "name", {})
