"""The formats that the signatures of the identifying program know, read from the program itself.

Siegfried's signature file is its magic, a version and a deflated sequence of values; a text is its length in two bytes
and its bytes, and a format is its PUID followed by name, version, media type and PRONOM's class (siegfried,
`internal/persist` and `pkg/pronom`).
"""

import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pygfried

_MAGIC = b"sf\0\xff"
_HEADER = 6
_PUID = re.compile(rb"(?=([\x05-\x0a])\x00((?:x-)?fmt/\d{1,5}))")

# Elsewhere a PUID is followed by another, or by a media type.
_NO_NAME = re.compile(r"[a-z-]*fmt/\d|application/|text/|image/")


@dataclass(frozen=True)
class SignatureFormat:
    """A format as the signatures have it."""

    puid: str
    name: str
    version: str
    format_class: str


def signature_formats() -> dict[str, SignatureFormat]:
    """Return all formats by PUID."""
    found: dict[str, SignatureFormat] = {}
    for signatures in _signature_files():
        for match in _PUID.finditer(signatures):
            if match[1][0] == len(match[2]):
                fields = _texts(signatures, match.start() + 2 + len(match[2]))
                if fields[0].isprintable() and fields[0] and not _NO_NAME.match(fields[0]):
                    found.setdefault(
                        match[2].decode(), SignatureFormat(match[2].decode(), fields[0], fields[1], fields[3])
                    )
    return found


def newest_signature_file() -> bytes:
    """Return the signature file that the program uses unless it is told otherwise, as a file of its own.

    It brings another one, which Archivematica uses.
    """
    program = Path(pygfried.__file__).read_bytes()
    place = program.find(_MAGIC)
    while place >= 0:
        packed = zlib.decompressobj(-15)
        with suppress(zlib.error):
            if b"archivematica" not in packed.decompress(program[place + _HEADER :]) and packed.eof:
                return program[place : len(program) - len(packed.unused_data)]
        place = program.find(_MAGIC, place + 1)
    raise LookupError("the program brings no signatures")


def _signature_files() -> list[bytes]:
    program = Path(pygfried.__file__).read_bytes()
    files = []
    place = program.find(_MAGIC)
    while place >= 0:
        with suppress(zlib.error):
            files.append(zlib.decompressobj(-15).decompress(program[place + _HEADER :]))
        place = program.find(_MAGIC, place + 1)
    return files


def _texts(data: bytes, place: int) -> list[str]:
    texts = []
    for _ in range(4):
        length = int.from_bytes(data[place : place + 2], "little")
        texts.append(data[place + 2 : place + 2 + length].decode("utf-8", "replace"))
        place += 2 + length
    return texts
