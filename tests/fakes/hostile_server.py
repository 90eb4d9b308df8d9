"""A server on 127.0.0.1 that says what a test lets it say, byte by byte."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

type Answering = Callable[["Call"], Iterable[bytes]]


@dataclass
class Call:
    """One connection, with what has been asked on it."""

    connection: socket.socket
    stop: threading.Event
    request: bytes = b""

    def wait(self, seconds: float) -> None:
        """Wait, unless the test is over."""
        self.stop.wait(seconds)


@dataclass
class HostileServer:
    """What it has seen."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def serving(answering: Answering, *, tls: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """Serve on a free port: to each request, what `answering` yields, in pieces of its own."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        server = HostileServer(listening.getsockname()[1])

        def talk(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.settimeout(20)
                spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
                while request := _request(spoken):
                    server.requests.append(request)
                    for piece in answering(Call(spoken, stop, request)):
                        if stop.is_set():
                            return
                        spoken.sendall(piece)
                    if b"connection: close" in request.lower():
                        return

        def accept() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    connection, _ = listening.accept()
                    server.connections += 1
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()


def _request(connection: socket.socket) -> bytes:
    """Return a whole request, with the body that its length announces; nothing at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
