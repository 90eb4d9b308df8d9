"""Starting a run exactly once per event, and by hand unless one is carrying out the same now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import FieldError, PermanentError, WaybillError
from waybill.core.executions import (
    ExecutionRefusedError,
    ExecutionStates,
    RunningExecutions,
    StartedExecution,
    is_execution_of,
)
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.events import Ignored, Record, Unusable, records
from waybill.replication.domain.records import LatestRun, LatestRuns, RecordStatus
from waybill.replication.domain.requests import Routing, guard_against_loops
from waybill.replication.domain.run_identity import execution_name_of
from waybill.replication.errors import (
    EventNotHandledError,
    NoSuchBucketError,
    SourceNotFoundError,
    SourceRefusedError,
    SupersededError,
)
from waybill.replication.models import GIB, ObjectFacts, ReplicationRequest, StartRequest

_EXPRESS_LIFETIME = timedelta(seconds=330)
# An Express execution ends after five minutes, and nothing in it can catch that. Within them every destination of at
# most 22, ten at a time, has to be copied to, and a copy to be tried again: with so much, at 22 MB a second.
EXPRESS_LIMIT = GIB


class FileCopyExecutions(RunningExecutions, ExecutionStates, Protocol):
    """Starts executions, knows which of them are still under way, and how each stands."""


@dataclass(frozen=True)
class Workflows:
    """The state machines: Standard for everything; Express, where there is one, for what fits its five minutes."""

    standard_arn: str
    express_arn: str | None = None

    def arn_for(self, size: int | None) -> str:
        """Return the state machine for an object of `size` bytes; of unknown size, the one that takes any."""
        if self.express_arn and size is not None and size <= EXPRESS_LIMIT:
            return self.express_arn
        return self.standard_arn

    def has(self, execution_arn: str) -> bool:
        """Return whether an execution is one of these state machines'."""
        return any(is_execution_of(arn, execution_arn) for arn in (self.standard_arn, self.express_arn) if arn)


@dataclass(frozen=True)
class Started:
    """A run that exists now, and the request it was started with."""

    request: ReplicationRequest
    execution: StartedExecution


@dataclass(frozen=True)
class StartContext:
    """What a start by hand looks at; `nonce` makes a text that nobody has made before."""

    buckets: Buckets
    runs: LatestRuns
    trigger_buckets: frozenset[str]
    nonce: Callable[[], str]
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Starter:
    """Starts runs by name."""

    executions: FileCopyExecutions
    workflows: Workflows

    def start_for_event(self, request: ReplicationRequest) -> Started:
        """Start the run of an event, or find that an earlier delivery of it has."""
        name, arn = execution_name_of(request), self.workflows.arn_for(request.size)
        return Started(request, self.executions.start(arn, name, request.wire()))

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running here; one of another stack is not, as in a table that was restored.

        Raises
        ------
        ExecutionRefusedError
            It is one of ours, and may not be looked at.
        """
        try:
            return self.executions.is_running(execution_arn)
        except ExecutionRefusedError:
            if self.workflows.has(execution_arn):
                raise
            return False

    def start_manually(self, payload: object, context: StartContext) -> Started:
        """Start the run that a person asks for, or find the one that is carrying out the same now.

        A run that has ended answers nothing: the new one looks at every destination. Two requests at the same moment
        make one run, of which one is told that it started it.

        Raises
        ------
        InvalidInputError
            Names every field that is missing or wrong.
        SourceRefusedError
            Names the source that is not there or cannot be read; nothing was started.
        """
        request = ReplicationRequest.parse(StartRequest.parse(payload).wire())
        guard_against_loops(request, context.trigger_buckets)
        source = _described(request, context.buckets)
        latest = context.runs.latest_run(request.file)
        if latest and not request.force and self._is_carrying_out(request, latest, context.now()):
            started = datetime.fromisoformat(latest.start_time or iso(context.now()))
            return Started(request, StartedExecution(latest.execution_id, started, already_running=True))
        # Another input makes Step Functions refuse the name to the second of two, instead of greeting both as first.
        request = request.model_copy(update={"request_id": context.nonce()})
        if request.force and not request.nonce:
            request = request.model_copy(update={"nonce": context.nonce()})
        arn, follows = self.workflows.arn_for(source.size), latest.execution_id if latest else None
        while True:
            name = execution_name_of(request, source.identity, follows)
            started_now = Started(request, self.executions.start(arn, name, request.wire()))
            execution = started_now.execution
            if not execution.already_running or self.is_running(execution.execution_arn):
                return started_now
            # It ended before it could record anything: the name is used up.
            follows = execution.execution_arn

    def _is_carrying_out(self, request: ReplicationRequest, latest: LatestRun, now: datetime) -> bool:
        if latest.status != RecordStatus.IN_PROGRESS or request.version_id or request.e_tag:
            return False
        covers = set(request.destination_buckets) <= set(latest.destination_buckets)
        if not covers or request.destination_prefix != latest.destination_prefix:
            return False
        if ":express:" in latest.execution_id:
            # Step Functions developer guide: Express executions cannot be described, and end within five minutes.
            started = datetime.fromisoformat(latest.start_time or iso(now))
            return now - started < _EXPRESS_LIFETIME
        return self.is_running(latest.execution_id)


def _described(request: ReplicationRequest, buckets: Buckets) -> ObjectFacts:
    """Return the source as it is now; what keeps it from being read is the sender's mistake, and named as such."""
    address = f"s3://{request.source_bucket}/{request.source_key}"
    try:
        return buckets.describe_source(
            request.source_bucket, request.source_key, version_id=request.version_id, e_tag=request.e_tag
        )
    except NoSuchBucketError as error:
        raise SourceRefusedError(FieldError("sourceBucket", f"there is no bucket {request.source_bucket}")) from error
    except SourceNotFoundError as error:
        if request.version_id:
            raise SourceRefusedError(FieldError("versionId", f"{address} has no such version")) from error
        raise SourceRefusedError(FieldError("sourceKey", f"there is no object {address}")) from error
    except SupersededError as error:
        raise SourceRefusedError(FieldError("eTag", f"{address} has another ETag now")) from error
    except PermanentError as error:
        raise SourceRefusedError(FieldError("sourceKey", f"{address} cannot be read: {error}")) from error


@dataclass(frozen=True)
class EventOutcome:
    """What became of the records of one event."""

    started: tuple[Started, ...]
    ignored: tuple[Ignored, ...]


def handle_event(payload: object, routing: Routing, starter: Starter) -> EventOutcome:
    """Start a run for every new object of `payload`, whatever it is wrapped in.

    Raises
    ------
    EventNotHandledError
        Some records could not be started; all others have been.
    """
    started: list[Started] = []
    ignored: list[Ignored] = []
    problems: list[str] = []
    for number, record in enumerate(records(payload)):
        try:
            outcome = _handle_record(record, routing, starter)
        except WaybillError as error:
            problems.append(f"record {number}: {error}")
            continue
        if isinstance(outcome, Unusable):
            problems.append(f"record {number}: {outcome.reason}")
        elif isinstance(outcome, Ignored):
            ignored.append(outcome)
        else:
            started.append(outcome)
    if problems:
        raise EventNotHandledError(_listed(problems, len(started)))
    return EventOutcome(tuple(started), tuple(ignored))


def _handle_record(record: Record, routing: Routing, starter: Starter) -> Started | Ignored | Unusable:
    if isinstance(record, Ignored | Unusable):
        return record
    request = routing.request(record)
    return request if isinstance(request, Ignored) else starter.start_for_event(request)


def _listed(problems: Iterable[str], started: int) -> str:
    listed = list(problems)
    return f"{len(listed)} records not handled, {started} started; {'; '.join(listed[:10])}"
