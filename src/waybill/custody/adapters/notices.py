"""Messages of the queue of watched buckets: each is an event of EventBridge as S3 has sent it."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from waybill.custody.domain.records import s3
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import FileState, Happening

if TYPE_CHECKING:
    from waybill.core.invocations import SqsRecord


# An event of S3 has 1,024 bytes of key, each of which JSON may write as six, and some 2,000 characters besides.
_MOST_CHARACTERS = 16_384


class Notices(NamedTuple):
    """What a batch of messages tells, and which of them nobody understands: their ids, with why."""

    happened: list[Happening]
    unknown: Mapping[str, str]


def notices_of(messages: "Iterable[SqsRecord]", unwatched: str) -> Notices:
    """Return what messages tell; of the bucket `unwatched`, which custody itself writes, nothing."""
    happened: list[Happening] = []
    unknown: dict[str, str] = {}
    for message in messages:
        try:
            one = s3.happening(_event(message["body"]))
        except UnknownRecordError as error:
            unknown[message["messageId"]] = str(error)
            continue
        if not (isinstance(one.about, FileState) and one.about.place.bucket == unwatched):
            happened.append(one)
    return Notices(happened, unknown)


def _event(body: str) -> Mapping[str, object]:
    # What the table or the log cannot hold is refused by itself; later, it would hold up its whole batch.
    if len(body) > _MOST_CHARACTERS:
        raise UnknownRecordError("it is longer than S3 tells anything")
    try:
        event = json.loads(body)
        json.dumps(event, ensure_ascii=False).encode()  # JSON may escape halves of characters, which are no text
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise UnknownRecordError("it is no JSON object of Unicode text")
    return event
