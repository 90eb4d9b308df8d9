"""boto3 clients, one per service and Region and process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# `standard` retries transient faults and throttling with full jitter and a retry quota. `adaptive` would also slow down
# the sender inside one process, and delay the error that lets Step Functions give the slot to another destination.
_RETRY_MODE = "standard"
_ATTEMPTS = 3

# CopyObject and CompleteMultipartUpload answer `200 OK` first and send white space until they are done, which takes
# minutes for gigabytes (Amazon S3 API Reference, CopyObject): a short read time-out would repeat a copy that is
# running.
# An invocation answers when its function has ended, which is 15 minutes at most. DynamoDB answers within milliseconds:
# a call that hangs must leave time for another, and for an answer without it.
_READ_TIMEOUT_SECONDS = {"s3": 840, "lambda": 910, "dynamodb": 5}
_DEFAULT_READ_TIMEOUT_SECONDS = 20


@cache
def client(service: str, region: str | None = None, *, attempts: int = _ATTEMPTS) -> Any:
    """Return the process's client of `service` in `region` (default: the function's own Region).

    `attempts` is how often it makes a call at most; 1 for callers that repeat calls by themselves.
    """
    config_class: Any = Config  # the type stubs lag behind botocore's options
    retries = {"mode": _RETRY_MODE, "total_max_attempts": attempts}
    config = config_class(
        connect_timeout=5,
        read_timeout=_READ_TIMEOUT_SECONDS.get(service, _DEFAULT_READ_TIMEOUT_SECONDS),
        retries=retries,
        max_pool_connections=32,
        user_agent_appid="waybill",
    )
    session: Any = boto3
    return session.client(service, region_name=region, config=config)


@cache
def presigner() -> Any:
    """Return an S3 client for making pre-signed addresses, in the function's own Region.

    Objects under a KMS key are given to signatures of version 4 alone, which botocore does not make in every Region
    unasked; and an address of a new bucket has to name the Region (Amazon S3 user guide, "Virtual hosting of buckets").
    """
    config_class: Any = Config
    session: Any = boto3
    return session.client("s3", config=config_class(signature_version="s3v4", s3={"addressing_style": "virtual"}))
