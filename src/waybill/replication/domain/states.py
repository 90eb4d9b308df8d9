"""What the states of the workflows are given, and what they return, where it is no model of its own."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class ValidateInputEvent(TypedDict):
    """The input of the workflow, and Step Functions' `Id`, `Name` and `StartTime` of its execution."""

    input: NotRequired[object]
    execution: Mapping[str, str]


class RecordedStart(TypedDict):
    """STARTED, DUPLICATE or STALE, and the run's place among all claims of its file."""

    claim: str
    generation: int


class UploadedTask(TypedDict):
    """A copy task whose parts go into an upload."""

    task: object
    uploadId: str


class PartBatchEvent(UploadedTask):
    """And the parts to copy: `{firstPart, lastPart}`."""

    batch: object


class FinishedRun(TypedDict):
    """A run, and what all of its copies came to."""

    run: object
    totals: object


class RecordedOutcome(TypedDict):
    """How a run ended; `recorded` is false when a later run owns the record."""

    outcome: str
    recorded: bool


class ReplicationFailure(TypedDict):
    """A run, and the workflow's result: `status`, `message`, counts, and `results` where there are any."""

    run: object
    failure: Mapping[str, object]


class WorkOnJobEvent(TypedDict):
    """The input of the workflow, its execution, what the stack calls its workflows, and a part of a backfill.

    `stopped`: Step Functions' `Error` and `Cause`, where an error has ended the execution.
    """

    input: Mapping[str, object]
    execution: Mapping[str, str]
    stack: Mapping[str, str]
    part: NotRequired[int | None]
    stopped: NotRequired[Mapping[str, str]]
