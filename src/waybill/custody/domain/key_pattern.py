"""Where in a key its canonical ID is, by a pattern that a stack is given: `^images/([a-z][a-z0-9]{7,8})/`.

Keys come from outside. So a pattern knows no alternatives and no quantifier without a bound, begins at the beginning,
and goes through a key in few ways.
"""

import re
from dataclasses import dataclass

from waybill.custody.errors import BadKeyPatternError

# The same as the parameter's in the template: characters, classes, and how often, with one group.
_STEP = r"(?:[A-Za-z0-9/_.=~ -]|\[(?:a-z|A-Z|0-9|_)+-?\]|\{\d{1,2}(?:,\d{1,2})?\})"
_ALLOWED = re.compile(rf"\^{_STEP}*\({_STEP}+\){_STEP}*")
_BOUNDS = re.compile(r"\{(\d+),(\d+)\}")
_MOST_WAYS = 10_000
_MOST_CHARACTERS = 200
_CANONICAL_ID = re.compile(r"[A-Za-z0-9]{8,9}")


@dataclass(frozen=True)
class KeyPattern:
    """A pattern that was looked at."""

    compiled: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> "KeyPattern | None":
        """Return the pattern; None where none is given.

        Raises
        ------
        BadKeyPatternError
            It is none, or may be gone through in too many ways.
        """
        if not text:
            return None
        if len(text) > _MOST_CHARACTERS or not _ALLOWED.fullmatch(text):
            raise BadKeyPatternError("CustodyIdentifierPattern has a form that is not known")
        ways = 1
        for least, most in _BOUNDS.findall(text):
            ways *= int(most) - int(least) + 1
        if ways > _MOST_WAYS:
            raise BadKeyPatternError("CustodyIdentifierPattern can be gone through in too many ways")
        try:
            return cls(re.compile(text, re.ASCII))
        except re.error:
            raise BadKeyPatternError("CustodyIdentifierPattern is no pattern") from None

    def canonical_id_in(self, key: str) -> str | None:
        """Return the canonical ID that a key names, if it has the form of one."""
        found = self.compiled.match(key)
        return found[1] if found and _CANONICAL_ID.fullmatch(found[1]) else None
