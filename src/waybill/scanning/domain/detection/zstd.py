"""Zstandard as a form of compressed streams (RFC 8878)."""

from waybill.core.containers.streams import KeptDecompressor, StreamForm

# What the tool takes without being told otherwise (zstd's manual, "--memory"); frames may ask for more.
_WINDOW_LOG = 27


class _Frame:
    """One frame, whose faults are those of the other forms."""

    def __init__(self) -> None:
        from backports import zstd

        self._fault = zstd.ZstdError
        self._inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        try:
            return self._inner.decompress(data, max_length)
        except self._fault as error:
            raise ValueError("no frame of Zstandard") from error


ZSTD = StreamForm(
    lambda: KeptDecompressor(_Frame),
    (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))),
)
