"""What AWS would bill for requests that are made of moto: requests by operation, and DynamoDB's units."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil
from threading import RLock
from typing import Any

from boto3 import Session
from moto.core.botocore_stubber import BotocoreStubber

from benchmarks.billing_units import item_bytes, read_units, write_units

_CHUNK = 64 * 1024
# What S3 bills as writes (Amazon S3 Pricing, Requests & data retrievals); removals are free.
_BILLED: Mapping[str, Sequence[str]] = {
    "s3_writes": (
        "s3.PutObject",
        "s3.CopyObject",
        "s3.PutObjectTagging",
        "s3.CreateMultipartUpload",
        "s3.UploadPart",
        "s3.CompleteMultipartUpload",
        "s3.ListObjectsV2",
        "s3.ListObjectVersions",
    ),
    "s3_reads": ("s3.GetObject", "s3.HeadObject", "s3.GetObjectTagging"),
    "secret_requests": ("secrets-manager.GetSecretValue",),
    "sns_publishes": ("sns.Publish",),
}
_PAGE = 4096


class EmulatorTime:
    """The processor time that moto itself takes from now on, which is no part of what is measured."""

    def __init__(self) -> None:
        self.seconds = 0.0
        answer = BotocoreStubber.__call__

        def timed(stubber: BotocoreStubber, *args: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return answer(stubber, *args, **named)
            finally:
                self.seconds += time.process_time() - started

        vars_of_class: Any = BotocoreStubber
        vars_of_class.__call__ = timed


class Meter:
    """Counts what the clients that `session` makes from now on send, while it is asked to.

    Attributes
    ----------
    requests : Counter[str]
        By ``<service>.<operation>``.
    used : dict[str, float]
        By the names of the price table, as far as requests alone tell.
    """

    def __init__(self, session: Session) -> None:
        self.requests: Counter[str] = Counter()
        self.used: defaultdict[str, float] = defaultdict(float)
        self._counts = False
        # Threads of a job ask at the same time.
        self._lock = RLock()
        # Made before the hooks are there, so that its own requests are not counted.
        self._items = session.client("dynamodb")
        session.events.register_first("before-parameter-build", self._asked)
        session.events.register_last("after-call", self._answered)

    @contextmanager
    def counting(self) -> Iterator["Meter"]:
        """Count within the block."""
        self._counts = True
        yield self
        self._counts = False

    def _asked(self, params: Mapping[str, Any], event_name: str, **_: Any) -> None:
        if not self._counts:
            return
        service, operation = event_name.removeprefix("before-parameter-build.").split(".")
        with self._lock:
            self.requests[f"{service}.{operation}"] += 1
            for billed, operations in _BILLED.items():
                if f"{service}.{operation}" in operations:
                    self.used[billed] += 1
            if count := getattr(self, f"_{service}_{operation}", None):
                count(params)

    def _answered(self, parsed: Mapping[str, Any], event_name: str, **_: Any) -> None:
        if not self._counts:
            return
        with self._lock:
            match event_name.removeprefix("after-call."):
                case "dynamodb.GetItem":
                    self.used["dynamodb_read_units"] += read_units(item_bytes(parsed.get("Item", {})))
                case "dynamodb.Query":
                    self.used["dynamodb_read_units"] += max(1, ceil(sum(map(item_bytes, parsed["Items"])) / _PAGE))

    def _sqs_SendMessageBatch(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        self.used["sqs_requests"] += ceil(sum(len(entry["MessageBody"]) for entry in params["Entries"]) / _CHUNK)

    def _dynamodb_PutItem(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        self.used["dynamodb_write_units"] += write_units(item_bytes(params["Item"]))

    def _dynamodb_UpdateItem(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        self.used["dynamodb_write_units"] += write_units(self._stored_bytes(params))

    def _dynamodb_BatchWriteItem(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        for request in (request for requests in params["RequestItems"].values() for request in requests):
            item = request.get("PutRequest", {}).get("Item", {})
            self.used["dynamodb_write_units"] += write_units(item_bytes(item))

    def _dynamodb_BatchGetItem(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        for asked in params["RequestItems"].values():
            # One for each key, also when nothing is found; half of it where what is read may be a moment old.
            self.used["dynamodb_read_units"] += len(asked["Keys"]) / (1 if asked.get("ConsistentRead") else 2)

    def _dynamodb_TransactWriteItems(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        for write in params["TransactItems"]:
            ((kind, asked),) = write.items()
            size = item_bytes(asked["Item"]) if kind == "Put" else self._stored_bytes(asked)
            self.used["dynamodb_write_units"] += write_units(size, transaction=True)

    def _dynamodb_DeleteItem(self, params: Mapping[str, Any]) -> None:  # noqa: N802
        self.used["dynamodb_write_units"] += write_units(self._stored_bytes(params))

    def _stored_bytes(self, update: Mapping[str, Any]) -> int:
        """Return the size of what is updated, removed or only looked at, as it is before."""
        return item_bytes(self._items.get_item(TableName=update["TableName"], Key=update["Key"]).get("Item", {}))
