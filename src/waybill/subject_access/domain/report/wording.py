"""Text as it stands on a page: labels from names, names that are safe to read, values as words."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.models import Json

NO_DATA_HELD: Final = "No Data Held"
NOT_SUPPORTED: Final = "Does not hold records under this type of number"
ABSENT: Final = "No data held"
# What stands where something was taken out begins so.
MARKED: Final = "[Redacted: "

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
# Where a word of camelCase begins: dateOfBirth, prisonerPNCNumber, address1.
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ODD_SPACE = re.compile(r"\s+")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def words(name: str) -> str:
    """Return an identifier as words, ``dateOfBirth`` as ``Date of birth``; what is no identifier stays as it is.

    Words that are capitals only are kept: ``PNCNumber`` is ``PNC number``.
    """
    if not _IDENTIFIER.fullmatch(name):
        return name if name.strip() else "(no name)"
    parts = re.split(r"[_-]", _WORD_BEGINS.sub("_", name))
    lowered = [part if len(part) > 1 and part.isupper() else part.lower() for part in parts]
    return " ".join([lowered[0][0].upper() + lowered[0][1:], *lowered[1:]])


def one_line(text: str, limit: int = 200) -> str:
    """Return a name, label or reference as one line: as it is written, but with plain spaces and no controls.

    At most `limit` characters, the end of a longer text replaced by an ellipsis. What the entities of an attachment's
    name stand for is known already (`upstream.names`): here `&amp;` is text, as anywhere on a page.
    """
    visible = "".join(char if unicodedata.category(char) not in _INVISIBLE else " " for char in text)
    plain = _ODD_SPACE.sub(" ", visible).strip()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def is_empty(value: Json) -> bool:
    """Return whether nothing is held in `value`: null, an empty text, list or object, or a text of spaces."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def is_simple(value: Json) -> bool:
    """Return whether `value` is shown as one text."""
    return not isinstance(value, (dict, *LISTS)) or not value


def as_text(value: Json) -> str:
    """Return a simple value as text."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if is_empty(value):
        return ABSENT
    if isinstance(value, int):
        return str(Decimal(value))  # str() of an int refuses more than 4,300 digits
    return str(value)
