"""Compressed streams as the bytes that they hold; several streams in a row are one, as their tools take them.

RFC 1952, section 2.2 (gzip); bzip2's manual, section 2; "The .xz File Format", section 2;
LZMA specification (LZMA SDK), "File format".
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from waybill.core.containers.models import ContainerError, Read, UnopenedReason

_CHUNK = 1 << 16
# xz may ask for a dictionary of 4 GiB; the largest of its presets needs 65 MiB (its manual, "-9").
_XZ_MEMORY_BYTES = 96 << 20
_KEPT_BYTES = 1 << 20
_REST_BYTES = 4 << 20
_FAULTS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class PlainDecompressor(Protocol):
    """A decompressor of the standard library."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stands behind its end."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing is left to be unpacked."""
        ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Unpack `data`, up to `max_length` bytes of it."""
        ...


class Decompressor(PlainDecompressor, Protocol):
    """One that can tell what it had unpacked before a fault."""

    def rest(self) -> bytes:
        """Return what the call that met a fault has unpacked before the fault."""
        ...


class _Gzip:
    """zlib's decompressor with the manners of the others: it keeps what it was given and has not unpacked yet."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self._before, self._given = self._zlib, b""

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        # A call that meets a fault gives nothing, not even what it has unpacked before it: see `rest`.
        self._before, self._given = self._zlib.copy(), self._zlib.unconsumed_tail + data
        return self._zlib.decompress(self._given, max_length)

    def rest(self) -> bytes:
        """Return what the call that met a fault has unpacked before the fault."""
        return _until_fault(self._before.decompress, self._given)


class KeptDecompressor:
    """A decompressor without copies: of a short stream the input is kept, to be gone through again up to a fault."""

    def __init__(self, make: Callable[[], PlainDecompressor]) -> None:
        self._make = make
        self._inner = make()
        self._given: bytearray | None = bytearray()
        self._unpacked = 0

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What stands behind its end."""
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        """Whether nothing is left to be unpacked."""
        return self._inner.needs_input

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Unpack `data`, up to `max_length` bytes of it."""
        if self._given is not None:
            self._given += data
            if len(self._given) > _KEPT_BYTES:
                self._given = None
        plain = self._inner.decompress(data, max_length)
        self._unpacked += len(plain)
        return plain

    def rest(self) -> bytes:
        """Return what the call that met a fault has unpacked before the fault, as far as that is known."""
        if self._given is None:
            return b""
        return _until_fault(self._make().decompress, bytes(self._given))[self._unpacked :]


def _until_fault(decompress: Callable[[bytes], bytes], given: bytes) -> bytes:
    """Return what `given` unpacks to before the fault in it, found byte by byte."""
    plain = bytearray()
    with suppress(*_FAULTS):
        for place in range(len(given)):
            plain += decompress(given[place : place + 1])
            if len(plain) > _REST_BYTES:
                break
    return bytes(plain)


class StreamForm(NamedTuple):
    """A form of compressed streams: what unpacks one, and what each begins with."""

    make: Callable[[], Decompressor]
    marks: tuple[bytes, ...]


_FORMS = {
    "gzip": StreamForm(_Gzip, (b"\x1f\x8b",)),
    "bzip2": StreamForm(lambda: KeptDecompressor(bz2.BZ2Decompressor), (b"BZh",)),
    "xz": StreamForm(
        lambda: KeptDecompressor(lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)), (b"\xfd7zXZ\0",)
    ),
    "lzma": StreamForm(
        lambda: KeptDecompressor(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_XZ_MEMORY_BYTES)),
        (b"\x5d\0\0",),
    ),
}


class UnpackedStream:
    """What a compressed stream holds, up to where it breaks: what was unpacked before is given out first.

    Parameters
    ----------
    packed : Read
        Gives the packed bytes.
    form : str or StreamForm
        `gzip`, `bzip2`, `xz`, `lzma`, or another form.
    count : callable
        Told of every part that is given out: its bytes, the bytes unpacked so far, and the packed bytes read for them.
    apart : bool
        Whether the streams are read one by one: each ends the reading, until `another` begins the next.
    """

    def __init__(
        self, packed: Read, form: str | StreamForm, count: Callable[[int, int, int], None], *, apart: bool = False
    ) -> None:
        self._packed = packed
        self._make, self._marks = _FORMS[form] if isinstance(form, str) else form
        self._count = count
        self._stream = self._make()
        self._begun = self._ended = self._broken = False
        self._left = b""
        self._streams = self._packed_bytes = self._unpacked = 0
        self._waiting = b""
        self._apart, self._paused = apart, False

    @property
    def streams(self) -> int:
        """How many streams were read to their end."""
        return self._streams

    def another(self) -> bool:
        """Go on to the next stream, where they are read one by one; False where there is none."""
        self._paused = False
        while not self._ended and (self._waiting or self._fed()):
            if self._another():
                return True
        return False

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end of the last stream.

        Raises
        ------
        ContainerError
            The stream is broken or cut; all that could be unpacked has been given out.
        """
        while not self._ended and not self._paused:
            if self._broken:
                return self._rest(count)
            if not self._waiting and self._stream.needs_input and not self._fed():
                break
            if not self._begun and self._streams and not self._another():
                continue
            if plain := self._step(min(count, _CHUNK)):
                return self._counted(plain)
        return b""

    def behind(self, count: int) -> bytes:
        """Return up to `count` bytes of what stands behind the last stream, once that has been read to its end."""
        if not self._ended:
            return b""
        if not self._waiting:
            self._waiting = self._packed(_CHUNK)
        part, self._waiting = self._waiting[:count], self._waiting[count:]
        return part

    def _fed(self) -> bool:
        """Return whether there are more packed bytes; they wait then."""
        self._waiting = self._packed(_CHUNK)
        self._packed_bytes += len(self._waiting)
        if self._waiting:
            return True
        self._ended = True
        if self._begun or not self._streams:
            raise ContainerError(UnopenedReason.TRUNCATED)
        return False

    def _another(self) -> bool:
        """Return whether what stands behind a stream is another one; if not, and it is no padding, this is the end."""
        # Tools ignore padding of zeros.
        self._waiting = self._waiting.lstrip(b"\0")
        if not self._waiting:
            return False
        while len(self._waiting) < len(self._marks[0]) and (part := self._packed(_CHUNK)):
            self._packed_bytes += len(part)
            self._waiting += part
        self._ended = not self._waiting.startswith(self._marks)
        return not self._ended

    def _rest(self, count: int) -> bytes:
        plain, self._left = self._left[:count], self._left[count:]
        if not plain:
            raise ContainerError(UnopenedReason.BROKEN)
        return self._counted(plain)

    def _counted(self, plain: bytes) -> bytes:
        self._unpacked += len(plain)
        self._count(len(plain), self._unpacked, self._packed_bytes)
        return plain

    def _step(self, count: int) -> bytes:
        given, self._waiting = self._waiting, b""
        try:
            plain = self._stream.decompress(given, count)
        except _FAULTS:
            self._broken = True
            self._left = self._stream.rest()
            return b""
        self._begun = True
        if self._stream.eof:
            self._streams += 1
            self._waiting = self._stream.unused_data
            self._stream, self._begun, self._paused = self._make(), False, self._apart
        return plain
