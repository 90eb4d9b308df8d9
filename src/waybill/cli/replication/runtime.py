"""Replication on the stack that a command is for."""

import getpass
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import typer

from waybill.cli.context import Cli
from waybill.cli.watch import command_retry
from waybill.core.aws.step_functions import StepFunctions
from waybill.core.errors import FieldError, InvalidInputError
from waybill.replication import runtime
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.paced import PacedBuckets
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.adapters.verification_table import VerificationTable
from waybill.replication.domain.backfill_comparing import BackfillTools
from waybill.replication.domain.requests import guard_against_loops
from waybill.replication.domain.starter import Started, Starter
from waybill.replication.domain.throttle import Throttle
from waybill.replication.models import FileId, ReplicationRequest

_OPTIONS = {"destinationBuckets": "--to", "sourceBucket": "the bucket in s3://BUCKET/KEY", "sourceKey": "the key"}


@dataclass(frozen=True)
class Replication:
    """The collaborators of replication, built when a command first needs them."""

    cli: Cli

    def _of_stack[T](self, build: Callable[[], T]) -> T:
        """Return what the functions of the stack work with too."""
        self.cli.enter()
        return build()

    @cached_property
    def tracking(self) -> TrackingTable:
        """The tracking records."""
        return self._of_stack(runtime.tracking)

    @cached_property
    def backfills(self) -> BackfillTable:
        """The backfill jobs."""
        return self._of_stack(runtime.backfills)

    @cached_property
    def verifications(self) -> VerificationTable:
        """The verifications, and the last check of each copy."""
        return self._of_stack(runtime.verification_table)

    @cached_property
    def buckets(self) -> S3Buckets:
        """S3, in every Region."""
        return self._of_stack(runtime.buckets)

    def paced_buckets(self, requests: Throttle) -> PacedBuckets:
        """Return S3, where looks at objects are bounded by `requests`."""
        return self._of_stack(lambda: runtime.paced_buckets(requests))

    @cached_property
    def executions(self) -> StepFunctions:
        """Step Functions."""
        return self._of_stack(runtime.executions)

    @cached_property
    def starter(self) -> Starter:
        """The starter of runs."""
        return self._of_stack(runtime.starter)

    @cached_property
    def backfill_tools(self) -> BackfillTools:
        """What backfills are worked on with."""
        return BackfillTools(self.backfills, self.tracking, self.paced_buckets, self.starter, command_retry)

    def user(self) -> str:
        """Return who runs the command, for what is kept of it."""
        return f"waybill:{getpass.getuser()}"

    @property
    def trigger_buckets(self) -> frozenset[str]:
        """The buckets that no copy may go to."""
        return self._of_stack(runtime.trigger_buckets)

    def destinations(self, named: list[str] | None) -> tuple[str, ...]:
        """Return the destinations that are `named`, else those of the stack."""
        return tuple(named or self.cli.stack.output("DestinationBucketNames").split(","))

    def checked(self, file: FileId, destinations: tuple[str, ...]) -> ReplicationRequest:
        """Return the request to copy `file` to `destinations`; what is wrong with it is bad usage."""
        try:
            request = ReplicationRequest.parse(
                {
                    "sourceBucket": file.source_bucket,
                    "sourceKey": file.source_key,
                    "destinationBuckets": destinations,
                }
            )
            guard_against_loops(request, self.trigger_buckets)
        except InvalidInputError as error:
            told = "; ".join(_as_typed(each, destinations) for each in error.errors)
            raise typer.BadParameter(told) from error
        return request

    def start(self, request: ReplicationRequest, *, force: bool) -> Started:
        """Start the run of `request`, or find the one that is carrying out the same now."""
        return self._of_stack(lambda: runtime.start_manually(request.wire() | {"force": force}))


def _as_typed(error: FieldError, destinations: tuple[str, ...]) -> str:
    """Return what is wrong in terms of the command line instead of the request."""
    if position := re.fullmatch(r"destinationBuckets\[(\d+)\]", error.field):
        named = destinations[int(position[1])]
        return f"--to {named}: {error.message.removeprefix(f'{named} ')}"
    return f"{_OPTIONS.get(error.field, error.field)}: {error.message}"
