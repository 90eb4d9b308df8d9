"""Numbering plans of regions, from the metadata of the phonenumbers library.

What digits mean where they are dialled is told as `parse` and `is_valid_number_for_region` of the library tell it: a
test holds them to the same answers. The library takes fifty times as long, since its parser expects any text, and a
table of telephone numbers has a hundred thousand in a megabyte.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_KINDS = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    *("fixed_line", "mobile"),
)
_NO_REGION = "001"
_LONGEST_CODE = 3
_SHORTEST_NUMBER = 2


@dataclass(frozen=True)
class NumberingPlan:
    """The numbers of one region.

    Parameters
    ----------
    general, lengths, local_lengths
        What all numbers look like, and how many digits they have, of which so many are dialled in one area alone.
    valid
        By the number of digits: what the numbers look like that are in use.
    international, prefix
        What is dialled in front of other countries' numbers, and of those of other areas.
    rewrite
        What is put in place of `prefix`, where that is another one than nothing.
    leading
        What the numbers of the region begin with among those of its country code.
    shape
        What each number looks like that is dialled in the region.
    """

    code: str
    general: re.Pattern[str]
    lengths: Sequence[int]
    local_lengths: Collection[int]
    valid: Mapping[int, re.Pattern[str]]
    international: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    rewrite: str
    leading: re.Pattern[str] | None
    shape: re.Pattern[str] | None

    def has(self, national: str) -> bool:
        """Return whether a number is one of this region, without anything dialled in front of it."""
        shape = self.valid.get(len(national))
        return shape is not None and shape.fullmatch(national) is not None

    def may_have(self, national: str) -> bool:
        """Return whether a number has the length of one."""
        return len(national) in self.lengths or len(national) in self.local_lengths

    def national(self, dialled: str) -> str:
        """Return the number that is meant where `dialled` begins with a national prefix, or does not."""
        without = self._without_prefix(dialled)
        size = len(without)
        is_long = (size in self.lengths or size > self.lengths[-1]) and size not in self.local_lengths
        return without if is_long else dialled

    def dialled(self, digits: str) -> tuple[str, str]:
        """Return what is dialled of a number of this region, and its country code where that is dialled too."""
        abroad = self.international.match(digits) if self.international else None
        if abroad and digits[abroad.end() : abroad.end() + 1] != "0":
            code = country_code(digits[abroad.end() :])
            return digits[abroad.end() + len(code) :], code or "0"
        if digits.startswith(self.code):
            without = self._without_prefix(digits[len(self.code) :])
            is_too_long = len(digits) > self.lengths[-1] and len(digits) not in self.local_lengths
            if is_too_long or (not self._looks_right(digits) and self._looks_right(without)):
                return without, self.code
        return digits, ""

    def _without_prefix(self, dialled: str) -> str:
        found = self.prefix.match(dialled) if self.prefix else None
        if found is None:
            return dialled
        if self.rewrite and found.re.groups and found[found.re.groups] is not None:
            without = found.re.sub(self.rewrite, dialled, count=1)
        else:
            without = dialled[found.end() :]
        return dialled if self._looks_right(dialled) and not self._looks_right(without) else without

    def _looks_right(self, national: str) -> bool:
        return self.general.fullmatch(national) is not None


def country_code(digits: str) -> str:
    """Return the country code that an international number begins with; nothing where it begins with none."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    if digits[:1] == "0":
        return ""
    codes = (digits[:length] for length in range(1, min(_LONGEST_CODE, len(digits)) + 1))
    return next((code for code in codes if int(code) in COUNTRY_CODE_TO_REGION_CODE), "")


@lru_cache(maxsize=256)
def number_of_region(region: str, digits: str) -> str | None:
    """Return in the form of E.164 which number of a region `digits` are where they are dialled there."""
    plan = plan_of(region)
    if plan is None or (plan.shape and not plan.shape.fullmatch(digits)):
        return None
    dialled, code = plan.dialled(digits)
    if code and code != plan.code:
        return None
    if len(dialled) < _SHORTEST_NUMBER:
        return None
    # Where the code is dialled, the prefix is that of the region which the code stands for in the first place.
    first = plan_of(_regions_of(code)[0], code) if code else plan
    national = (first or plan).national(dialled)
    return f"+{plan.code}{national}" if plan.has(national) else None


@lru_cache(maxsize=512)
def is_international(digits: str) -> bool | None:
    """Return whether `digits` are a number behind a plus; None where they only have the length of one."""
    code = country_code(digits)
    regions = _regions_of(code) if code else ()
    first = plan_of(regions[0], code) if regions else None
    if first is None or len(digits) - len(code) < _SHORTEST_NUMBER:
        return False
    national = first.national(digits[len(code) :])
    for region in regions:
        plan = plan_of(region, code)
        if plan and (plan.leading.match(national) if plan.leading else plan.has(national)):
            if plan.has(national):
                return True
            break
    return None if first.may_have(national) else False


def _regions_of(code: str) -> tuple[str, ...]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())


@cache
def plan_of(region: str, code: str = "") -> NumberingPlan | None:
    """Return the plan of a region; of numbers that belong to none (`001`), that of their country `code`."""
    from phonenumbers import PhoneMetadata

    metadata: Any = (
        PhoneMetadata.metadata_for_nongeo_region(int(code))
        if region == _NO_REGION
        else PhoneMetadata.metadata_for_region(region)
    )
    if metadata is None or metadata.general_desc is None or not metadata.general_desc.national_number_pattern:
        return None
    general = metadata.general_desc
    kinds = [kind for name in _KINDS if (kind := getattr(metadata, name)) and kind.national_number_pattern]
    return NumberingPlan(
        code=str(metadata.country_code),
        general=re.compile(general.national_number_pattern),
        lengths=general.possible_length,
        local_lengths=general.possible_length_local_only,
        valid={size: shape for size in general.possible_length if (shape := _valid(general, kinds, size))},
        international=_pattern(metadata.international_prefix),
        prefix=_pattern(metadata.national_prefix_for_parsing),
        rewrite=metadata.national_prefix_transform_rule or "",
        leading=_pattern(metadata.leading_digits),
        shape=_shape(metadata),
    )


def _valid(general: Any, kinds: Iterable[Any], size: int) -> re.Pattern[str] | None:
    shapes = [kind.national_number_pattern for kind in kinds if size in (kind.possible_length or (size,))]
    return re.compile(f"(?=(?:{general.national_number_pattern})$)(?:{'|'.join(shapes)})") if shapes else None


def _shape(metadata: Any) -> re.Pattern[str] | None:
    """Return what the numbers look like that are dialled in a region; None where some are rewritten."""
    if metadata.national_prefix_transform_rule:
        return None
    prefix = metadata.national_prefix_for_parsing
    prefixes = f"(?:{prefix}){{0,2}}" if prefix else ""
    abroad = f"(?:{metadata.international_prefix})?" if metadata.international_prefix else ""
    general = metadata.general_desc.national_number_pattern
    return re.compile(f"{abroad}(?:{metadata.country_code})?{prefixes}(?:{general})")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None
