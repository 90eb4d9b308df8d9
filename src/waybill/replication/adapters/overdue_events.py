"""What is overdue, on EventBridge."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, override

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.errors import NotificationUnavailableError
from waybill.core.executions import stable_json
from waybill.replication.domain.overdue import OverdueAnnouncer
from waybill.replication.domain.records import RecordItem

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# Amazon EventBridge API Reference, PutEvents: at most ten entries, of 256 KB together.
_ENTRIES = 10


class OverdueEvents(OverdueAnnouncer):
    """`ReplicationOverdue` on the default bus, which is every `stack`'s; `eventId` is the same whenever it is sent."""

    def __init__(self, client: "EventBridgeClient", stack: str) -> None:
        self._client = client
        self._stack = stack

    @override
    def announce(self, records: Sequence[RecordItem], threshold: timedelta) -> None:
        for some in batched(records, _ENTRIES, strict=False):
            try:
                answer = self._client.put_events(Entries=[self._entry(record, threshold) for record in some])
            except (ClientError, BotoCoreError) as error:
                raise NotificationUnavailableError(type(error).__name__) from error
            if answer.get("FailedEntryCount"):
                raise NotificationUnavailableError("EventBridge refused events")

    def _entry(self, record: RecordItem, threshold: timedelta) -> "PutEventsRequestEntryTypeDef":
        detail = {
            "eventId": f"overdue-{record['executionName']}",
            "stack": self._stack,
            "sourceBucket": record["sourceBucket"],
            "sourceKey": record["fileKey"],
            "versionId": record.get("versionId"),
            "size": record.get("size"),
            "executionId": record["executionId"],
            "startTime": record["startTime"],
            "thresholdMinutes": round(threshold.total_seconds() / 60),
        }
        return {"Source": "waybill.replication", "DetailType": "ReplicationOverdue", "Detail": stable_json(detail)}
