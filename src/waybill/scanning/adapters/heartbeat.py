"""Keeps a message of SQS invisible as long as the process that works on it lives, and hardly longer.

A queue's visibility time-out has to be longer than the function's (AWS Lambda, "Using Lambda with Amazon SQS"): a slice
whose worker was killed would come again after half an hour.
"""

import threading
from contextlib import suppress
from typing import Protocol, Self

from waybill.scanning.errors import QueueUnavailableError

BEAT_SECONDS = 15.0
INVISIBLE_SECONDS = 45


class _Queue(Protocol):
    def wait(self, receipt_handle: str, seconds: int) -> None: ...


class Heartbeat:
    """Says in a thread of its own that somebody works on the message; a context."""

    def __init__(self, queue: _Queue, receipt_handle: str, *, every: float = BEAT_SECONDS) -> None:
        self._queue = queue
        self._receipt_handle = receipt_handle
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def _beat(self) -> None:
        while True:
            with suppress(QueueUnavailableError):
                self._queue.wait(self._receipt_handle, INVISIBLE_SECONDS)
            if self._ended.wait(self._every):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
