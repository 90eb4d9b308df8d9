"""What detection passes around."""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple


class Confidence(IntEnum):
    """How sure a finding is: HIGH checksum or public prefix, MEDIUM shape and keyword, LOW shape alone."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Surroundings:
    """What a validator may look at besides the value: text before and after it, and whether a keyword is near.

    Whether one is takes more time than most checks of a value, so that it is looked up when a validator asks. So is
    what stands after the value.
    `regions`, of rules that need one, are those that the value may be of (ISO 3166-1, two letters).
    """

    __slots__ = ("_after", "_keyword", "before", "regions")

    def __init__(
        self,
        before: bytes,
        after: bytes | Callable[[], bytes],
        *,
        keyword: bool | Callable[[], bool],
        regions: tuple[str, ...] = (),
    ) -> None:
        self.before = before
        self._after = after
        self.regions = regions
        self._keyword = keyword

    @property
    def after(self) -> bytes:
        """What stands after the value."""
        if not isinstance(self._after, bytes):
            self._after = self._after()
        return self._after

    @property
    def keyword(self) -> bool:
        """Whether a keyword is near."""
        if not isinstance(self._keyword, bool):
            self._keyword = self._keyword()
        return self._keyword


class Verdict(NamedTuple):
    """A value that holds: its normal form (for fingerprints), and what is known besides.

    `confidence` overrules that of the rule; `start` and `end` cut the value out of the text that the pattern matched.
    """

    normal: bytes
    confidence: Confidence | None = None
    sample: bool = False
    start: int = 0
    end: int | None = None


type Validator = Callable[[bytes, Surroundings], Verdict | None]


class Match(NamedTuple):
    """A value in a text; `start` and `end` in bytes of that text.

    Holds the value itself and its normal form, which may not be stored or logged; its text form leaves them out.
    """

    detector: str
    start: int
    end: int
    confidence: Confidence
    sample: bool
    value: bytes
    normal: bytes
    decoded_from: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Match({self.detector}, {self.start}, {self.end})"


class Finding(NamedTuple):
    """A match as it is stored and shown: nothing in it gives the value away.

    Parameters
    ----------
    byte_offset, byte_length
        Where the value is in the raw object, or in the member of the archive; of a decoded value, its encoded form.
    line, column
        From 1; columns count characters.
    fingerprint
        Keyed: equal for equal values under one key, and of no use without the key.
    context
        The line around the value: values are masked in it, and words left out but those that name fields.
    member
        Path inside of archives, joined by `!`, values in it masked; empty for the object itself.
    cell
        Which cell of a table it is in, values in its name masked; empty where there is no table.
    """

    detector: str
    confidence: str
    byte_offset: int
    byte_length: int
    line: int
    column: int
    masked_match: str
    fingerprint: str
    context: str
    sample: bool = False
    decoded_from: tuple[str, ...] = ()
    member: str = ""
    cell: str = ""
