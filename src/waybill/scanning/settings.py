"""Environment variables of the scanner's functions; each function gets those that its handler reads."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from waybill.core.settings import WaybillSettings


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class TableSettings(WaybillSettings):
    """The table of jobs."""

    scans_table: str


class QueueSettings(WaybillSettings):
    """The workers' queue."""

    scan_queue_url: str


class BucketSettings(WaybillSettings):
    """Buckets that may be scanned; `*` stands for any that the role can read."""

    scan_buckets: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ("*",)

    @property
    def allowed(self) -> frozenset[str] | None:
        """The allow-list, None for any bucket."""
        return None if "*" in self.scan_buckets else frozenset(self.scan_buckets)


class WorkflowSettings(WaybillSettings):
    """The listing workflow; empty to list within the request."""

    scan_workflow_arn: str = ""


class BatchSettings(WaybillSettings):
    """How many keys one batch of the listing workflow lists."""

    scan_batch_keys: Annotated[int, Field(ge=1)] = 10_000


class FanOutSettings(WaybillSettings):
    """How many ranges of one job's keys are listed at the same time at most; 1 for no fan-out."""

    scan_fan_out: Annotated[int, Field(ge=1, le=64)] = 64


class WebhookAddressSettings(WaybillSettings):
    """Whether webhooks may go to private addresses, and by http."""

    scan_webhook_private: bool = False


class WebhookSettings(WebhookAddressSettings):
    """What tells webhooks: the queue of news, and the secret that signs."""

    scan_webhook_queue_url: str
    scan_webhook_secret_arn: str


class ExportSettings(WaybillSettings):
    """The bucket of exports."""

    scan_exports_bucket: str


class ExportQueueSettings(WaybillSettings):
    """The queue of exports to make."""

    scan_export_queue_url: str


class SecretSettings(WaybillSettings):
    """The secret that keys fingerprints and signs cursors."""

    scan_secret_arn: str
