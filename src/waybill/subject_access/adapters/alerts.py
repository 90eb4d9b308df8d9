"""What people are told, at most once in a while about the same thing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError
from waybill.core.aws.table import Table
from waybill.core.notifications import Notification, Notifier
from waybill.subject_access.domain.ports import QUIET_AFTER_NOTIFICATION, Alerts
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OnceAlerts(Alerts):
    """`Alerts` that remembers in DynamoDB what was told; `client` is a boto3 `dynamodb` client."""

    def __init__(
        self, client: "DynamoDBClient", table: str, notifier: Notifier, *, now: Callable[[], datetime]
    ) -> None:
        self._table = Table(client, table, SubjectAccessStoreUnavailableError)
        self._notifier = notifier
        self._now = now

    @override
    def raise_once(
        self, about: str, code: str, notification: Notification, *, quiet: timedelta = QUIET_AFTER_NOTIFICATION
    ) -> bool:
        """Tell it unless the same `code` was told about the same within the time `quiet`; return whether it was told.

        Raises
        ------
        NotificationUnavailableError
            It could not be told; the next one who tries may.
        """
        now = int(self._now().timestamp())
        key = {"pk": f"ALERT#{about}#{code}", "sk": "LAST"}
        told = key | {"expires": now + int(quiet.total_seconds())}
        try:
            self._table.put(told, "attribute_not_exists(pk) OR expires <= :now", {":now": now})
        except ConditionFailedError:
            return False
        try:
            self._notifier.notify(notification)
        except Exception:  # whatever it is goes on to the caller, and the next one who tries must be let through
            self._table.delete(key)
            raise
        return True
