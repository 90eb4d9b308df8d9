"""What keeps a file from being read later and has no PUID: encrypted PDF, ZIP members, and Office documents."""

import mmap
import re
from pathlib import Path
from typing import Any, BinaryIO

from waybill.consignments.checking.ole_directory import MARK as OLE_MARK
from waybill.consignments.checking.ole_directory import stream_names
from waybill.consignments.checking.zip_directory import read_directory

_ZIP_MARK = b"PK"
_PDF_MARK = re.compile(rb"%PDF-")
_PDF_MARK_WITHIN = 1024
# ISO 32000-1, 7.3.5: any character of a name may be written as # and two digits.
_ENCRYPT = re.compile(
    rb"/(?:E|#45)(?:n|#6[eE])(?:c|#63)(?:r|#72)(?:y|#79)(?:p|#70)(?:t|#74)(?=[\s<>\[\]()/{}%\x00]|[0-9])"
)


def inspect(path: Path, *, partial: bool = False) -> dict[str, Any]:
    """Return `encrypted`, the kind as `encryption`, and `warnings` about the file at `path`.

    With `partial` the file is only the first and the last bytes of a larger one, so what cannot be resolved in it is
    taken at its word.
    """
    size = path.stat().st_size
    if size < len(OLE_MARK):
        return _said()
    with path.open("rb") as file:
        head = file.read(_PDF_MARK_WITHIN)
        file.seek(0)
        if head.startswith(OLE_MARK):
            names = set(stream_names(file))
            return _said("office") if "EncryptedPackage" in names else _said()
        if _PDF_MARK.search(head):
            return _pdf(path, file, partial=partial)
        if head.startswith(_ZIP_MARK):
            return _zip(file, size)
    return _said()


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


def _zip(file: BinaryIO, size: int) -> dict[str, Any]:
    facts = read_directory(file, size)
    if facts is None:
        return _said(None, "UNREADABLE_ARCHIVE")
    warnings = ("ARCHIVE_OVER_LIMITS",) if facts.excessive else ()
    return _said("zip" if facts.encrypted else None, *warnings)


def _pdf(path: Path, file: BinaryIO, *, partial: bool) -> dict[str, Any]:
    # The dictionary that names the encryption is itself never compressed nor encrypted (ISO 32000-1, 7.5.5 and 7.5.8).
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not _ENCRYPT.search(content):
            return _said()
    import pikepdf

    try:
        with pikepdf.open(path) as document:
            return _said("pdf", opensWithoutPassword=True) if document.is_encrypted else _said()
    except pikepdf.PasswordError:
        return _said("pdf", opensWithoutPassword=False)
    except pikepdf.PdfError as error:
        # An encryption that qpdf does not know, such as one with certificates.
        if "encryption" in str(error).removeprefix(str(path)):
            return _said("pdf", opensWithoutPassword=False)
        return _said("pdf" if partial else None, "UNREADABLE_PDF")
