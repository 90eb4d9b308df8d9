"""What people send: an unknown field is refused, so that no safeguard that is misspelt is off without a word."""

import re
from datetime import date

from pydantic import ConfigDict

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BRITISH = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LONGEST_REASON = 500


class Body(WireModel):
    """A body, every field of which is known."""

    model_config = ConfigDict(extra="forbid")


def day_of(field: str, text: str | None, today: date, default: date) -> date:
    """Return the day of a field, 2026-11-30 or 30/11/2026; `default` where there is none.

    Raises
    ------
    InvalidInputError
        It is no date, or in the future.
    """
    if text is None:
        return default
    found = _BRITISH.fullmatch(text.strip())
    iso = f"{found[3]}-{found[2]}-{found[1]}" if found else text.strip()
    try:
        day = date.fromisoformat(iso) if _ISO.fullmatch(iso) else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidInputError(FieldError(field, "must be a date, yyyy-MM-dd or dd/MM/yyyy"))
    if day > today:
        raise InvalidInputError(FieldError(field, "must not be in the future"))
    return day


def reason_of(text: str | None, field: str = "reason") -> str:
    """Return a reason as it is kept.

    Raises
    ------
    InvalidInputError
        It is empty, too long, or more than one line.
    """
    said = (text or "").strip()
    if not 1 <= len(said) <= _LONGEST_REASON or not said.isprintable():
        raise InvalidInputError(FieldError(field, f"must be one line of 1 to {_LONGEST_REASON} characters"))
    return said
