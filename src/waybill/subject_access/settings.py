"""Environment variables of the functions; each function gets those that its handler reads."""

from typing import TYPE_CHECKING, Annotated, Self, override

from pydantic import Field, model_validator

from waybill.core.settings import WaybillSettings

if TYPE_CHECKING:
    from waybill.subject_access.domain.upstream.addresses import Destinations


class TableSettings(WaybillSettings):
    """The table of requests and services."""

    subject_access_table: str


class BucketSettings(WaybillSettings):
    """The bucket of reports and their parts."""

    subject_access_reports_bucket: str


class WorkflowSettings(WaybillSettings):
    """The workflow that fulfils requests, and how many of its executions one sweep starts at most."""

    subject_access_workflow_arn: str
    workers_per_poll: Annotated[int, Field(ge=1)] = 10


class LifecycleSettings(WaybillSettings):
    """Days from a request's end to its archive, and from there to nothing."""

    archive_after_days: Annotated[int, Field(ge=1)] = 7
    delete_after_days: Annotated[int, Field(ge=1)] = 365


class ServiceHostSettings(WaybillSettings):
    """The hosts of the services that may be asked.

    `subject_access_hosts` is a list with commas: `*.service.example`, `host:8443`, `http://127.0.0.1:*`; without a
    scheme it is https.
    """

    subject_access_hosts: str = ""

    def destinations(self) -> "Destinations":
        """Return where requests may go; raises ValueError."""
        return _destinations(self.subject_access_hosts)


class UpstreamSettings(ServiceHostSettings):
    """Which services may be asked, as whom, and for how long.

    `upstream_private_ranges` are networks that may be reached although they are not public.
    """

    upstream_private_ranges: str = ""
    upstream_secret_prefix: str
    upstream_budget_seconds: Annotated[float, Field(gt=0, le=800)] = 240.0
    upstream_max_bytes: Annotated[int, Field(gt=0)] = 100 * 1024**2

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self.destinations()
        return self

    @override
    def destinations(self) -> "Destinations":
        return _destinations(self.subject_access_hosts, self.upstream_private_ranges)


def _destinations(hosts: str, private_ranges: str = "") -> "Destinations":
    from waybill.subject_access.domain.upstream.addresses import Destinations

    return Destinations.parse(hosts, private_ranges)
