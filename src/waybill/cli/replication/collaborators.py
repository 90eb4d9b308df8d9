"""Replication on the stack that a command is for."""

import getpass
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import typer

from waybill.cli.context import Cli
from waybill.cli.watch import command_retry
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now
from waybill.core.errors import FieldError, InvalidInputError
from waybill.replication.adapters.backfill_table import BackfillTable
from waybill.replication.adapters.fixity_table import FixityTable
from waybill.replication.adapters.paced import PacedBuckets
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.backfill_comparing import BackfillTools
from waybill.replication.domain.requests import guard_against_loops
from waybill.replication.domain.starter import StartContext, Started, Starter, Workflows
from waybill.replication.domain.throttle import Throttle
from waybill.replication.models import DestinationOptions, FileId, ReplicationRequest

# Only functions write history, by their own setting; backfill jobs are kept as long as it by default.
_HISTORY_DAYS = 90
_OPTIONS = {"destinationBuckets": "--to", "sourceBucket": "the bucket in s3://BUCKET/KEY", "sourceKey": "the key"}


@dataclass(frozen=True)
class Replication:
    """The collaborators of replication, built when a command first needs them."""

    cli: Cli

    @cached_property
    def tracking(self) -> TrackingTable:
        """The tracking records."""
        table = self.cli.stack.output("FileCopyTrackingTableName")
        return TrackingTable(self.cli.client("dynamodb"), table, history_days=_HISTORY_DAYS, now=now)

    @cached_property
    def backfills(self) -> BackfillTable:
        """The backfill jobs."""
        table = self.cli.stack.output("FileCopyTrackingTableName")
        return BackfillTable(self.cli.client("dynamodb"), table, history_days=_HISTORY_DAYS, now=now)

    @cached_property
    def verifications(self) -> FixityTable:
        """The verifications, and the last check of each copy."""
        table = self.cli.stack.output("FileCopyTrackingTableName")
        return FixityTable(self.cli.client("dynamodb"), table, history_days=_HISTORY_DAYS, now=now)

    @cached_property
    def buckets(self) -> S3Buckets:
        """S3, in every Region."""
        return S3Buckets(lambda region: self.cli.client("s3", region), self._regions, self._options)

    def paced_buckets(self, requests: Throttle) -> PacedBuckets:
        """Return S3, where looks at objects are bounded by `requests`."""
        return PacedBuckets(lambda region: self.cli.client("s3", region), self._regions, self._options, requests)

    @cached_property
    def _regions(self) -> dict[str, str]:
        """The Regions of the buckets, each looked up once."""
        return {}

    @cached_property
    def _options(self) -> Mapping[str, DestinationOptions]:
        """What copies get that differs from their source, by bucket: what the stack does not copy, nobody misses."""
        given = json.loads(self.cli.stack.outputs.get("DestinationOptions") or "{}")
        return {bucket: DestinationOptions.parse(options) for bucket, options in given.items()}

    @cached_property
    def executions(self) -> StepFunctions:
        """Step Functions."""
        return StepFunctions(self.cli.client("stepfunctions"))

    @cached_property
    def starter(self) -> Starter:
        """The starter of runs."""
        stack = self.cli.stack
        express = stack.outputs.get("FileCopyExpressWorkflowArn")
        return Starter(self.executions, Workflows(stack.output("FileCopyWorkflowArn"), express))

    @cached_property
    def backfill_tools(self) -> BackfillTools:
        """What backfills are worked on with."""
        return BackfillTools(
            self.backfills, self.tracking, self.paced_buckets, self.starter, self.executions, command_retry
        )

    def user(self) -> str:
        """Return who runs the command, for what is kept of it."""
        return f"waybill:{getpass.getuser()}"

    @property
    def trigger_buckets(self) -> frozenset[str]:
        """The buckets that no copy may go to."""
        return frozenset({self.cli.stack.output("SourceBucketName")})

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
        context = StartContext(self.buckets, self.tracking, self.trigger_buckets, lambda: uuid.uuid4().hex, now)
        return self.starter.start_manually(request.wire() | {"force": force}, context)


def _as_typed(error: FieldError, destinations: tuple[str, ...]) -> str:
    """Return what is wrong in terms of the command line instead of the request."""
    if position := re.fullmatch(r"destinationBuckets\[(\d+)\]", error.field):
        named = destinations[int(position[1])]
        return f"--to {named}: {error.message.removeprefix(f'{named} ')}"
    return f"{_OPTIONS.get(error.field, error.field)}: {error.message}"
