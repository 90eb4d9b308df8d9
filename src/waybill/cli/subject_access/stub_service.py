"""Services that hold data about people, as small as can be: they speak the upstream contract on loopback.

Well or badly, as they are told: for the demo, for trying a deployment out, and for tests. Real HTTP, no mock.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

_PATH = "/subject-access-request"
_PIECE = b" " * 65536
_POLL_SECONDS = 0.05


class Manner(StrEnum):
    """How a reply is sent."""

    WHOLE = "whole"
    NEVER = "never"  # the request is read, and nothing is ever answered
    ENDLESS = "endless"  # a body of white space without an end
    TRICKLE = "trickle"  # a byte now and then, in the head already
    CUT = "cut"  # half of the announced body, then the connection closes
    UNSIZED = "unsized"  # no Content-Length: the end of the connection is the end of the body


@dataclass(frozen=True)
class StubReply:
    """One reply, sent after `delay` seconds."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    manner: Manner = Manner.WHOLE

    @classmethod
    def data(cls, content: Any, attachments: Sequence[Mapping[str, Any]] = (), delay: float = 0.0) -> Self:
        """Return the reply of a service that holds `content`."""
        body = json.dumps({"content": content, "attachments": list(attachments)}, ensure_ascii=False).encode()
        return cls(body=body, headers={"Content-Type": "application/json"}, delay=delay)


@dataclass
class StubService:
    """One service: `replies` in turn, the last one for ever; `files` by name, for attachments."""

    replies: list[StubReply]
    template: StubReply = field(default_factory=lambda: StubReply(404))
    files: dict[str, list[StubReply]] = field(default_factory=dict)


@dataclass(frozen=True)
class StubCall:
    """One request that was made of a stub: `path` below the service, `headers` with names in lower case."""

    service: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class StubServer:
    """Serves stub services at `http://127.0.0.1:<port>/<service>` until it is closed; port 0 is any free one."""

    def __init__(self, services: Mapping[str, StubService], port: int = 0) -> None:
        self.services = dict(services)
        self.calls: list[StubCall] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        # Made here: a thread that was made before a fork cannot be started after it.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self._server.server_address[1])

    def url(self, service: str) -> str:
        """Return the base address of a service."""
        return f"http://127.0.0.1:{self.port}/{service}"

    def calls_of(self, service: str, path: str = _PATH) -> list[StubCall]:
        """Return the requests so far for one path of a service."""
        with self._lock:
            return [call for call in self.calls if (call.service, call.path) == (service, path)]

    def reply_to(self, call: StubCall) -> StubReply:
        """Record `call` and return the reply to it."""
        with self._lock:
            self.calls.append(call)
            service = self.services.get(call.service)
            if service is None:
                return StubReply(404)
            if call.path == f"{_PATH}/template":
                return service.template
            if call.path == _PATH:
                return _next(service.replies)
            return _next(service.files.get(call.path.removeprefix("/files/"), [StubReply(404)]))


def _next(replies: list[StubReply]) -> StubReply:
    return replies.pop(0) if len(replies) > 1 else replies[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many workers knock at once; the default is 5.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stub: StubServer) -> None:
        super().__init__(address, _Handler)
        self.stub = stub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this the second waits for the first to be acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        stub = self.server.stub
        parts = urlsplit(self.path)
        service, _, path = parts.path.removeprefix("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = stub.reply_to(StubCall(service, f"/{path}", dict(parse_qsl(parts.query)), headers))
        stub.closing.wait(reply.delay)
        match reply.manner:
            case Manner.NEVER:
                stub.closing.wait()
                self.close_connection = True
            case Manner.TRICKLE:
                self._trickle()
            case _:
                self._send(reply)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Log nothing: a query holds an identifier."""

    def _send(self, reply: StubReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        unsized = reply.manner in {Manner.ENDLESS, Manner.UNSIZED}
        if unsized or reply.manner is Manner.CUT:
            self.close_connection = True
        if not unsized and reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(reply.body)))
        if unsized:
            self.send_header("Connection", "close")
        self.end_headers()
        if reply.manner is Manner.ENDLESS:
            while not self.server.stub.closing.is_set():
                self.wfile.write(_PIECE)
        elif reply.status not in {204, 304}:
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.manner is Manner.CUT else reply.body)

    def _trickle(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.stub.closing.wait(_POLL_SECONDS):
            self.wfile.write(b"a")
            self.wfile.flush()


def sample_content(service: str, records: int) -> dict[str, Any]:
    """Return made-up data of a service; the same at every call."""
    return {
        "service": service,
        "records": [
            {
                "recordNumber": number,
                "createdOn": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
                "note": f"Entry {number} in the records of {service}.",
                "closed": number % 2 == 0,
            }
            for number in range(1, records + 1)
        ],
    }


def serve_until_interrupt(server: StubServer) -> None:
    """Serve until the user presses Ctrl-C, even while it begins to."""
    with suppress(KeyboardInterrupt), server:
        threading.Event().wait()
