"""What some bytes are: told from the bytes, never from a name."""

import codecs
import re
import string
from dataclasses import dataclass
from enum import StrEnum

from waybill.scanning.domain.detection.blocks import Read

SNIFFED_BYTES = 16_384
# Of text: line ends, tabs, form feeds, and the escape that colours terminals.
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
# Control characters of ISO 8859 (C1), where Windows-1252 has letters and quotes.
_CONTROL_8BIT = bytes(range(0x80, 0xA0))
# Of random bytes a fifth are control characters; of text in whatever eight-bit encoding, hardly one in fifty.
_TEXT_SHARE = 0.06
# Of fewer bytes nobody can tell; characters of two bytes need more.
_SHORTEST_HEAD, _SHORTEST_WIDE = 24, 64
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_LETTERS = [bytes([letter]) for letter in string.ascii_letters.encode("ascii")]
_ORDINARY = (string.ascii_letters + string.digits + " \n").encode("ascii")
# Bytes that Windows-1252 has no character for.
_UNASSIGNED = b"\x81\x8d\x8f\x90\x9d"
EBCDIC = "cp037"
"""Python's name of it. Other code pages have the same letters, digits, blanks, points, colons and hyphens."""
# IBM's character data representation architecture, appendix on control characters: new line and line feed.
_FROM_EBCDIC = bytes(range(256)).decode(EBCDIC).encode("latin-1").translate(bytes.maketrans(b"\x85", b"\n"))
_MARKED = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark this begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARIES = (
    b"\x7fELF",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"RIFF",
    b"Rar!\x1a\x07",
    b"\0\0\0\x0cjP  ",
    # Compressed forms that leave most of a short text as it is: lzop, LZ4 (frame and legacy), Snappy (frame), compress.
    b"\x89LZO\0\r\n\x1a\n",
    b"\x04\x22\x4d\x18",
    b"\x02\x21\x4c\x18",
    b"\xff\x06\0\0sNaPpY",
    b"\x1f\x9d",
)
# RFC 5322, section 3.6: two fields of a message, of which one says what it is.
_FIELD = re.compile(rb"[!-9;-~]{1,80}[ \t]{0,8}:")
_MAIL_FIELDS = re.compile(
    rb"^(from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to"
    rb"|content-transfer-encoding|reply-to|sender)[ \t]{0,8}:",
    re.IGNORECASE | re.MULTILINE,
)
# RFC 4155, appendix A: what a message of a mailbox begins with.
_MAILBOX = re.compile(rb"From [^\s@]{1,64}(?:@[^\s]{1,255})? [^\r\n]{10,100}\r?\n[!-9;-~]{1,80}:")
# POSIX.1-2017, `uuencode`: mode and name, and a first line of data, whose first character tells its length.
_ENCODED_FILE = re.compile(
    rb"begin(?:-base64)? [0-7]{3,4} [^\r\n]{1,255}\r?\n(?:M[ -`]{60}\r?\n|[!-L][ -`]{1,60}\r?\n(?:`|end)"
    rb"|[A-Za-z0-9+/]{4,76}={0,2}\r?\n)"
)


PDF_HEADER_BYTES = 1024
"""So far into a file readers look for the header of a PDF (ISO 32000-1, annex H, note on 7.5.2)."""
# A header with nothing behind it in its line, and an object: a text about PDF has hardly both.
_PDF_HEADER = re.compile(
    rb".{0,%d}?%%PDF-[12]\.[0-9][ \t]{0,8}[\r\n](?=.{0,2048}?[\r\n][0-9]{1,7} [0-9]{1,5} obj\b)" % PDF_HEADER_BYTES,
    re.DOTALL,
)
SCRIPT_BYTES = 1 << 18
"""So far into a script an archive is looked for; the heads of makeself and of Python's zipapp are shorter."""
# What an archive begins with that tools put behind a script, or before it ends: of tar, the mark in its header.
_ARCHIVE_MARK = re.compile(
    rb"PK\x03\x04.{2}[\0-\x0f]|\x1f\x8b\x08[\0-\x1f]|BZh[1-9]1AY&SY|\xfd7zXZ\0|7z\xbc\xaf\x27\x1c"
    rb"|\x28\xb5\x2f\xfd|ustar(?:\0|  \0)",
    re.DOTALL,
)
_TAR_MARK_AT = 257
_TAR_CHECKSUM = re.compile(rb" {0,6}([0-7]{1,7})[\0 ].{356}", re.DOTALL)


class Kind(StrEnum):
    """What can be done with some bytes."""

    TEXT = "TEXT"
    MAIL = "MAIL"
    MAILBOX = "MAILBOX"
    ENCODED = "ENCODED"
    SCRIPT = "SCRIPT"
    GZIP = "GZIP"
    BZIP2 = "BZIP2"
    XZ = "XZ"
    LZMA = "LZMA"
    ZSTD = "ZSTD"
    ZIP = "ZIP"
    SEVEN_ZIP = "SEVEN_ZIP"
    TAR = "TAR"
    PARQUET = "PARQUET"
    AVRO = "AVRO"
    ORC = "ORC"
    PDF = "PDF"
    DATABASE = "DATABASE"
    COMPOUND = "COMPOUND"
    OTHER = "OTHER"


_CONTAINERS = (
    (re.compile(rb"\x1f\x8b\x08"), Kind.GZIP),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), Kind.BZIP2),
    (re.compile(rb"\xfd7zXZ\0"), Kind.XZ),
    # LZMA specification, "File format": properties as presets have them, a dictionary of 2^n or 3 * 2^n bytes, a length
    # that is unknown or below 1 TiB, and a coded stream, which begins with a zero.
    (
        re.compile(
            rb"\x5d\0(?:\0\0[%(sizes)s]|\0[%(sizes)s]\0|[%(sizes)s]\0\0)(?:\xff{8}|.{5}\0{3})\0"
            % {b"sizes": rb"\1-\4\6\x08\x0c\x10\x18\x20\x30\x40\x60\x80\xc0"},
            re.DOTALL,
        ),
        Kind.LZMA,
    ),
    # RFC 8878, sections 3.1.1 and 3.1.2 (skippable frames).
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), Kind.ZSTD),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), Kind.SEVEN_ZIP),
    # Apache Parquet, "File Format"; Apache Avro 1.12, "Object Container Files"; ORC v1, "File Tail".
    (re.compile(rb"PAR[1E].{8}", re.DOTALL), Kind.PARQUET),
    (re.compile(rb"Obj\x01"), Kind.AVRO),
    (re.compile(rb"ORC(?=.{0,256}[\0-\x08])", re.DOTALL), Kind.ORC),
    (re.compile(rb"(?:PK00)?PK\x03\x04|PK\x05\x06"), Kind.ZIP),
    (re.compile(rb".{257}ustar", re.DOTALL), Kind.TAR),
    # White space before the header is no text; for what else may stand there, see `_PDF_HEADER`.
    (re.compile(rb"(?:\xef\xbb\xbf)?[\0\t\n\f\r ]*%PDF-"), Kind.PDF),
    # "Database File Format", section 1.3.1.
    (re.compile(rb"SQLite format 3\0"), Kind.DATABASE),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Kind.COMPOUND),
)


@dataclass(frozen=True)
class ContentType:
    """What some bytes are; `encoding` is Python's name of it, `mark` the length of the byte order mark."""

    kind: Kind
    encoding: str = "utf-8"
    mark: int = 0


def content_type_of(head: bytes) -> ContentType:
    """Return what begins with `head`, the first `SNIFFED_BYTES` bytes or all there are."""
    for mark, kind in _CONTAINERS:
        if mark.match(head):
            return ContentType(kind)
    if _is_old_tar(head):
        return ContentType(Kind.TAR)
    if head.startswith(_BINARIES):
        return ContentType(Kind.OTHER)
    found = _text_type(head)
    is_text = found.kind == Kind.TEXT and found.encoding in {"utf-8", "latin-1"}
    if is_text and (message := _message_type(head[found.mark :])):
        return message
    if _PDF_HEADER.match(head):
        return ContentType(Kind.PDF)
    return ContentType(Kind.ENCODED) if is_text and has_encoded_file(head) else found


def archive_behind(script: bytes) -> int:
    """Return where an archive begins that stands behind a script, such as one that unpacks itself; 0 without one."""
    found = _ARCHIVE_MARK.search(script) if script.startswith(b"#!") else None
    # A script may have such a mark as its text; all of an archive is not printable.
    if found is None or not script[found.start() :].translate(None, _PRINTABLE):
        return 0
    return found.start() - _TAR_MARK_AT if found[0].startswith(b"ustar") else found.start()


def _is_old_tar(head: bytes) -> bool:
    """Return whether the header of Unix's seventh edition stands there, which has no mark but its checksum (tar(5))."""
    noted = _TAR_CHECKSUM.match(head, 148)
    return noted is not None and head[0] != 0 and sum(head[:148]) + 8 * 32 + sum(head[156:512]) == int(noted[1], 8)


def has_encoded_file(text: bytes) -> bool:
    """Return whether a file that `uuencode` has written begins in a text."""
    return encoded_file_in(text, 0, len(text))


def encoded_file_in(text: bytes, start: int, end: int) -> bool:
    """Return whether such a file begins in `text[start:end]`, at the beginning of a line of `text`."""
    at = text.find(b"begin", start, end)
    while at >= 0:
        if (not at or text[at - 1 : at] == b"\n") and _ENCODED_FILE.match(text, at):
            return True
        at = text.find(b"\nbegin", at, end) + 1 or -1
    return False


def _message_type(head: bytes) -> ContentType | None:
    start = head.lstrip(b"\r\n")
    if _MAILBOX.match(start):
        return ContentType(Kind.MAILBOX)
    if _FIELD.match(start):
        fields = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
        if len({match[1].lower() for match in _MAIL_FIELDS.finditer(fields)}) > 1:
            return ContentType(Kind.MAIL)
    return None


def _text_type(head: bytes) -> ContentType:
    for mark, encoding in _MARKED:
        if head.startswith(mark):
            return ContentType(Kind.TEXT, encoding, len(mark))
    if 0 in head and (wide := _wide(head)):
        return ContentType(Kind.TEXT, wide)
    if share_of(head, CONTROL) >= 0.1 and len(head) - len(head.translate(None, CONTROL)) >= 1:
        return ContentType(Kind.OTHER)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        if wide := _wide_of_other_scripts(head):
            return ContentType(Kind.TEXT, wide)
        if _is_ebcdic(head):
            return ContentType(Kind.TEXT, EBCDIC)
        if share_of(head, CONTROL + _CONTROL_8BIT) >= _TEXT_SHARE and not _is_text_beyond_latin(head):
            return ContentType(Kind.OTHER)
        return ContentType(Kind.TEXT, "latin-1")
    return ContentType(Kind.TEXT, "utf-8")


def _is_ebcdic(head: bytes) -> bool:
    """Return whether `head` is text in EBCDIC: letters, digits and blanks when it is read as such, and no letter rules.

    In Latin-1 its blank is an at sign, and blanks of ASCII are a control character that hardly a file of EBCDIC has.
    """
    if len(head) < _SHORTEST_HEAD or head.count(b"@") < 0.03 * len(head) or head.count(b" ") > 0.01 * len(head):
        return False
    text = head.translate(_FROM_EBCDIC)
    letters = [text.count(letter) for letter in _LETTERS]
    return share_of(text, _ORDINARY) > 0.8 and share_of(text, CONTROL) < 0.02 and max(letters) < 0.25 * len(text)


def _is_text_beyond_latin(head: bytes) -> bool:
    """Return whether `head` is text in Windows-1252 or Shift-JIS, where letters and quotes stand in place of C1.

    Of random bytes one in ten is a control character, a third are of ASCII, and most are no text in Shift-JIS.
    """
    if len(head) < _SHORTEST_HEAD or head.translate(None, CONTROL) != head:
        return False
    if share_of(head, _PRINTABLE) > 0.7 and head.translate(None, _UNASSIGNED) == head:
        return True
    try:
        codecs.getincrementaldecoder("cp932")().decode(head)
    except UnicodeDecodeError:
        return False
    return len(head) >= _SHORTEST_WIDE


def share_of(text: bytes, characters: bytes) -> float:
    """Return which share of the bytes of `text` are `characters`."""
    return (len(text) - len(text.translate(None, characters))) / len(text) if text else 0.0


def _wide(head: bytes) -> str | None:
    """Return the encoding of text in UTF-32, or Latin text in UTF-16: zeros stand at the same places of each unit."""
    zeros = [head[place::4].count(0) / max(1, len(head) // 4) for place in range(4)]
    if zeros[0] < 0.05 and min(zeros[2:]) > 0.9:
        return "utf-32-le"
    if zeros[3] < 0.05 and min(zeros[:2]) > 0.9:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.6 and even < 0.05:
        return "utf-16-le"
    if even > 0.6 and odd < 0.05:
        return "utf-16-be"
    return _wide_of_other_scripts(head)


def _wide_of_other_scripts(head: bytes) -> str | None:
    """Return the encoding of text in UTF-16 that is not Latin: its characters are of few blocks, with spaces."""
    sample = head[: len(head) // 2 * 2][:2048]
    if len(sample) < 32:
        return None
    for encoding, high, low in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        blocks = sample[high::2]
        spaces = sum(low_byte in b" \n" and not block for block, low_byte in zip(blocks, sample[low::2], strict=True))
        if not spaces or len(set(blocks)) > 24:
            continue
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        if sum(character.isprintable() or character.isspace() for character in text) > 0.99 * len(text):
            return encoding
    return None


class EbcdicReader:
    """Reads EBCDIC as Latin-1, a byte for a byte."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def read(self, count: int) -> bytes:
        """Return at most `count` bytes; none at the end."""
        return self._read(count).translate(_FROM_EBCDIC)


class Utf8Reader:
    """Reads UTF-16 or UTF-32 as UTF-8; an odd surrogate becomes U+FFFD, which has its width in UTF-16."""

    def __init__(self, read: Read, encoding: str) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ended = False

    def read(self, count: int) -> bytes:
        """Return some bytes of UTF-8, about `count` or fewer; none at the end."""
        while not self._ended:
            raw = self._read(count)
            self._ended = not raw
            if text := self._decoder.decode(raw, final=self._ended):
                return text.encode()
        return b""
