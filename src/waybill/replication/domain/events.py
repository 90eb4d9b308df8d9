"""The events that name a new object, in every wrapping they come in.

S3 notifications (`Records[].s3`, keys URL-encoded with `+` for space, decoded once), EventBridge events (`detail`, keys
raw), either inside SQS or SNS, and what Lambda hands to an on-failure destination (`requestPayload`).
Source: Amazon S3 user guide, "Event message structure" and "EventBridge event message structure".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

_MAX_WRAPPINGS = 6


@dataclass(frozen=True)
class ObjectCreated:
    """One new object or version; `size` in bytes."""

    bucket: str
    key: str
    e_tag: str | None = None
    version_id: str | None = None
    size: int | None = None
    sequencer: str | None = None


@dataclass(frozen=True)
class Ignored:
    """A record that asks for nothing, and why."""

    reason: str


@dataclass(frozen=True)
class Unusable:
    """A record that none of the services sends, and what is wrong with it."""

    reason: str


type Record = ObjectCreated | Ignored | Unusable


def sqs_messages(event: object) -> list[tuple[str, str]] | None:
    """Return `(messageId, body)` of an SQS batch, or None when `event` is something else."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return None
    if not all(isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records):
        return None
    return [(str(record.get("messageId")), str(record.get("body", ""))) for record in records]


def records(payload: object, *, wrappings: int = 0) -> Iterator[Record]:
    """Yield every record of `payload`: an event as decoded JSON, or its JSON text, in up to six wrappings."""
    decoded = _decoded(payload)
    if decoded is None or wrappings > _MAX_WRAPPINGS:
        yield Unusable("not a JSON object" if decoded is None else "wrapped too many times")
    elif (inner := _unwrapped(decoded)) is not None:
        yield from records(inner, wrappings=wrappings + 1)
    elif decoded.get("Event") == "s3:TestEvent":
        yield Ignored("s3:TestEvent")
    elif "detail-type" in decoded:
        yield _from_eventbridge(decoded)
    elif "s3" in decoded:
        yield _from_notification(decoded)
    elif isinstance(decoded.get("Records"), list):
        for record in decoded["Records"]:
            yield from records(record, wrappings=wrappings + 1)
    else:
        yield Unusable("neither an S3 notification nor an EventBridge event from S3")


def _decoded(payload: object) -> Mapping[str, Any] | None:
    if isinstance(payload, str | bytes):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    return payload if isinstance(payload, Mapping) else None


def _unwrapped(payload: Mapping[str, Any]) -> Any:
    if "requestPayload" in payload:
        return payload["requestPayload"]
    if "body" in payload:
        return payload["body"]
    envelope = payload.get("Sns", payload)
    if isinstance(envelope, Mapping) and "Message" in envelope:
        return envelope["Message"]
    return None


def _from_notification(record: Mapping[str, Any]) -> Record:
    name = str(record.get("eventName", ""))
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return Ignored(name or "record without eventName")
    # Minor versions only add fields (same page): every 2.x is understood.
    if not str(record.get("eventVersion", "2.0")).startswith("2."):
        return Unusable("eventVersion is not 2.x")
    created = _created(record["s3"], e_tag="eTag", version_id="versionId")
    if created is None:
        return Unusable("s3.bucket.name and s3.object.key must be strings")
    return replace(created, key=unquote_plus(created.key))


def _from_eventbridge(event: Mapping[str, Any]) -> Record:
    if event.get("source") != "aws.s3" or event["detail-type"] != "Object Created":
        return Ignored(f"{event.get('source')} {event['detail-type']}")
    created = _created(event.get("detail"), e_tag="etag", version_id="version-id")
    return created or Unusable("detail.bucket.name and detail.object.key must be strings")


def _created(described: Any, *, e_tag: str, version_id: str) -> ObjectCreated | None:
    match described:
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}} if bucket and key:
            facts = described["object"]
            return ObjectCreated(
                bucket=bucket,
                key=key,
                e_tag=facts.get(e_tag),
                version_id=facts.get(version_id),
                size=facts.get("size"),
                sequencer=facts.get("sequencer"),
            )
    return None
