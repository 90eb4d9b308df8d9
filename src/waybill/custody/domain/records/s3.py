"""What S3 itself tells of a bucket that is watched: what anybody did to an object, Waybill or not.

Source: Amazon S3 user guide, "Using EventBridge" and "EventBridge event message structure". S3 tells everything at
least once and in no order: an event is made of what S3 calls the change by (version, and sequencer or request), so that
what is told again is the same, and `at` is when it happened.
"""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from waybill.custody.domain.records.change import Record, mapping, optional_number, optional_text, text, time
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

WORKFLOW = "s3"
_TYPES = {
    "Object Created": EventType.CREATION,
    "Object Deleted": EventType.DELETION,
    "Object Restore Completed": EventType.RECOVERY,
    "Object Tags Added": EventType.METADATA_MODIFICATION,
    "Object Tags Deleted": EventType.METADATA_MODIFICATION,
    "Object ACL Updated": EventType.METADATA_MODIFICATION,
    "Object Storage Class Changed": EventType.METADATA_MODIFICATION,
}
# What says how large the object is now.
_SIZED = {EventType.CREATION, EventType.RECOVERY}
_SEQUENCER = re.compile(r"[0-9A-Fa-f]{1,64}")
# An account, or a service of AWS; anything else may name a person, and stays out.
_REQUESTER = re.compile(r"\d{12}|[a-z0-9.-]{1,64}\.amazonaws\.com(\.cn)?")
_WORDS = re.compile(r"[A-Za-z ]{1,40}")
_MOST_KEY_BYTES = 1024


def happening(event: Record) -> Happening:
    """Return what an event of EventBridge tells.

    Raises
    ------
    UnknownRecordError
        It is none of S3's about an object, or of a shape that nobody knows.
    """
    told = text(event, "detail-type")
    type_ = _TYPES.get(told)
    if event.get("source") != "aws.s3" or type_ is None:
        raise UnknownRecordError("it is none of the events of S3 that are known")
    detail = mapping(event.get("detail"))
    object_ = mapping(detail.get("object"))
    version, sequencer = optional_text(object_, "version-id"), _sequencer(object_)
    # Created and deleted are counted for each key; of the rest each request is one.
    identity = sequencer or optional_text(detail, "request-id") or text(event, "id")
    size = optional_number(object_, "size") if type_ in _SIZED else None
    return Happening(
        workflow=WORKFLOW,
        kind="notified",
        parts=(told, version or "", identity),
        type=type_,
        at=time(event, "time"),
        outcome=Outcome.SUCCESS,
        about=FileState(Place(text(mapping(detail.get("bucket")), "name"), _key(object_)), version, None, size),
        agent={"software": "Amazon S3"},
        detail=_detail(told, detail, sequencer),
    )


def _key(object_: Record) -> str:
    key = text(object_, "key")
    if len(key.encode(errors="surrogatepass")) > _MOST_KEY_BYTES:
        raise UnknownRecordError("key is longer than S3 takes")
    return key


def _sequencer(object_: Record) -> str:
    """Return S3's place of the event among those of its key; empty where there is none, for which "0" may stand."""
    found = str(object_.get("sequencer") or "")
    return found.upper() if _SEQUENCER.fullmatch(found) and found.strip("0") else ""


def _detail(told: str, detail: Record, sequencer: str) -> Mapping[str, JsonValue]:
    """Return what else is told: by which request, of which account. Never the address that it came from."""
    said: dict[str, JsonValue] = {"change": told, "sequencer": sequencer}
    for name, attribute, pattern in (
        ("reason", "reason", _WORDS),
        ("deletion", "deletion-type", _WORDS),
        ("requester", "requester", _REQUESTER),
    ):
        value = detail.get(attribute)
        said[name] = value if isinstance(value, str) and pattern.fullmatch(value) else None
    return {name: value for name, value in said.items() if value}
