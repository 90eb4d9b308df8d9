"""What the states of the workflow are given, and what they return."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from waybill.consignments.domain.file_records import RegisteredRecord
from waybill.consignments.models import ConsignmentRun
from waybill.core.clock import iso, moment_of


class RunEvent(TypedDict):
    """What a state is given of its run; `executionId` is the execution's ARN."""

    consignmentId: str
    executionName: str
    executionId: str
    executionStartTime: str


class NamedRun(TypedDict):
    """A run by its name, under which its documents are."""

    consignmentId: str
    executionName: str


class ClaimedRun(TypedDict):
    """A run by its ARN, by which it owns the consignment."""

    consignmentId: str
    executionId: str


class StateEvent(TypedDict):
    """What the states between the first and the last are given of their run."""

    consignmentId: str
    executionName: str
    executionId: str


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


class CheckFilesEvent(TypedDict):
    """One group; `resultKey` is the whole key of the document of its results, `attempt` the number of tries before."""

    resultKey: str
    files: list[RegisteredRecord]
    attempt: NotRequired[int]


class CheckedGroup(TypedDict):
    """Where the results of a group are, of how many files, and how many have one, by check."""

    resultKey: str
    files: int
    counts: dict[str, int]


class RedactionCounts(TypedDict):
    """How many redacted files have an original, and how many have none."""

    redactedFiles: int
    errors: int


class JudgedConsignment(TypedDict):
    """What the statuses of its files say of a consignment; `problems` counts files by what is wrong with them."""

    statuses: dict[str, str]
    status: str
    accepted: int
    problems: dict[str, int]
    tableVersion: str


class GeneratedStatuses(JudgedConsignment):
    """And where the plan of the copies is, how many lines it has (0: none are wanted), how many run at a time."""

    copies: int
    bucket: str
    key: str
    concurrency: int


class PlacedCopies(TypedDict):
    """How many copies are where they belong, and of how many files the object that was checked is gone."""

    placed: int
    gone: int


class UpdateConsignmentEvent(StateEvent):
    """A run with its statuses, and the number of lines in the plan of the copies: 0 where none are wanted."""

    statuses: dict[str, str]
    status: str
    copies: int


class WrittenFiles(TypedDict):
    """How many files were written."""

    files: int


class NotifyProblemsEvent(StateEvent):
    """A run with its statuses, its files by problem, and the number of those that lack a result."""

    statuses: dict[str, str]
    problems: dict[str, int]
    incomplete: int


class SentNotifications(TypedDict):
    """How many notifications were sent."""

    sent: int


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
