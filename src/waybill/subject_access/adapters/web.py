"""`Web` on the one HTTP client: to hosts of the allow-list only, and over when time is up."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from waybill.core.http_client import (
    AnswerTooLargeError,
    BrokenAnswerError,
    ExchangeLimits,
    HttpAnswer,
    HttpClient,
    RequestRefusedError,
    Resolver,
    TimedOutError,
    UnreachableError,
    resolve,
)
from waybill.subject_access.domain.upstream.addresses import AddressRefusedError, Destinations
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError, TransientServiceError
from waybill.subject_access.domain.upstream.ports import Reply

# A net: who reads an answer has a limit of its own, which is smaller.
_LARGEST_BODY = 4 << 30
# A function may sleep for minutes between two invocations, and its connections die meanwhile.
_KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class Timeouts:
    """How long, in seconds, to wait for a connection, and for each next piece of an answer."""

    connect: float = 5.0
    read: float = 30.0


class HttpWeb:
    """Safe for use by several threads; keeps connections for a while."""

    def __init__(
        self,
        destinations: Destinations,
        timeouts: Timeouts | None = None,
        resolver: Resolver = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        limit = timeouts or Timeouts()
        self._destinations = destinations
        self._client = HttpClient(
            schemes=frozenset({"https", "http"}),  # which of them a host may have, the allow-list says
            permits=destinations.permits,
            resolver=resolver,
            tls=context,
            limits=ExchangeLimits(connect_seconds=limit.connect, silence_seconds=limit.read, body_bytes=_LARGEST_BODY),
            kept_seconds=_KEPT_SECONDS,
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(
        self, url: str, *, parameters: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Ask; see `ports.Web.get`. `deadline` is of `time.monotonic`."""
        return self._exchange("GET", _with_query(url, parameters), headers, deadline)

    def post(
        self, url: str, *, form: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Send a form; see `ports.Web.post`."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._exchange("POST", url, sent, deadline, urlencode(form).encode())

    @contextmanager
    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], deadline: float, body: bytes | None = None
    ) -> Iterator[Reply]:
        with (
            _translated(),
            self._client.exchange(
                method, self._destinations.check(url), deadline=deadline, headers=headers, body=body
            ) as answer,
        ):
            yield Reply(answer.status, answer.headers, _chunks(answer))


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return `url` with these parameters behind those that it has."""
    if not parameters:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # it is refused as it is
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def _chunks(answer: HttpAnswer) -> Iterator[bytes]:
    with _translated():
        yield from answer.chunks


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the client's errors into those of asking a service."""
    try:
        yield
    except (AddressRefusedError, RequestRefusedError) as error:
        raise ServiceError(Code.ADDRESS_REFUSED, f"no request is sent there: {error}") from None
    except TimedOutError:
        raise TransientServiceError(Code.TIMED_OUT, "the service did not answer in time") from None
    except BrokenAnswerError:
        raise TransientServiceError(Code.BROKE_OFF, "the answer broke off, or is no HTTP") from None
    except UnreachableError as error:
        raise TransientServiceError(Code.UNREACHABLE, str(error)) from None
    except AnswerTooLargeError as error:
        raise ServiceError(Code.TOO_LARGE, str(error)) from None
