"""Notifications on an SNS topic."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import is_transient, reason_of
from waybill.core.errors import NotificationUnavailableError
from waybill.core.notifications import Notification, ascii_subject, capped_body

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsNotifier:
    """`Notifier` on the failure topic; `client` is a boto3 `sns` client."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def notify(self, notification: Notification) -> None:
        """Publish `notification`, subject and body made to fit.

        Raises
        ------
        NotificationUnavailableError
            SNS throttles, fails or cannot be reached.
        ClientError
            The topic is missing, or refuses this role.
        """
        attributes = {
            "workflow": notification.workflow,
            "status": notification.status,
            "subject": ascii_subject(notification.about),
            "notificationId": notification.notification_id,
        }
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=ascii_subject(notification.subject),
                Message=capped_body(notification.body),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error):
                raise
            raise NotificationUnavailableError(f"{reason_of(error)} from SNS") from error
