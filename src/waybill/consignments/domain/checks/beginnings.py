"""What the first and the last bytes of a file say against its name, whatever its format is found to be."""

import re
from pathlib import Path
from typing import Any

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
# The first member of what OPC, ODF and EPUB call a package, by the name in its local header (APPNOTE, 4.3.7).
_FIRST_OF_PACKAGE = re.compile(
    rb"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/\.rels|mimetypeapplication/)", re.DOTALL
)


def beginning_of(path: Path) -> dict[str, Any]:
    """Return whether the file reads as `text` at both ends, and whether it begins as its name says (`beginsAsNamed`).

    `officePackage` is there where it is a ZIP that begins as a package of documents does.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(len(head), path.stat().st_size - HEAD_BYTES))
        tail = file.read(HEAD_BYTES)
    extension = path.suffix[1:].lower()
    return {
        "text": is_text(head) and (wide_encoding(head) is not None or is_text(tail)),
        "beginsAsNamed": any(head.startswith(mark, place) and extension in names for place, mark, names in _BEGINNINGS),
        **({"officePackage": True} if _FIRST_OF_PACKAGE.match(head) else {}),
    }
