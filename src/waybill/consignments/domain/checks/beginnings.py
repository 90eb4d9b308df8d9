"""What the first and the last bytes of a file say against its name, whatever its format is found to be."""

import re
from pathlib import Path
from typing import Any, BinaryIO

from waybill.core.containers.kinds import HEAD_BYTES, is_text, wide_encoding

# The marks that files of these names begin with, whatever comes then (the specification of each format).
_BEGINNINGS = (
    (0, b"%PDF-", {"pdf"}),
    (0, b"\x89PNG\r\n\x1a\n", {"png"}),
    (0, b"\xff\xd8\xff", {"jpg", "jpeg", "jpe", "jfif"}),
    (0, b"GIF8", {"gif"}),
    (0, b"II*\0", {"tif", "tiff"}),
    (0, b"MM\0*", {"tif", "tiff"}),
    (0, b"8BPS", {"psd"}),
    (0, b"RIFF", {"wav", "avi", "webp"}),
    (0, b"OggS", {"ogg", "oga", "ogv", "opus"}),
    (0, b"fLaC", {"flac"}),
    (0, b"ID3", {"mp3"}),
    (4, b"ftyp", {"mp4", "m4a", "m4v", "mov", "heic", "3gp"}),
    (0, b"{\\rtf", {"rtf"}),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        {"doc", "dot", "xls", "xlt", "ppt", "pps", "pot", "msg", "mpp", "vsd", "pub"},
    ),
)
# And end with, in the last bytes (ISO 32000-1, 7.5.5; PNG, 11.2.5; JPEG, B.2.1; GIF89a, 27; RTF 1.9.1, "File", whose
# writers let a line's end and a zero follow).
_ENDS = {
    "pdf": b"%%EOF",
    "png": b"IEND\xaeB`\x82",
    "jpg": b"\xff\xd9",
    "jpeg": b"\xff\xd9",
    "gif": b";",
    "rtf": b"}",
}
_ENDS_WITHIN = {"pdf": 1024, "rtf": 4}
_FIRST_BYTES = 64
# The first member of what OPC, ODF and EPUB call a package, by the name in its local header (APPNOTE, 4.3.7).
_FIRST_OF_PACKAGE = re.compile(
    rb"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/\.rels|mimetypeapplication/)", re.DOTALL
)


def beginning_of(path: Path) -> dict[str, Any]:
    """Return whether the file reads as `text` at both ends, and whether it begins as its name says (`beginsAsNamed`).

    `officePackage` is there where it is a ZIP that begins as a package of documents does, `endsAsNamed` where it ends
    as its name says too.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(len(head), path.stat().st_size - HEAD_BYTES))
        tail = file.read(HEAD_BYTES)
    extension = path.suffix[1:].lower()
    begins = any(head.startswith(mark, place) and extension in names for place, mark, names in _BEGINNINGS)
    end = _ENDS.get(extension, b"")
    ends = begins and end and end in (tail or head)[-_ENDS_WITHIN.get(extension, len(end)) :]
    return {
        "text": is_text(head) and (wide_encoding(head) is not None or is_text(tail)),
        "beginsAsNamed": begins,
        **({"endsAsNamed": True} if ends else {}),
        **({"officePackage": True} if _FIRST_OF_PACKAGE.match(head) else {}),
    }


def begins_as_package(file: BinaryIO) -> bool:
    """Return whether a ZIP archive begins as a package of documents does."""
    file.seek(0)
    return _FIRST_OF_PACKAGE.match(file.read(_FIRST_BYTES)) is not None
