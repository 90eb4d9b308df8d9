"""What stands encoded in texts: UTF-16 and UTF-32, data URLs (RFC 2397), and the objects of RTF."""

import codecs
import io
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from waybill.core.containers.archives import CHUNK, counted, refused
from waybill.core.containers.compound import native_entries
from waybill.core.containers.encoded import base64_of, encoded_parts
from waybill.core.containers.kinds import HEAD_BYTES, wide_encoding
from waybill.core.containers.models import (
    EXHAUSTED,
    ContainerBudget,
    ContainerEntry,
    ContainerError,
    Read,
    UnopenedReason,
)

_URL = re.compile(rb"data:([A-Za-z0-9.+/;=_,\"'-]{0,200}?)(;base64)?,", re.IGNORECASE)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/_-]|%(?:2[BbFf]|3[Dd]|0[AaDd])|\\?[\r\n\t ]){1,67108864}={0,2}")
_PLAIN = re.compile(rb"[^\s\"'<>)\x00]{1,67108864}")
# What is shorter cannot hold what a rule looks for.
_SHORTEST = 16
_TEXT_BYTES = 256 << 20
# What is encoded in a text is found up to the length of the overlap.
_WINDOW, _OVERLAP = 160 << 20, 72 << 20
_OBJECT = re.compile(rb"\\objdata\b")
# RTF 1.9.1, "Control Word": a word takes its number and one space; `\bin` is followed by so many bytes as they are.
_TOKEN = re.compile(
    rb"[{}]|\\bin(?P<binary>\d{1,9})\x20?|\\[A-Za-z]{1,32}(?:-?\d{1,10})?\x20?|\\'[0-9A-Fa-f]{2}|\\.|[^{}\\]{1,134217728}",
    re.DOTALL,
)
# How a token begins that has bytes as they are; a longer word has no blank here.
_BINARY = b"\\bin "
# A hostile text is made of nothing but words: after so many of them the clock is looked at.
_LOOKED_UP = 10_000
# What Windows calls a file that is embedded as it is ([MS-OLEDS] 2.2.5, its class).
_PACKAGE = b"package"
# And what the program that does that begins its data with.
_PACKAGED = b"\2\0"
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")


def wide_text_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield a text in UTF-16 or UTF-32 as UTF-8: who writes a rule writes the words, not their encoding."""
    file.seek(0)
    encoding = wide_encoding(file.read(HEAD_BYTES))
    file.seek(0)
    if encoding is not None:
        budget.enter()
        yield ContainerEntry("as UTF-8", _as_utf_8(file, encoding, budget))


def old_lines_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield a text whose lines end with a carriage return alone as others write it: a mailbox of an old Mac is one."""
    budget.enter()
    read = counted(file, budget, file.seek(0, io.SEEK_END))
    file.seek(0)
    yield ContainerEntry("with line feeds", lambda count: read(count).replace(b"\r", b"\n"))


def _as_utf_8(file: BinaryIO, encoding: str, budget: ContainerBudget) -> Read:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    packed = unpacked = 0
    first = True

    def read(_count: int) -> bytes:
        nonlocal packed, unpacked, first
        chunk = file.read(CHUNK)
        packed += len(chunk)
        text = decoder.decode(chunk, final=not chunk)
        if first:
            text, first = text.removeprefix("\ufeff"), False
        plain = text.encode("utf-8", "replace")
        unpacked += len(plain)
        budget.count(len(plain), unpacked, packed)
        return plain

    return read


def _data_urls(text: bytes, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    # In any case of letters; most texts have none, which this finds several times as fast as the pattern.
    if b"data:" not in text.lower():
        return
    for number, found in enumerate(_URL.finditer(text), start=1):
        pattern = _BASE64 if found[2] else _PLAIN
        content = pattern.match(text, found.end())
        if content is None or len(content[0]) < _SHORTEST:
            continue
        budget.enter()
        plain = _base64(content[0]) if found[2] else unquote_to_bytes(content[0])
        yield ContainerEntry(f"data URL {number}", counted(io.BytesIO(plain), budget, len(content[0])))


def encoded_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield what stands encoded in a text: data URLs, and what `encoded_parts` finds."""
    for text in _windows(file):
        yield from _data_urls(text, budget)
        for name, plain, length in encoded_parts(text):
            budget.enter()
            yield ContainerEntry(name, counted(io.BytesIO(plain), budget, length))


def _windows(file: BinaryIO) -> Iterator[bytes]:
    """Yield a text as a whole; a long one in windows, each of which begins with the end of the one before."""
    size, place = file.seek(0, io.SEEK_END), 0
    while place == 0 or place + _OVERLAP < size:
        file.seek(place)
        yield file.read(_WINDOW)
        place += _WINDOW - _OVERLAP


def _whole(file: BinaryIO) -> bytes:
    """Return a text that is looked through as a whole; one that is too long for that is refused, not cut."""
    size = file.seek(0, io.SEEK_END)
    if size > _TEXT_BYTES:
        raise ContainerError(UnopenedReason.MEMBER_BYTES)
    file.seek(0)
    return file.read()


def _base64(text: bytes) -> bytes:
    plain = unquote_to_bytes(text).replace(b"-", b"+").replace(b"_", b"/")
    return base64_of(re.sub(rb"[^A-Za-z0-9+/]", b"", plain))


def rtf_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the embedded objects of RTF, which stand in it as hexadecimal digits (RTF 1.9.1, "Objects")."""
    text = _whole(file)
    for number, found in enumerate(_OBJECT.finditer(text), start=1):
        budget.enter()
        plain = _object_data(text, found.end(), budget)
        kind, data = _native(plain)
        yield ContainerEntry(f"object {number}", counted(io.BytesIO(data), budget, 2 * len(plain)))
        if kind == _PACKAGE and data.startswith(_PACKAGED):
            yield from _packaged(data, f"object {number}", budget)


def _object_data(text: bytes, place: int, budget: ContainerBudget) -> bytes:
    """Return the data of an object, up to the end of its group, as readers take it: digits, and bytes as they are.

    What stands among them counts for nothing: other words, and groups that a reader may leave out.
    """
    digits, plain = bytearray(), bytearray()
    depth = left_out = 0
    for number, token in enumerate(_tokens(text, place)):
        if number % _LOOKED_UP == 0:
            budget.check_time()
        if token == b"{":
            depth += 1
        elif token == b"}":
            depth -= 1
            if depth < 0:
                break
            left_out = 0 if depth < left_out else left_out
        elif token == b"\\*":
            left_out = left_out or depth
        elif left_out:
            continue
        elif token.startswith(_BINARY):
            plain += _from_digits(digits) + token.removeprefix(_BINARY)
            digits.clear()
        elif not token.startswith(b"\\"):
            digits += _NOT_HEX.sub(b"", token)
    return bytes(plain + _from_digits(digits))


def _tokens(text: bytes, place: int) -> Iterator[bytes]:
    while found := _TOKEN.match(text, place):
        place = found.end()
        if (binary := found["binary"]) is None:
            yield found[0]
        else:
            yield _BINARY + text[place : place + int(binary)]
            place += int(binary)


def _from_digits(digits: bytearray) -> bytes:
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _native(data: bytes) -> tuple[bytes, bytes]:
    """Return the class and the native data of an embedded object ([MS-OLEDS] 2.2.5), or all of what is none."""
    place, texts = 8, []
    for _ in range(3):
        if len(data) < place + 4:
            return b"", data
        (length,) = struct.unpack_from("<L", data, place)
        texts.append(data[place + 4 : place + 4 + length])
        place += 4 + length
    kind = texts[0].rstrip(b"\0").lower()
    return (kind, data[place + 4 :]) if len(data) > place + 4 else (b"", data)


def _packaged(data: bytes, name: str, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the file in a package: what `Ole10Native` streams hold, without the length that these begin with."""
    try:
        for entry in native_entries(io.BytesIO(struct.pack("<L", len(data)) + data), budget):
            yield ContainerEntry(f"{name}/{entry.name}", entry.read)
    except ContainerError as error:
        if error.reason in EXHAUSTED:
            raise
        yield refused(name, error.reason)


def compressed_rtf_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    """Yield the RTF of an Outlook message ([MS-OXRTFCP] 2.2.2)."""
    file.seek(0)
    content = file.read(_TEXT_BYTES)
    budget.enter()
    yield ContainerEntry("text.rtf", counted(io.BytesIO(_decompressed(content, budget)), budget, len(content)))


# [MS-OXRTFCP] 2.1.2.1: what the dictionary holds at the beginning.
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def _decompressed(packed: bytes, budget: ContainerBudget) -> bytes:
    window = bytearray(_DICTIONARY.ljust(4096, b"\0"))
    place, write, plain = 16, len(_DICTIONARY), bytearray()
    while place < len(packed):
        control, place = packed[place], place + 1
        budget.check_time()
        for bit in range(8):
            if control >> bit & 1:
                if place + 2 > len(packed):
                    return bytes(plain)
                token = int.from_bytes(packed[place : place + 2])
                place += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write % 4096:
                    return bytes(plain)
                run = [offset + step for step in range(length)]
            else:
                if place >= len(packed):
                    return bytes(plain)
                window[write % 4096] = packed[place]
                run, place = [write], place + 1
            for each in run:
                value = window[each % 4096]
                plain.append(value)
                window[write % 4096] = value
                write += 1
            if len(plain) > budget.limits.member_bytes:
                raise ContainerError(UnopenedReason.MEMBER_BYTES)
    return bytes(plain)
