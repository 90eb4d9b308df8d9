"""Messages as blocks: their headers, their text, and what is attached to them."""

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import MIMEPart
from itertools import islice
from typing import Final

from waybill.subject_access.domain.report.blocks import Block, Enclosed, Heading, Pair, Paragraph
from waybill.subject_access.domain.report.texts import (
    HTML,
    LEVEL,
    MAIL,
    RTF,
    TEXT,
    WORD,
    Sweep,
    UnreadableDocument,
    decoded,
    document_kind,
    text_blocks,
)

_HEADERS: Final = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_MOST_PARTS: Final = 50
_DEEPEST: Final = 3
_MESSAGE: Final = "message/rfc822"


def message_blocks(content: bytes, sweep: Sweep, lost: list[str]) -> Iterator[Block]:
    """Return a message as blocks; once they are all taken, `lost` has more of what is not among them.

    Raises
    ------
    UnreadableDocument
        It has nothing of what a message has.
    """
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not any(message.get(name) for name in ("From", "Date", "Subject", "To")):
        raise UnreadableDocument("it is no message")
    yield from _message(message, sweep, lost, 0)


def _message(message: MIMEPart, sweep: Sweep, lost: list[str], depth: int) -> Iterator[Block]:
    for name in _HEADERS:
        for value in message.get_all(name, []):
            yield Pair(name, sweep(str(value)))
    parts = _parts(message)
    for part in islice(parts, _MOST_PARTS):
        yield from _part(part, sweep, lost, depth)
    if next(parts, None) is not None:
        lost.append("further attachments")


def _parts(message: MIMEPart) -> Iterator[MIMEPart]:
    """Yield what a message is made of; a text that comes in several forms (RFC 2046, 5.1.4) once."""
    if message.get_content_maintype() == "message" or not message.is_multipart():
        yield message
        return
    forms = list(message.iter_parts())
    if message.get_content_type() == "multipart/alternative" and forms:
        leaves = [one for form in forms for one in _parts(form)]
        shown = _form(leaves)
        forms = [one for one in leaves if one is shown or not one.get_content_type().startswith("text/")]
    for form in forms:
        yield from _parts(form)


def _form(leaves: list[MIMEPart]) -> MIMEPart | None:
    """Return the plain text where it says what the other forms say, else the last of them, which says most."""
    texts = [one for one in leaves if one.get_content_type() in ("text/plain", "text/html")]
    plain = next((one for one in texts if one.get_content_type() == "text/plain"), None)
    if plain is not None and all(_words(one) <= _words(plain) for one in texts):
        return plain
    return texts[-1] if texts else leaves[-1] if leaves else None


def _words(part: MIMEPart) -> set[str]:
    kind = HTML if part.get_content_type() == "text/html" else TEXT
    blocks = text_blocks(_payload_text(part), kind, str, [])
    found: set[str] = set()
    for block in blocks:
        match block:
            case Heading(text) | Paragraph(text):
                found.update(re.findall(r"\w+", text.casefold()))
            case Pair(label, value):
                found.update(re.findall(r"\w+", f"{label} {value}".casefold()))
            case _:
                # A table: as rows it says more than its words.
                found.add("")
    return found


def _part(part: MIMEPart, sweep: Sweep, lost: list[str], depth: int) -> Iterator[Block]:
    kind = part.get_content_type()
    name = part.get_filename()
    if kind in ("text/plain", "text/html") and not name and part.get_content_disposition() != "attachment":
        yield from text_blocks(_payload_text(part), HTML if kind == "text/html" else TEXT, sweep, lost)
        return
    title = sweep(f"Attached: {name or kind}")
    if part.is_multipart():
        yield Heading(title, LEVEL)
        yield from _within(part, sweep, lost, depth)
        return
    content = _payload(part)
    shown = document_kind(content[:1024], kind, name or "")
    if shown is None or shown in (WORD, RTF, MAIL):
        yield Enclosed(title, content, kind, name or "")
        return
    yield Heading(title, LEVEL)
    yield from text_blocks(_payload_text(part), shown, sweep, lost)


def _within(part: MIMEPart, sweep: Sweep, lost: list[str], depth: int) -> Iterator[Block]:
    """Draw a message that is attached, or what a server says of one (RFC 3464)."""
    messages = list(part.iter_parts())
    if part.get_content_type() != _MESSAGE:
        yield from text_blocks("\n\n".join(map(str, messages)), TEXT, sweep, lost)
    elif depth < _DEEPEST:
        for one in messages:
            yield from _message(one, sweep, lost, depth + 1)
    else:
        lost.append("messages that are attached to attached ones")
        yield Paragraph("Not shown here.")


def _payload(part: MIMEPart) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _payload_text(part: MIMEPart) -> str:
    content, charset = _payload(part), part.get_content_charset()
    if charset:
        # Of some names that codecs have, Python says another error than that it knows none, or cannot decode.
        with suppress(LookupError, ValueError):
            return content.decode(charset)
    return decoded(content)
