"""The gate between the functions and the embedded AWS: every request of every function goes through it.

It passes requests on as they are, remembers them, and on demand refuses them, holds them, or loses their answers, as
networks and services do.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

_HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "proxy-connection"})


@dataclass(frozen=True)
class Call:
    """One request; `operation` is its name in the service's API, `bucket` and `key` are those of S3."""

    service: str
    operation: str
    bucket: str
    key: str
    body: str
    started: float
    ended: float = 0.0

    def about(self, text: str) -> bool:
        """Return whether `text` is in its key or its body."""
        return text in self.key or text in self.body


@dataclass
class Fault:
    """What happens to the next `times` calls that match; `seen` counts those that it happened to."""

    operation: str
    about: str
    bucket: str | None
    times: int
    happen: Callable[["Fault", Call, Callable[[], "Answer"]], "Answer | None"]
    seen: int = 0
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gone_on: threading.Event = field(default_factory=threading.Event)

    def matches(self, call: Call) -> bool:
        """Return whether the fault is about `call`."""
        return (
            self.seen < self.times
            and call.operation == self.operation
            and call.about(self.about)
            and self.bucket in (None, call.bucket)
        )

    def wait(self, calls: int = 1, within: float = 30) -> None:
        """Return when so many more calls are here."""
        for _ in range(calls):
            assert self.arrived.acquire(timeout=within), f"no {self.operation} about {self.about} in {within} s"

    def go_on(self) -> None:
        """Let the held calls pass, and all later ones."""
        self.gone_on.set()


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of a response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gate:
    """An HTTP server on 127.0.0.1 in front of `endpoint`; requests keep the signature that they came with."""

    def __init__(self, port: int) -> None:
        self._behind = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._calls: list[Call] = []
        gate = self

        class Handler(_Handler):
            passing = gate

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for fault in self._faults:
            fault.go_on()
        self._server.shutdown()
        self._server.server_close()

    def calls(self, about: str, *operations: str) -> list[Call]:
        """Return the calls about `about` that have ended, oldest first; of `operations` alone where any are named."""
        with self._lock:
            return [
                call for call in self._calls if call.about(about) and (not operations or call.operation in operations)
            ]

    def operations(self, about: str, service: str) -> list[str]:
        """Return the operations of the calls about `about` to `service`, oldest first."""
        return [call.operation for call in self.calls(about) if call.service == service]

    @contextmanager
    def refusing(
        self,
        operation: str,
        about: str,
        *,
        status: int = 503,
        code: str = "SlowDown",
        bucket: str | None = None,
        times: int = 1_000_000,
    ) -> Iterator[Fault]:
        """Answer matching calls with an error, without passing them on."""

        def refuse(fault: Fault, call: Call, forward: Callable[[], Answer]) -> Answer:
            return _error(call.service, status, code)

        with self._happening(Fault(operation, about, bucket, times, refuse)) as fault:
            yield fault

    @contextmanager
    def holding(
        self, operation: str, about: str, *, bucket: str | None = None, times: int = 1_000_000, after: bool = False
    ) -> Iterator[Fault]:
        """Hold matching calls until `go_on`; `after`: the call is made, and its answer is held."""

        def hold(fault: Fault, call: Call, forward: Callable[[], Answer]) -> Answer:
            answer = forward() if after else None
            fault.arrived.release()
            fault.gone_on.wait()
            return answer or forward()

        with self._happening(Fault(operation, about, bucket, times, hold)) as fault:
            yield fault

    @contextmanager
    def losing_answers(self, operation: str, about: str, *, times: int, bucket: str | None = None) -> Iterator[Fault]:
        """Make matching calls, and close the connection instead of answering."""

        def lose(fault: Fault, call: Call, forward: Callable[[], Answer]) -> None:
            forward()

        with self._happening(Fault(operation, about, bucket, times, lose)) as fault:
            yield fault

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

    def pass_on(self, call: Call, forward: Callable[[], Answer]) -> Answer | None:
        """Return the answer to `call`, None when it is lost."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.matches(call)), None)
            if fault:
                fault.seen += 1
        answer = fault.happen(fault, call, forward) if fault else forward()
        with self._lock:
            self._calls.append(
                Call(
                    call.service, call.operation, call.bucket, call.key, call.body, call.started, ended=time.monotonic()
                )
            )
        return answer

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to what is behind."""
        return http.client.HTTPConnection(*self._behind)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    passing: ClassVar[Gate]
    _connection: http.client.HTTPConnection | None = None

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding"):
            raise AssertionError("chunked requests are not passed on")
        answer = self.passing.pass_on(_call(self.command, self.path, self.headers, body), lambda: self._forward(body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name, _ in answer.headers}:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _forward(self, body: bytes) -> Answer:
        if self._connection is None:
            self._connection = self.passing.connect()
        connection = self._connection
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_HEADERS:
                connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_HEADERS]
        return Answer(response.status, headers, content)

    def finish(self) -> None:
        if self._connection is not None:
            self._connection.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _call(method: str, path: str, headers: Any, body: bytes) -> Call:
    scope = headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else "unsigned"
    text = body.decode(errors="replace")
    bucket = key = ""
    if service == "s3":
        address = urlsplit(path)
        bucket, _, key = unquote(address.path).removeprefix("/").partition("/")
        operation = _s3_operation(method, parse_qs(address.query, keep_blank_values=True), headers, key)
    elif "X-Amz-Target" in headers:
        operation = headers["X-Amz-Target"].rpartition(".")[2]
    else:
        operation = next(iter(parse_qs(text).get("Action", [f"{method} {path}"])))
    return Call(service, operation, bucket, key, text, time.monotonic())


def _s3_operation(method: str, query: dict[str, list[str]], headers: Any, key: str) -> str:
    part = "partNumber" in query
    match method:
        case "PUT" if "x-amz-copy-source" in headers:
            return "UploadPartCopy" if part else "CopyObject"
        case "POST" if "uploads" in query:
            return "CreateMultipartUpload"
        case "POST" if "uploadId" in query:
            return "CompleteMultipartUpload"
        case "DELETE" if "uploadId" in query:
            return "AbortMultipartUpload"
        case "GET" if "uploadId" in query:
            return "ListParts"
        case "GET" if "uploads" in query:
            return "ListMultipartUploads"
        case "GET" if "tagging" in query:
            return "GetObjectTagging"
        case "GET" if "location" in query:
            return "GetBucketLocation"
        case "HEAD" | "GET":
            return f"{method.title()}{'Object' if key else 'Bucket'}"
    return f"{method} {sorted(query)}"


def _error(service: str, status: int, code: str) -> Answer:
    """Return an error as `service` would send it."""
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{code} from the gate</Message></Error>"
        return Answer(status, [("Content-Type", "application/xml")], body.encode())
    if service == "sns":
        body = f"<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>gate</Message></Error></ErrorResponse>"
        return Answer(status, [("Content-Type", "text/xml")], body.encode())
    body = json.dumps({"__type": code, "message": f"{code} from the gate"})
    return Answer(status, [("Content-Type", "application/x-amz-json-1.0")], body.encode())
