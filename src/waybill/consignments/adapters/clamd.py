"""clamd over TCP or TLS: `StreamScanner`. Protocol: clamd(8), "COMMANDS", as ClamAV 1.4 has it."""

import re
import select
import socket  # noqa: TID251 - clamd's own protocol
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import override
from urllib.parse import urlsplit

from waybill.consignments.domain.checks.errors import ScannerUnavailableError
from waybill.consignments.domain.checks.ports import StreamScanner, StreamVerdict

_CHUNK = 1 << 18
_CONNECT_SECONDS = 10.0
_REPLY_BYTES = 4096
# "ClamAV 1.4.3/27461/Mon Nov 30 09:27:51 2026"; without a database the second part is missing.
_VERSION = re.compile(r"ClamAV (?P<version>[^/\s]+)(?:/(?P<database>[^/]+))?")
_FOUND = re.compile(r"stream: (?P<name>.+) FOUND")


class Clamd(StreamScanner):
    """A clamd at `tcp://host:port`, or at `tls://host:port` where something before it speaks TLS."""

    def __init__(self, address: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        parts = urlsplit(address)
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self._tls = ssl.create_default_context() if parts.scheme == "tls" else None
        self._monotonic = monotonic

    @override
    def version(self) -> tuple[str, str]:
        with self._connection(self._monotonic() + _CONNECT_SECONDS) as connection:
            connection.sendall(b"zVERSION\0")
            found = _VERSION.match(_reply(connection))
        if found is None:
            raise ScannerUnavailableError("clamd does not tell its version")
        return found["version"], found["database"] or ""

    @override
    def scan(self, path: Path, seconds: float) -> StreamVerdict:
        deadline = self._monotonic() + seconds
        with self._connection(deadline) as connection, path.open("rb") as file:
            try:
                connection.sendall(b"zINSTREAM\0")
                while (chunk := file.read(_CHUNK)) and not _answers(connection):
                    connection.settimeout(max(0.1, deadline - self._monotonic()))
                    connection.sendall(struct.pack("!L", len(chunk)) + chunk)
                if not chunk:
                    connection.sendall(struct.pack("!L", 0))
            except (BrokenPipeError, ConnectionResetError):
                # It has gone away: its answer may be there still.
                return _verdict(_reply(connection))
            connection.settimeout(max(0.1, deadline - self._monotonic()))
            return _verdict(_reply(connection))

    @contextmanager
    def _connection(self, deadline: float) -> Iterator[socket.socket]:
        try:
            seconds = max(0.1, min(_CONNECT_SECONDS, deadline - self._monotonic()))
            plain = socket.create_connection((self._host, self._port), seconds)
            with closing(
                plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self._host)
            ) as made:
                yield made
        except OSError as error:
            # The kind alone: what is sent is somebody's file.
            raise ScannerUnavailableError(f"clamd cannot be asked ({type(error).__name__})") from error


def _answers(connection: socket.socket) -> bool:
    """Return whether there is an answer before all was sent: of a stream that is longer than it takes."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable)


def _reply(connection: socket.socket) -> str:
    received = b""
    while b"\0" not in received and len(received) < _REPLY_BYTES:
        part = connection.recv(_REPLY_BYTES)
        if not part:
            break
        received += part
    text, end, _ = received.partition(b"\0")
    if not end:
        raise ScannerUnavailableError("clamd has not answered to the end")
    return text.decode("utf-8", "replace")


def _verdict(reply: str) -> StreamVerdict:
    if reply == "stream: OK":
        return StreamVerdict()
    if found := _FOUND.fullmatch(reply):
        return StreamVerdict(found=found["name"])
    if "size limit exceeded" in reply:
        return StreamVerdict(too_large=True)
    raise ScannerUnavailableError("clamd has failed on the stream")
