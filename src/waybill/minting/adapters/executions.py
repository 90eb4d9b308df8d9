"""The runs of the minting workflow, as Step Functions knows them: for 90 days after their end."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import code_of, is_transient, reason_of
from waybill.core.errors import FieldError, InvalidInputError, NotFoundError, RetryableError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_UNKNOWN = frozenset({"ExecutionDoesNotExist", "InvalidArn"})
# What an answer shows of the end of a run; a large one has its answers in the report.
_SUMMARY = ("status", "successCount", "failureCount", "predecessorsIgnored", "jobId", "reportUri")


@dataclass(frozen=True)
class MintingExecution:
    """One run; `summary` is what it came to, of one that was described."""

    name: str
    status: str
    started: datetime
    stopped: datetime | None = None
    summary: Mapping[str, Any] | None = None
    cause: str | None = None


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
        page: Any = {"nextToken": token} if token else {}
        try:
            with _translated():
                answer = self._client.list_executions(stateMachineArn=self._workflow, maxResults=limit, **page)
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
        summary = {field: output[field] for field in _SUMMARY if field in output}
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
