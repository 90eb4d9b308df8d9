"""Environment variables of the replication functions; each function gets those that its handler reads."""

import json
from typing import Annotated

from pydantic import BeforeValidator, Field

from waybill.core.settings import Names, WaybillSettings
from waybill.replication.models import (
    GIB,
    MAX_PART_SIZE,
    MIB,
    MIN_PART_SIZE,
    SINGLE_COPY_LIMIT,
    CopyLimits,
    DestinationOptions,
)


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class RemovalSettings(WaybillSettings):
    """Whether removals are replicated."""

    replicate_deletes: bool = False


class KeySettings(WaybillSettings):
    """Which keys are replicated at all."""

    key_prefix: str = ""
    key_suffix: str = ""


class ReplicatedSettings(KeySettings):
    """What is replicated, and to where."""

    destination_buckets: Names


class RoutingSettings(ReplicatedSettings, RemovalSettings):
    """Which uploads and removals are replicated, and to where."""


class FileCopyWorkflowSettings(WaybillSettings):
    """The state machines; no Express one means that everything runs Standard."""

    file_copy_workflow_arn: str
    file_copy_express_workflow_arn: str | None = None


class LoopGuardSettings(WaybillSettings):
    """The bucket whose uploads start this workflow, which no copy may go to."""

    source_bucket: str | None = None


class TrackingSettings(WaybillSettings):
    """The tracking table, and for how many days it keeps ended runs."""

    file_copy_tracking_table: str
    history_days: Annotated[int, Field(ge=1)] = 90


class ReconcileSettings(WaybillSettings):
    """After how many minutes in progress a run is looked at, and how many are closed at a time.

    `replication_threshold_minutes`: what is in progress for longer is overdue.
    """

    reconcile_after_minutes: Annotated[int, Field(ge=0)] = 20
    reconcile_limit: Annotated[int, Field(ge=1)] = 500
    replication_threshold_minutes: Annotated[int, Field(ge=1)] = 15


class ReportSettings(WaybillSettings):
    """The bucket that reports of backfills on the server may be written to; none without a name."""

    backfill_report_bucket: str = ""


class JobStartSettings(ReplicatedSettings):
    """What a verification or a backfill is about by default, and the workflow that carries them out."""

    replication_jobs_workflow_arn: str
    source_bucket: str


class DestinationSettings(WaybillSettings):
    """What copies to each destination get that differs from their source."""

    destination_options: Annotated[dict[str, DestinationOptions], BeforeValidator(_json), Field(default_factory=dict)]


class CopyLimitSettings(WaybillSettings):
    """Where copy strategies change, in bytes, and whether every version is copied."""

    single_copy_max_bytes: Annotated[int, Field(ge=MIN_PART_SIZE, le=SINGLE_COPY_LIMIT)] = SINGLE_COPY_LIMIT
    one_function_max_bytes: Annotated[int, Field(ge=MIN_PART_SIZE)] = 64 * GIB
    part_size_bytes: Annotated[int, Field(ge=MIN_PART_SIZE, le=MAX_PART_SIZE)] = 256 * MIB
    parts_per_batch: Annotated[int, Field(ge=1, le=1000)] = 100
    part_concurrency: Annotated[int, Field(ge=1, le=32)] = 16
    replicate_every_version: bool = False

    def limits(self) -> CopyLimits:
        """Return the limits that the rules work with."""
        return CopyLimits(
            single_copy_max=self.single_copy_max_bytes,
            one_function_max=self.one_function_max_bytes,
            part_size=self.part_size_bytes,
            parts_per_batch=self.parts_per_batch,
            part_concurrency=self.part_concurrency,
            every_version=self.replicate_every_version,
        )
