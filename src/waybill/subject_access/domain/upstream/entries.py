"""The list of attachments in a service's answer."""

import re
from collections.abc import Mapping
from typing import Any

from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.models import AttachmentEntry
from waybill.subject_access.domain.upstream.names import clean_name

_NUMBER_LIMIT = 99_999
_URL_LIMIT = 4096
_HEADERS_LIMIT = 32
_DEFAULT_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[\w.!#$&^+-]{1,100}/[\w.!#$&^+-]{1,100}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]{0,4094}[\x21-\x7e])?|")
# What frames the message or says where it goes is Waybill's own affair.
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def entries(listed: Any, limit: int) -> tuple[AttachmentEntry, ...]:
    """Return the attachments that `listed` (decoded JSON) describes, in numeric order.

    Raises
    ------
    ServiceError
        It is no list, has more than `limit` entries, an entry is malformed (the message names its field), or two have
        the same number.
    """
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise _malformed("attachments", "is not a list")
    if len(listed) > limit:
        raise _malformed("attachments", f"has more than {limit} entries")
    found = sorted((_entry(f"attachments[{at}]", each) for at, each in enumerate(listed)), key=lambda each: each.number)
    numbers = {each.number for each in found}
    if len(numbers) < len(found):
        raise _malformed("attachments", "has a number twice")
    return tuple(found)


def _entry(where: str, described: Any) -> AttachmentEntry:
    if not isinstance(described, dict):
        raise _malformed(where, "is not an object")
    number: Any = described.get("attachmentNumber")
    url = described.get("url")
    if not _is_count(number) or number > _NUMBER_LIMIT:
        raise _malformed(f"{where}.attachmentNumber", f"is not a whole number from 0 to {_NUMBER_LIMIT}")
    if not isinstance(url, str) or not url or len(url) > _URL_LIMIT:
        raise _malformed(f"{where}.url", "is not a URL")
    filesize = described.get("filesize")
    if filesize is not None and not _is_count(filesize):
        raise _malformed(f"{where}.filesize", "is not a number of bytes")
    kind = _text(where, described, "contentType").strip() or _DEFAULT_TYPE
    if not _TYPE.fullmatch(kind.partition(";")[0].strip()):
        raise _malformed(f"{where}.contentType", "is not a media type")
    filename = clean_name(_text(where, described, "filename"))
    return AttachmentEntry(
        number=number,
        name=clean_name(_text(where, described, "name")) or filename or f"Attachment {number}",
        filename=filename or f"attachment-{number}",
        content_type=kind.partition(";")[0].strip().lower(),
        url=url,
        filesize=filesize,
        headers=_headers(f"{where}.headers", described.get("headers")),
    )


def _headers(where: str, listed: Any) -> Mapping[str, str]:
    if listed is None:
        return {}
    if not isinstance(listed, list) or len(listed) > _HEADERS_LIMIT:
        raise _malformed(where, f"is not a list of at most {_HEADERS_LIMIT} headers")
    found: dict[str, str] = {}
    for at, each in enumerate(listed):
        match each:
            case {"name": str(name), "value": str(value)} if (
                _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) and name.lower() not in _OWN_HEADERS
            ):
                found[name.lower()] = value
            case _:
                raise _malformed(f"{where}[{at}]", "is not a header that may be sent")
    return found


def _text(where: str, described: Mapping[str, Any], name: str) -> str:
    value = described.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _malformed(f"{where}.{name}", "is not a string")
    return value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _malformed(where: str, problem: str) -> ServiceError:
    return ServiceError(Code.ATTACHMENT_LIST, f"{where} {problem}", 200)
