"""Keys and tokens of services, by their checksums, their form and how random they are."""

import base64
import json
import re
import zlib
from typing import Any, Final

from waybill.scanning.domain.detection.models import Surroundings, Verdict
from waybill.scanning.domain.detection.validators.measures import DIGIT, LETTER, entropy
from waybill.scanning.domain.detection.validators.placeholders import PLACEHOLDER


def anything(value: bytes, _: Surroundings) -> Verdict | None:
    """Whatever has the shape."""
    return Verdict(value)


def aws_access_key_id(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits; AWS's documentation ends its ids in EXAMPLE."""
    sample = value.endswith(b"EXAMPLE")
    return Verdict(value, sample=sample) if sample or entropy(value[4:]) >= 3 else None


_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]+")


# Of 40 characters, those in words with a capital that make it a name.
_NAMED: Final = 26


# A path goes on from a host, and a secret stands in no path.
_IN_PATH = re.compile(rb"://[^\s\"'<>?=&]{1,60}$")


def aws_secret(value: bytes, around: Surroundings) -> Verdict | None:
    """Not a hexadecimal digest, no name and no path: of random text, 40 characters have all kinds of letters."""
    if _IN_PATH.search(around.before):
        return None
    if _HEXADECIMAL.fullmatch(value) or entropy(value) < 4 or re.search(rb"(?:[A-Za-z]{4,}/){2}", value):
        return None
    # Policies, roles and classes are called so; less than one in 10,000 random texts looks so.
    if sum(map(len, re.findall(rb"[A-Z][a-z]{3,}", value))) >= _NAMED:
        return None
    if not (DIGIT.search(value) and re.search(rb"[a-z]", value) and re.search(rb"[A-Z]", value)):
        return None
    return Verdict(value, sample=b"EXAMPLE" in value)


_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def github_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The classic forms end in the CRC-32 of the rest, in base 62."""
    if value.startswith(b"github_pat_"):
        return Verdict(value) if entropy(value) >= 3.5 else None
    body, check = value[4:-6], value[-6:]
    return Verdict(value) if _base62(zlib.crc32(body)).encode() == check else None


def _base62(number: int) -> str:
    text = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return text


# Claims of the tokens that jwt.io and RFC 7519, section 3.1, show.
_SHOWN_CLAIMS = (b'"sub":"1234567890"', b'"iss":"joe",\r\n "exp":1300819380')


def jwt(value: bytes, _: Surroundings) -> Verdict | None:
    """The header decodes to JSON with `alg`, and the claims to an object, if they are neither packed nor encrypted."""
    header, claims, signature = value.split(b".")
    try:
        decoded: Any = json.loads(_from_base64url(header))
        shown = _from_base64url(claims)
    except (ValueError, RecursionError):
        return None
    if not isinstance(decoded, dict) or not isinstance(decoded.get("alg"), str):
        return None
    if not {"enc", "zip", "b64"} & decoded.keys() and shown[:1] != b"{":
        return None
    if not signature and decoded["alg"].lower() != "none":
        return None
    return Verdict(value, sample=any(claim in shown for claim in _SHOWN_CLAIMS))


def _from_base64url(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def random_token(value: bytes, _: Surroundings) -> Verdict | None:
    """Entropy of at least three bits, and none of the words that placeholders are made of."""
    return Verdict(value) if entropy(value) >= 3 and not PLACEHOLDER.search(value) else None


def crc_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The last six characters are the CRC-32 of those between the prefix and them, in base 62."""
    body = value.partition(b"_")[2]
    return Verdict(value) if _base62(zlib.crc32(body[:-6])).encode() == body[-6:] else None


def discord_token(value: bytes, _: Surroundings) -> Verdict | None:
    """The first part is the bot's id, which is a number, in base64."""
    first = value.partition(b".")[0]
    try:
        decoded = base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4))
    except ValueError:
        return None
    return Verdict(value) if decoded.isdigit() and 17 <= len(decoded) <= 20 else None


def keyed_token(value: bytes, around: Surroundings) -> Verdict | None:
    """Digits and letters, as random text has both: a shape without a prefix is not much."""
    return random_token(value, around) if DIGIT.search(value) and LETTER.search(value) else None


_ELASTIC = re.compile(rb"[\w-]{20}:[\w-]{22}")


def elastic_key(value: bytes, _: Surroundings) -> Verdict | None:
    """An id of twenty characters and a key of twenty-two, as Elasticsearch makes them."""
    try:
        plain = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return Verdict(value) if _ELASTIC.fullmatch(plain) else None


def azure_storage_key(value: bytes, around: Surroundings) -> Verdict | None:
    """Keys of Cosmos DB have the same form, and stand behind an endpoint."""
    cosmos = b"documents.azure.com" in around.before or b"accountendpoint" in around.before.lower()
    return None if cosmos else random_token(value, around)


def azure_sas(value: bytes, _: Surroundings) -> Verdict | None:
    """A signature with the time that it ends at."""
    return Verdict(value) if re.search(rb"(?:^|[&?])se=", value) and re.search(rb"(?:^|[&?])sv=", value) else None
