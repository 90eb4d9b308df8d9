"""The console's collaborators, built from the settings once per process."""

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from waybill.console.adapters.api import Api, http_client
from waybill.console.adapters.provider import Client, Provider
from waybill.console.domain.web import Request
from waybill.console.errors import SessionsUnavailableError
from waybill.console.settings import ConsoleSettings, PlaceSettings, ProviderSettings
from waybill.core.http_client import HttpClient
from waybill.core.settings import load

if TYPE_CHECKING:
    from waybill.console.adapters.sessions import Sessions

SERVICE = "console"


def settings() -> ConsoleSettings:
    """Return the settings."""
    found: ConsoleSettings = load(ConsoleSettings)
    return found


@cache
def sessions() -> "Sessions":
    """Return where sessions are kept."""
    # Where they are needed: boto3 is half of what a cold start loads.
    from waybill.console.adapters.sessions import Sessions
    from waybill.core.aws.clients import client
    from waybill.core.aws.table import Table

    return Sessions(Table(client("dynamodb"), settings().console_sessions_table, SessionsUnavailableError))


@cache
def zone() -> ZoneInfo:
    """Return the time zone in which times are shown."""
    return ZoneInfo(settings().console_time_zone)


@cache
def provider() -> Provider:
    """Return the identity provider."""
    known = load(ProviderSettings)
    secret = ""
    if known.console_client_secret_arn:
        from waybill.core.aws.clients import client

        found = client("secretsmanager").get_secret_value(SecretId=known.console_client_secret_arn)
        secret = found["SecretString"]
    return Provider(
        issuer=settings().auth_issuer,
        client=Client(known.console_client_id, secret, known.console_scopes, known.console_authorize_parameters),
        return_to=f"{settings().console_url.rstrip('/')}/callback",
    )


def has_provider() -> bool:
    """Return whether people can sign in by a provider."""
    return bool(load(ProviderSettings).console_client_id and settings().console_url)


@cache
def _client() -> HttpClient:
    return http_client()


def api(request: Request, token: str) -> Api:
    """Return the API that this request has come through, for the holder of `token`.

    Its address is made of what API Gateway says of the request, never of what the browser says.
    """
    here = load(PlaceSettings)
    if here.aws_endpoint_url:
        address = f"{here.aws_endpoint_url}/_aws/execute-api/{request.api_id}/{request.stage}"
    else:
        address = f"https://{request.api_id}.execute-api.{here.aws_region}.{here.suffix}/{request.stage}"
    return Api(address, token, _client())


def upload_origins() -> str:
    """Return where the browser may send files to, as a list for a policy of content."""
    here, bucket = load(PlaceSettings), settings().consignment_upload_bucket
    if here.aws_endpoint_url:
        return "'self'"
    hosts = [f"{bucket}.s3.{here.aws_region}.{here.suffix}"]
    # Addresses without a region are those of the partition `aws` alone (S3 user guide, "Virtual hosting of buckets").
    hosts += [f"{bucket}.s3.amazonaws.com"] if here.suffix == "amazonaws.com" else []
    return " ".join(["'self'", *(f"https://{host}" for host in hosts)])
