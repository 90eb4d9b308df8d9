"""In how many ways the same person, number or date is written, found in a text.

Source: ICO, "How to disclose information safely". Texts are compared after normalisation: without case, accents and
marks, all white space as one space, all apostrophes and hyphens as one each. What is taken out is a place of the text
as it was. Only whole words are found: "Ali" is not in "Alibi".
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final

# Fewer letters and digits are found all over an answer by chance.
SHORTEST: Final = 3
_TITLES: Final = "mr|mrs|ms|miss|mx|dr|sir|dame|lord|lady|prof|professor|rev|reverend|pc|dc|ps|officer"
_TITLE = re.compile(rf"(?:(?:{_TITLES})\.?\s+)+", re.IGNORECASE)
_REMARK = re.compile(r"(?<=\S)\s*\([^()]{0,60}\)\s*$")
_AND = re.compile(
    r"\s*(?:[;/&+\n]|\b(?:and|n[ée]e?|formerly|also known as|alias|aka|a\.k\.a\.)(?!\w))\s*", re.IGNORECASE
)
# What stands behind a name and is no part of it.
_SUFFIX = re.compile(
    r"(?:[\s,(]+(?:jr|jnr|junior|sr|snr|senior|esq|esquire|mbe|obe|cbe|kbe|qc|kc|jp|mp|phd|md|ba|bsc|ma|msc|ii|iii|iv)\.?\)?)+$",
    re.IGNORECASE,
)
_PARTICLES: Final = frozenset(
    ("al", "ap", "bin", "da", "de", "del", "den", "der", "di", "du", "el", "la", "le", "o", "st", "ter", "van", "von")
)
_BEFORE_CORE = re.compile(rf"^(?:(?:{'|'.join(sorted(_PARTICLES))})[\s.\-]+)+(?=[^\W\d_])")
_WITHIN_WORD = re.compile(r"['’ʼ\-‐–]")
_PLAIN = {**dict.fromkeys("’ʼ`´‘", "'"), **dict.fromkeys("‐‑‒–—−", "-"), "ı": "i", "ł": "l", "ø": "o", "đ": "d"}
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORT_MONTH: Final = 3
_DAY_FORMS = (
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})(?:T.*)?"),
    re.compile(r"(?P<day>[0-9]{1,2})[/.-](?P<month>[0-9]{1,2})[/.-](?P<year>[0-9]{4})"),
    re.compile(r"(?P<day>[0-9]{1,2}) (?P<name>[A-Za-z]{3,9}) (?P<year>[0-9]{4})"),
)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’ʼ.\-‐–]| |, ?){1,80}")
_MOST_NAMES: Final = 6
# Words in small letters are a name by chance; of more than these hardly ever.
_SMALL_NAMES: Final = 3
_LONGEST_NAME: Final = 100
_LONGEST_IDENTIFIER: Final = 40
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-]{7,20}")
# Between the letters and digits of an identifier, and between those of a telephone number.
_WITHIN: Final = r"[\s\-./_]{0,2}"
_WITHIN_PHONE: Final = r"[\s\-.()]{0,3}"
# Between the words of a name; and between those of any other text.
_BETWEEN: Final = r"[\s.,/_\-]{1,4}"
_BETWEEN_WORDS: Final = r"[\s,.;:]+"
# Scripts that are written without spaces, in which every sign may begin a word (UAX 29, section 4.1, rule WB999): Thai,
# Lao, Tibetan, Burmese, Khmer, Hiragana, Chinese characters.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3041-\u309f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Korean writes what stands behind a name to it, 홍길동은: a word may end with any whole syllable (Unicode 3.12).
_KOREAN: Final = "\u1100-\u11ff"
_END_OF_SYLLABLE: Final = "(?![\u11a8-\u11ff])"
# A Chinese character or a Korean syllable says as much as two letters.
_FULL_SIGN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]")
# Vowels of the scripts of India and its neighbours that stand beside their letter: for Python no part of a word.
_VOWELS: Final = "".join(
    char for char in map(chr, (*range(0x0900, 0x1A00), *range(0xA800, 0xAC00))) if unicodedata.category(char) == "Mc"
)
# No letter or digit before or behind: what has an underline there is a word all the same.
_BEGIN: Final = rf"(?:(?<![^\W_{_UNSPACED}])|(?=[{_UNSPACED}]))"
_END: Final = rf"(?:(?![^\W_{_UNSPACED}]|[{_VOWELS}])|(?<=[{_UNSPACED}])|(?<=[{_KOREAN}]){_END_OF_SYLLABLE})"
# Where a line of a text ends within a word.
_BROKEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011\u00ad][ \t]*(?:\r\n?|\n)\s*(?=[^\W\d_])")
# RFC 5321, 4.5.3.1: at most 64 before the sign. Unbounded, a long word would be gone through for each of its letters.
_EMAIL = re.compile(r"(?<![\w.+\-'])[\w.+\-']{1,64}@[\w\-]{1,255}(?:\.[\w\-]{1,255}){1,20}")
_SQUASHED = {ord(char): None for char in " \t\n\r\v\f-./_'(),;:+"}
# What has digits and no separators, and what has letters alone, of a normalised text.
CODE: Final = re.compile(r"[^\W_]*[0-9][^\W_]*")
_LETTERS: Final = rf"[^\W\d_]+(?:[{_VOWELS}]+[^\W\d_]*)*"
WORD: Final = re.compile(rf"{_LETTERS}(?:['\-]{_LETTERS})*")
# Groups of an identifier that is written with separators, of a normalised text.
_GROUP: Final = re.compile(r"[^\W_]+")
_BETWEEN_GROUPS: Final = re.compile(r"[\s\-./_()+]{1,3}")
# One letter of at least so many may differ in what is nearly a name.
_NEAR_LETTERS: Final = 5


class ValueKind(StrEnum):
    """What a value is, which says how else it is written."""

    NAME = "name"
    IDENTIFIER = "identifier"
    TEXT = "text"


class NearMiss(StrEnum):
    """Why something is for a person to decide about."""

    GIVEN_NAME = "given name alone"
    ONE_LETTER = "one letter differs"
    EMAIL = "within an e-mail address"
    PART = "part of the surname"
    SHORT = "too short to be looked for"
    SHOWN = "within a page that is shown as it came"
    USER = "like the name of a user"
    SMALL = "a word of it, as a name is written"


@dataclass(frozen=True)
class Normal:
    """A text as it is compared: `original` is what it was."""

    text: str
    original: str

    def span(self, found: re.Match[str]) -> tuple[int, int]:
        """Return where in the original the match begins and ends, marks on its last letter included."""
        end = found.end()
        return self._places[found.start()], self._places[end] if end < len(self._places) else len(self.original)

    @cached_property
    def _places(self) -> Sequence[int]:
        """For each character the place in the original that it is from: few texts are asked for it."""
        if len(self.text) == len(self.original) and self.original.isascii():
            return range(len(self.original))
        kept: list[int] = []
        before = " "
        skipped = {place for found in _BROKEN.finditer(self.original) for place in range(*found.span())}
        for place, char in enumerate(self.original):
            for one in () if place in skipped else _FOLDED[ord(char)]:
                if one != " " or before != " ":
                    kept.append(place)
                before = one
        return kept


def normal(text: str) -> Normal:
    """Return a text as it is compared; a word that is broken at the end of a line is whole."""
    original = text
    if ("\n" in text or "\r" in text) and _BROKEN.search(text):
        text = _BROKEN.sub("", text)
    folded = text.lower() if text.isascii() else text.translate(_FOLDED)
    if any(char in folded for char in "\t\n\r\v\f`\x1c\x1d\x1e\x1f"):
        folded = text.translate(_FOLDED)
    return Normal(_SPACES.sub(" ", folded).lstrip(" ") if "  " in folded or folded[:1] == " " else folded, original)


class _Folding(dict[int, str]):
    """What each character is compared as, made when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


def _folded(char: str) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return ""
    apart = unicodedata.normalize("NFKD", char.casefold())
    plain = "".join(_PLAIN.get(one, one) for one in apart if unicodedata.category(one) not in {"Mn", "Cf"})
    return plain.casefold()


_FOLDED: Final = _Folding()
_SPACES = re.compile(" {2,}")


def kind_of(value: str) -> ValueKind:
    """Return what a value looks like."""
    text = _bare(value)
    if len(text) > _LONGEST_NAME:
        return ValueKind.TEXT
    if any(char.isdigit() for char in text):
        return ValueKind.IDENTIFIER if _is_identifier(text) else ValueKind.TEXT
    words = re.split(r"[\s,]+", text)
    # A particle may be joined to the name: al-Rashid, d'Angelo.
    named = all(
        word.lower() in _PARTICLES or not _WITHIN_WORD.split(word)[-1][:1].islower()
        for word in words
        if word.strip(".")
    )
    return ValueKind.NAME if _is_of_letters(text) and named and len(words) <= _MOST_NAMES else ValueKind.TEXT


def _is_of_letters(text: str) -> bool:
    """Return whether a text could be a name by its signs; what is written onto letters is a part of them."""
    return _NAME.fullmatch("".join(char for char in text if unicodedata.category(char)[0] != "M")) is not None


def is_small_name(value: str, least: int = 2) -> bool:
    """Return whether a text of `least` words would be a person's name if they were not in small letters."""
    text = _bare(value)
    few = least <= len(text.split()) <= _SMALL_NAMES
    return few and text.islower() and _is_of_letters(text) and kind_of(value) is ValueKind.TEXT


def _bare(value: str) -> str:
    """Return a name without titles before it, and letters and remarks in brackets behind it."""
    return _SUFFIX.sub("", _REMARK.sub("", _TITLE.sub("", value.strip()))).strip()


def people(value: str, *, small: bool = False) -> Sequence[str]:
    """Return the names in a value that has several, ``John SMITH and Mary Brown``; else the value alone.

    With `small` it is known to be about people: names in small letters are names too.
    """
    names = [one.strip() for one in _AND.split(value) if one.strip()]
    several = len(names) > 1 and all(
        kind_of(one) is ValueKind.NAME or (small and is_small_name(one, least=1)) for one in names
    )
    return names if several else (value,)


def weight(text: str) -> int:
    """Return how many letters and digits a text has, signs that say as much as two counted twice."""
    return sum(map(str.isalnum, text)) + len(_FULL_SIGN.findall(text))


def _is_identifier(text: str) -> bool:
    """Return whether a text with digits is one number, or a day, and not words with a number among them."""
    if _day_of(text) or _PHONE.fullmatch(text):
        return True
    short = all(any(char.isdigit() for char in one) or len(one) <= _SHORT_MONTH for one in text.split())
    return short and sum(map(str.isalnum, text)) <= _LONGEST_IDENTIFIER


@dataclass(frozen=True)
class Person:
    """A name in its parts, normalised: `given` may be empty."""

    given: tuple[str, ...]
    surname: str


def person(value: str) -> Person:
    """Return the parts of a name, ``JONES, John`` or ``John JONES``."""
    text = normal(_bare(value)).text.strip(" .")
    if "," in text:
        surname, _, given = text.partition(",")
        return Person(tuple(re.findall(r"[^\s.,]+", given)), surname.strip(" ."))
    words = re.findall(r"[^\s.,]+", text)
    first = len(words) - 1
    while first > 1 and words[first - 1] in _PARTICLES:
        first -= 1
    return Person(tuple(words[:first]), " ".join(words[first:]))


def patterns(value: str, kind: ValueKind) -> list[str]:
    """Return regular expressions for the forms of a value in normalised text, the longest form first."""
    if kind is ValueKind.NAME:
        return _name_patterns(person(value))
    if kind is ValueKind.IDENTIFIER:
        day = _day_of(value)
        return _day_patterns(day) if day else [_number_pattern(value)]
    # An address is written with and without commas; other words with commas between them say something else.
    between = _BETWEEN_WORDS if re.search(r"[0-9,]", value) else r"\s+"
    words = [word for word in re.split(between, normal(value).text.strip()) if word]
    return [_bounded(between.join(map(_word, words)))]


def _is_of_signs(word: str) -> bool:
    return weight(word) == 2 * len(word)


def _word(word: str) -> str:
    """Return a pattern for a word: signs that say as much as two letters may have spaces between them."""
    composed = unicodedata.normalize("NFC", word)
    if _is_of_signs(composed):
        return r"[\s·]?".join(re.escape(unicodedata.normalize("NFKD", sign)) for sign in composed)
    # Its own hyphen is gone where a line ends with it.
    return re.escape(word).replace(r"\-", r"\-?")


def _name_patterns(found: Person) -> list[str]:
    whole, core = _joined(found.surname), _joined(_core(found.surname))
    # A surname without the particles before it, as they are often left out; one of two letters says too little alone.
    alone = f"{whole}|{core}" if len(_core(found.surname)) >= SHORTEST else whole
    alone = rf"(?:{_TITLES})\.?\s+(?:{whole}|{core})|{alone}"
    if not found.given:
        return [_bounded(alone)]
    without = _with_given(found, core) if core != whole else []
    return [*_with_given(found, whole), *_any_order(found), *without, _bounded(alone)]


def _with_given(found: Person, surname: str) -> list[str]:
    """Return patterns for given name or initials beside a surname, in either order."""
    title = rf"(?:(?:{_TITLES})\.?\s+)?"
    one = "|".join(map(_given, dict.fromkeys(found.given)))
    initials = _initials(found.given)
    # Names that the value lacks may stand between given name and surname.
    other = r"(?:[\s.]+[^\W\d_]\.?)?"
    given = rf"(?:{initials}|(?:{one})(?:[\s.\-]*(?:{one}))*{other})"
    return [
        _bounded(rf"{title}{given}{_BETWEEN}{surname}"),
        _bounded(rf"{surname}{_BETWEEN}{title}(?:{initials}|(?:{one})(?:[\s.\-]+(?:{one}))*\.?)"),
        *_as_one_word(found, surname),
    ]


def _as_one_word(found: Person, surname: str) -> list[str]:
    """Return patterns for a given name and the surname in one word, as in names of fields and of users."""
    if weight(found.surname) < SHORTEST:
        return []
    telling = [
        name for name in found.given if weight(name) >= SHORTEST or _is_of_signs(unicodedata.normalize("NFC", name))
    ]
    whole = "|".join(map(_word, telling))
    return [_bounded(rf"(?:{whole}){surname}|{surname}(?:{whole})")] if whole else []


def user_names(found: Person) -> set[str]:
    """Return words that a person's initials and surname make in names of users, ``jsmith`` and ``smithjp``."""
    plain = found.surname.translate(_SQUASHED)
    if not found.given or len(plain) < SHORTEST:
        return set()
    initials = "".join(name[0] for name in found.given)
    return {word for some in {initials[:1], initials} for word in (some + plain, plain + some)}


def _joined(surname: str) -> str:
    words = [_word(word).replace("'", r"['\s]?") for word in re.split(r"[\s.\-]+", surname) if word]
    return r"[\s.\-]*".join(words)


def _core(surname: str) -> str:
    """Return a surname without the particles before it: ``berg`` of ``van den berg``."""
    return _BEFORE_CORE.sub("", surname)


def _initials(given: Sequence[str]) -> str:
    """Return a pattern for initials in a row, the first of which is known: ``J.P.``, ``J P``, ``JP``, ``M-J``."""
    words = [word for name in given for word in re.split(r"-", name) if word]
    known = "".join(dict.fromkeys(re.escape(word[0]) for word in words))
    return rf"[{known}](?:[\s.\-]{{1,2}}[^\W\d_](?![^\W\d_]))?\.?(?![^\W\d_])|[{known}]{{2,4}}(?![^\W\d_])"


def _any_order(found: Person) -> list[str]:
    """Return a pattern for two and more of a name's words in whatever order, as names of many languages are written."""
    words = dict.fromkeys(word for word in (*found.given, *found.surname.split()) if len(word) > 1)
    telling = [word for word in words if word not in _PARTICLES]
    if len(words) <= 2 or not telling:
        return []
    one, own = "|".join(map(re.escape, words)), "|".join(map(re.escape, telling))
    return [_bounded(rf"(?:{own})(?:{_BETWEEN}(?:{one}))+|(?:{one})(?:{_BETWEEN}(?:{one}))*{_BETWEEN}(?:{own})")]


def squashed(text: str) -> str:
    """Return a normalised text without all that may stand within and between the words and numbers of a pattern."""
    return text.translate(_SQUASHED)


def anchors(value: str, kind: ValueKind, *, given_name: bool) -> Sequence[str]:
    """Return texts of which one is in every squashed text that has a form of the value: where none is, none is."""
    if kind is ValueKind.NAME:
        found = person(value)
        words = [*found.given, *found.surname.split()] if _any_order(found) or given_name else ()
        return [squashed(one) for one in (_core(found.surname), *(word for word in words if len(word) > 1))]
    day = _day_of(value) if kind is ValueKind.IDENTIFIER else None
    if day:
        return [f"{day.year % 100:02}"]
    digits = re.sub(r"[^0-9]", "", value)
    if kind is ValueKind.IDENTIFIER and _PHONE.fullmatch(value.strip()):
        return [digits.removeprefix("00").removeprefix("44").removeprefix("0")]
    plain = normal(value).text
    return ["".join(filter(str.isalnum, plain)) if kind is ValueKind.IDENTIFIER else squashed(plain)]


def given_name_pattern(found: Person) -> str:
    """Return a regular expression for the given names of a person, each alone."""
    return _bounded("|".join(re.escape(name) for name in found.given if len(name) > 1))


def _given(name: str) -> str:
    whole = re.escape(name).replace(r"\-", r"[\s\-]?")
    return rf"{whole}|{re.escape(name[:1])}\.?(?![\w'])"


def _national(value: str) -> str:
    """Return a telephone number of the United Kingdom without what is dialled before it; else an empty text."""
    digits = re.sub(r"[^0-9]", "", value)
    if _PHONE.fullmatch(value.strip()) and digits.startswith(("0", "44")) and len(digits) >= 9:
        return digits.removeprefix("00").removeprefix("44").removeprefix("0")
    return ""


def _number_pattern(value: str) -> str:
    if national := _national(value):
        rest = _WITHIN_PHONE.join(national)
        prefix = rf"(?:(?:\+|00)?\s*4{_WITHIN_PHONE}4{_WITHIN_PHONE}(?:\(0\))?{_WITHIN_PHONE}|\(?0{_WITHIN_PHONE})?"
        return rf"(?<![0-9+]){prefix}{rest}(?![0-9])"
    plain = "".join(char for char in normal(value).text if char.isalnum())
    return rf"{_BEGIN}{_WITHIN.join(map(re.escape, plain))}{_END}"


def _day_of(value: str) -> date | None:
    for form in _DAY_FORMS:
        found = form.fullmatch(value.strip())
        if not found:
            continue
        parts = found.groupdict()
        month = parts.get("month") or _month_number(parts.get("name") or "")
        try:
            return date(int(parts["year"]), int(month), int(parts["day"]))
        except ValueError:
            return None
    return None


def _month_number(name: str) -> str:
    found = [index for index, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower())]
    return str(found[0]) if len(found) == 1 else "0"


def _day_patterns(day: date) -> list[str]:
    numbers = f"0?{day.day}", f"0?{day.month}"
    month = _MONTHS[day.month - 1]
    longer = "|".join(month[_SHORT_MONTH:end] for end in range(len(month), _SHORT_MONTH, -1))
    name = rf"{month[:_SHORT_MONTH]}(?:{longer})?\.?" if longer else month
    ordinal = rf"{numbers[0]}(?:st|nd|rd|th)?"
    year = rf"(?:{day.year // 100:02})?{day.year % 100:02}"
    return [
        rf"(?<![0-9]){day.year}[-/.]{numbers[1]}[-/.]{numbers[0]}(?![0-9])",
        rf"(?<![0-9/.\-]){numbers[0]}\s*[-/.]\s*{numbers[1]}\s*[-/.]\s*{year}(?![0-9])",
        rf"(?<![0-9])(?:{day:%Y%m%d}|{day:%d%m%Y})(?![0-9])",
        rf"(?<![0-9]){ordinal}[\s\-]*(?:of\s+)?{name},?[\s\-]*'?{year}(?![0-9])",
        rf"{_BEGIN}{name}\s+{ordinal},?\s+{year}(?![0-9])",
    ]


def _bounded(pattern: str, end: str = _END) -> str:
    return rf"{_BEGIN}(?:{pattern}){end}"


def emails(text: str) -> Iterator[re.Match[str]]:
    """Yield the e-mail addresses of a normalised text."""
    return _EMAIL.finditer(text)


def codes_of(value: str) -> Sequence[str]:
    """Return an identifier without its separators, normalised; a telephone number as it is dialled; none for a day."""
    if _day_of(value):
        return ()
    national = _national(value)
    if national:
        return ("0" + national, "44" + national, national)
    return ("".join(filter(str.isalnum, normal(value).text)),)


def grouped(text: str, longest: int) -> Iterator[tuple[int, str]]:
    """Yield the groups of letters and digits of a normalised text that may be one identifier, and where they begin.

    Two groups at least, joined, with a digit among them and at most `longest` signs.
    """
    groups = list(_GROUP.finditer(text))
    for index, first in enumerate(groups):
        joined, end = first[0], first.end()
        # Not a slice, which would copy what is left for each group.
        for group in map(groups.__getitem__, range(index + 1, len(groups))):
            joined += group[0]
            if len(joined) > longest or not _BETWEEN_GROUPS.fullmatch(text, end, group.start()):
                break
            end = group.end()
            if not joined.isalpha():
                yield first.start(), joined


def surname_words(found: Person) -> Sequence[str]:
    """Return the words of a surname that tell something: no particles, no single letters."""
    return [word for word in _core(found.surname).split() if len(word) > 1]


def differs_by_one(left: str, right: str) -> bool:
    """Return whether one letter more, less or other, or two the other way round, makes one word the other.

    Only of words that are long enough to say so.
    """
    if left == right or min(len(left), len(right)) < _NEAR_LETTERS - 1 or max(len(left), len(right)) < _NEAR_LETTERS:
        return False
    if abs(len(left) - len(right)) > 1:
        return False
    shorter, longer = sorted((left, right), key=len)
    start = next((index for index, char in enumerate(shorter) if char != longer[index]), len(shorter))
    if len(left) == len(right) and left[start : start + 2] == right[start : start + 2][::-1]:
        return left[start + 2 :] == right[start + 2 :]
    skip = 0 if len(shorter) < len(longer) else 1
    return shorter[start + skip :] == longer[start + 1 :]
