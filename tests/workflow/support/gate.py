"""The gate between the functions and the embedded AWS: every request of every function goes through it.

It passes requests on as they are, remembers them, and on demand refuses them, holds them, loses their answers, or lets
something happen in between, as networks, services and people do.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple

from tests.workflow.support.calls import Call
from tests.workflow.support.polling import DEADLINE

_HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding"})
_ALWAYS = 1_000_000


class Answer(NamedTuple):
    """Status, headers and body of a response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


type Forward = Callable[[], Answer]


class Refusal(NamedTuple):
    """HTTP status and code of an error."""

    status: int
    code: str


SLOW_DOWN = Refusal(503, "SlowDown")
# Faults that pass, of S3 and of DynamoDB, and that boto3 does not repeat by itself.
ABORTED = Refusal(409, "OperationAborted")
BUSY = Refusal(400, "ServiceUnavailable")


@dataclass
class Fault:
    """What happens to the next `times` calls that match; `seen` counts those that it has happened to."""

    operation: str
    about: str
    happen: Callable[["Fault", Call, Forward], Answer | None]
    bucket: str | None = None
    part: str | None = None
    times: int = _ALWAYS
    seen: int = 0
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gone_on: threading.Event = field(default_factory=threading.Event)

    def matches(self, call: Call) -> bool:
        """Return whether it happens to `call`."""
        return (
            self.seen < self.times
            and call.operation == self.operation
            and call.about(self.about)
            and self.bucket in {None, call.bucket}
            and self.part in {None, call.query.get("partNumber")}
        )

    def wait(self, calls: int = 1, within: float = DEADLINE) -> None:
        """Return when so many more calls are held."""
        for _ in range(calls):
            assert self.arrived.acquire(timeout=within), f"no {self.operation} about {self.about} in {within} s"

    def go_on(self) -> None:
        """Let the held calls pass, and all later ones."""
        self.gone_on.set()


class Gate:
    """An HTTP server on 127.0.0.1 before the embedded AWS on `port`; requests keep the signature they came with."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._lock = threading.Condition()
        self._faults: list[Fault] = []
        self._calls: list[Call] = []
        self._under_way: list[Call] = []
        handler = type("Handler", (_Handler,), {"gate": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def calls(self, about: str, *operations: str, bucket: str | None = None) -> list[Call]:
        """Return the calls about `about`, oldest first; of `operations` alone where any are named.

        What a call has done can be seen before the call has ended: those under way are waited for, but for those held.
        """
        with self._lock:
            under_way = [call for call in self._under_way if call.about(about)]
            ended = self._lock.wait_for(lambda: not any(call in self._under_way for call in under_way), DEADLINE)
            assert ended, f"calls about {about} that do not end"
            return [
                call
                for call in self._calls
                if call.about(about)
                and (not operations or call.operation in operations)
                and bucket in {None, call.bucket}
            ]

    def refusing(
        self,
        operation: str,
        about: str,
        refusal: Refusal = SLOW_DOWN,
        *,
        bucket: str | None = None,
        times: int = _ALWAYS,
        made: bool = False,
    ) -> AbstractContextManager[Fault]:
        """Answer matching calls with an error; `made`: they are made all the same, and their own answer is lost."""

        def refuse(fault: Fault, call: Call, forward: Forward) -> Answer:
            if made:
                forward()
            return _error(call.service, refusal)

        return self._happening(Fault(operation, about, refuse, bucket, times=times))

    def holding(
        self, operation: str, about: str, *, bucket: str | None = None, part: str | None = None, times: int = _ALWAYS
    ) -> AbstractContextManager[Fault]:
        """Keep matching calls back until `go_on`; of the parts of an upload, `part` alone."""

        def hold(fault: Fault, call: Call, forward: Forward) -> Answer:
            self._ended(call)
            fault.arrived.release()
            fault.gone_on.wait()
            self._begun(call)
            return forward()

        return self._happening(Fault(operation, about, hold, bucket, part, times))

    def losing_answers(
        self, operation: str, about: str, *, bucket: str | None = None, times: int
    ) -> AbstractContextManager[Fault]:
        """Pass matching calls on, and close the connection instead of answering."""

        def lose(fault: Fault, call: Call, forward: Forward) -> None:
            forward()

        return self._happening(Fault(operation, about, lose, bucket, times=times))

    def after(
        self, operation: str, about: str, then: Callable[[Call], object], *, bucket: str | None = None, times: int = 1
    ) -> AbstractContextManager[Fault]:
        """Let `then` happen between matching calls and their answers."""

        def act(fault: Fault, call: Call, forward: Forward) -> Answer:
            answer = forward()
            then(call)
            return answer

        return self._happening(Fault(operation, about, act, bucket, times=times))

    @contextmanager
    def _happening(self, fault: Fault) -> Iterator[Fault]:
        with self._lock:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            with self._lock:
                self._faults.remove(fault)
            fault.go_on()

    def pass_on(self, call: Call, forward: Forward) -> Answer | None:
        """Return the answer to `call`, None when it is lost."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.matches(call)), None)
            if fault:
                fault.seen += 1
        self._begun(call)
        try:
            answer = fault.happen(fault, call, forward) if fault else forward()
            with self._lock:
                self._calls.append(replace(call, ended=time.monotonic()))
            return answer
        finally:
            self._ended(call)

    def _begun(self, call: Call) -> None:
        with self._lock:
            self._under_way.append(call)

    def _ended(self, call: Call) -> None:
        with self._lock:
            self._under_way.remove(call)
            self._lock.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a function that has ended waits for no answer
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: ClassVar[Gate]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = Call.of(self.command, self.path, self.headers, body)
        answer = self.gate.pass_on(call, lambda: self._forward(body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _forward(self, body: bytes) -> Answer:
        # One connection per request: the server behind closes those that are idle for a while.
        with closing(http.client.HTTPConnection("127.0.0.1", self.gate.port)) as behind:
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_HEADERS:
                    behind.putheader(name, value)
            behind.endheaders(body or None)
            response = behind.getresponse()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_HEADERS]
            return Answer(response.status, headers, response.read())

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _error(service: str, refusal: Refusal) -> Answer:
    """Return an error as `service` would send it."""
    status, code = refusal
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>from the gate</Message></Error>"
        return Answer(status, [("Content-Type", "application/xml")], body.encode())
    if service == "sns":
        body = f"<ErrorResponse><Error><Code>{code}</Code><Message>from the gate</Message></Error></ErrorResponse>"
        return Answer(status, [("Content-Type", "text/xml")], body.encode())
    body = json.dumps({"__type": code, "message": "from the gate"})
    return Answer(status, [("Content-Type", "application/x-amz-json-1.0")], body.encode())
