"""The events that S3 sends, around what a test names."""

import json
from typing import Any
from urllib.parse import quote_plus

# Sequencers of one key; they differ in length, and the longer one is the later.
EARLIER = "0055AED6DCD90281E5"
LATER = "0055AED6DCD90281E5A7"


def s3_record(bucket: str, key: str, **facts: Any) -> dict[str, Any]:
    """Return one record of a notification; `facts` are `eTag`, `size`, `sequencer`, `versionId`."""
    return {
        "eventVersion": "2.3",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-01-02T03:04:05.678Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": 7, **facts},
        },
    }


def s3_event(bucket: str, key: str, **facts: Any) -> dict[str, Any]:
    """Return a notification of one new object."""
    return {"Records": [s3_record(bucket, key, **facts)]}


def eventbridge_event(bucket: str, key: str, **detail: Any) -> dict[str, Any]:
    """Return EventBridge's event of one new object; `detail` are `etag`, `size`, `sequencer`, `version-id`."""
    return {
        "version": "0",
        "detail-type": "Object Created",
        "time": "2026-01-02T03:04:05Z",
        "source": "aws.s3",
        "region": "eu-west-1",
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 7, **detail}},
    }


def in_sns(event: dict[str, Any]) -> dict[str, Any]:
    """Return `event` as SNS hands it to a function."""
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": json.dumps(event)}}]}


def in_sqs(*bodies: object) -> dict[str, Any]:
    """Return a batch of SQS messages with `bodies`; their ids are `message-0` and so on."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:uploads",
            }
            for number, body in enumerate(bodies)
        ]
    }
