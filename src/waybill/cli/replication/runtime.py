"""Replication on the stack that a command is for."""

import getpass
import re
from dataclasses import dataclass
from functools import cached_property

import typer

from waybill.cli.context import Cli, OfStack
from waybill.cli.watch import command_retry
from waybill.core.errors import FieldError, InvalidInputError
from waybill.replication import runtime
from waybill.replication.domain.backfill_comparing import BackfillTools
from waybill.replication.domain.requests import guard_against_loops
from waybill.replication.domain.starter import Started
from waybill.replication.models import FileId, ReplicationRequest

_OPTIONS = {"destinationBuckets": "--to", "sourceBucket": "the bucket in s3://BUCKET/KEY", "sourceKey": "the key"}


@dataclass(frozen=True)
class Replication:
    """The collaborators of replication, each built when a command needs it."""

    cli: Cli

    tracking = OfStack(runtime.tracking)
    backfills = OfStack(runtime.backfills)
    verifications = OfStack(runtime.verification_table)
    buckets = OfStack(runtime.buckets)
    executions = OfStack(runtime.executions)
    starter = OfStack(runtime.starter)
    trigger_buckets = OfStack(runtime.trigger_buckets)  # that no copy may go to

    @cached_property
    def backfill_tools(self) -> BackfillTools:
        """What backfills are worked on with."""
        return BackfillTools(self.backfills, self.tracking, runtime.paced_buckets, self.starter, command_retry)

    def user(self) -> str:
        """Return who runs the command, for what is kept of it."""
        return f"waybill:{getpass.getuser()}"

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
        self.cli.enter()
        return runtime.start_manually(request.wire() | {"force": force})


def _as_typed(error: FieldError, destinations: tuple[str, ...]) -> str:
    """Return what is wrong in terms of the command line instead of the request."""
    if position := re.fullmatch(r"destinationBuckets\[(\d+)\]", error.field):
        named = destinations[int(position[1])]
        return f"--to {named}: {error.message.removeprefix(f'{named} ')}"
    return f"{_OPTIONS.get(error.field, error.field)}: {error.message}"
