"""The helpers of templates: ``{{formatDate createdAt}}``.

They print what the helpers of HMPPS' own library print (release notes 2.1 to 2.2.1 of hmpps-kotlin-lib's subject access
request module): a text that fits no form is printed as it came. Values are as JSON has them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import pairwise, zip_longest
from typing import Final
from zoneinfo import ZoneInfo

from waybill.subject_access.domain.inline_pictures import MEMBER
from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.models import InlineImage, Json, Lookups, Number
from waybill.subject_access.domain.report.wording import MARKED, NO_DATA_HELD, as_text, is_empty, is_simple, one_line

type Helper = Callable[..., Json]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MOMENT = re.compile(
    r"(?:(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})|(?P<day2>[0-9]{2})/(?P<month2>[0-9]{2})/(?P<year2>[0-9]{4}))"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# Year, month, day, hour, minute and second that a list does not have.
_MISSING: Final = (1, 1, 1, 0, 0, 0)
_WHOLE = re.compile(r"([0-9]{1,6})(?:\.[0-9]*)?")
# Any number that a service counts with; a longer one is none.
_COUNT = re.compile(r"(-?[0-9]{1,18})(?:\.[0-9]*)?")
# What the source of a picture that is printed in place begins with.
SOURCE: Final = "inline:"
_YES = (1, "1", "true")
_NO = (0, "0", "false")


def helpers(lookups: Lookups) -> Mapping[str, Helper]:
    """Return the helpers by name; the last ones look names up."""
    return {
        **_FIXED,
        "getPrisonName": _name_from(lookups.prisons),
        "getUserLastName": _name_from(lookups.surnames),
        "getLocationNameByDpsId": _name_from(lookups.locations),
        "getLocationNameByNomisId": _name_from(lookups.locations),
    }


def format_date(value: Json) -> Json:
    """Return a date as ``05 March 2024``, with a time as ``05 March 2024, 2:30:00 pm``.

    A moment with a zone is printed as the United Kingdom's clocks showed it, one without as it stands; seconds where
    there are some. A list is year, month, day, hour, minute and second, as some services write times.
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return _from_parts(value)
    # Most texts are no dates, and every form of a date begins with a digit.
    found = _MOMENT.fullmatch(value) if isinstance(value, str) and "0" <= value[:1] <= "9" else None
    if found is None:
        return value
    try:
        return _from_text(found)
    except (ValueError, OverflowError):
        return value


def _from_text(found: re.Match[str]) -> str:
    day = date(*(int(found[name] or found[f"{name}2"]) for name in ("year", "month", "day")))
    if found["hour"] is None:
        return _day(day)
    time = f"{found['hour']}:{found['minute']}:{found['second'] or '00'}"
    moment = datetime.fromisoformat(f"{day.isoformat()}T{time}{found['zone'] or ''}")
    if moment.day != day.day:  # 24:00 is no time of this day
        raise ValueError(time)
    local = moment.astimezone(_london()) if moment.tzinfo else moment
    return _printed(local, seconds=found["second"] is not None)


def _from_parts(parts: Sequence[Json]) -> Json:
    given = zip_longest(parts[: len(_MISSING)], _MISSING)
    wholes = [_WHOLE.fullmatch(str(missing if part is None else part)) for part, missing in given]
    numbers = [int(whole[1]) for whole in wholes if whole]
    if len(numbers) < len(_MISSING):
        return _as_sent(parts)
    year, month, day, hour, minute, second = numbers
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 — the zone is not given
    except ValueError:
        return _as_sent(parts)
    return _printed(moment, seconds=bool(second))


def _as_sent(parts: Sequence[Json]) -> Json:
    return ", ".join(map(as_text, parts)) if all(map(is_simple, parts)) else list(parts)


@cache
def _london() -> ZoneInfo:
    return ZoneInfo("Europe/London")


def _printed(moment: datetime, *, seconds: bool) -> str:
    half = "am" if moment.hour < 12 else "pm"
    second = f":{moment.second:02}" if seconds else ""
    return f"{_day(moment)}, {moment.hour % 12 or 12}:{moment.minute:02}{second} {half}"


def _day(day: date) -> str:
    return f"{day.day:02} {_MONTHS[day.month - 1]} {day.year:04}"


def build_date(year: Json, month: Json, day: Json) -> Json:
    """Return the date of its three parts, texts or numbers."""
    if any(map(is_empty, (year, month, day))):
        return NO_DATA_HELD
    padded = f"{as_text(year):0>4}-{as_text(month):0>2}-{as_text(day):0>2}"
    found = format_date(padded)
    return "-".join(map(as_text, (year, month, day))) if found == padded else found


def build_date_number(year: Json, month: Json, day: Json) -> Json:
    """Return the date of its three parts, numbers that are cut to whole ones."""
    return build_date(*(part if is_empty(part) else str(part).partition(".")[0] for part in (year, month, day)))


def optional_value(value: Json) -> Json:
    """Return `value`, or that nothing is held."""
    return NO_DATA_HELD if value is None or value == "" else value


def optional_string(value: Json) -> Json:
    """Return a text, or that nothing is held."""
    if not (value is None or isinstance(value, str)) or isinstance(value, Number):
        raise TemplateError("optionalString takes a text")
    return NO_DATA_HELD if is_empty(value) else value


def or_default(value: Json, default: Json = "") -> Json:
    """Return `value`, or `default` where nothing is held."""
    return default if is_empty(value) else value


def index_plus_one(index: Json) -> Json:
    """Return the number that people count with."""
    if index is None:
        return ""
    whole = _COUNT.fullmatch(str(index))
    if whole is None or isinstance(index, bool):
        raise TemplateError("getIndexPlusOne takes a whole number")
    return int(whole[1]) + 1


def yes_or_no(value: Json) -> Json:
    """Return Yes or No for true and false, 1 and 0, and their texts."""
    if value is None:
        return NO_DATA_HELD
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "Yes" if value in _YES else "No" if value in _NO else value


def camel_case_words(value: Json) -> Json:
    """Return ``roleDescription`` as ``role description``, and ``addressLine2`` as ``address line 2``.

    A word is letters of one case, the last capital of several with the small letters behind it; digits and other signs
    are words of their own (Apache Commons Lang, `StringUtils.splitByCharacterTypeCamelCase`).
    """
    if value is None or value == "":
        return NO_DATA_HELD
    if not isinstance(value, str) or isinstance(value, Number) or " " in value:
        return value
    kinds = [unicodedata.category(char) for char in value]
    begins = [0]
    for place, (before, kind) in enumerate(pairwise(kinds), start=1):
        if kind != before:
            begins.append(place - 1 if (before, kind) == ("Lu", "Ll") else place)
    return " ".join(value[begin:end] for begin, end in pairwise([*dict.fromkeys(begins), len(value)])).lower()


def equal(left: Json, right: Json) -> bool:
    """Return whether both print the same; what is not there is the same as what is not there either."""
    if left is None or right is None:
        return left is right
    return str(left) == str(right)


def look_up(value: Json, key: Json) -> Json:
    """Return what an object has under a key, or a list at a place that counts from 0."""
    if isinstance(value, dict):
        return value.get(str(key))
    place = _WHOLE.fullmatch(str(key))
    if isinstance(value, LISTS) and place and int(place[1]) < len(value):
        return value[int(place[1])]
    return None


def inline_picture(value: Json, height: Json = None, width: Json = None) -> Json:
    """Return the picture that an object of the answer describes, no larger than a box of CSS pixels."""
    if value is None:
        return NO_DATA_HELD
    found = _picture(value)
    return found if isinstance(found, str) else InlineImage(found, _pixels(width), _pixels(height))


def inline_picture_source(value: Json) -> Json:
    """Return the same as the ``src`` of an ``<img>``."""
    if value is None:
        return ""
    found = _picture(value)
    return found if isinstance(found, str) else f"{SOURCE}{found}"


def _picture(value: Json) -> int | str:
    """Return the number of a picture, or what stands where it, or its address, was taken out."""
    if isinstance(value, str) and value.startswith(MARKED):
        return value
    kind = value.get("contentType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str):
        raise TemplateError("inlineAttachment takes an object with contentType, url and filesize")
    if kind.startswith(MARKED):
        return kind
    if not kind.strip().lower().startswith("image/"):
        raise TemplateError(f"inlineAttachment prints no {one_line(kind, 100)}")
    url, number = value.get("url"), value.get(MEMBER)
    if isinstance(url, str) and url.startswith(MARKED):
        return url
    if not isinstance(number, int) or isinstance(number, bool):
        raise TemplateError("the picture did not come with the answer")
    return number


def _pixels(value: Json) -> int:
    whole = _WHOLE.fullmatch(str(value))
    return int(whole[1]) if whole and not isinstance(value, bool) else 0


def _name_from(names: Mapping[str, str]) -> Helper:
    def name_of(code: Json) -> Json:
        return NO_DATA_HELD if is_empty(code) else names.get(str(code), code)

    return name_of


_FIXED: Final[Mapping[str, Helper]] = {
    "formatDate": format_date,
    "buildDate": build_date,
    "buildDateNumber": build_date_number,
    "optionalValue": optional_value,
    "optionalString": optional_string,
    "getOrDefault": or_default,
    "getIndexPlusOne": index_plus_one,
    "convertBoolean": yes_or_no,
    "convertCamelCase": camel_case_words,
    "eq": equal,
    "inlineAttachment": inline_picture,
    "inlineAttachmentContent": inline_picture_source,
    "lookup": look_up,
}
# With how many values each may be called, at least and at most.
_OTHER_THAN_ONE: Final = {
    "buildDate": (3, 3),
    "buildDateNumber": (3, 3),
    "eq": (2, 2),
    "getOrDefault": (1, 2),
    "inlineAttachment": (1, 3),
    "lookup": (2, 2),
}
ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = dict.fromkeys(helpers(Lookups()), (1, 1)) | _OTHER_THAN_ONE
