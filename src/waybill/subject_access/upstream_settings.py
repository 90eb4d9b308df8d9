"""Environment variables of the function that asks services."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from waybill.core.settings import WaybillSettings
from waybill.subject_access.domain.upstream.addresses import Destinations


class UpstreamSettings(WaybillSettings):
    """Which services may be asked, as whom, and for how long.

    `upstream_hosts` is a list with commas: `*.service.example`, `host:8443`, `http://127.0.0.1:*`; without a scheme it
    is https. `upstream_private_ranges` are networks that may be reached although they are not public.
    """

    upstream_hosts: str = ""
    upstream_private_ranges: str = ""
    upstream_secret_prefix: str
    upstream_budget_seconds: Annotated[float, Field(gt=0, le=800)] = 240.0
    upstream_max_bytes: Annotated[int, Field(gt=0)] = 100 * 1024**2

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self.destinations()
        return self

    def destinations(self) -> Destinations:
        """Return where requests may go; raises ValueError."""
        return Destinations.parse(self.upstream_hosts, self.upstream_private_ranges)
