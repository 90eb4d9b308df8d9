"""What is inside of compressed files, archives, Office documents and messages, a member at a time.

Streams are read while they are unpacked; what is read at any place goes to a temporary file first. What cannot be
opened is a member with a reason, so that it costs itself and not what stands behind it.
"""

import email
import email.policy
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from email.message import Message
from functools import partial
from io import SEEK_END, BytesIO
from typing import BinaryIO, cast

from waybill.core.containers.encoded import encoded_files
from waybill.core.containers.mail import texts_around_parts
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, ContainerLimits
from waybill.core.containers.streams import StreamForm, UnpackedStream
from waybill.core.containers.zip_archive import bytes_before, zip_comments, zip_entries, zip_names
from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import (
    CHUNK,
    RATIO_FREE_BYTES,
    Budget,
    UnreadableError,
    reason_of,
    unreadable,
)
from waybill.scanning.domain.detection.compound import compound_members
from waybill.scanning.domain.detection.content_type import SCRIPT_BYTES, Kind, archive_behind, has_encoded_file
from waybill.scanning.domain.detection.database import database_members
from waybill.scanning.domain.detection.member import Member, named, refused, spooled, text_of
from waybill.scanning.domain.detection.office import office_parts
from waybill.scanning.domain.detection.pdf import pdf_members
from waybill.scanning.domain.detection.seven_zip import seven_zip_members
from waybill.scanning.domain.detection.tables import avro_members, orc_members, parquet_members
from waybill.scanning.domain.detection.tar import TarStream
from waybill.scanning.domain.detection.workbook import Workbook
from waybill.scanning.domain.detection.zstd import ZSTD

# The parser holds a message several times over.
_MESSAGE_BYTES = 32 << 20
# Of what stands before an archive; longer programs are cut.
_BEFORE_BYTES = 64 << 20
# Mail programs draw such numbers, with signs that no encoded part has (RFC 2045, section 6.7); one of 40 is a card's.
_MADE_UP_BOUNDARY = re.compile(r'boundary="?(?=[-_]{0,69}=|[-\w.]{0,68}=_)[-\w=.+/]{1,70}"?', re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]+")
# What the standard library's readers raise of hostile bytes, of which their documentation names a part.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)


def members(outer: Member, kind: Kind, budget: Budget) -> Iterator[Member]:
    """Yield what is in `outer`, a container of `kind`; each member is read before the next is asked for.

    Raises
    ------
    UnreadableError
        The container is broken or over a limit.
    """
    try:
        yield from _READERS[kind](outer, budget)
    except _FAULTS as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error


def _stream(name: str, form: str | StreamForm) -> Callable[[Member, Budget], Iterator[Member]]:
    def unpacked(outer: Member, budget: Budget) -> Iterator[Member]:
        budget.enter()
        stream = UnpackedStream(outer.read, form, budget.unpack)
        yield Member(named(outer, name, budget), partial(_unpacked, stream, budget))

    return unpacked


def _gzip(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the comment of the first header, where there is one, and what is unpacked."""
    head = outer.read(CHUNK)
    if comment := _gzip_comment(head):
        budget.enter()
        yield Member(named(outer, "comment", budget), BytesIO(comment).read, plain=True)
    first = BytesIO(head)
    whole = replace(outer, read=lambda count: first.read(count) or outer.read(count))
    yield from _stream("gzip", "gzip")(whole, budget)


def _gzip_comment(head: bytes) -> bytes:
    """Return the comment in a header of gzip, as UTF-8 (RFC 1952, section 2.3: it is Latin-1)."""
    if len(head) < 10 or not head[3] & 16:
        return b""
    flags, place = head[3], 10
    if flags & 4:
        place += 2 + int.from_bytes(head[place : place + 2], "little")
    if flags & 8:
        place = head.find(b"\0", place) + 1 or len(head)
    return head[place:].partition(b"\0")[0].decode("latin-1").encode()


def _unpacked(stream: UnpackedStream, budget: Budget, count: int) -> bytes:
    try:
        plain = stream.read(count)
    except ContainerError as error:
        raise unreadable(error) from error
    if not plain and (left := sum(iter(lambda: len(stream.behind(CHUNK)), 0))):
        budget.leave(left)
        raise UnreadableError("TRAILING_DATA")
    return plain


def _tar(outer: Member, budget: Budget) -> Iterator[Member]:
    for entry in TarStream(outer.read, budget).entries():
        read = _counted(entry.read, budget)
        yield Member(named(outer, entry.name, budget), read, plain=entry.header)


def _counted(content: Read, budget: Budget) -> Read:
    """Return a reader that counts what is not packed."""

    def read(count: int) -> bytes:
        plain = content(count)
        budget.unpack(len(plain), 0, 0)
        return plain

    return read


def _zip(outer: Member, budget: Budget) -> Iterator[Member]:
    with spooled(outer, budget) as spool:
        file = cast("BinaryIO", spool)
        if before := bytes_before(file):
            budget.enter()
            file.seek(0)
            yield Member(
                named(outer, "before the archive", budget), BytesIO(file.read(min(before, _BEFORE_BYTES))).read
            )
        package = _Package(outer, budget, office_parts(zip_names(file)), Workbook.of(file))
        # The scanner's own budget counts beside this one.
        limits = ContainerLimits(members=budget.limits.entries, total_bytes=budget.limits.total_bytes)
        fault: ContainerError | None = None
        counted = ContainerBudget(replace(limits, ratio=budget.limits.ratio, ratio_free_bytes=RATIO_FREE_BYTES))
        try:
            for entry in zip_entries(file, counted):
                budget.enter()
                yield package.member(entry)
        except ContainerError as error:
            fault = error
        # Strings of a workbook are read where sheets show them; those that none shows are left.
        yield from package.left()
        if comments := zip_comments(file):
            budget.enter()
            # Each by itself: a line between them is neither a label nor a value.
            yield Member(named(outer, "comments", budget), _counted(BytesIO(b"\n\n\n".join(comments)).read, budget))
        if fault:
            raise unreadable(fault) from fault


def _script(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield a script and the archive behind it; places in a ZIP archive are those of the whole file."""
    with spooled(outer, budget) as spool:
        spool.seek(0)
        head = spool.read(SCRIPT_BYTES)
        place = archive_behind(head)
        if head.startswith(b"PK", place):
            spool.seek(0)
            yield from _zip(replace(outer, read=spool.read), budget)
            return
        budget.enter()
        yield Member(named(outer, "script", budget), BytesIO(head[:place]).read, plain=True)
        budget.enter()
        spool.seek(place)
        yield Member(named(outer, "behind the script", budget), _counted(spool.read, budget))


@dataclass
class _Package:
    """A ZIP archive, which may be a document of Office: `converted` are the parts that text is made of."""

    outer: Member
    budget: Budget
    converted: Mapping[str, Callable[[Read], Read]]
    workbook: Workbook | None
    strings: str = ""

    def member(self, entry: ContainerEntry) -> Member:
        """Return what is read of an entry."""
        name, book = named(self.outer, entry.name, self.budget), self.workbook
        if entry.reason is not None:
            return refused(name, reason_of(entry.reason))

        def read(count: int) -> bytes:
            try:
                plain = entry.read(count)
            except ContainerError as error:
                raise unreadable(error) from error
            # What it was packed from counts in the container's own budget.
            self.budget.unpack(len(plain), 0, 0)
            return plain

        if book and entry.name in book.sheets:
            text = text_of(book.rows(entry.name, read), self.budget, self.budget.limits.total_bytes)
            return Member(name, text, plain=True, place=book.place(entry.name))
        if book and entry.name == book.strings:
            self.strings = name
            return Member(f"{name} itself", lambda _: b"")
        convert = self.converted.get(entry.name)
        return Member(name, convert(read), plain=True) if convert else Member(name, read)

    def left(self) -> Iterator[Member]:
        """Yield the strings of a workbook that no sheet has shown."""
        if self.workbook and self.strings:
            text = text_of(self.workbook.unused(), self.budget, self.budget.limits.total_bytes)
            yield Member(self.strings, text, plain=True)


def _mail(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the fields and the parts of a message, and those of the messages attached to it (RFC 2045, section 6)."""
    content = b""
    while chunk := outer.read(CHUNK):
        content += chunk
        if len(content) > _MESSAGE_BYTES:
            raise UnreadableError("ARCHIVE_TOO_LARGE")
    yield from _parts(outer, content, budget)


def _parts(outer: Member, content: bytes, budget: Budget) -> Iterator[Member]:
    for number, part in enumerate(email.message_from_bytes(content, policy=email.policy.compat32).walk()):
        budget.enter()
        fields = "\n".join(f"{name}: {_field(name, _unfolded(value))}" for name, value in part.items()).encode(
            errors="surrogateescape"
        )
        path = _part_path(part, number)
        if fields:
            yield Member(named(outer, f"{path} fields", budget), BytesIO(fields).read, plain=True)
        if _is_encrypted(part):
            yield refused(named(outer, path, budget), "ENCRYPTED")
        elif part.is_multipart():
            for place, text in texts_around_parts(part):
                budget.unpack(len(text), len(text), len(text))
                yield Member(named(outer, f"{path} {place}", budget), BytesIO(text).read)
        else:
            plain = part.get_payload(decode=True)
            if isinstance(plain, bytes) and plain:
                budget.unpack(len(plain), len(plain), len(plain))
                holds_files = part.get_content_maintype() == "text" and has_encoded_file(plain)
                yield Member(named(outer, path, budget), BytesIO(plain).read, plain=holds_files)
                if holds_files:
                    yield from _encoded(outer, plain, budget)


def _text_with_files(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield a text in which files stand encoded, and these files."""
    with spooled(outer, budget) as spool:
        budget.enter()
        yield Member(named(outer, "text", budget), spool.read, plain=True)
        if spool.seek(0, SEEK_END) > _MESSAGE_BYTES:
            raise UnreadableError("ARCHIVE_TOO_LARGE")
        spool.seek(0)
        yield from _encoded(outer, spool.read(), budget)


def _encoded(outer: Member, text: bytes, budget: Budget) -> Iterator[Member]:
    """Yield the files that `uuencode` has put into a text (POSIX.1-2017), as mail programs once did."""
    for name, plain, length in encoded_files(text):
        budget.enter()
        budget.unpack(len(plain), len(plain), length)
        yield Member(named(outer, name, budget), BytesIO(plain).read)


def _part_path(part: Message, number: int) -> str:
    try:
        given = part.get_filename()
    except (ValueError, LookupError, TypeError):  # a name in an encoding that is none
        given = None
    return given or ("message" if number == 0 else f"part {number}")


def _unfolded(value: object) -> str:
    """Return the value of a field as one line (RFC 5322, sections 2.2.3 and 3.2.2)."""
    return _FOLD.sub(" ", str(value))


def _field(name: str, value: str) -> str:
    """Return a field with its encoded words decoded (RFC 2047), and without a number that parts parts."""
    if name.lower() == "content-type":
        return _MADE_UP_BOUNDARY.sub("boundary=", value)
    if "=?" not in value:
        return value
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value[:8192])))
    except (ValueError, LookupError):
        return value


def _is_encrypted(part: Message) -> bool:
    """Return whether nobody without a key reads a part (RFC 3156, section 4; RFC 8551, section 3.2.2)."""
    if part.get_content_type() == "multipart/encrypted":
        return True
    smime = part.get_content_type() in {"application/pkcs7-mime", "application/x-pkcs7-mime"}
    return smime and "enveloped" in str(part.get_param("smime-type", "")).lower()


def _mailbox(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield every message of a mailbox: each begins at a line that begins with `From `, behind an empty line."""
    number, empty, lines, size = 0, True, list[bytes](), 0
    for line in _lines(outer.read):
        if empty and line.startswith(b"From "):
            if number:
                yield from _message(outer, number, lines, budget)
            number, lines, size = number + 1, [], 0
        else:
            # Quoted lines of this kind lose their mark (RFC 4155, section 5).
            lines.append(line[1:] if line.startswith(b">From ") else line)
            size += len(line)
            if size > _MESSAGE_BYTES:
                raise UnreadableError("ARCHIVE_TOO_LARGE")
        empty = line in {b"\n", b"\r\n"}
    yield from _message(outer, number, lines, budget)


def _message(outer: Member, number: int, lines: list[bytes], budget: Budget) -> Iterator[Member]:
    message = Member(named(outer, f"message {number}", budget), outer.read)
    return _parts(message, b"".join(lines), budget)


def _lines(read: Read) -> Iterator[bytes]:
    waiting = b""
    while chunk := read(CHUNK):
        *whole, waiting = (waiting + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(waiting) > _MESSAGE_BYTES:
            raise UnreadableError("ARCHIVE_TOO_LARGE")
    if waiting:
        yield waiting


_READERS: dict[Kind, Callable[[Member, Budget], Iterator[Member]]] = {
    Kind.GZIP: _gzip,
    Kind.BZIP2: _stream("bzip2", "bzip2"),
    Kind.XZ: _stream("xz", "xz"),
    Kind.LZMA: _stream("lzma", "lzma"),
    Kind.ZSTD: _stream("zstd", ZSTD),
    Kind.SEVEN_ZIP: seven_zip_members,
    Kind.TAR: _tar,
    Kind.PARQUET: parquet_members,
    Kind.AVRO: avro_members,
    Kind.ORC: orc_members,
    Kind.ZIP: _zip,
    Kind.ENCODED: _text_with_files,
    Kind.SCRIPT: _script,
    Kind.MAIL: _mail,
    Kind.MAILBOX: _mailbox,
    Kind.PDF: pdf_members,
    Kind.DATABASE: database_members,
    Kind.COMPOUND: compound_members,
}
