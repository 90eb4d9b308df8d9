"""The tracking table and the buckets on moto."""

import importlib
import os
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from tests.fakes.api import LambdaContext
from tests.fakes.functions import PHYSICAL, REGION, functions, tracking_table_definition
from tests.fakes.runs import DESTINATIONS, SOURCE
from tests.fakes.wire import Wire
from waybill.core import settings
from waybill.core.aws.clients import client
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.models import DestinationOptions


class Invoke(Protocol):
    """Calls the handler of that name."""

    def __call__(self, handler: str, event: Any, **changes: str) -> Any: ...


NOW = datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)


@pytest.fixture
def dynamodb(wire: Wire) -> Any:
    """A client of DynamoDB, where the tracking table is as the template describes it."""
    dynamodb = client("dynamodb")
    dynamodb.create_table(**tracking_table_definition())
    wire.clear()
    return dynamodb


@pytest.fixture
def tracking(dynamodb: Any) -> TrackingTable:
    """The tracking table, at the time `NOW`."""
    return TrackingTable(dynamodb, PHYSICAL["FileCopyTrackingTable"], history_days=90, now=lambda: NOW)


@pytest.fixture
def s3(wire: Wire) -> Any:
    """A client of S3, with the source bucket and two destinations in the functions' Region."""
    s3 = client("s3", REGION)
    for bucket in (SOURCE, *DESTINATIONS):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    wire.clear()
    return s3


@pytest.fixture
def buckets(s3: Any) -> S3Buckets:
    """`Buckets` without options."""
    return buckets_with({})


def buckets_with(options: dict[str, DestinationOptions]) -> S3Buckets:
    """Return `Buckets` with options by destination."""
    return S3Buckets(lambda region: client("s3", region), {}, options)


@pytest.fixture
def workflow(wire: Wire) -> Any:
    """A client of Step Functions, where the state machine is that the functions start."""
    sfn = client("stepfunctions")
    sfn.create_state_machine(name="waybill-replication", definition="{}", roleArn="arn:aws:iam::123456789012:role/any")
    wire.clear()
    return sfn


@pytest.fixture
def invoke(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Call a handler with the environment that the template gives its function, and with `changes` of it."""

    def call(handler: str, event: Any, **changes: str) -> Any:
        module = importlib.import_module(f"waybill.replication.handlers.{handler}")
        with monkeypatch.context() as patch:
            for name, value in {**functions()[module.__name__].environment, **changes}.items():
                patch.setitem(os.environ, name, value)
            settings.load.cache_clear()
            return module.lambda_handler(event, LambdaContext())

    return call
