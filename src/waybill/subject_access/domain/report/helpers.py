"""The helpers of templates: ``{{formatDate createdAt}}`` (reference, section 8).

A helper takes values as JSON has them and returns the text to print, or a value for the helper around it. None of them
raises: what a helper does not understand it returns as it came.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from waybill.subject_access.domain.report.models import Json, Lookups
from waybill.subject_access.domain.report.wording import NO_DATA_HELD, is_empty, words

type Helper = Callable[..., Json]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_YES = {"1", "true"}
_NO = {"0", "false"}


def helpers(lookups: Lookups) -> Mapping[str, Helper]:
    """Return the helpers by name; the last ones look names up."""
    return {
        **_FIXED,
        "getPrisonName": _name_from(lookups.prisons),
        "getUserLastName": _name_from(lookups.surnames),
        "getLocationNameByDpsId": _name_from(lookups.locations),
        "getLocationNameByNomisId": _name_from(lookups.locations),
    }


def format_date(value: Json = None) -> Json:
    """Return an ISO date as ``05 March 2024``, with a time as ``05 March 2024, 2:30:00 pm``.

    A list is year, month, day and, when it has them, hour, minute and second, as some services write times. Times are
    printed as they were given, in whichever zone.
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return _from_parts(value)
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return value
    try:
        return _printed(datetime.fromisoformat(value)) if "T" in value else _day(date.fromisoformat(value))
    except ValueError:
        return value


def _from_parts(parts: Sequence[Json]) -> Json:
    try:
        numbers = [int(part) for part in parts[:6]]
        whole = [*numbers, *(1, 1, 1, 0, 0, 0)[len(numbers) :]]
        return _printed(datetime(*whole))  # type: ignore[arg-type]  # noqa: DTZ001 — six numbers; the zone is not given
    except (TypeError, ValueError):
        return ", ".join(map(str, parts))


def _printed(moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    half = "am" if moment.hour < 12 else "pm"
    return f"{_day(moment)}, {hour}:{moment.minute:02}:{moment.second:02} {half}"


def _day(day: date) -> str:
    return f"{day.day:02} {_MONTHS[day.month - 1]} {day.year}"


def build_date(year: Json = None, month: Json = None, day: Json = None) -> Json:
    """Return the date of its three parts, texts or numbers."""
    if any(map(is_empty, (year, month, day))):
        return NO_DATA_HELD
    return format_date(f"{year!s:0>4}-{month!s:0>2}-{day!s:0>2}")


def optional(value: Json = None) -> Json:
    """Return `value`, or that nothing is held."""
    return NO_DATA_HELD if is_empty(value) else value


def or_default(value: Json = None, default: Json = "") -> Json:
    """Return `value`, or `default` where nothing is held."""
    return default if is_empty(value) else value


def index_plus_one(index: Json = None) -> Json:
    """Return the number that people count with."""
    return index + 1 if isinstance(index, int) else index


def yes_or_no(value: Json = None) -> Json:
    """Return Yes or No for true and false, 1 and 0, and their texts."""
    if is_empty(value):
        return NO_DATA_HELD
    text = str(value).lower()
    return "Yes" if text in _YES else "No" if text in _NO else value


def camel_case_words(value: Json = None) -> Json:
    """Return ``roleDescription`` as ``role description``."""
    if is_empty(value):
        return NO_DATA_HELD
    return words(value).lower() if isinstance(value, str) else value


def equal(left: Json = None, right: Json = None) -> bool:
    """Return whether both print the same."""
    return str(left) == str(right)


def _name_from(names: Mapping[str, str]) -> Helper:
    def name_of(code: Json = None) -> Json:
        return NO_DATA_HELD if is_empty(code) else names.get(str(code), code)

    return name_of


_FIXED: Final[Mapping[str, Helper]] = {
    "formatDate": format_date,
    "buildDate": build_date,
    "buildDateNumber": build_date,
    "optionalValue": optional,
    "optionalString": optional,
    "getOrDefault": or_default,
    "getIndexPlusOne": index_plus_one,
    "convertBoolean": yes_or_no,
    "convertCamelCase": camel_case_words,
    "eq": equal,
}
HELPER_NAMES: Final = frozenset(helpers(Lookups()))
