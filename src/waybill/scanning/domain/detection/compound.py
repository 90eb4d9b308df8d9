"""What is inside of compound files: documents of Word 97 to 2003, messages of Outlook, and streams as they are.

[MS-DOC] 2.4.1 (text by pieces), [MS-OXMSG] 2.4 (properties as streams), [MS-OXCDATA] 2.11.1 (their types). The text of
a document is in pieces, of one byte or of two per character; everything else of it is read where it is text.
"""

import codecs
import re
import struct
from collections.abc import Iterator, Set
from io import BytesIO
from itertools import pairwise
from typing import BinaryIO, cast

from waybill.core.containers.compound import CompoundFile, CompoundStream, compound_entries
from waybill.core.containers.encryption import encryption_of
from waybill.core.containers.models import ContainerBudget, ContainerEntry, ContainerError, ContainerLimits
from waybill.core.containers.texts import compressed_rtf_entries
from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.budget import CHUNK, Budget, UnreadableError, unreadable
from waybill.scanning.domain.detection.document_properties import summary_texts
from waybill.scanning.domain.detection.legacy_office import BOOKS, SLIDES, slide_texts, workbook_members
from waybill.scanning.domain.detection.member import Member, named, spooled, text_of

_DOCUMENT = "WordDocument"
_DOCUMENT_BYTES = 64 << 20
_MESSAGE_PROPERTY = "__substg1.0_"
# Written by the program about itself, or about the look of what others hold ([MS-OLEDS] 2.3; [MS-DOC] 2.1.3).
_NO_CONTENT = frozenset({"CompObj", "Ole", "ObjInfo", "__properties_version1.0"})
# What the text of a document is read from.
_DOCUMENT_STREAMS = frozenset({_DOCUMENT, "0Table", "1Table"})
# One text, or each of several, whose number stands behind a hyphen ([MS-OXMSG] 2.1.4.2).
_UNICODE, _STRING = frozenset({"001F", "101F-"}), frozenset({"001E", "101E-"})
# [MS-OXPROPS]: PidTagHtml, PidTagAttachDataBinary; of other binary properties none holds what people have written.
_HTML, _ATTACHMENT, _COMPRESSED_RTF = "1013", "3701", "1009"
_SUMMARIES = frozenset({"SummaryInformation", "DocumentSummaryInformation"})
_SUMMARY_BYTES = _PROPERTY_BYTES = 1 << 20
# [MS-DOC] 2.5.2 (FibBase) and 2.5.6 (FibRgFcLcb97, fcClx).
_MAGIC = 0xA5EC
_FIB_FLAGS, _FIB_CLX = 0x0A, 0x01A2
_WHICH_TABLE = 1 << 9
# [MS-DOC] 2.5.1 (cbRgFcLcb, and where the pairs of place and length begin) and 2.5.10 (fcOssTheme).
_FIB_PAIRS, _THEME = 0x98, 181
_FIB_THEME = 0x9A + 8 * _THEME
_ONE_BYTE = 1 << 30
# [MS-DOC] 2.2.4: strings of tables are in UTF-16; of other scripts than Latin's nothing tells them from numbers.
_WIDE_TEXT = re.compile(rb"(?:[ -~\xa0-\xff]\0){6,4096}")


def compound_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield what can be read of a compound file; raises UnreadableError where it is encrypted or broken."""
    with spooled(outer, budget) as spool:
        file = cast("BinaryIO", spool)
        try:
            if encryption_of(file) is not None:
                raise UnreadableError("ENCRYPTED")
            compound = CompoundFile(file)
            documents = _documents(compound)
            for parts in documents.values():
                budget.enter()
                text = text_of(_document(compound, parts), budget, parts[_DOCUMENT].size)
                yield Member(named(outer, "text", budget), text, plain=True)
                if theme := _theme(compound, parts):
                    budget.enter()
                    yield Member(named(outer, "theme", budget), BytesIO(theme).read)
            read = {parts[name] for parts in documents.values() for name in _DOCUMENT_STREAMS & parts.keys()}
            for stream in compound.streams:
                if stream.name in BOOKS and stream.storage == 0:
                    yield from workbook_members(outer, _content(compound, stream), budget)
                    read.add(stream)
                elif stream.name == SLIDES:
                    budget.enter()
                    text = text_of(slide_texts(_content(compound, stream)), budget, stream.size)
                    yield Member(named(outer, "slides", budget), text, plain=True)
            yield from _streams(outer, file, budget, read)
        except ContainerError as error:
            raise unreadable(error) from error


def _documents(compound: CompoundFile) -> dict[int, dict[str, CompoundStream]]:
    """Return the streams of each document by their names: its own, and those of documents embedded in it."""
    storages: dict[int, dict[str, CompoundStream]] = {}
    for stream in compound.streams:
        storages.setdefault(stream.storage, {}).setdefault(stream.name, stream)
    return {number: streams for number, streams in storages.items() if _DOCUMENT in streams}


def _streams(outer: Member, file: BinaryIO, budget: Budget, read: Set[CompoundStream]) -> Iterator[Member]:
    # The scanner's own budget counts beside this one.
    limits = ContainerLimits(members=budget.limits.entries, total_bytes=budget.limits.total_bytes)
    for entry in compound_entries(file, ContainerBudget(limits), lambda stream: stream not in read):
        if entry.name in _NO_CONTENT:
            continue
        budget.enter()
        if entry.name.startswith(_MESSAGE_PROPERTY):
            yield from _property(outer, entry, budget)
        elif entry.name in _SUMMARIES:
            text = text_of(_summary(entry.read), budget, _SUMMARY_BYTES)
            yield Member(named(outer, entry.name, budget), text, plain=True)
        else:
            yield Member(named(outer, entry.name, budget), _translated(entry.read))


def _summary(read: Read) -> Iterator[str]:
    try:
        yield from summary_texts(_whole(_translated(read)))
    except ValueError as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error


def _property(outer: Member, entry: ContainerEntry, budget: Budget) -> Iterator[Member]:
    tag = entry.name.removeprefix(_MESSAGE_PROPERTY)
    number, kind = tag[:4], tag[4:9]
    path, read = named(outer, f"property {number}", budget), _translated(entry.read)
    if kind in _UNICODE:
        yield Member(path, text_of(_wide_text(read), budget, _PROPERTY_BYTES), plain=True)
    elif kind in _STRING or number in {_HTML, _ATTACHMENT}:
        yield Member(path, read)
    elif number == _COMPRESSED_RTF:
        yield Member(path, _unpacked_rtf(read))


def _wide_text(read: Read) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-16-le")("replace")
    while part := read(CHUNK):
        yield decoder.decode(part)
    yield decoder.decode(b"", final=True)


def _unpacked_rtf(read: Read) -> Read:
    """Return a reader of the RTF of a message; it is unpacked when it is read, so that a fault is its own."""
    parts: list[Read] = []

    def unpacked(count: int) -> bytes:
        if not parts:
            entries = compressed_rtf_entries(BytesIO(_whole(read)), ContainerBudget())
            parts.append(next(entries).read)
        return parts[0](count)

    return _translated(unpacked)


def _whole(read: Read) -> bytes:
    return b"".join(iter(lambda: read(CHUNK), b""))


def _translated(read: Read) -> Read:
    def translated(count: int) -> bytes:
        try:
            return read(count)
        except ContainerError as error:
            raise unreadable(error) from error

    return translated


def _theme(compound: CompoundFile, streams: dict[str, CompoundStream]) -> bytes:
    """Return the package that the theme of a document is in, as a whole in its table; nothing without one."""
    document = _content(compound, streams.get(_DOCUMENT))
    if len(document) < _FIB_THEME + 8 or struct.unpack_from("<H", document, _FIB_PAIRS)[0] <= _THEME:
        return b""
    place, length = struct.unpack_from("<LL", document, _FIB_THEME)
    return _table(compound, streams, document)[place : place + length] if length else b""


def _table(compound: CompoundFile, streams: dict[str, CompoundStream], document: bytes) -> bytes:
    (flags,) = struct.unpack_from("<H", document, _FIB_FLAGS)
    return _content(compound, streams.get("1Table" if flags & _WHICH_TABLE else "0Table"))


def _document(compound: CompoundFile, streams: dict[str, CompoundStream]) -> Iterator[str]:
    """Yield the text of a document piece by piece: body, notes, headers, comments and boxes follow each other."""
    document = _content(compound, streams.get(_DOCUMENT))
    if len(document) < _FIB_CLX + 8 or struct.unpack_from("<H", document)[0] != _MAGIC:
        raise UnreadableError("ARCHIVE_METHOD")
    table = _table(compound, streams, document)
    place, length = struct.unpack_from("<LL", document, _FIB_CLX)
    for start, count, one_byte in _pieces(table[place : place + length]):
        if one_byte:
            text = document[start : start + count].decode("cp1252", "replace")
        else:
            text = document[start : start + 2 * count].decode("utf-16-le", "replace")
        # [MS-DOC] 2.4.3: paragraphs, cells and line breaks end with control characters.
        yield text.translate(_ENDS)
    yield "\n"
    # The title, names of styles, bookmarks and people.
    yield from (found[0].decode("utf-16-le") + "\n" for found in _WIDE_TEXT.finditer(table))


# Everything else below a space marks a field, a picture or a note.
_ENDS = dict.fromkeys(range(32), " ") | {
    7: "\t",
    9: "\t",
    0x0B: "\n",
    0x0C: "\n",
    0x0D: "\n",
    0x1E: "-",
    0x1F: None,
}


def _pieces(clx: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where each piece begins in the document, how many characters it has, and whether each is one byte."""
    place = 0
    # [MS-DOC] 2.9.38: formatting (Prc, 1) comes before the table of pieces (Pcdt, 2).
    while clx[place : place + 1] == b"\1" and place + 3 <= len(clx):
        place += 3 + struct.unpack_from("<H", clx, place + 1)[0]
    if clx[place : place + 1] != b"\2" or place + 5 > len(clx):
        raise UnreadableError("ARCHIVE_BROKEN")
    (length,) = struct.unpack_from("<L", clx, place + 1)
    table = clx[place + 5 : place + 5 + length]
    # [MS-DOC] 2.8.35: one more position than pieces, of four and of eight bytes each.
    count = (len(table) - 4) // 12
    if len(table) < length or count < 1:
        raise UnreadableError("ARCHIVE_BROKEN")
    positions = struct.unpack_from(f"<{count + 1}L", table)
    for number, (first, behind) in enumerate(pairwise(positions)):
        (where,) = struct.unpack_from("<L", table, 4 * (count + 1) + 8 * number + 2)
        one_byte = bool(where & _ONE_BYTE)
        start = where & (_ONE_BYTE - 1)
        yield start // 2 if one_byte else start, max(0, behind - first), one_byte


def _content(compound: CompoundFile, stream: CompoundStream | None) -> bytes:
    if stream is None:
        raise UnreadableError("ARCHIVE_BROKEN")
    if stream.size > _DOCUMENT_BYTES:
        raise UnreadableError("ARCHIVE_TOO_LARGE")
    try:
        return b"".join(compound.stream(stream))
    except ContainerError as error:
        raise unreadable(error) from error
