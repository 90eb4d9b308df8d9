"""boto3 for the embedded AWS."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, cast

from waybill.cli.account import TEST_CREDENTIALS

if TYPE_CHECKING:
    from boto3 import Session

    from waybill.core.aws.clients import Clients

# A session makes one client at a time (boto3, "Session reference", "Multithreading or multiprocessing with sessions").
_one_is_made = Lock()


def local_clients(endpoint: str, region: str) -> "Clients":
    """Return what gives clients of the embedded AWS, with the rights of the account's root.

    They ignore the AWS profiles and the proxies of this machine, and add no prefix to the host name, as
    `StartSyncExecution` would.
    """
    from botocore.config import Config

    config = Config(proxies={}, inject_host_prefix=False, retries={"mode": "standard", "total_max_attempts": 3})

    def made(service: str) -> object:
        with _one_is_made:
            return _session(region).client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]

    return cast("Clients", made)


@cache
def _session(region: str) -> "Session":
    """Return the session of a region: what each reads of the service's endpoints takes longer than a client's rest."""
    # Half of the program's start-up time; `--help` and completion need no client.
    import boto3

    return boto3.Session(
        aws_access_key_id=TEST_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=TEST_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
