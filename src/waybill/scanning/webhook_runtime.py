"""What tells webhooks: apart from the other collaborators, since only this needs an HTTP client and its layer."""

from functools import cache

from waybill.core.aws.clients import client
from waybill.core.clock import now
from waybill.core.settings import load
from waybill.scanning import runtime
from waybill.scanning.adapters.queues import WebhookQueue
from waybill.scanning.adapters.webhook_client import HttpPoster
from waybill.scanning.domain.webhooks import Webhooks
from waybill.scanning.settings import WebhookSettings


@cache
def webhooks() -> Webhooks:
    """Return what tells webhooks."""
    return Webhooks(runtime.store(), HttpPoster(private=load(WebhookSettings).scan_webhook_private), secret, now)


def secret() -> bytes:
    """Return the secret that signs webhooks, as it is now: it may be changed at any time."""
    answer = client("secretsmanager").get_secret_value(SecretId=load(WebhookSettings).scan_webhook_secret_arn)
    return str(answer["SecretString"]).encode()


def queue() -> WebhookQueue:
    """Return the queue of news for webhooks."""
    return WebhookQueue(client("sqs"), load(WebhookSettings).scan_webhook_queue_url)
