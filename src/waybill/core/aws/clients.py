"""boto3 clients, typed, one per service and Region and process.

`client("s3")` is an `S3Client` of boto3-stubs to mypy: a call, an argument or a value that the service does not have
fails `make lint`. The stubs are imported for type checking alone. An adapter takes its client by that type:

    if TYPE_CHECKING:
        from mypy_boto3_s3 import S3Client

    def __init__(self, client: "S3Client", bucket: str) -> None:
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

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


class Clients(Protocol):
    """Gives clients: `clients("s3", region)`. Without a Region it is the function's own."""

    @overload
    def __call__(
        self, service: Literal["cloudformation"], region: str | None = None, *, attempts: int = ...
    ) -> "CloudFormationClient": ...
    @overload
    def __call__(
        self, service: Literal["cloudwatch"], region: str | None = None, *, attempts: int = ...
    ) -> "CloudWatchClient": ...
    @overload
    def __call__(
        self, service: Literal["dynamodb"], region: str | None = None, *, attempts: int = ...
    ) -> "DynamoDBClient": ...
    @overload
    def __call__(
        self, service: Literal["events"], region: str | None = None, *, attempts: int = ...
    ) -> "EventBridgeClient": ...
    @overload
    def __call__(self, service: Literal["kms"], region: str | None = None, *, attempts: int = ...) -> "KMSClient": ...
    @overload
    def __call__(
        self, service: Literal["lambda"], region: str | None = None, *, attempts: int = ...
    ) -> "LambdaClient": ...
    @overload
    def __call__(
        self, service: Literal["logs"], region: str | None = None, *, attempts: int = ...
    ) -> "CloudWatchLogsClient": ...
    @overload
    def __call__(self, service: Literal["s3"], region: str | None = None, *, attempts: int = ...) -> "S3Client": ...
    @overload
    def __call__(
        self, service: Literal["secretsmanager"], region: str | None = None, *, attempts: int = ...
    ) -> "SecretsManagerClient": ...
    @overload
    def __call__(
        self, service: Literal["securityhub"], region: str | None = None, *, attempts: int = ...
    ) -> "SecurityHubClient": ...
    @overload
    def __call__(self, service: Literal["sns"], region: str | None = None, *, attempts: int = ...) -> "SNSClient": ...
    @overload
    def __call__(self, service: Literal["sqs"], region: str | None = None, *, attempts: int = ...) -> "SQSClient": ...
    @overload
    def __call__(
        self, service: Literal["stepfunctions"], region: str | None = None, *, attempts: int = ...
    ) -> "SFNClient": ...
    @overload
    def __call__(self, service: Literal["sts"], region: str | None = None, *, attempts: int = ...) -> "STSClient": ...


class CachedClients(Clients, Protocol):
    """Gives the same client for the same arguments."""

    def cache_clear(self) -> None:
        """Forget the clients."""
        ...


@cache
def _client(service: Any, region: str | None = None, *, attempts: int = _ATTEMPTS) -> Any:
    config_class: Any = Config  # the type stubs lag behind botocore's options
    config = config_class(
        connect_timeout=5,
        read_timeout=_READ_TIMEOUT_SECONDS.get(service, _DEFAULT_READ_TIMEOUT_SECONDS),
        retries={"mode": _RETRY_MODE, "total_max_attempts": attempts},
        max_pool_connections=32,
        user_agent_appid="waybill",
    )
    return boto3.client(service, region_name=region, config=config)  # noqa: TID251 - this is it


client = cast("CachedClients", _client)
"""Return the process's client of a service, in a Region (default: the function's own).

`attempts` is how often it makes a call at most; 1 for callers that repeat calls by themselves.
"""


@cache
def presigner() -> "S3Client":
    """Return an S3 client for making pre-signed addresses, in the function's own Region.

    Objects under a KMS key are given to signatures of version 4 alone, which botocore does not make in every Region
    unasked; and an address of a new bucket has to name the Region (Amazon S3 user guide, "Virtual hosting of buckets").
    """
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))  # noqa: TID251 - this is it
