"""What asking a service needs from outside."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class InvocationClock:
    """Time: `monotonic` seconds, those that `remain` of this invocation, a `sleep`, a random number up to a limit."""

    monotonic: Callable[[], float]
    remaining: Callable[[], float]
    sleep: Callable[[float], object]
    uniform: Callable[[float, float], float]
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Reply:
    """The head of an answer, and its body as it comes: header names in lower case; `chunks` can be read once.

    Reading `chunks` raises `TransientServiceError` when the connection breaks or time is up.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Web(Protocol):
    """HTTP, to allowed places only. Follows no redirect."""

    def get(
        self, url: str, *, parameters: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Ask; everything, the body included, is over by `deadline` (of the monotonic clock).

        Raises
        ------
        ServiceError
            The place is not allowed.
        TransientServiceError
            It cannot be reached, breaks off, or does not answer in time.
        """
        ...

    def post(
        self, url: str, *, form: Mapping[str, str], headers: Mapping[str, str], deadline: float
    ) -> AbstractContextManager[Reply]:
        """Send a form; otherwise as `get`."""
        ...


class Parts(Protocol):
    """The bucket. Raises `StorageUnavailableError`."""

    def put(self, key: str, chunks: Iterator[bytes], *, content_type: str, expected: int | None = None) -> "Stored":
        """Store what `chunks` yield, a few megabytes of it in memory at a time.

        Nothing is stored when `chunks` raise, or when they are not `expected` bytes: that raises `SizeMismatchError`.
        """
        ...


@dataclass(frozen=True)
class Stored:
    """What was stored: `size` in bytes, `sha256` in hexadecimal."""

    size: int
    sha256: str


class SizeMismatchError(Exception):
    """There were `actual` bytes instead of those announced."""

    def __init__(self, actual: int) -> None:
        super().__init__("not as many bytes as announced")
        self.actual = actual


@dataclass(frozen=True)
class Credential:
    """A bearer token, and the origin that the secret says it is for; None where it does not say."""

    token: str
    origin: str | None = None


class Credentials(Protocol):
    """Who Waybill is to a service."""

    def credential(self, service: str) -> Credential | None:
        """Return the bearer token, None when the service has none.

        Raises
        ------
        CredentialsUnavailableError
            Secrets Manager does not answer now.
        ServiceError
            The secret is unusable.
        """
        ...


class Circuits(Protocol):
    """What all requests together know of a service's health. Conditional writes: several workers use it at once."""

    def circuit(self, service: str) -> "Circuit":
        """Return what is known."""
        ...

    def move(self, service: str, before: "Circuit", after: "Circuit") -> bool:
        """Store `after` if it still is `before` that is stored; False when it is not."""
        ...


@dataclass(frozen=True)
class Circuit:
    """`failures` without a success between them, the last at `failed_at`; `open_until` when open. Epoch seconds."""

    failures: int = 0
    failed_at: int = 0
    open_until: int | None = None
    version: int = 0


class TemplateHealth(Protocol):
    """Whether a service's template is as registered."""

    def unhealthy(self, service: str, code: str, at: datetime) -> bool:
        """Remember that it is not; True when nobody has been told yet."""
        ...

    def told(self, service: str, at: datetime) -> None:
        """Remember that people have been told."""
        ...

    def healthy(self, service: str, at: datetime) -> None:
        """Remember that it is."""
        ...
