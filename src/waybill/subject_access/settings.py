"""Environment variables of the functions; each function gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import WaybillSettings


class TableSettings(WaybillSettings):
    """The table of requests and services."""

    subject_access_table: str


class BucketSettings(WaybillSettings):
    """The bucket of reports and their parts."""

    subject_access_bucket: str


class WorkflowSettings(WaybillSettings):
    """The workflow that fulfils requests, and how many of its executions one poll starts at most."""

    subject_access_workflow_arn: str
    workers_per_poll: Annotated[int, Field(ge=1)] = 10


class LifecycleSettings(WaybillSettings):
    """Days from a request's end to its archive, and from there to nothing."""

    archive_after_days: Annotated[int, Field(ge=1)] = 7
    delete_after_days: Annotated[int, Field(ge=1)] = 365
