"""Executions on AWS Step Functions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import code_of, is_throttle, is_transient, reason_of
from waybill.core.clock import now
from waybill.core.errors import RateLimitedError, RetryableError, TooLargeError
from waybill.core.executions import (
    INPUT_LIMIT_BYTES,
    ExecutionRefusedError,
    ExecutionState,
    StartedExecution,
    stable_json,
)

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_UNKNOWN = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class StepFunctions:
    """`ExecutionStarter` on AWS Step Functions; `client` is a boto3 `stepfunctions` client."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def start(self, state_machine_arn: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        """Start the execution `name` with `payload`, or find that it was started before.

        Raises
        ------
        TooLargeError
            The input is over 256 KiB.
        RateLimitedError
            Step Functions asks to slow down.
        RetryableError
            It failed, or could not be reached.
        """
        document = stable_json(payload)
        if len(document.encode()) > INPUT_LIMIT_BYTES:
            raise TooLargeError(f"the input of {name} is over {INPUT_LIMIT_BYTES} bytes")
        try:
            with _translated(f"starting {name}"):
                answer = self._client.start_execution(stateMachineArn=state_machine_arn, name=name, input=document)
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise
            earlier = self.find(state_machine_arn, name)
            return earlier or StartedExecution(_execution_arn(state_machine_arn, name), now(), True)
        return StartedExecution(answer["executionArn"], answer["startDate"], False)

    def find(self, state_machine_arn: str, name: str) -> StartedExecution | None:
        """Return the Standard execution that has `name`; None when there is none, or it cannot be described."""
        answer = self._described(_execution_arn(state_machine_arn, name))
        return StartedExecution(answer["executionArn"], answer["startDate"], True) if answer else None

    def state(self, execution_arn: str) -> ExecutionState | None:
        """Return how the execution stands; None for one that is unknown, or Express.

        Raises
        ------
        ExecutionRefusedError
            It is another stack's.
        RetryableError
            Step Functions failed, asks to slow down, or could not be reached.
        """
        if ":express:" in execution_arn:
            # Express executions cannot be described, and end within five minutes (Step Functions developer guide).
            return None
        answer = self._described(execution_arn)
        if answer is None:
            return None
        return ExecutionState(
            answer["status"], answer.get("stopDate"), answer.get("output"), answer.get("error"), answer.get("cause")
        )

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running; one that is unknown, or Express, counts as ended."""
        state = self.state(execution_arn)
        return state is not None and state.status == "RUNNING"

    def _described(self, execution_arn: str) -> "DescribeExecutionOutputTypeDef | None":
        try:
            with _translated(f"describing {execution_arn}"):
                answer = self._client.describe_execution(executionArn=execution_arn)
        except ClientError as error:
            if code_of(error) in _UNKNOWN:
                return None
            if code_of(error) == "AccessDeniedException":
                raise ExecutionRefusedError(f"not allowed to describe {execution_arn}") from error
            raise
        return answer


@contextmanager
def _translated(action: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if is_throttle(error):
            raise RateLimitedError(f"{reason_of(error)} while {action}") from error
        if is_transient(error):
            raise RetryableError(f"{reason_of(error)} while {action}") from error
        raise


def _execution_arn(state_machine_arn: str, name: str) -> str:
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
