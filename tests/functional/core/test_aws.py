"""How the SDK's clients are set up."""

import pytest

from tests.fakes.wire import Wire
from waybill.core.aws.clients import client


def test_there_is_one_client_per_service_and_region(wire: Wire) -> None:
    assert client("s3") is client("s3")
    assert client("s3", "us-west-2") is client("s3", "us-west-2")
    assert client("s3", "us-west-2") is not client("s3")
    assert client("s3").meta.region_name == "eu-west-1"
    assert client("s3", "us-west-2").meta.region_name == "us-west-2"


@pytest.mark.parametrize(("service", "seconds"), [("s3", 840), ("dynamodb", 5), ("stepfunctions", 20), ("sns", 20)])
def test_clients_wait_and_retry_on_purpose(wire: Wire, service: str, seconds: int) -> None:
    config = client(service).meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, seconds)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    # As many connections as one function copies parts at a time.
    assert config.max_pool_connections >= 32


def test_a_request_says_who_sends_it(wire: Wire) -> None:
    client("s3").list_buckets()
    assert "app/waybill" in wire.requests[0].headers["user-agent"]
