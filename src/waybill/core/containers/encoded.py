"""What stands encoded in texts, besides data URLs: uuencode, armour, and the parts of documents that are one XML file.

Sources: POSIX.1-2017, `uuencode`; RFC 7468 (PEM) and RFC 9580, section 6.2 (OpenPGP); OpenDocument 1.3, part 3,
`office:binary-data` (flat files); [MS-OI29500] (`pkg:binaryData`, "Flat OPC"); WordprocessingML of Word 2003,
`w:binData`; RFC 2426 and RFC 5545 (`ENCODING=b`, `ENCODING=BASE64`); RFC 2849 (`name::`).
"""

import base64
import binascii
import re
from collections.abc import Iterator

_LONGEST = 64 << 20
_DIGITS = rb"[A-Za-z0-9+/=\s]{16,%d}" % _LONGEST
_UUENCODED = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_UU_LINE = re.compile(rb"[ -`]{0,90}")
_BASE64_BEGIN = re.compile(rb"^begin-base64 [0-7]{3,4} ([^\r\n]{1,255})\r?\n(" + _DIGITS + rb")", re.MULTILINE)
_ARMOUR = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]{0,8}\r?\n(?:[A-Za-z-]{1,40}: [^\r\n]{0,400}\r?\n){0,16}\s{0,8}("
    + _DIGITS
    + rb")"
)
_ELEMENT = re.compile(
    rb"<(?:[A-Za-z0-9_.-]{1,40}:)?(binary-data|binaryData|binData|bindata|binary)(?:\s[^<>]{0,1000})?>\s{0,8}("
    + _DIGITS
    + rb")"
)
# The parameters are looked through apart: together with their line that would take long for a hostile one.
_PROPERTY = re.compile(
    rb"^[A-Za-z0-9.-]{1,80}(?P<parameters>;[^:\r\n]{1,400}):"
    rb"([A-Za-z0-9+/=]{16,1000}(?:\r?\n[ \t]{1,8}[A-Za-z0-9+/=]{1,1000}){0,1000000})",
    re.MULTILINE,
)
_IN_BASE64 = re.compile(rb";(?:ENCODING=)?(?:b|BASE64)(?:;|\Z)", re.IGNORECASE)
_LDIF = re.compile(
    rb"^[A-Za-z][A-Za-z0-9;.-]{0,80}:: ([A-Za-z0-9+/=]{16,1000}(?:\r?\n [A-Za-z0-9+/=]{1,1000}){0,1000000})",
    re.MULTILINE,
)
# Nothing is looked for that these words do not announce, and they not where what they have in common is missing: most
# texts have not even that.
_FORMS = (
    (b"begin-base64 ", (b"begin-base64 ",), _BASE64_BEGIN),
    (b"-----BEGIN ", (b"-----BEGIN ",), _ARMOUR),
    (b"bin", (b"inary", b"binData", b"bindata"), _ELEMENT),
    (b";", (b";b:", b";ENCODING=", b";encoding=", b";BASE64", b";base64", b";Encoding="), _PROPERTY),
    (b":: ", (b":: ",), _LDIF),
)
# Words of which one stands in every text that holds something encoded, data URLs included.
ANNOUNCING = (b"data:", b"begin ", *(word for _, words, _ in _FORMS for word in words))


def encoded_parts(text: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Yield the name, the content and the encoded length of everything that is encoded in a text."""
    yield from encoded_files(text)
    for common, words, form in _FORMS[1:]:
        if common in text and any(word in text for word in words):
            yield from _parts(text, form)


def encoded_files(text: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Yield the same of the files that `uuencode` has put into a text, in either of its forms."""
    if b"begin " in text:
        for number, found in enumerate(_UUENCODED.finditer(text), start=1):
            plain, length = _uudecoded(text, found.end())
            if plain:
                yield _shown(found[1], f"uuencoded file {number}"), plain, length
    if b"begin-base64 " in text:
        yield from _parts(text, _BASE64_BEGIN)


def _parts(text: bytes, form: re.Pattern[bytes]) -> Iterator[tuple[str, bytes, int]]:
    for number, found in enumerate(form.finditer(text), start=1):
        digits, name = found[form.groups], "encoded part"
        if form is _PROPERTY:
            if not _IN_BASE64.search(found["parameters"]):
                continue
        elif form.groups > 1:
            name = _shown(found[1], name)
        if plain := _decoded(digits):
            yield f"{name} {number}", plain, len(digits)


def armoured(text: bytes) -> bytes:
    """Return what the first armour in a text holds, as far as the text goes."""
    found = _ARMOUR.search(text)
    return _decoded(found[2]) if found else b""


def _shown(name: bytes, default: str) -> str:
    return name.decode("utf-8", "replace").strip() or default


def _decoded(digits: bytes) -> bytes:
    """Return what digits of base64 say, up to their padding or the checksum of an armour behind it."""
    return base64_of(re.sub(rb"\s", b"", digits).partition(b"=")[0])


def base64_of(digits: bytes) -> bytes:
    """Return what digits of base64 without padding say; a last one alone says nothing, nor do others than its own."""
    whole = len(digits) // 4 * 4
    last = digits[whole:] if len(digits) - whole > 1 else b""
    try:
        return base64.b64decode(digits[:whole] + last + b"=" * (-len(last) % 4))
    except binascii.Error:
        return b""


def _uudecoded(text: bytes, place: int) -> tuple[bytes, int]:
    """Return what the lines from a place on say, and how long they are together."""
    plain, start = bytearray(), place
    while len(plain) < _LONGEST:
        line = _UU_LINE.match(text, place)
        if line is None or not line[0] or line[0].startswith((b"end", b"`")):
            break
        # Spaces at the end of a line get lost on the way.
        count = (line[0][0] - 32) & 0x3F
        digits = line[0][: 1 + -(-count // 3) * 4].ljust(1 + -(-count // 3) * 4)
        try:
            plain += binascii.a2b_uu(digits)
        except binascii.Error:
            break
        place = line.end()
        place += len(text[place : place + 2]) - len(text[place : place + 2].lstrip(b"\r\n"))
    return bytes(plain), place - start
