"""The row groups of a Parquet file, from its footer.

Apache Parquet, "File Format" and `parquet.thrift` (FileMetaData, RowGroup); Apache Thrift, "Thrift Compact protocol".
"""

import io
from collections.abc import Callable
from typing import BinaryIO

_FOOTER_BYTES = 16 << 20
_DEPTH = 16
_GROUPS, _ROWS = 4, 3
_I64, _LIST = 6, 9


def first_rows(file: BinaryIO) -> list[int]:
    """Return the number of the first row of each row group, from 1; none where the footer is not what it should be."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    if not 0 < length <= min(_FOOTER_BYTES, size - 8):
        return []
    file.seek(size - 8 - length)
    try:
        counts = _Reader(file.read(length)).row_counts()
    except (IndexError, ValueError):
        return []
    firsts, row = list[int](), 1
    for count in counts:
        firsts.append(row)
        row += count
    return firsts


class _Reader:
    """Reads structures of Thrift's compact protocol, as far as is needed; raises IndexError, ValueError."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def row_counts(self) -> list[int]:
        """Return the rows of each group of a FileMetaData."""
        counts: list[int] = []

        def group(field: int, kind: int) -> bool:
            if field == _ROWS and kind == _I64:
                counts.append(max(0, self._zigzag()))
                return True
            return False

        def whole(field: int, kind: int) -> bool:
            if field == _GROUPS and kind == _LIST:
                for _ in range(self._listed()[1]):
                    self._struct(group, 1)
                return True
            return False

        self._struct(whole, 0)
        return counts

    def _struct(self, take: Callable[[int, int], bool], depth: int) -> None:
        """Go through the fields of a structure; `take` reads those that it wants."""
        field = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            field = field + step if step else self._zigzag()
            if not take(field, kind):
                self._skip(kind, depth + 1)

    def _skip(self, kind: int, depth: int, *, element: bool = False) -> None:
        if depth > _DEPTH:
            raise ValueError("nested too deep")
        match kind:
            case 1 | 2:
                # In a field its type is the value; in a list it takes a byte.
                self._at += element
            case 3:
                self._at += 1
            case 4 | 5 | 6:
                self._varint()
            case 7:
                self._at += 8
            case 8:
                length = self._varint()
                self._at += length
            case 9 | 10:
                inner, count = self._listed()
                for _ in range(count):
                    self._skip(inner, depth + 1, element=True)
            case 12:
                self._struct(lambda _field, _kind: False, depth + 1)
            case _:
                # Parquet's metadata has no maps.
                raise ValueError("not a type of Parquet's metadata")

    def _listed(self) -> tuple[int, int]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > len(self._text):
            raise ValueError("a list that is longer than all there is")
        return head & 15, count

    def _byte(self) -> int:
        self._at += 1
        return self._text[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) >= 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number that is too long")
        return value | byte << shift

    def _zigzag(self) -> int:
        number = self._varint()
        return number >> 1 ^ -(number & 1)
