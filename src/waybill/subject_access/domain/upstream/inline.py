"""Pictures within an answer, which a template prints with ``inlineAttachment``: ``{contentType, url, filesize}``.

They stand anywhere in the content. A level is read at a time, and nothing but objects that have both names is built: an
answer of 60 MB costs no 400 MB here either.
"""

import mmap
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any, Final

import msgspec

from waybill.subject_access.domain.inline_pictures import FIRST_INLINE, MOST_INLINE, address_hash, is_picture
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.entries import entries
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.json_shape import members
from waybill.subject_access.domain.upstream.models import AttachmentEntry

_MEMBERS: Final[tuple[str, ...]] = ("contentType", "url", "filesize", "headers")


def inline_entries(spool: IO[bytes], limit: int) -> tuple[AttachmentEntry, ...]:
    """Return the pictures within the content of an answer that is known to be JSON; each address once.

    Raises
    ------
    ServiceError
        There are more than `limit`, or one has an address or headers that no attachment may have.
    """
    document = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
    if document.find(b"contentType") < 0:
        return ()
    found = members(document).get("content")
    described: dict[str, dict[str, Any]] = {}
    for one in _pictures(found) if found is not None else ():
        described.setdefault(one["url"], {"attachmentNumber": len(described), **one})
        if len(described) > min(limit, MOST_INLINE):
            raise ServiceError(Code.ATTACHMENT_LIST, f"the answer has more than {limit} pictures in its content", 200)
    listed = entries(list(described.values()), limit)
    return tuple(
        replace(one, number=FIRST_INLINE + number, name=f"Picture {number} in the text", inline=address_hash(one.url))
        for number, one in enumerate(listed, start=1)
    )


def _pictures(content: msgspec.Raw) -> Iterator[dict[str, Any]]:
    waiting = [content]
    while waiting:
        raw = waiting.pop()
        match bytes(memoryview(raw)[:1]):
            case b"{":
                values = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
                told = {name: msgspec.json.decode(values[name]) for name in _MEMBERS if name in values}
                if is_picture(told):
                    size = told.get("filesize")
                    counted = isinstance(size, int) and not isinstance(size, bool) and size >= 0
                    yield {**told, "filesize": size if counted else None}
                waiting.extend(reversed(values.values()))
            case b"[":
                waiting.extend(reversed(msgspec.json.decode(raw, type=list[msgspec.Raw])))
