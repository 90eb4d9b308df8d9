"""Canonical IDs: short, opaque, readable over the phone, valid as XML names.

Eight characters of an alphabet of 31 (no i, l, o, 0, 1), a letter first: 23 x 31^7 = 632,790,124,553 of them. With
the check character, which is off by default, a ninth follows; it reveals every wrong character and every swap of
neighbours.
"""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from waybill.core.errors import ConfigurationError, FieldError, InvalidInputError
from waybill.minting.errors import NoIdentifiersLeftError

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LETTERS = ALPHABET[:23]
LENGTH = 8
# A list of words that refuses this many draws in a row leaves less than one ID in a hundred, as good as surely.
_DRAWS = 1000
_BETWEEN = str.maketrans("", "", "- ")
# What begins all new IDs of a source system: so much of the first characters that a registry of 28 million fits behind.
_PREFIX = re.compile(r"[a-hjkmnp-z][a-hjkmnp-z2-9]{0,2}")
ALL_SYSTEMS = "*"
_PATTERN = re.compile(r"[a-hjkmnp-z][a-hjkmnp-z2-9]{7,8}")


def draw(*, check: bool = False, forbidden: Collection[str] = (), prefix: str = "") -> str:
    """Return a random canonical ID from the system's cryptographic source, with `prefix`; nobody can seed it.

    Raises
    ------
    NoIdentifiersLeftError
        The forbidden words leave hardly any ID.
    """
    for _ in range(_DRAWS):
        first = prefix or secrets.choice(LETTERS)
        drawn = first + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - len(first)))
        whole = drawn + check_character(drawn) if check else drawn
        if not any(word in whole for word in forbidden):
            return whole
    raise NoIdentifiersLeftError("ForbiddenWords leaves hardly any identifier")


def forbidden_words(text: str) -> frozenset[str]:
    """Return the words of a list with commas; those with characters that no ID has can never be seen in one."""
    words = (word.strip().lower() for word in text.split(","))
    return frozenset(word for word in words if word and set(word) <= set(ALPHABET))


def identifier_prefixes(text: str) -> Mapping[str, str]:
    """Return what new IDs begin with, by source system, of a list such as `calm=ca,sierra=sr,*=w`; `*` is all others.

    Raises
    ------
    ConfigurationError
        A prefix is not one to three characters of an ID, or a system has two.
    """
    found: dict[str, str] = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        system, _, prefix = part.rpartition("=")
        if not system or not _PREFIX.fullmatch(prefix):
            raise ConfigurationError(
                f"IDENTIFIER_PREFIX: {part!r} is not SYSTEM=PREFIX with one to three of {ALPHABET}, the first a letter"
            )
        if system in found:
            raise ConfigurationError(f"IDENTIFIER_PREFIX: {system!r} has two prefixes")
        found[system] = prefix
    return found


@dataclass(frozen=True)
class Drawing:
    """How a stack draws new canonical IDs: with a check character or not, without which words, with what before it."""

    check: bool = False
    forbidden: frozenset[str] = frozenset()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, *, check: bool, words: str, prefixes: str) -> "Drawing":
        """Return what the stack's parameters say; nothing is to be minted before it is known that something can be.

        Raises
        ------
        ConfigurationError
            They are unusable.
        NoIdentifiersLeftError
            The words leave hardly any ID to a source system; names both parameters where it is one with a prefix.
        """
        drawing = cls(check, forbidden_words(words), identifier_prefixes(prefixes))
        for system in dict.fromkeys((ALL_SYSTEMS, *drawing.prefixes)):
            drawing.draw(system)
        return drawing

    def draw(self, system: str = ALL_SYSTEMS) -> str:
        """Return a random canonical ID for a source of `system`, or for one that is not known yet."""
        prefix = self.prefixes.get(system, self.prefixes.get(ALL_SYSTEMS, ""))
        try:
            return draw(check=self.check, forbidden=self.forbidden, prefix=prefix)
        except NoIdentifiersLeftError as error:
            if not prefix:
                raise
            systems = "all other systems" if system == ALL_SYSTEMS else system
            told = f"{error} that begins with {prefix!r}, which IdentifierPrefix sets for {systems}"
            raise NoIdentifiersLeftError(told) from None


def folded(text: str) -> str:
    """Return a canonical ID as it is stored, however it was typed: in upper case, in groups with hyphens or blanks."""
    return text.strip().lower().translate(_BETWEEN) if text.isascii() else text


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
    """Return the canonical ID that a reader has typed, upper case and hyphens folded.

    Raises
    ------
    InvalidInputError
        It cannot be one; names `field`.
    """
    canonical_id = folded(text)
    if not is_canonical_id(canonical_id):
        message = f"must be {LENGTH} characters of {ALPHABET}, the first a letter (or {LENGTH + 1}, the last its check)"
        raise InvalidInputError(FieldError(field, message))
    return canonical_id
