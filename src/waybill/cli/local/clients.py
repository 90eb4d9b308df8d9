"""boto3 for the embedded AWS."""

from typing import Any

from waybill.cli.local.account import TEST_CREDENTIALS


def local_client(service: str, endpoint: str, region: str) -> Any:
    """Return a boto3 client of the embedded AWS, with the rights of the account's root.

    It ignores the AWS profiles and the proxies of this machine, and adds no prefix to the host name, as
    `StartSyncExecution` would.
    """
    # Half of the program's start-up time; `--help` and completion need no client.
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=TEST_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=TEST_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
    config = Config(proxies={}, inject_host_prefix=False, retries={"mode": "standard", "total_max_attempts": 3})
    client: Any = session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]
    return client
