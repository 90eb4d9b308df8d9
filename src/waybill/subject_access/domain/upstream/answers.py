"""What a service answers when asked for data (README, "Upstream contract for service owners"), and what that means."""

import codecs
import json
import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import msgspec

from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.entries import entries
from waybill.subject_access.domain.upstream.errors import ServiceError, TransientServiceError
from waybill.subject_access.domain.upstream.json_shape import MalformedJsonError, members
from waybill.subject_access.domain.upstream.models import AttachmentEntry, Limits, Question
from waybill.subject_access.domain.upstream.ports import Reply, Web
from waybill.subject_access.domain.upstream.retry import retry_after
from waybill.subject_access.models import PartStatus

PATH = "/subject-access-request"
_OUTCOMES = {204: PartStatus.NO_DATA, 209: PartStatus.NOT_SUPPORTED}
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^+-]+\+)?json", re.IGNORECASE)
_CHARSET = re.compile(r'charset="?([\w-]+)', re.IGNORECASE)
_EMPTY = re.compile(rb'null|""|\[[ \t\n\r]*\]|\{[ \t\n\r]*\}')
_LENGTH = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Answer:
    """An answer that is understood: `status` is `FETCHED`, `NO_DATA` or `NOT_SUPPORTED`; `size` in bytes."""

    status: PartStatus
    http_status: int
    size: int = 0
    attachments: tuple[AttachmentEntry, ...] = ()


@dataclass(frozen=True)
class Asking:
    """Asks services one question each."""

    web: Web
    limits: Limits

    def ask(
        self, base: str, question: Question, headers: Mapping[str, str], spool: IO[bytes], by: float, now: datetime
    ) -> Answer:
        """Return the answer of the service at `base`, its body in `spool`, when it is all there by the time `by`.

        Raises
        ------
        TransientServiceError
            It may answer later; its `retry_after` is counted from `now`.
        ServiceError
            The answer is none that the contract has.
        """
        sent = {"Accept": "application/json", **headers}
        with self.web.get(f"{base}{PATH}", parameters=question.parameters(), headers=sent, deadline=by) as reply:
            if reply.status in _OUTCOMES:
                return Answer(_OUTCOMES[reply.status], reply.status)
            accept(reply, now)
            _check_type(reply)
            size = _spooled(reply, spool, self.limits.answer_bytes)
        return self._understood(spool, size)

    def _understood(self, spool: IO[bytes], size: int) -> Answer:
        if size == 0:
            raise ServiceError(Code.MALFORMED, "the answer is empty; one without data has the status 204", 200)
        # Not closed here: the frames of an error hold views of it, and it goes with the last of them.
        document = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
        held, attached = _held(document, self.limits)
        return Answer(PartStatus.FETCHED if held or attached else PartStatus.NO_DATA, 200, size, attached)


def accept(reply: Reply, now: datetime) -> None:
    """Return if `reply` is a 200.

    Raises
    ------
    TransientServiceError, ServiceError
        It is not; 408, 429 and 5xx may pass.
    """
    status = reply.status
    if status == 200:
        return
    wish = retry_after(reply.headers.get("retry-after"), now)
    if status == 429:
        raise TransientServiceError(Code.RATE_LIMITED, "the service asks to slow down", status, wish)
    if status >= 500:
        raise TransientServiceError(Code.SERVICE_FAILED, f"the service failed with status {status}", status, wish)
    if status == 408:
        raise TransientServiceError(Code.TIMED_OUT, "the service gave up waiting", status, wish)
    if 400 <= status < 500:
        raise ServiceError(Code.REFUSED_BY_SERVICE, f"the service refused with status {status}", status)
    if 300 <= status < 400:
        raise ServiceError(Code.REDIRECTED, f"the service redirected with status {status}; none is followed", status)
    raise ServiceError(Code.UNEXPECTED_STATUS, f"the contract has no status {status}", status)


def declared_length(reply: Reply) -> int | None:
    """Return the size in bytes that `reply` declares."""
    text = reply.headers.get("content-length", "")
    return int(text) if _LENGTH.fullmatch(text) else None


def refuse_encoding(reply: Reply) -> None:
    """Raise `ServiceError` when the body is compressed, which was not asked for."""
    if reply.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise ServiceError(Code.WRONG_TYPE, "the answer is compressed although that was not asked for", reply.status)


def _check_type(reply: Reply) -> None:
    refuse_encoding(reply)
    kind, _, parameters = reply.headers.get("content-type", "").partition(";")
    charset = _CHARSET.search(parameters)
    if not _JSON_TYPE.fullmatch(kind.strip()) or (charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}):
        raise ServiceError(Code.WRONG_TYPE, "the answer is not declared as JSON in UTF-8", reply.status)


def _spooled(reply: Reply, spool: IO[bytes], limit: int) -> int:
    declared = declared_length(reply)
    if declared is not None and declared > limit:
        raise ServiceError(Code.TOO_LARGE, f"the answer is larger than {limit} bytes", reply.status)
    spool.seek(0)
    spool.truncate()
    size = 0
    for chunk in _in_utf8(reply.chunks, reply.status):
        size += len(chunk)
        if size > limit:
            raise ServiceError(Code.TOO_LARGE, f"the answer is larger than {limit} bytes", reply.status)
        spool.write(chunk)
    spool.flush()
    return size


def _in_utf8(chunks: Iterator[bytes], status: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise ServiceError(Code.MALFORMED, "the answer is not UTF-8", status) from None


def _held(document: mmap.mmap, limits: Limits) -> tuple[bool, tuple[AttachmentEntry, ...]]:
    """Return whether there is content, and the attachments, of which none is a view of `document`."""
    try:
        found = members(document)
    except MalformedJsonError as error:
        raise ServiceError(Code.MALFORMED, f"the answer {error}", 200) from None
    attached = entries(_small(found.get("attachments"), limits), limits.attachments)
    content = found.get("content")
    if content is None and found and not attached:
        raise ServiceError(Code.MALFORMED, "the answer has no member named content", 200)
    held = content is not None and _EMPTY.fullmatch(content) is None
    return held, attached


def _small(value: msgspec.Raw | None, limits: Limits) -> Any:
    if value is None:
        return None
    with memoryview(value) as text:
        if len(text) > limits.attachment_list_bytes:
            raise ServiceError(Code.ATTACHMENT_LIST, "the list of attachments is too large", 200)
        return json.loads(bytes(text))
