"""`Poster` on httpx: to the address that was checked, without redirects."""

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import httpx

from waybill.core.addresses import Resolver, is_public, resolve
from waybill.scanning.errors import WebhookRefusedError, WebhookUnavailableError

_SECONDS = 10.0
_PORTS = {"https": 443, "http": 80}


class HttpPoster:
    """Posts to public addresses by https; `private` (for tests and internal receivers) lifts both restrictions."""

    def __init__(
        self, *, private: bool = False, resolver: Resolver = resolve, context: ssl.SSLContext | None = None
    ) -> None:
        self._private = private
        self._resolve = resolver
        # Nothing may come from the environment: a proxy would resolve names by itself.
        self._transport = httpx.HTTPTransport(verify=context or httpx.create_ssl_context(trust_env=False))
        self._client = httpx.Client(transport=self._transport, trust_env=False, timeout=_SECONDS)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer, whose body is not read.

        The name is resolved once, and the request goes to an address that was judged: a name that resolves to
        something else the second time gains nothing.

        Raises
        ------
        WebhookRefusedError
            The address is not public, or the scheme is not https.
        WebhookUnavailableError
            There is no answer.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" and not self._private:
            raise WebhookRefusedError("only https is used")
        try:
            addresses = self._resolve(host, parts.port or _PORTS[parts.scheme])
        except (OSError, UnicodeError):
            raise WebhookUnavailableError("the name of the host has no address") from None
        if not self._private and not all(is_public(address) for address in addresses):
            raise WebhookRefusedError("the host has an address that is not public")
        numeric = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        target = urlunsplit(parts._replace(netloc=f"{numeric}:{parts.port}" if parts.port else numeric))
        sent = {**headers, "Host": parts.netloc, "User-Agent": "waybill"}
        try:
            with self._client.stream(
                "POST", target, content=body, headers=sent, extensions={"sni_hostname": host}
            ) as answer:
                return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            # The messages of httpx may hold the address, which may hold a secret.
            raise WebhookUnavailableError(type(error).__name__) from None
