"""Environment variables of the scanner's functions; each function gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import Names, WaybillSettings


class ScanTableSettings(WaybillSettings):
    """The table of jobs."""

    scans_table: str


class QueueSettings(WaybillSettings):
    """The workers' queue."""

    scan_queue_url: str


class ScannedBucketSettings(WaybillSettings):
    """Buckets that may be scanned; `*` stands for any that the role can read."""

    scan_buckets: Names = ("*",)

    @property
    def allowed(self) -> frozenset[str] | None:
        """The allow-list, None for any bucket."""
        return None if "*" in self.scan_buckets else frozenset(self.scan_buckets)


class UploadSettings(WaybillSettings):
    """Buckets whose new objects are scanned as they come; none, when it is empty."""

    scan_uploads_of: Names = ()


class ListingWorkflowSettings(WaybillSettings):
    """The listing workflow; without one, buckets are listed within the request."""

    scan_workflow_arn: str = ""


class ListingSettings(WaybillSettings):
    """How the workflow lists.

    A batch of it lists `scan_batch_keys` keys. `scan_fan_out` ranges of a job's keys are listed at the same time at
    most; 1 for no fan-out.
    """

    scan_batch_keys: Annotated[int, Field(ge=1)] = 10_000
    scan_fan_out: Annotated[int, Field(ge=1, le=64)] = 64


class WebhookAddressSettings(WaybillSettings):
    """Whether webhooks may go to private addresses, and by http."""

    scan_webhook_private: bool = False


class WebhookSettings(WebhookAddressSettings):
    """The queue of events for webhooks, and the secret that signs what they are sent."""

    scan_webhook_queue_url: str
    scan_webhook_secret_arn: str


class ExportQueueSettings(WaybillSettings):
    """The queue of exports to make."""

    scan_export_queue_url: str


class ExportSettings(WaybillSettings):
    """The bucket of exports, for the function that makes them."""

    scan_exports_bucket: str


class SecurityHubSettings(WaybillSettings):
    """Whether exported findings are sent to AWS Security Hub too."""

    security_hub: bool = False


class SecretSettings(WaybillSettings):
    """The secret that keys fingerprints and signs cursors."""

    scan_secret_arn: str
