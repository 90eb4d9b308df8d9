"""What the states of the workflow are given, and what they return."""

from collections.abc import Mapping
from typing import TypedDict

from waybill.consignments.models import ConsignmentRun
from waybill.core.clock import iso, moment_of


class RunEvent(TypedDict):
    """What a state is given of its run; `executionId` is the execution's ARN."""

    consignmentId: str
    executionName: str
    executionId: str
    executionStartTime: str


class GetFilesEvent(RunEvent):
    """A run with the input of the workflow."""

    input: object


class IntakeCounts(TypedDict):
    """The number of the run, and how many files and groups it has."""

    run: int
    files: int
    groups: int


class FetchedFiles(IntakeCounts):
    """Where the groups are, one per line, and how many of them are checked at a time."""

    consignmentId: str
    bucket: str
    key: str
    concurrency: int


class FailedRun(RunEvent):
    """A run with the step that broke, and what Step Functions caught there: `{Error, Cause}`."""

    step: str
    error: Mapping[str, object]


class FailureReason(TypedDict):
    """The name of an error, and what it says."""

    error: str
    cause: str


class RecordedFailure(FailureReason):
    """What becomes the execution's cause."""

    consignmentId: str
    backEndChecksProcess: str
    recorded: bool
    notified: bool


def run_of(event: RunEvent) -> ConsignmentRun:
    """Return the run that `event` names."""
    moment = moment_of(event["executionStartTime"])
    if moment is None:
        raise ValueError("executionStartTime is no time")
    return ConsignmentRun(event["executionName"], event["executionId"], iso(moment))
