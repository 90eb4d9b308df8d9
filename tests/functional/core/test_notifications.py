"""Messages as SNS takes them."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fakes.functions import PHYSICAL
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.errors import NotificationUnavailableError
from waybill.core.notifications import BODY_LIMIT_BYTES, Notification

NEWS = Notification(
    workflow="replication",
    status="FAILED",
    about="global-builds/build-123.zip",
    subject="File Copy Failures: build-123.zip",
    body="❌ It failed\n\n🔎 Look here",
    notification_id="build-123-zip-0a1b",
)


@pytest.fixture
def notifier(wire: Wire) -> SnsNotifier:
    make_failure_topic()
    wire.clear()
    return SnsNotifier(client("sns"), PHYSICAL["FailureTopic"])


def with_subject(subject: str) -> Notification:
    return Notification("replication", "FAILED", subject, subject, "body", "id")


def test_a_notification_is_one_message_with_its_attributes(notifier: SnsNotifier, wire: Wire) -> None:
    notifier.notify(NEWS)
    (letter,) = wire.published
    assert (letter.topic, letter.subject, letter.body) == (PHYSICAL["FailureTopic"], NEWS.subject, NEWS.body)
    assert letter.attributes == {
        "workflow": "replication",
        "status": "FAILED",
        "subject": "global-builds/build-123.zip",
        "notificationId": "build-123-zip-0a1b",
    }


@pytest.mark.parametrize(
    ("subject", "sent"),
    [
        ("Café naïve", "Cafe naive"),
        ("a\nb\r\n\tc", "a b c"),
        ("日本語.zip", "???.zip"),
        ("key 😀", "key ?"),
        ("\x00\x07\x7f", "???"),
        ("", "Waybill"),
        (" \n ", "Waybill"),
        ("x" * 100, "x" * 100),
        ("start-" + "x" * 1024 + "-end.zip", "start-" + "x" * 54 + "..." + "x" * 29 + "-end.zip"),
    ],
)
def test_any_subject_becomes_one_that_sns_takes(notifier: SnsNotifier, wire: Wire, subject: str, sent: str) -> None:
    notifier.notify(with_subject(subject))
    (letter,) = wire.published
    assert (letter.subject, letter.attributes["subject"]) == (sent, sent)
    assert len(letter.subject) <= 100
    assert letter.subject.isascii()


@pytest.mark.parametrize("character", ["x", "é", "❌", "😀"])
def test_a_long_body_is_cut_between_characters_and_says_so(notifier: SnsNotifier, wire: Wire, character: str) -> None:
    notifier.notify(Notification("replication", "FAILED", "a", "s", character * 300_000, "id"))
    body = wire.published[0].body
    assert len(body.encode()) <= BODY_LIMIT_BYTES
    assert body.endswith("… (cut: the whole list is in the records)")
    assert set(body.partition("\n")[0]) == {character}


@pytest.mark.parametrize("code", ["Throttling", "ThrottledException", "KMSThrottling", "InternalError"])
def test_what_passes_is_the_workflows_to_retry(notifier: SnsNotifier, wire: Wire, code: str) -> None:
    wire.refuse("sns.Publish", code)
    with pytest.raises(NotificationUnavailableError, match=code):
        notifier.notify(NEWS)


def test_a_topic_that_cannot_be_reached_is_the_workflows_to_retry(notifier: SnsNotifier, wire: Wire) -> None:
    wire.cut("sns.Publish", ReadTimeoutError(endpoint_url="x"))
    with pytest.raises(NotificationUnavailableError, match="ReadTimeoutError"):
        notifier.notify(NEWS)


@pytest.mark.parametrize("code", ["AuthorizationError", "NotFound", "KMSDisabled", "KMSAccessDenied", "AccessDenied"])
def test_what_no_retry_mends_is_raised_after_one_request(notifier: SnsNotifier, wire: Wire, code: str) -> None:
    wire.refuse("sns.Publish", code, status=403)
    with pytest.raises(ClientError, match=code):
        notifier.notify(NEWS)
    assert len(wire.of("sns.Publish")) == 1
