"""Where requests may go: hosts by an allow-list, and never into networks that are not public unless configured.

The host is checked when the URL is read, the address when the connection is made (`web.py`), to the very address that
was checked: a name that resolves differently the second time gains nothing.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from waybill.core.hosts import is_public, reached

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>\*|\d{1,5}))?"
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL_LIMIT = 4096


class AddressRefusedError(ValueError):
    """Waybill sends no request there; the message says why and holds no query."""


@dataclass(frozen=True)
class Host:
    """One entry of the allow-list: `name` is a host, or `*.` and a domain; `port` None is any port."""

    scheme: str
    name: str
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> "Host":
        """Return the entry `[https://|http://]host[:port|:*]`; https and its port unless it says otherwise.

        Raises
        ------
        ValueError
            It is not of this form.
        """
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            raise ValueError("an entry is not [https://]host[:port]")
        scheme = found["scheme"] or "https"
        port = None if found["port"] == "*" else int(found["port"] or _DEFAULT_PORTS[scheme])
        return cls(scheme, found["host"].lower(), port)

    def covers(self, scheme: str, host: str, port: int) -> bool:
        """Return whether a request to this place is allowed."""
        named = host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name
        return named and scheme == self.scheme and self.port in (None, port)


@dataclass(frozen=True)
class Destinations:
    """The allow-list, and the networks that may be reached although they are not public."""

    hosts: tuple[Host, ...]
    private_networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, hosts: str, private_networks: str = "") -> "Destinations":
        """Return what two comma-separated settings describe; raises ValueError."""
        return cls(
            tuple(Host.parse(entry) for entry in _entries(hosts)),
            tuple(ipaddress.ip_network(entry) for entry in _entries(private_networks)),
        )

    def check(self, url: str) -> str:
        """Return `url`, which may be asked.

        Raises
        ------
        AddressRefusedError
            It is no absolute http or https URL, has credentials in it, or its host is not on the list.
        """
        parts, port = _parts(url)
        host = (parts.hostname or "").lower().rstrip(".")
        if not any(entry.covers(parts.scheme, host, port) for entry in self.hosts):
            raise AddressRefusedError("its host is not on the list of allowed hosts, SubjectAccessHosts")
        return url

    def permits(self, address: str) -> bool:
        """Return whether a connection to `address` (numeric) may be made."""
        return is_public(address) or any(reached(address) in network for network in self.private_networks)


def _parts(url: str) -> tuple[SplitResult, int]:
    if len(url) > _URL_LIMIT or any(char <= " " or char in '\\"<>' or char > "~" for char in url):
        raise AddressRefusedError("it is too long, or holds characters that a URL has not")
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise AddressRefusedError("it is no URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise AddressRefusedError("it is no absolute http or https URL")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("it holds credentials")
    return parts, port


def _entries(text: str) -> Iterable[str]:
    return (entry.strip() for entry in text.split(",") if entry.strip())
