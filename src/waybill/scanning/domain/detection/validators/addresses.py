"""Addresses of mail and of the network."""

import ipaddress
import re
from functools import cache

from waybill.scanning.domain.detection.models import Confidence, Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import DIGIT
from waybill.scanning.domain.detection.validators.placeholders import EXAMPLE_DOMAIN, KEPT_FOR_EXAMPLES
from waybill.scanning.domain.detection.validators.top_level_domains import TOP_LEVEL_DOMAINS

_IMAGE = re.compile(rb"\d(?:\.\d)?x\.")
# Last labels of names that are no domains: files, units of systemd, packages.
_NO_DOMAIN = frozenset(
    b"service socket timer target mount slice scope device pkg css scss less js mjs cjs jsx ts tsx html htm xml json"
    b" yaml yml toml ini cfg conf log txt rst csv tsv png jpg jpeg gif svg ico webp bmp tiff pdf doc docx xls xlsx ppt"
    b" pptx gz tgz bz xz tar jar war whl egg lock map local localdomain internal lan corp class java kt rb php swift"
    b" cpp hpp exe dll dylib bin dat db sql bak tmp".split()
)
# RFC 3986, section 3.2.1: what stands before the host of an address says who logs in, and with what password.
_USER_OF_URL = re.compile(rb"(?i)(?://[^\s/@:]{0,60}:|(?<![a-z])(?:git|ssh|sftp|svn\+ssh|git\+ssh|rsync)://)$")
_KEPT = re.compile(b"|".join(map(re.escape, KEPT_FOR_EXAMPLES)))
_SCP_PATH = re.compile(rb":[\w.~-]{1,100}/")


def email(value: bytes, around: Surroundings) -> Verdict | None:
    """Domains that nobody can have are out, those kept for documentation (RFC 2606), and names of files and units."""
    if around.before[-1:] in {b":", b"/"} and _USER_OF_URL.search(around.before):
        return None
    # A quote around an address is no part of it, whatever letter stands before the quote.
    start = value.rfind(b"'", 0, value.find(b"@")) + 1 if around.after[:1] == b"'" else 0
    lowered = _folded(value[start:])
    cut = len(lowered)
    # A file that is called after an address: the address ends before the extension.
    while lowered.rpartition(b".")[2] in _NO_DOMAIN:
        lowered = lowered.rpartition(b".")[0]
    local, _at, domain = lowered.partition(b"@")
    if b"." not in domain or _SCP_PATH.match(around.after) or not _is_top_level(domain.rpartition(b".")[2]):
        return None
    if len(domain) > 255 or b".." in local or local[-1:] == b"." or _IMAGE.match(domain):
        return None
    # Few addresses have one of these words in them, and to look for words is cheaper than the pattern.
    if _KEPT.search(domain) and EXAMPLE_DOMAIN.search(lowered):
        return None
    end = len(value) - (cut - len(lowered))
    return Verdict(lowered if lowered.isascii() else _in_ascii(lowered), start=start, end=end)


def _is_top_level(label: bytes) -> bool:
    return label in (TOP_LEVEL_DOMAINS if label.isascii() else _in_their_scripts())


@cache
def _in_their_scripts() -> frozenset[bytes]:
    """Return the top-level domains that are not ASCII, as people write them (RFC 5890, section 2.3.2.1)."""
    return frozenset(name.decode("idna").encode() for name in TOP_LEVEL_DOMAINS if name.startswith(b"xn--"))


def _folded(address: bytes) -> bytes:
    return address.lower() if address.isascii() else address.decode("utf-8", "replace").lower().encode()


def _in_ascii(address: bytes) -> bytes:
    """Return an address with its domain as it is sent (RFC 5891), so that both forms of it are one value."""
    local, _at, domain = address.rpartition(b"@")
    try:
        return local + b"@" + _sent(domain.decode("utf-8"))
    except UnicodeError:
        return address


# What is prepared already: letters that are small and composed (RFC 3491, section 3), in labels that are short enough.
_PREPARED = re.compile("(?!xn--)[a-z0-9\u00e0-\u00f6\u00f8-\u00ff\u0430-\u044f-]{1,59}")
_LONGEST_LABEL = 63


def _sent(domain: str) -> bytes:
    """Return a domain as it is sent; to prepare it as the standard library does takes ten times as long."""
    labels = domain.split(".")
    if all(_PREPARED.fullmatch(label) for label in labels):
        sent = [label.encode() if label.isascii() else b"xn--" + label.encode("punycode") for label in labels]
        if max(map(len, sent)) <= _LONGEST_LABEL:
            return b".".join(sent)
    return domain.encode("idna")


# Words that name a version, a product in front of one (RFC 9110, section 10.1.5), object identifiers, and sections.
_NO_ADDRESS_BEFORE = re.compile(
    rb"(?i)(?:(?<![a-z])(?:version|ver\.?|v|release|rev|revision|build)[ :=/\"'-]{0,4}|[a-z]/"
    rb"|(?:oid|objectidentifier|section|rfc[ -]?\d{1,5})\W{0,4})$"
)
_NO_ADDRESS_BYTES = 24
# HTML, section 4.2.5.1: the program that has written a page, and its version.
_GENERATOR = re.compile(rb"(?i)generator[\"']?\s{1,4}content=[\"']?[^\"'<>]{1,24}$")
# What stands in front of a slice of a sequence, such as key[0::2].
_SLICE = re.compile(rb"[\w)\]]\[$")
# First octets of the ranges that RFC 6890 and its registry treat specially, and of those from 224 on.
# What is given out to anybody (RFC 4291, section 2.4; IANA, "IPv6 Global Unicast Address Assignments").
_UNICAST = ipaddress.IPv6Network("2000::/3")
# Domain names of addresses have the octets the other way round (RFC 1035, section 3.5).
_REVERSED = b".in-addr.arpa"
_SPECIAL_FIRST = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)})


def ip(value: bytes, around: Surroundings) -> Verdict | None:
    """Octets without leading zeros; masks, private and special ranges are LOW; version numbers are out.

    A short IPv6 address has digits in two groups at least, or it is as likely a name with colons.
    """
    before = around.before
    if _NO_ADDRESS_BEFORE.search(before, max(0, len(before) - _NO_ADDRESS_BYTES)) or around.after.startswith(_REVERSED):
        return None
    if b"enerator" in before and _GENERATOR.search(before):
        return None
    if b":" not in value and (octets := _octets(value)):
        if octets[0] not in _SPECIAL_FIRST:
            return Verdict(value)
        if octets[0] in {10, 127}:
            return Verdict(value, Confidence.LOW)
    groups = [group for group in value.split(b":") if group]
    if b"." not in value and not _are_of_an_address(groups, around.before):
        return None
    try:
        address = ipaddress.ip_address(value.decode())
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast:
        return None
    # An address of version 4 within one of version 6 is that (RFC 4291, section 2.5.5.2).
    inner = getattr(address, "ipv4_mapped", None) or address
    confidence = None
    if not inner.is_global or (inner.version == 4 and inner.is_reserved):
        confidence = Confidence.LOW
    elif inner.version == 6 and inner not in _UNICAST:
        confidence = Confidence.MEDIUM
    return Verdict(address.compressed.encode(), confidence)


def _are_of_an_address(groups: list[bytes], before: bytes) -> bool:
    """Return whether groups between colons may be of an IPv6 address, and not of a name, a slice or a fingerprint."""
    if len(groups) < 4 and sum(DIGIT.search(group) is not None for group in groups) < 2:
        return False
    eight_bytes = len(groups) == 8 and all(len(group) == 2 for group in groups)
    return not eight_bytes and not (len(groups) < 3 and _SLICE.search(before))


_OCTETS = re.compile(rb"(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}")


def _octets(value: bytes) -> list[int] | None:
    if not _OCTETS.fullmatch(value):
        return None
    octets = [*map(int, value.split(b"."))]
    return octets if max(octets) < 256 else None
