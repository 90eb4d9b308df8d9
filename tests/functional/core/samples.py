"""What comes of the sample events of the core's functions."""

from typing import Any

from tests.fakes.functions import PHYSICAL, REGION
from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire
from waybill.core.aws.clients import client


def make_failure_topic() -> str:
    """Make the failure topic and return its ARN."""
    arn: str = client("sns").create_topic(Name=PHYSICAL["FailureTopic"].rsplit(":", 1)[-1])["TopicArn"]
    assert arn == PHYSICAL["FailureTopic"], f"moto is not in {REGION}"
    return arn


def report_failed_execution(event: Any, invoke: Invoke, wire: Wire) -> None:
    topic = make_failure_topic()
    assert invoke(event) == {"notified": True}
    (letter,) = wire.published
    assert letter.topic == topic
    assert letter.subject.startswith("waybill-replication TIMED_OUT: build-123-zip-")
    assert event["detail"]["executionArn"] in letter.body
    assert letter.attributes["workflow"] == "waybill-replication"
    assert letter.attributes["status"] == "TIMED_OUT"
    # Input and output stay out of the message.
    assert "destinationBuckets" not in letter.body
