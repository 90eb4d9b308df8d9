"""What a gzip stream holds, of the formats that are packed so by their own makers: PRONOM sees the packing alone.

Sources: ISO 28500:2017, annex D, and the Internet Archive's "Arc File Format" (each record by itself); SVG 1.1, section
1.2 (`.svgz`); the header file of NIfTI-1 (`.nii.gz`); SAMv1, section 4.1, and VCF 4.3 (BGZF is gzip); "R Internals",
section 1.8; [MS-EMF] 2.3.4.2 and [MS-WMF] 2.3.2; the manuals of Gnumeric, Dia, AbiWord, GnuCash and Blender.
Imported in the scanners' process alone, since what it opens is hostile.
"""

import re
import zlib
from typing import BinaryIO

_PACKED_BYTES = 65_536
_BYTES = 16_384
_GZIP = 31
# Content, place and mark.
_MARKS = (
    ("WARC", 0, b"WARC/"),
    ("ARC", 0, b"filedesc:"),
    ("NIfTI", 344, b"n+1\0"),
    ("NIfTI", 4, b"n+2\0\r\n\x1a\n"),
    ("BAM", 0, b"BAM\1"),
    ("VCF", 0, b"##fileformat=VCF"),
    ("R data", 0, b"RDX2\n"),
    ("R data", 0, b"RDX3\n"),
    ("R data", 0, b"RDA2\n"),
    ("R data", 0, b"RDA3\n"),
    ("R data", 0, b"X\n\0\0\0\2"),
    ("R data", 0, b"X\n\0\0\0\3"),
    ("EMF", 40, b" EMF"),
    ("WMF", 0, b"\xd7\xcd\xc6\x9a"),
    ("WMF", 0, b"\1\0\x09\0\0\3"),
    ("Blender", 0, b"BLENDER"),
)
_ROOTS = {b"svg": "SVG", b"Workbook": "Gnumeric", b"diagram": "Dia", b"abiword": "AbiWord", b"gnc-v2": "GnuCash"}
# What may stand before the first element of an XML document (XML 1.0, production 22), as far as it is short.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<\?[^>]{0,1000}>|<![^\[>]{0,1000}(?:\[[^\]]{0,4000}\][^>]{0,100})?>){0,50}"
    rb"<(?:[\w.-]{1,40}:)?([\w.-]{1,40})[\s/>]"
)


def packed_content(file: BinaryIO) -> str | None:
    """Return what a gzip stream begins with, by the name that the table of formats has for it; None for others."""
    file.seek(0)
    try:
        plain = zlib.decompressobj(wbits=_GZIP).decompress(file.read(_PACKED_BYTES), _BYTES)
    except zlib.error:
        return None
    for content, place, mark in _MARKS:
        if plain.startswith(mark, place):
            return content
    root = _ROOT.match(plain)
    return _ROOTS.get(root[1]) if root else None
