"""Network addresses that somebody outside names: where they lead, and whether that is public."""

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# NAT64 (RFC 6052): the last four bytes are an IPv4 address.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def reached(address: str) -> Address:
    """Return where a numeric address leads: IPv6 that carries an IPv4 address leads there.

    Raises
    ------
    ValueError
        It is no address.
    """
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else found)


def is_public(address: str) -> bool:
    """Return whether a numeric address leads into the public network; raises ValueError as `reached`."""
    there = reached(address)
    return there.is_global and not there.is_multicast
