"""The parts of messages after their transfer encoding (RFC 2045, section 6), and what mailboxes hold (RFC 4155)."""

import email
import email.policy
import io
import struct
from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO

from waybill.core.containers.archives import counted, refused
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, UnopenedReason

# The parser keeps a message in memory several times over.
_MESSAGE_BYTES = 64 << 20
_PGP_MIME, _SMIME = "multipart/encrypted", frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ENVELOPED = frozenset({"enveloped-data", "authenveloped-data", "authEnveloped-data"})
# [MS-OXTNEF] 2.1.3: level, id, length, data, checksum.
_TNEF_HEAD = 6
_ATTACHMENT_DATA, _ATTACHMENT_TITLE = 0x0006800F, 0x00018010


def mail_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the parts of a message that hold something, attached messages and what hangs on them included."""
    file.seek(0)
    content = file.read(_MESSAGE_BYTES + 1)
    if len(content) > _MESSAGE_BYTES:
        raise ContainerError(UnopenedReason.MEMBER_BYTES)
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    yield from _parts(message, budget)


def _parts(message: Message, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    for number, part in enumerate(message.walk(), start=1):
        if is_encrypted(part):
            budget.enter()
            yield refused(_name(part, number), UnopenedReason.ENCRYPTED)
            continue
        if part.is_multipart():
            # `walk` comes to the parts, to those of attached messages too.
            for place, text in texts_around_parts(part):
                budget.enter()
                yield ContainerEntry(f"{_name(part, number)} {place}", counted(io.BytesIO(text), budget, len(text)))
            continue
        budget.enter()
        plain = part.get_payload(decode=True)
        if isinstance(plain, bytes):
            yield ContainerEntry(_name(part, number), counted(io.BytesIO(plain), budget, len(plain)))


def texts_around_parts(part: Message) -> Iterator[tuple[str, bytes]]:
    """Yield what stands before the first and behind the last part, which mail programs do not show.

    RFC 2046, section 5.1.1: they are `preamble` and `epilogue`.
    """
    for place, text in (("preamble", part.preamble), ("epilogue", part.epilogue)):
        if text and text.strip():
            yield place, text.encode("utf-8", "surrogateescape")


def is_encrypted(part: Message) -> bool:
    """Return whether nobody without a key reads a part (RFC 3156, section 4; RFC 8551, section 3.2.2)."""
    kind = part.get_content_type()
    if kind == _PGP_MIME:
        return True
    return kind in _SMIME and str(part.get_param("smime-type", "")).strip().lower() in _ENVELOPED


def _name(part: Message, number: int) -> str:
    try:
        given = part.get_filename()
    except (ValueError, LookupError, TypeError):  # a name in an encoding that is none
        given = None
    return given or f"part {number}"


def mailbox_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield every message of a mailbox; the next begins at a line that begins with `From `, behind an empty line."""
    file.seek(0)
    lines: list[bytes] = []
    number, size, empty = 0, 0, True
    while line := file.readline(1 << 20):
        if empty and line.startswith(b"From ") and number:
            yield _message(number, lines, size, budget)
            lines, size = [], 0
        if empty and line.startswith(b"From "):
            number += 1
        else:
            # Quoted lines of this kind lose their mark (RFC 4155, section 5).
            lines.append(line[1:] if line.startswith(b">From ") else line)
            size += len(line)
            if size > _MESSAGE_BYTES:
                raise ContainerError(UnopenedReason.MEMBER_BYTES)
        empty = line in {b"\n", b"\r\n"}
    yield _message(number, lines, size, budget)


def _message(number: int, lines: list[bytes], size: int, budget: ContainerBudget) -> ContainerEntry:
    budget.enter()
    return ContainerEntry(f"message {number}", counted(io.BytesIO(b"".join(lines)), budget, size))


def tnef_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what a `winmail.dat` attaches ([MS-OXTNEF] 2.1.3), each under its title."""
    file.seek(_TNEF_HEAD)
    title = ""
    number = 0
    while len(head := file.read(9)) == 9:
        attribute, length = struct.unpack("<xLL", head)
        if attribute == _ATTACHMENT_TITLE:
            title = file.read(min(length, 1024)).split(b"\0", 1)[0].decode("latin-1")
            file.seek(max(0, length - 1024) + 2, io.SEEK_CUR)
            continue
        if length > budget.limits.member_bytes:
            raise ContainerError(UnopenedReason.MEMBER_BYTES)
        data = file.read(length)
        if len(data) < length:
            raise ContainerError(UnopenedReason.TRUNCATED)
        file.seek(2, io.SEEK_CUR)
        budget.enter()
        number += 1
        name = title if attribute == _ATTACHMENT_DATA and title else f"attribute {number}"
        yield ContainerEntry(name, counted(io.BytesIO(data), budget, length))
