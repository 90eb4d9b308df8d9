"""Canonical IDs: short, opaque, readable over the phone, valid as XML names.

Eight characters of an alphabet of 31 (no i, l, o, 0, 1), a letter first: 23 x 31^7 = 632,790,124,553 of them. With
the check character, which is off by default, a ninth follows; it reveals every wrong character and every swap of
neighbours.
"""

import re
import secrets
from collections.abc import Collection

from waybill.core.errors import ConfigurationError, FieldError, InvalidInputError

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LETTERS = ALPHABET[:23]
LENGTH = 8
# A list of words that refuses this many draws in a row leaves less than one ID in a hundred, as good as surely.
_DRAWS = 1000
_PATTERN = re.compile(r"[a-hjkmnp-z][a-hjkmnp-z2-9]{7,8}")


def draw(*, check: bool = False, forbidden: Collection[str] = ()) -> str:
    """Return a random canonical ID from the system's cryptographic source; nobody can seed it.

    Raises
    ------
    ConfigurationError
        The forbidden words leave hardly any ID.
    """
    for _ in range(_DRAWS):
        drawn = secrets.choice(LETTERS) + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
        whole = drawn + check_character(drawn) if check else drawn
        if not any(word in whole for word in forbidden):
            return whole
    raise ConfigurationError("FORBIDDEN_WORDS leaves hardly any identifier")


def forbidden_words(text: str) -> frozenset[str]:
    """Return the words of a list with commas; those with characters that no ID has can never be seen in one."""
    words = (word.strip().lower() for word in text.split(","))
    return frozenset(word for word in words if word and set(word) <= set(ALPHABET))


def check_character(text: str) -> str:
    """Return the check character of `text`: the sum of position x value modulo 31, positions from 1.

    The NOID algorithm with this alphabet; 31 is prime and longer than any ID, which is why no single error goes unseen.
    """
    total = sum(position * ALPHABET.index(char) for position, char in enumerate(text, start=1))
    return ALPHABET[total % len(ALPHABET)]


def is_canonical_id(text: str) -> bool:
    """Return whether `text` is one, as stored: lower case, and with the right check character if it has one."""
    if not _PATTERN.fullmatch(text):
        return False
    return len(text) == LENGTH or check_character(text[:LENGTH]) == text[LENGTH]


def parse_canonical_id(text: str, field: str = "canonicalId") -> str:
    """Return the canonical ID that a reader has typed, upper case folded.

    Raises
    ------
    InvalidInputError
        It cannot be one; names `field`.
    """
    folded = text.strip().lower() if text.isascii() else text
    if not is_canonical_id(folded):
        message = f"must be {LENGTH} characters of {ALPHABET}, the first a letter (or {LENGTH + 1}, the last its check)"
        raise InvalidInputError(FieldError(field, message))
    return folded
