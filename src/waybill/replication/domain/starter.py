"""Starting a run exactly once per event, and once per manual request for one state of the source."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from waybill.core.errors import PermanentError, WaybillError
from waybill.core.executions import ExecutionStarter, StartedExecution
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.events import Ignored, ObjectCreated, Record, Unusable, records
from waybill.replication.domain.requests import Routing, guard_against_loops
from waybill.replication.domain.run_identity import execution_name_of
from waybill.replication.errors import EventNotHandledError
from waybill.replication.models import SINGLE_COPY_LIMIT, ReplicationRequest


class FileCopyExecutions(ExecutionStarter, Protocol):
    """Starts executions, and knows which of them are still under way."""

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running; one that cannot be looked up is not."""
        ...


@dataclass(frozen=True)
class Workflows:
    """The state machines: Standard for everything; Express, where there is one, for what fits its five minutes."""

    standard_arn: str
    express_arn: str | None = None

    def arn_for(self, size: int | None) -> str:
        """Return the state machine for an object of `size` bytes; of unknown size, the one that takes any."""
        if self.express_arn and size is not None and size <= SINGLE_COPY_LIMIT:
            return self.express_arn
        return self.standard_arn


@dataclass(frozen=True)
class Started:
    """A run that exists now, and the request it was started with."""

    request: ReplicationRequest
    execution: StartedExecution


@dataclass(frozen=True)
class Starter:
    """Starts runs by name."""

    executions: ExecutionStarter
    workflows: Workflows

    def start_for_event(self, request: ReplicationRequest) -> Started:
        """Start the run of an event, or find that an earlier delivery of it has."""
        name, arn = execution_name_of(request), self.workflows.arn_for(request.size)
        return Started(request, self.executions.start(arn, name, request.wire()))

    def start_manually(
        self,
        payload: object,
        buckets: Buckets,
        *,
        trigger_buckets: frozenset[str],
        nonce: Callable[[], str],
    ) -> Started:
        """Start the run that a person asks for; the same request for the same state of the source finds the first run.

        A source that cannot be read still gets its run, which records and reports the reason.

        Raises
        ------
        InvalidInputError
            Names every field that is missing or wrong.
        """
        request = ReplicationRequest.parse(payload)
        guard_against_loops(request, trigger_buckets)
        if request.force and not request.nonce:
            request = request.model_copy(update={"nonce": nonce()})
        seen_state, size = _seen(request, buckets)
        name, arn = execution_name_of(request, seen_state), self.workflows.arn_for(size)
        earlier = self.executions.find(arn, name)
        return Started(request, earlier or self.executions.start(arn, name, request.wire()))


def _seen(request: ReplicationRequest, buckets: Buckets) -> tuple[str, int | None]:
    try:
        source = buckets.describe_source(
            request.source_bucket, request.source_key, version_id=request.version_id, e_tag=request.e_tag
        )
    except PermanentError as error:
        return error.code, None
    return source.identity, source.size


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
    if not isinstance(record, ObjectCreated):
        return record
    request = routing.request(record)
    return request if isinstance(request, Ignored) else starter.start_for_event(request)


def _listed(problems: Iterable[str], started: int) -> str:
    listed = list(problems)
    return f"{len(listed)} records not handled, {started} started; {'; '.join(listed[:10])}"
