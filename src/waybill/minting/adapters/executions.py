"""The runs of the minting workflow, as Step Functions knows them: for 90 days after their end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import code_of, is_transient, reason_of
from waybill.core.errors import FieldError, InvalidInputError, NotFoundError, RetryableError
from waybill.minting.models import ExecutionOutput, MintingExecution

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ListExecutionsInputTypeDef

_UNKNOWN = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class MintingRuns:
    """Executions of one state machine; `client` is a boto3 `stepfunctions` client."""

    def __init__(self, client: "SFNClient", workflow_arn: str) -> None:
        self._client = client
        self._workflow = workflow_arn

    def newest(self, limit: int, token: str | None = None) -> tuple[tuple[MintingExecution, ...], str | None]:
        """Return runs, newest first, and the token to go on with; None when there are no more.

        Raises
        ------
        InvalidInputError
            The token is none of this list.
        """
        page: ListExecutionsInputTypeDef = {"stateMachineArn": self._workflow, "maxResults": limit}
        if token:
            page["nextToken"] = token
        try:
            with _translated():
                answer = self._client.list_executions(**page)
        except ClientError as error:
            if code_of(error) == "InvalidToken":
                raise InvalidInputError(FieldError("cursor", "is not a cursor of this list")) from error
            raise
        runs = tuple(
            MintingExecution(each["name"], each["status"], each["startDate"], each.get("stopDate"))
            for each in answer["executions"]
        )
        return runs, answer.get("nextToken")

    def read(self, name: str) -> MintingExecution:
        """Return one run with what it came to.

        Raises
        ------
        NotFoundError
            There is none of this name, or it ended over 90 days ago.
        """
        arn = f"{self._workflow.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            with _translated():
                found = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if code_of(error) in _UNKNOWN:
                raise NotFoundError(f"there is no minting run {name}") from error
            raise
        output = json.loads(found.get("output") or "{}")
        told = {name: output[name] for name in ExecutionOutput.__annotations__ if name in output}
        summary = cast("ExecutionOutput", told)
        return MintingExecution(
            found["name"], found["status"], found["startDate"], found.get("stopDate"), summary, found.get("cause")
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if is_transient(error):
            raise RetryableError(f"{reason_of(error)} from Step Functions") from error
        raise
