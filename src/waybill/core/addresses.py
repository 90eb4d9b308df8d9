"""Which network addresses are public, for requests whose receiver somebody outside names."""

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# NAT64 (RFC 6052): the last four bytes are an IPv4 address.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether a numeric address is one of the public network; IPv6 that leads to IPv4 is judged by that.

    Raises
    ------
    ValueError
        It is no address.
    """
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    judged = _carried(found) or found
    return judged.is_global and not judged.is_multicast


def _carried(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
