"""The texts among the properties of a document of Office 97 to 2003: title, author, comments, and those people add.

[MS-OLEPS] 2.21 (stream), 2.20 (set), 2.15 (typed values), 2.5 and 2.7 (strings), 2.17 (names), 2.18.1 (code page).
"""

import codecs
import struct
from collections.abc import Iterator

_NAMES, _CODE_PAGE = 0, 1
_UTF_16_CODE_PAGE = 1200
_I2, _STRING, _WIDE_STRING, _VECTOR = 0x02, 0x1E, 0x1F, 0x1000
_MOST_SETS, _MOST_VALUES = 2, 10_000


def summary_texts(content: bytes) -> Iterator[str]:
    """Yield every text of a property stream, a line each.

    Raises
    ------
    ValueError
        It is none, or points outside of itself.
    """
    try:
        (sets,) = struct.unpack_from("<L", content, 24)
        for number in range(min(sets, _MOST_SETS)):
            (start,) = struct.unpack_from("<L", content, 28 + 20 * number + 16)
            yield from _set(content, start)
    except struct.error as error:
        raise ValueError("a property stream that is cut") from error


def _set(content: bytes, start: int) -> Iterator[str]:
    (count,) = struct.unpack_from("<L", content, start + 4)
    entries = [struct.unpack_from("<LL", content, start + 8 + 8 * number) for number in range(min(count, _MOST_VALUES))]
    encoding = "latin-1"
    for identifier, place in entries:
        if identifier == _CODE_PAGE:
            kind, value = struct.unpack_from("<LH", content, start + place)
            encoding = _encoding(value) if kind == _I2 else encoding
    for identifier, place in entries:
        texts = _names if identifier == _NAMES else _texts
        for text in texts(content, start + place, encoding):
            yield f"{text}\n"


def _names(content: bytes, place: int, encoding: str) -> Iterator[str]:
    """Yield what people have called properties of their own."""
    (count,) = struct.unpack_from("<L", content, place)
    place += 4
    wide = encoding == "utf-16-le"
    for _ in range(min(count, _MOST_VALUES)):
        (length,) = struct.unpack_from("<L", content, place + 4)
        size = length * 2 if wide else length
        yield content[place + 8 : place + 8 + size].decode(encoding, "replace").rstrip("\0")
        place += 8 + (-(-size // 4) * 4 if wide else size)


def _texts(content: bytes, place: int, encoding: str) -> Iterator[str]:
    kind, count = struct.unpack_from("<LL", content, place)
    if kind & ~_VECTOR not in {_STRING, _WIDE_STRING}:
        return
    place += 4
    if kind & _VECTOR:
        place += 4
    wide = kind & ~_VECTOR == _WIDE_STRING
    for _ in range(min(count, _MOST_VALUES) if kind & _VECTOR else 1):
        (length,) = struct.unpack_from("<L", content, place)
        size = length * 2 if wide else length
        raw = content[place + 4 : place + 4 + size]
        yield raw.decode("utf-16-le" if wide else encoding, "replace").rstrip("\0")
        # Wide strings begin at whole words; those of one byte follow each other as they are.
        place += 4 + (-(-size // 4) * 4 if wide else size)


def _encoding(code_page: int) -> str:
    if code_page == _UTF_16_CODE_PAGE:
        return "utf-16-le"
    try:
        return codecs.lookup("utf-8" if code_page == 65001 else f"cp{code_page}").name
    except LookupError:
        return "latin-1"
