"""What keeps a file from being read later and has no PUID: encryption in all its forms."""

import mmap
import re
from pathlib import Path
from typing import Any, BinaryIO

from waybill.consignments.domain.checks.beginnings import begins_as_package
from waybill.consignments.domain.checks.own_packing import packed_content
from waybill.consignments.domain.checks.packed import PACKED, is_encrypted
from waybill.core.containers.encoded import ANNOUNCING
from waybill.core.containers.encryption import encryption_of
from waybill.core.containers.kinds import kinds_of
from waybill.core.containers.models import ContainerKind
from waybill.core.containers.zip_archive import OF_PACKAGES, zip_names
from waybill.core.containers.zip_directory import read_directory

_ZIP_MARK = b"PK"
_PDF_MARK = re.compile(rb"%PDF-")
_PDF_MARK_WITHIN = 1024
_SHORTEST = 8
_MEMBERS_NAMED = 10_000
# Not all of these have a PUID: that they are archives and images is known by their marks.
_CONTAINERS = frozenset(
    {ContainerKind.ZSTANDARD, ContainerKind.LZ4, ContainerKind.COMPRESS, ContainerKind.LZMA}
    | {ContainerKind.DISK_IMAGE, ContainerKind.OTHER_ARCHIVE}
)


def _pdf_name(text: bytes) -> bytes:
    """Return the pattern of a name behind its slash, any character of which may be written as # and two digits."""
    # ISO 32000-1, 7.3.5; a name ends where white space or a delimiter begins (7.2.2).
    characters = (rb"(?:%c|#(?i:%02x))" % (character, character) for character in text)
    return b"".join(characters) + rb"(?![^\x00\s()<>\[\]{}/%])"


# No comment is longer than the line of 255 bytes that ISO 32000-1 (7.5.1) advises, and no gap than a few kilobytes:
# without a bound, hostile ones stall, or take all the memory.
_SPACE = rb"(?:[\x00\s]|%[^\r\n]{0,255}[\r\n]){0,4096}"
_ENCRYPT, _STANDARD = _pdf_name(b"Encrypt"), _pdf_name(b"Filter") + _SPACE + b"/" + _pdf_name(b"Standard")
# Without any of these nothing in a PDF is encrypted.
_PDF_WORDS = re.compile(b"/(?:" + _ENCRYPT + b"|" + _STANDARD + b")")
# What a file has that is, or was, encrypted: a trailer that names the encryption (ISO 32000-1, 7.5.5, table 15: a
# dictionary or a reference to one), or the dictionary of the standard security handler (7.6.1, table 20).
_REFERRING = _ENCRYPT + _SPACE + rb"(?:<<|\d{1,20}" + _SPACE + rb"\d{1,20}" + _SPACE + b"R)"
_PDF_EVIDENCE = re.compile(
    rb"(?P<end>endstream)|(?P<begin>stream\r?\n)|(?P<evidence>/(?:" + _REFERRING + b"|" + _STANDARD + b"))"
)


def inspect(path: Path, *, partial: bool = False) -> dict[str, Any]:
    """Return `encrypted`, the kind as `encryption`, and `warnings` about the file at `path`.

    With `partial` the file is only the first and the last bytes of a larger one, so what cannot be resolved in it is
    taken at its word; `inside` then says whether it could hold what nobody has looked at.
    """
    if path.stat().st_size == 0:
        return {**_said(), "inside": False} if partial else _said()
    with path.open("rb") as file:
        said = _inspected(path, file, partial=partial)
        return {**said, "inside": _holds_more(file)} if partial else said


def _inspected(path: Path, file: BinaryIO, *, partial: bool) -> dict[str, Any]:
    head = file.read(_PDF_MARK_WITHIN)
    if len(head) < _SHORTEST:
        return _said()
    if _PDF_MARK.search(head):
        return _pdf(path, file, partial=partial)
    encryption = encryption_of(file)
    kinds = () if encryption else kinds_of(file)
    if ContainerKind.ENCRYPTED_MAIL in kinds:
        encryption = "message"
    if PACKED.intersection(kinds) and not partial and is_encrypted(file):
        encryption = "archive"
    if head.startswith(_ZIP_MARK):
        return _zip(file, path.stat().st_size, encryption)
    container = next((kind for kind in kinds if kind in _CONTAINERS), None)
    told: dict[str, Any] = {} if container is None else {"container": container.value}
    if ContainerKind.GZIP in kinds and (content := packed_content(file)):
        told["packedContent"] = content
    return _said(encryption, **told, **({"message": True} if ContainerKind.MAIL in kinds else {}))


def _holds_more(file: BinaryIO) -> bool:
    # Of a film or a sound that is as long as that, what could stand behind it was scanned as it lies there.
    kinds = set(kinds_of(file)) - {ContainerKind.PICTURE}
    if kinds == {ContainerKind.DATA_URLS}:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(word) >= 0 for word in ANNOUNCING)
    return bool(kinds)


def is_excessive(path: Path) -> bool:
    """Return whether the file is an archive that is over the limits: nothing may unpack it, to identify it either."""
    with path.open("rb") as file:
        if file.read(len(_ZIP_MARK)) != _ZIP_MARK:
            return False
        facts = read_directory(file, path.stat().st_size)
        return facts is not None and facts.excessive


def _said(encryption: str | None = None, *warnings: str, **more: Any) -> dict[str, Any]:
    kind = {} if encryption is None else {"encryption": encryption}
    return {"encrypted": encryption is not None, **kind, **more, "warnings": list(warnings)}


def _zip(file: BinaryIO, size: int, encryption: str | None) -> dict[str, Any]:
    facts = read_directory(file, size)
    if facts is None:
        return _said(encryption, "UNREADABLE_ARCHIVE")
    encryption = encryption or ("zip" if facts.encrypted else None)
    if facts.excessive:
        return _said(encryption, "ARCHIVE_OVER_LIMITS")
    # Of most packages their beginning is enough, and a long directory takes time.
    short = facts.members <= _MEMBERS_NAMED and not begins_as_package(file)
    plain = short and not OF_PACKAGES.intersection(zip_names(file))
    return _said(encryption, **({"plainZip": True} if plain else {}))


def _pdf(path: Path, file: BinaryIO, *, partial: bool) -> dict[str, Any]:
    # The dictionary that names the encryption is itself never compressed nor encrypted (ISO 32000-1, 7.5.5 and 7.5.8).
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not _PDF_WORDS.search(content):
            return _said()
        anywhere, outside = _evidence(content)
    import pikepdf

    # A damaged file may lack what says how to read it, and where its streams end: nothing there is taken for text.
    broken = _said("pdf" if anywhere or partial else None, "UNREADABLE_PDF")
    try:
        with pikepdf.open(path) as document:
            if document.is_encrypted:
                return _said("pdf", opensWithoutPassword=True)
            if document.get_warnings():
                return broken
            # To qpdf a trailer that refers to nothing is one without encryption, and what is encrypted is text.
            return _said("pdf", opensWithoutPassword=False) if outside else _said()
    except pikepdf.PasswordError:
        return _said("pdf", opensWithoutPassword=False)
    except pikepdf.PdfError as error:
        # An encryption that qpdf does not know, such as one with certificates.
        if "encryption" in str(error).removeprefix(str(path)):
            return _said("pdf", opensWithoutPassword=False)
        return broken


def _evidence(content: mmap.mmap) -> tuple[bool, bool]:
    """Return whether a PDF shows that it is encrypted: anywhere in it, and outside of its streams, which hold text."""
    anywhere = inside = False
    for found in _PDF_EVIDENCE.finditer(content):
        if found.lastgroup != "evidence":
            inside = found.lastgroup == "begin"
        elif inside:
            anywhere = True
        else:
            return True, True
    return anywhere, False
