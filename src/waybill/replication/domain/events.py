"""The events that name a new object or new tags of one, in every wrapping they come in.

S3 notifications (`Records[].s3`, keys URL-encoded with `+` for space, decoded once), EventBridge events (`detail`, keys
raw), either inside SQS or SNS, and what Lambda hands to an on-failure destination (`requestPayload`).
Source: Amazon S3 user guide, "Event message structure" and "EventBridge event message structure".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_plus

from waybill.core.clock import iso, moment_of

_MAX_WRAPPINGS = 6
# How the object came about, in the words of either service: what S3 copies in one call, and what comes in parts.
_NOTIFIED_COPIES = ("Copy", "CompleteMultipartUpload")
_REPORTED_COPIES = ("CopyObject", "CompleteMultipartUpload")
# A removal that nothing is lost by: of a version for good, neither service tells in these words.
_MARKED = "ObjectRemoved:DeleteMarkerCreated"
_REPORTED_MARKED = ("Object Deleted", "Delete Marker Created")
_TAG_EVENTS = ("Object Tags Added", "Object Tags Deleted")


@dataclass(frozen=True)
class ObjectCreated:
    """One new object or version; `size` in bytes. `may_be_copy`: it may come from another bucket. `time`: when."""

    bucket: str
    key: str
    e_tag: str | None = None
    version_id: str | None = None
    size: int | None = None
    sequencer: str | None = None
    may_be_copy: bool = False
    time: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class TagsChanged:
    """The tags of an object have changed; the event does not say to what. `event_id` tells it from every other."""

    bucket: str
    key: str
    event_id: str


@dataclass(frozen=True)
class ObjectRemoved:
    """A delete marker lies on top of an object's versions; `version_id` is the marker's own. `time`: since when."""

    bucket: str
    key: str
    version_id: str | None = None
    sequencer: str | None = None
    time: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Ignored:
    """A record that asks for nothing, and why."""

    reason: str


@dataclass(frozen=True)
class Unusable:
    """A record that none of the services sends, and what is wrong with it."""

    reason: str


type Record = ObjectCreated | ObjectRemoved | TagsChanged | Ignored | Unusable


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
    name = str(record.get("eventName", "")).removeprefix("s3:")
    if not name.startswith(("ObjectCreated:", "ObjectTagging:")) and name != _MARKED:
        return Ignored(name or "record without eventName")
    # Minor versions only add fields (same page): every 2.x is understood.
    if not str(record.get("eventVersion", "2.0")).startswith("2."):
        return Unusable("eventVersion is not 2.x")
    created = _created(record["s3"], e_tag="eTag", version_id="versionId")
    if created is None:
        return Unusable("s3.bucket.name and s3.object.key must be strings")
    key = unquote_plus(created.key)
    if name.startswith("ObjectTagging:"):
        return TagsChanged(created.bucket, key, _event_id(record.get("eventTime"), record.get("responseElements")))
    time = _time(record.get("eventTime"))
    if name == _MARKED:
        return ObjectRemoved(created.bucket, key, created.version_id, created.sequencer, time)
    return replace(created, key=key, time=time, may_be_copy=name.removeprefix("ObjectCreated:") in _NOTIFIED_COPIES)


def _from_eventbridge(event: Mapping[str, Any]) -> Record:
    kind = event["detail-type"]
    detail = event.get("detail")
    marked = isinstance(detail, Mapping) and (kind, detail.get("deletion-type")) == _REPORTED_MARKED
    if event.get("source") != "aws.s3" or not (marked or kind in ("Object Created", *_TAG_EVENTS)):
        return Ignored(f"{event.get('source')} {kind}")
    created = _created(detail, e_tag="etag", version_id="version-id")
    if created is None:
        return Unusable("detail.bucket.name and detail.object.key must be strings")
    if kind in _TAG_EVENTS:
        return TagsChanged(created.bucket, created.key, _event_id(event.get("time"), detail))
    if marked:
        time = _time(event.get("time"))
        return ObjectRemoved(created.bucket, created.key, created.version_id, created.sequencer, time)
    reason = detail.get("reason") if isinstance(detail, Mapping) else None
    return replace(created, time=_time(event.get("time")), may_be_copy=reason in _REPORTED_COPIES)


def _time(given: object) -> str | None:
    """Return a time to the second, which both services send alike: a run has one input however its event comes."""
    moment = moment_of(given)
    return iso(moment.replace(microsecond=0)) if moment else None


def _event_id(moment: object, request: object) -> str:
    """Return what is the same for every delivery of one event: when it was, and S3's id of the request behind it."""
    known = request if isinstance(request, Mapping) else {}
    return f"{moment}/{known.get('x-amz-request-id') or known.get('request-id')}"


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
