"""`Poster` on the one HTTP client."""

import ssl
import time
from collections.abc import Mapping

from waybill.core.hosts import is_public
from waybill.core.http_client import (
    BrokenAnswerError,
    HttpClient,
    RequestRefusedError,
    Resolver,
    TimedOutError,
    UnreachableError,
    resolve,
)
from waybill.scanning.errors import WebhookRefusedError, WebhookUnavailableError

# For all of a delivery: a receiver that answers byte by byte holds up nobody else's.
_SECONDS = 10.0


class HttpPoster:
    """Posts to public addresses by https; `private` (for tests and internal receivers) lifts both restrictions."""

    def __init__(
        self,
        *,
        private: bool = False,
        resolver: Resolver = resolve,
        context: ssl.SSLContext | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._seconds = seconds
        self._client = HttpClient(
            schemes=frozenset({"https", "http"} if private else {"https"}),
            permits=(lambda _: True) if private else is_public,
            resolver=resolver,
            tls=context,
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer, whose body is not read.

        Raises
        ------
        WebhookRefusedError
            The address is not public, or the scheme is not https.
        WebhookUnavailableError
            There is no answer.
        """
        deadline = time.monotonic() + self._seconds
        try:
            with self._client.exchange("POST", url, deadline=deadline, headers=headers, body=body) as answer:
                return answer.status
        except RequestRefusedError as error:
            raise WebhookRefusedError(str(error)) from None
        except (UnreachableError, TimedOutError, BrokenAnswerError) as error:
            raise WebhookUnavailableError(str(error)) from None
