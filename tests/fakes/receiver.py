"""A receiver of webhooks on 127.0.0.1, as README describes one: it verifies, and takes each event once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from waybill.scanning.domain.signatures import EVENT_HEADER, SIGNATURE_HEADER, verify


@dataclass
class Receiver:
    """Answers 500 to the first `failures` requests, 401 to what is not signed with `secret`."""

    secret: bytes
    failures: int = 0
    url: str = ""
    requests: int = 0
    refused: int = 0
    taken: dict[str, list[bytes]] = field(default_factory=dict)

    def answer(self, headers: Any, body: bytes, now: float) -> int:
        """Return the status of the answer to one request."""
        self.requests += 1
        if self.requests <= self.failures:
            return 500
        if not verify(self.secret, headers.get(SIGNATURE_HEADER, ""), body, now):
            self.refused += 1
            return 401
        self.taken.setdefault(headers[EVENT_HEADER], []).append(body)
        return 204


class _Handler(BaseHTTPRequestHandler):
    receiver: ClassVar[Receiver]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.receiver.answer(self.headers, body, time.time()))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def receiving(secret: bytes, failures: int = 0) -> Iterator[Receiver]:
    """Let a receiver listen on a free port for a while."""
    receiver = Receiver(secret, failures)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": receiver}))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=in-the-query"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
