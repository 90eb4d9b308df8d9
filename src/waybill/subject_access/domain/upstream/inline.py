"""Pictures within an answer, which a template prints with ``inlineAttachment``: ``{contentType, url, filesize}``.

They stand anywhere in the content. It is gone over for brackets and strings, and nothing is built but what describes
pictures: an answer of 100 MB costs no more here, whatever it is made of.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import IO, Any, Final

import msgspec

from waybill.subject_access.domain.inline_pictures import FIRST_INLINE, MOST_INLINE, address_hash, is_picture
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.entries import entries
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.json_shape import members
from waybill.subject_access.domain.upstream.models import AttachmentEntry

_NAME: Final = b'"contentType"'
# Strings are gone over whole: a bracket in one opens nothing.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}]', re.DOTALL)


class _Described(msgspec.Struct):
    """The members of an object that tell of a picture, as they stand there; of all others nothing is built."""

    contentType: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - as JSON has it
    url: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    filesize: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    headers: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


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
    described: dict[str, tuple[int, dict[str, Any]]] = {}
    for start, one in _pictures(found) if found is not None else ():
        if one["url"] not in described or start < described[one["url"]][0]:
            described[one["url"]] = (start, one)
        if len(described) > min(limit, MOST_INLINE):
            raise ServiceError(Code.ATTACHMENT_LIST, f"the answer has more than {limit} pictures in its content", 200)
    in_order = [one for _, one in sorted(described.values(), key=itemgetter(0))]
    listed = entries([{"attachmentNumber": number, **one} for number, one in enumerate(in_order)], limit)
    return tuple(
        replace(one, number=FIRST_INLINE + number, name=f"Picture {number} in the text", inline=address_hash(one.url))
        for number, one in enumerate(listed, start=1)
    )


def _pictures(content: msgspec.Raw) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield where each picture's object begins and what it says, in the order in which they end."""
    text = memoryview(content)
    # Of each object that is open: where it begins, and whether it has the name.
    begun: list[tuple[int, bool]] = []
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"{":
                begun.append((token.start(), False))
            case b"}":
                start, named = begun.pop()
                if named and (told := _told(text[start : token.end()])):
                    yield start, told
            case name if name == _NAME and begun:
                begun[-1] = (begun[-1][0], True)


def _told(text: memoryview) -> dict[str, Any] | None:
    raw = msgspec.structs.asdict(msgspec.json.decode(text, type=_Described))
    given = {name: value for name, value in raw.items() if value is not msgspec.UNSET}
    told = {name: msgspec.json.decode(value) for name, value in given.items()}
    if not is_picture(told):
        return None
    size = told.get("filesize")
    counted = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return {**told, "filesize": size if counted else None}
