"""S3 with objects of log text of any size, inside the process of a function: botocore's hook answers its GETs."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from benchmarks.scanning.corpus import log_text

_E_TAG = '"9bb58f26192e4ba00f01e2e7b136bbd8"'
_WRITTEN = "Sun, 01 Nov 2026 00:00:00 GMT"
_TEXT_BYTES = 4_000_000


class _Body:
    """`size` bytes of the same lines again and again, as botocore reads a response; never more than it is asked for."""

    def __init__(self, text: bytes, size: int) -> None:
        self._text = text
        self._size = size
        self._at = 0

    def read(self, amount: int | None = None, **_: Any) -> bytes:
        """Return the next bytes, none at the end."""
        start = self._at % len(self._text)
        left = self._size - self._at
        part = self._text[start : start + (left if amount is None else min(amount, left))]
        self._at += len(part)
        return part

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield everything."""
        while part := self.read(65_536):
            yield part

    def close(self) -> None:
        """Nothing is open."""


def install(*, sizes: dict[str, int]) -> None:
    """Answer every GetObject that this process is going to send, with as many bytes as `sizes` says by key."""
    text = log_text(_TEXT_BYTES)

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        size = sizes[urlsplit(request.url).path.rpartition("/")[2]]
        headers: Any = {"Content-Length": str(size), "ETag": _E_TAG, "Last-Modified": _WRITTEN}
        body: Any = _Body(text, size)
        return AWSResponse(request.url, 200, headers, body)

    botocore.handlers.BUILTIN_HANDLERS += [("before-send.s3.GetObject", answer)]
