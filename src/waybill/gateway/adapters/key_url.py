"""Fetching the issuer's key set over HTTPS."""

import ssl
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from waybill.gateway.errors import KeysUnavailableError

# The largest issuers publish about ten keys of 2 KB.
LIMIT_BYTES = 262_144
_CHUNK_BYTES = 65_536


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
    host, port = parts.hostname, parts.port
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    context = tls or ssl.create_default_context()

    def fetch() -> str:
        deadline = time.monotonic() + timeout
        connection = HTTPSConnection(host, port, timeout=timeout, context=context)
        try:
            connection.request("GET", target, headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise KeysUnavailableError(f"{host} answered {response.status}")
            return _read(response, host, limit, deadline).decode()
        except (OSError, HTTPException, UnicodeDecodeError) as error:
            raise KeysUnavailableError(f"{host}: {type(error).__name__}") from error
        finally:
            connection.close()

    return fetch


def _read(response: HTTPResponse, host: str, limit: int, deadline: float) -> bytes:
    body = b""
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise KeysUnavailableError(f"{host} sent more than {limit} bytes")
        if time.monotonic() > deadline:
            raise KeysUnavailableError(f"{host} was too slow")
    return body
