"""`Web` on httpx: to checked addresses only, without redirects, and over when time is up."""

import logging
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from waybill.core.addresses import Resolver, resolve
from waybill.subject_access.domain.upstream.addresses import AddressRefusedError, Destinations
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import PassingServiceError, ServiceError
from waybill.subject_access.domain.upstream.ports import Reply

_CHUNK_BYTES = 65536
_CONNECTIONS = 16
_KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class Timeouts:
    """How long, in seconds, to wait for a connection, and for each next piece of an answer."""

    connect: float = 5.0
    read: float = 30.0


class HttpWeb:
    """One pool of connections; safe for use by several threads."""

    def __init__(
        self,
        destinations: Destinations,
        timeouts: Timeouts | None = None,
        resolver: Resolver = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        # They log URLs, whose queries name people, and headers with tokens, at levels that a setting may turn on.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._destinations = destinations
        self._timeouts = timeouts or Timeouts()
        self._time = _Time()
        verified = context or httpx.create_ssl_context(trust_env=False)
        transport = httpx.HTTPTransport(verify=verified, trust_env=False)
        # httpx has no option for the network backend, where names become addresses; httpcore below it has.
        transport._pool = httpcore.ConnectionPool(
            ssl_context=verified,
            max_connections=_CONNECTIONS,
            # A function may sleep for minutes between two invocations, and its connections die meanwhile.
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=_CheckedNetwork(destinations, resolver, self._time),
        )
        # Nothing may come from the environment: a proxy would resolve names by itself.
        self._client = httpx.Client(transport=transport, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(
        self, url: str, *, parameters: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Ask; see `ports.Web.get`. `deadline` is of `time.monotonic`."""
        return self._exchange("GET", url, headers, deadline, params=parameters or None)

    def post(
        self, url: str, *, form: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Send a form; see `ports.Web.post`."""
        return self._exchange("POST", url, headers, deadline, data=form)

    @contextmanager
    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], deadline: float, **sending: Any
    ) -> Iterator[Reply]:
        timeouts = httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect)
        # What is read must be what was counted: no compression.
        sent = {"Accept-Encoding": "identity", "User-Agent": "waybill", **headers}
        try:
            self._destinations.check(url)
        except AddressRefusedError as error:
            raise ServiceError(Code.ADDRESS_REFUSED, f"no request is sent there: {error}") from None
        with (
            self._time.until(deadline),
            _translated(),
            self._client.stream(method, url, headers=sent, timeout=timeouts, **sending) as response,
        ):
            names = {name.lower(): value for name, value in response.headers.items()}
            yield Reply(response.status_code, names, _chunks(response))


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    with _translated():
        yield from response.iter_raw(_CHUNK_BYTES)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what httpx raises into ours; the messages of httpx, which may hold the URL, stay behind."""
    try:
        yield
    except AddressRefusedError as error:
        raise ServiceError(Code.ADDRESS_REFUSED, f"no request is sent there: {error}") from None
    except httpx.TimeoutException:
        raise PassingServiceError(Code.TIMED_OUT, "the service did not answer in time") from None
    except (httpx.RemoteProtocolError, httpx.ReadError):
        raise PassingServiceError(Code.BROKE_OFF, "the answer broke off, or is no HTTP") from None
    except httpx.TransportError as error:
        raise PassingServiceError(Code.UNREACHABLE, f"no connection: {type(error).__name__}") from None
    except (httpx.InvalidURL, httpx.LocalProtocolError):
        raise ServiceError(Code.ADDRESS_REFUSED, "the URL or a header of the request is malformed") from None


class _Time(threading.local):
    """When the request that this thread makes has to be over. A connection outlives its requests."""

    deadline = float("inf")

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        before, self.deadline = self.deadline, deadline
        try:
            yield
        finally:
            self.deadline = before

    def left(self, timeout: float | None, error: type[Exception]) -> float:
        """Return how long an operation may take that would otherwise have `timeout` seconds; raises `error` at zero."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise error("time is up")
        return remaining if timeout is None else min(timeout, remaining)


class _CheckedNetwork(httpcore.NetworkBackend):
    """Resolves a name once, judges the addresses, and connects to one of those that it judged."""

    def __init__(self, destinations: Destinations, resolver: Resolver, at: _Time) -> None:
        self._destinations = destinations
        self._resolve = resolver
        self._time = at
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name has no address") from None
        # One that is forbidden spoils the name: a resolver that mixes them is not to be trusted.
        if not addresses or not all(self._destinations.permits(address) for address in addresses):
            raise AddressRefusedError("its address is in a network that is not public")
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                left = self._time.left(timeout, httpcore.ConnectTimeout)
                stream = self._network.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._time)
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every operation ends when the request's time does: a trickle of bytes does not prolong it."""

    def __init__(self, stream: httpcore.NetworkStream, at: _Time) -> None:
        self._stream = stream
        self._time = at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._time.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._time.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._time.left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._time)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
