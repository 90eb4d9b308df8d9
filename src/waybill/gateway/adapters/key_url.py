"""Fetching the issuer's key set over HTTPS."""

import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from waybill.core.errors import WaybillError
from waybill.core.http_client import ExchangeLimits, HttpClient
from waybill.gateway.errors import KeysUnavailableError

# The largest issuers publish about ten keys of 2 KB.
LIMIT_BYTES = 262_144


def _anywhere(_address: str) -> bool:
    """Permit every address: the URL is the operator's own, and an issuer may stand in a private network."""
    return True


def https_fetcher(
    url: str,
    *,
    timeout: float = 3.0,
    limit: int = LIMIT_BYTES,
    tls: ssl.SSLContext | None = None,
) -> Callable[[], str]:
    """Return a function that fetches the text at `url`.

    It verifies the server's certificate, follows no redirect (which could lead to another scheme or host),
    takes status 200 only, at most `limit` bytes, and `timeout` seconds for all of it. Otherwise it raises
    KeysUnavailableError, which names the host and not the rest of the URL.

    Raises
    ------
    ValueError
        `url` is not an `https://` URL with a host.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("must be an https:// URL")
    host = parts.hostname
    client = HttpClient(permits=_anywhere, tls=tls, limits=ExchangeLimits(body_bytes=limit))

    def fetch() -> str:
        deadline, headers = time.monotonic() + timeout, {"Accept": "application/json"}
        try:
            with client.exchange("GET", url, deadline=deadline, headers=headers) as answer:
                if answer.status != 200:
                    raise KeysUnavailableError(f"{host} answered {answer.status}")
                return answer.read().decode()
        except KeysUnavailableError:
            raise
        except WaybillError as error:
            raise KeysUnavailableError(f"{host}: {error}") from None
        except UnicodeDecodeError as error:
            raise KeysUnavailableError(f"{host}: {type(error).__name__}") from None

    return fetch
