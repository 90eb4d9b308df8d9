"""How much the streams of an attached PDF unpack to, found out without unpacking more than a page can need.

A few kilobytes can unpack to gigabytes, and qpdf unpacks a stream as a whole.
"""

import zlib
from collections.abc import Iterator
from typing import Final

import pikepdf

# A drawing of this size has a million lines.
_MOST_UNPACKED: Final = 64 * 1024**2
# Other filters than zlib are old and rare; a page of theirs that is larger than this is not unpacked to find out.
_MOST_OTHER: Final = 1024**2
_STEP: Final = 1024**2


class UnreadablePdf(ValueError):
    """A PDF that cannot be shown; the text says why."""


def check_size(page: pikepdf.Page) -> None:
    """Check that what draws a page unpacks to a size that a page can have.

    Raises
    ------
    UnreadablePdf
        It does not.
    """
    if sum(map(_unpacked, _contents(page))) > _MOST_UNPACKED:
        raise UnreadablePdf("a page of it is too large")


def is_of_a_page(stream: pikepdf.Stream) -> bool:
    """Return whether a stream unpacks to a size that what draws a page can have."""
    try:
        return _unpacked(stream) <= _MOST_UNPACKED
    except UnreadablePdf:
        return False


def _contents(page: pikepdf.Page) -> Iterator[pikepdf.Stream]:
    contents = page.obj.get("/Contents")
    for one in contents if isinstance(contents, pikepdf.Array) else [contents]:
        if isinstance(one, pikepdf.Stream):
            yield one


def _unpacked(stream: pikepdf.Stream) -> int:
    raw = stream.read_raw_bytes()
    found = stream.get("/Filter")
    filters = [str(one) for one in found] if isinstance(found, pikepdf.Array) else [str(found)] if found else []
    if filters == ["/FlateDecode"]:
        return _inflated(raw)
    if filters and len(raw) > _MOST_OTHER:
        raise UnreadablePdf("a page of it is too large")
    if filters.count("/FlateDecode") > 1:
        raise UnreadablePdf("a page of it is packed twice")
    return len(raw)


def _inflated(raw: bytes) -> int:
    unpacking = zlib.decompressobj()
    size, rest = 0, raw
    try:
        while rest and size <= _MOST_UNPACKED:
            size += len(unpacking.decompress(rest, _STEP))
            rest = unpacking.unconsumed_tail
    except zlib.error:
        return size  # qpdf has its own ways with damaged streams
    return size
