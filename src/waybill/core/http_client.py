"""The only HTTP client: for addresses that others have written, or that others answer at.

What it holds, whoever is on the other side:

- The name is resolved once, every address that it has is judged, and the connection goes to one that was judged: a name
  that resolves to something else the second time gains nothing. The certificate is checked by the name.
- No redirect is followed, no proxy is taken from the environment, no credentials stand in a URL.
- One deadline ends the whole exchange: the name, the connection, TLS, the request, each line of the header, the body.
- Header and body are bounded; the body comes in pieces as it arrives, and is neither unpacked nor decoded.

No message holds the URL, which may name a person or hold a secret. It is built on the standard library's `http.client`,
with a socket that this module connects (`docs/decisions/0019`): a function needs no layer for it.
"""

import io
import queue
import select
import socket  # noqa: TID251 - this is it
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import HTTPConnection, HTTPException, HTTPResponse  # noqa: TID251 - this is it
from typing import ClassVar, cast
from urllib.parse import urlsplit

from waybill.core.errors import PermanentError, RetryableError
from waybill.core.hosts import is_public

type Resolver = Callable[[str, int], list[str]]

_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL_LIMIT = 4096
_PIECE_BYTES = 65_536
# A body in chunks of one byte has this many bytes of framing to each of its own (RFC 9112, 7.1), and a trailer.
_FRAMING = 8
_IDLE_CONNECTIONS = 16


def resolve(host: str, port: int) -> list[str]:
    """Return the numeric addresses of a host; raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class RequestRefusedError(PermanentError):
    """Nothing is sent there: the URL, a header or an address of the host is not what a request may have."""

    code: ClassVar[str] = "ADDRESS_REFUSED"


class UnreachableError(RetryableError):
    """There is no connection: no address, nobody who answers, or a certificate that is not the host's."""

    code: ClassVar[str] = "UNREACHABLE"


class TimedOutError(RetryableError):
    """The exchange was not over in time."""

    code: ClassVar[str] = "TIMED_OUT"


class BrokenAnswerError(RetryableError):
    """The answer broke off, or is no HTTP."""

    code: ClassVar[str] = "BROKE_OFF"


class AnswerTooLargeError(PermanentError):
    """The body is larger than it may be."""

    code: ClassVar[str] = "ANSWER_TOO_LARGE"


@dataclass(frozen=True)
class ExchangeLimits:
    """Bounds of an exchange: seconds for a connection and for each next piece of an answer; bytes of its two parts."""

    connect_seconds: float = 5.0
    silence_seconds: float = 30.0
    header_bytes: int = 65_536
    body_bytes: int = 1 << 20


class HttpAnswer:
    """The head of an answer, and its body as it comes.

    Attributes
    ----------
    status : int
        From 200 on; one of a redirect too.
    headers : Mapping[str, str]
        By names in lower case; the values of one that comes more than once, joined by commas.
    chunks : Iterator[bytes]
        The body, once. Reading it raises TimedOutError, BrokenAnswerError or AnswerTooLargeError.
    """

    def __init__(self, response: HTTPResponse, line: "_Line", limits: ExchangeLimits) -> None:
        self.status = response.status
        self.headers = _headers(response)
        self.chunks = self._read_on(response, line, limits.body_bytes)
        self.is_finished = False

    def read(self) -> bytes:
        """Return the whole body, which is as large as the limits allow at most; raises as `chunks`."""
        return b"".join(self.chunks)

    def _read_on(self, response: HTTPResponse, line: "_Line", limit: int) -> Iterator[bytes]:
        announced = _announced_length(self, response)
        if announced is not None and announced > limit:
            raise AnswerTooLargeError(f"the answer has more than {limit} bytes")
        line.allow((limit + 1) * _FRAMING + _PIECE_BYTES)
        size = 0
        with _translated(OSError, BrokenAnswerError):
            while piece := response.read1(_PIECE_BYTES):
                size += len(piece)
                if size > limit:
                    raise AnswerTooLargeError(f"the answer has more than {limit} bytes")
                yield piece
        if announced is not None and size != announced:
            raise BrokenAnswerError("the answer ended before its end")
        response.close()
        self.is_finished = True


class HttpClient:
    """Makes requests; safe for use by several threads.

    Parameters
    ----------
    schemes : frozenset[str]
        Those that may be used, of `https` and `http`.
    permits : Callable[[str], bool]
        Whether a connection may be made to a numeric address. Who allows certain hosts alone checks the URL before.
    resolver : Resolver
        Returns the numeric addresses of a host and port.
    tls : ssl.SSLContext, optional
        Whom to trust; by default the authorities that the system trusts.
    limits : ExchangeLimits
        Bounds of every exchange.
    kept_seconds : float
        How long a connection waits for the next request to the same host and port; 0 for one exchange per connection.
    """

    def __init__(
        self,
        *,
        schemes: frozenset[str] = frozenset({"https"}),
        permits: Callable[[str], bool] = is_public,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
        limits: ExchangeLimits | None = None,
        kept_seconds: float = 0.0,
    ) -> None:
        self._schemes = schemes
        self._permits = permits
        self._resolve = resolver
        self._tls = tls
        self._limits = limits or ExchangeLimits()
        self._idle = _Idle(kept_seconds)

    def close(self) -> None:
        """Close the connections that wait for another request."""
        self._idle.close()

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[HttpAnswer]:
        """Send a request, and give the answer while the context is open; all is over by `deadline`.

        Parameters
        ----------
        method, url, headers, body
            What is sent. A length, the host and that nothing may be compressed are added.
        deadline : float
            In seconds of `time.monotonic`. The time in which the answer is used counts.

        Raises
        ------
        RequestRefusedError
            Nothing is sent there.
        UnreachableError, TimedOutError, BrokenAnswerError
            There is no answer.
        """
        target = _Target.parse(url, self._schemes)
        connection = self._idle.take(target) or self._connect(target, deadline)
        try:
            connection.line.begin(deadline, self._limits)
            connection.ask(method, target.path, body, self._sent(headers))
            response = connection.answer()
            answer = HttpAnswer(response, connection.line, self._limits)
            yield answer
        except BaseException:
            connection.line.shut()
            raise
        if answer.is_finished and not response.will_close:
            self._idle.keep(target, connection)
        else:
            connection.line.shut()

    def _sent(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        kept = {} if self._idle.seconds else {"Connection": "close"}
        return {"Accept-Encoding": "identity", "User-Agent": "waybill", **kept, **(headers or {})}

    def _connect(self, target: "_Target", deadline: float) -> "_Connection":
        addresses = self._addresses(target, deadline)
        # One that is forbidden spoils the name: a resolver that mixes them is not to be trusted.
        if not addresses or not all(self._permits(address) for address in addresses):
            raise RequestRefusedError("its address is in a network that is not public")
        failure: Exception = UnreachableError("no address")
        for address in addresses:
            seconds = min(self._limits.connect_seconds, _left(deadline))
            try:
                with _translated(OSError, UnreachableError):
                    return self._connection(target, address, seconds, deadline)
            except (UnreachableError, TimedOutError) as error:
                failure = error
        raise failure

    def _connection(self, target: "_Target", address: str, seconds: float, deadline: float) -> "_Connection":
        connected = socket.create_connection((address, target.port), seconds)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.scheme == "https":
                connected = self._context().wrap_socket(
                    connected, server_hostname=target.host, do_handshake_on_connect=False
                )
                connected.settimeout(min(self._limits.connect_seconds, _left(deadline)))
                connected.do_handshake()
        except BaseException:
            connected.close()
            raise
        return _Connection(target, _Line(connected))

    def _context(self) -> ssl.SSLContext:
        # Reading the authorities takes a while: not before they are needed, and once.
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _addresses(self, target: "_Target", deadline: float) -> list[str]:
        """Resolve the name, on a thread: the system's resolver knows no deadline."""
        found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(self._resolve(target.host, target.port))
            except Exception as error:  # it is raised where the answer is waited for
                found.put(error)

        seconds = _left(deadline)
        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = found.get(timeout=seconds)
        except queue.Empty:
            raise TimedOutError("the name of the host was not resolved in time") from None
        if isinstance(answer, (OSError, UnicodeError)):
            raise UnreachableError("the name of the host has no address") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True)
class _Target:
    """Where a request goes; `path` with the query."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, schemes: frozenset[str]) -> "_Target":
        """Return the parts of `url`; raises RequestRefusedError."""
        if len(url) > _URL_LIMIT or any(char <= " " or char in '\\"<>' or char > "~" for char in url):
            raise RequestRefusedError("the URL is too long, or holds characters that a URL has not")
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            raise RequestRefusedError("it is no URL") from None
        if parts.scheme not in schemes or not port or not parts.hostname:
            raise RequestRefusedError(f"it is no absolute URL of {' or '.join(sorted(schemes))}")
        if parts.username is not None or parts.password is not None:
            raise RequestRefusedError("the URL holds credentials")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return cls(parts.scheme, parts.hostname.rstrip("."), port, path)


class _Line:
    """A connected socket whose every operation ends when the exchange's time does: a trickle does not prolong it.

    It has what `HTTPConnection` asks of a socket: `sendall`, `makefile` and `close`.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._deadline = 0.0
        self._silence = 0.0
        self._allowed = 0

    def begin(self, deadline: float, limits: ExchangeLimits) -> None:
        """Begin an exchange; the header comes first."""
        self._deadline, self._silence, self._allowed = deadline, limits.silence_seconds, limits.header_bytes

    def allow(self, size: int) -> None:
        """Let this many more bytes be received."""
        self._allowed = size

    def sendall(self, data: bytes) -> None:
        """Send `data`."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(min(self._silence, _left(self._deadline)))
            rest = rest[self._socket.send(rest) :]

    def receive_into(self, buffer: memoryview) -> int:
        """Receive what has come, into `buffer`; return how much, 0 at the end."""
        if self._allowed <= 0:
            raise BrokenAnswerError("the head of the answer, or the framing of its body, does not end")
        self._socket.settimeout(min(self._silence, _left(self._deadline)))
        count = self._socket.recv_into(buffer[: self._allowed])
        self._allowed -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the answer as a file."""
        return io.BufferedReader(_Received(self))

    def close(self) -> None:
        """Do nothing: `HTTPConnection` is done with the line before the body is read; `shut` closes it."""

    def shut(self) -> None:
        """Close the socket."""
        self._socket.close()

    def is_quiet(self) -> bool:
        """Return whether nobody has closed the line, nor sent what was not asked for."""
        try:
            waits = select.poll()
            waits.register(self._socket, select.POLLIN | select.POLLERR | select.POLLHUP)
            pending = self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0
            return not pending and not waits.poll(0)
        except (OSError, ValueError):
            return False


class _Received(io.RawIOBase):
    """What comes through a line, as a file."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._line.receive_into(memoryview(buffer))


class _Connection(HTTPConnection):
    """HTTP on a line that is connected already."""

    def __init__(self, target: _Target, line: _Line) -> None:
        super().__init__(target.host, target.port)
        self.default_port = _DEFAULT_PORTS[target.scheme]
        self.line = line

    def connect(self) -> None:
        self.sock = cast("socket.socket", self.line)

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request; raises as `HttpClient.exchange`."""
        try:
            with _translated(OSError, BrokenAnswerError):
                self.request(method, path, body, headers)
        except ValueError:
            raise RequestRefusedError("the URL or a header of the request is malformed") from None

    def answer(self) -> HTTPResponse:
        """Return the answer, whose head has been read; raises as `HttpClient.exchange`."""
        with _translated((OSError, ValueError), BrokenAnswerError):
            response = self.getresponse()
        defects = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)
        if response.status < 200 or any(isinstance(defect, defects) for defect in response.headers.defects):
            raise BrokenAnswerError("the answer is no HTTP")
        return response


class _Idle:
    """Connections that wait for the next request to where they lead, for `seconds` at most."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, _Target, _Connection]] = []

    def take(self, target: _Target) -> _Connection | None:
        """Return one that leads there and can be used, None without one."""
        place = target.scheme, target.host, target.port
        while True:
            with self._lock:
                found = next((one for one in self._waiting if (one[1].scheme, one[1].host, one[1].port) == place), None)
                if found is None:
                    return None
                self._waiting.remove(found)
            since, _, connection = found
            if time.monotonic() - since < self.seconds and connection.line.is_quiet():
                return connection
            connection.line.shut()

    def keep(self, target: _Target, connection: _Connection) -> None:
        """Let it wait."""
        with self._lock:
            self._waiting.append((time.monotonic(), target, connection))
            surplus = self._waiting[:-_IDLE_CONNECTIONS] if self.seconds else self._waiting[:]
            self._waiting = self._waiting[len(surplus) :]
        for _, _, other in surplus:
            other.line.shut()

    def close(self) -> None:
        """Close them."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, _, connection in waiting:
            connection.line.shut()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimedOutError("there was no answer in time")
    return left


@contextmanager
def _translated(
    broken: type[Exception] | tuple[type[Exception], ...], error_class: type[UnreachableError | BrokenAnswerError]
) -> Iterator[None]:
    """Turn what the library raises into ours; its messages, which may hold the URL, stay behind."""
    try:
        yield
    except TimeoutError:
        raise TimedOutError("there was no answer in time") from None
    except HTTPException as error:
        raise BrokenAnswerError(f"the answer broke off, or is no HTTP ({type(error).__name__})") from None
    except broken as error:
        said = "no connection" if error_class is UnreachableError else "the connection broke"
        raise error_class(f"{said} ({type(error).__name__})") from None


def _headers(response: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        lowered = name.lower()
        headers[lowered] = f"{headers[lowered]}, {value}" if lowered in headers else value
    return headers


def _announced_length(answer: HttpAnswer, response: HTTPResponse) -> int | None:
    """Return how many bytes the body says that it has, None where it does not; raises BrokenAnswerError."""
    encoding, lengths = answer.headers.get("transfer-encoding"), response.headers.get_all("content-length", [])
    if encoding is not None:
        if encoding.strip().lower() != "chunked":
            raise BrokenAnswerError("the answer has a transfer coding that was not asked for")
        return None
    # A header of one length twice is the same as once (RFC 9110, 8.6).
    said = {length.strip() for length in ",".join(lengths).split(",")} if lengths else set()
    if len(said) > 1 or any(not (length.isascii() and length.isdigit() and len(length) < 20) for length in said):
        raise BrokenAnswerError("the answer says its length in a way that is none")
    # No body comes with some answers, whatever length they say.
    return 0 if response.length == 0 else next(map(int, said), None)
