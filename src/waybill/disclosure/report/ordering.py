"""The order of a report's sections: G1, G2, G3, then prison services by label, then probation services by label."""

from collections.abc import Sequence
from typing import Final

from waybill.disclosure.report.models import Part

_FIRST: Final = ("G1", "G2", "G3")
_CATEGORIES: Final = ("PRISON", "PROBATION")


def in_order(parts: Sequence[Part]) -> list[Part]:
    """Return `parts` as the report has them (reference, section 8); labels by letter, whatever their case."""
    return sorted(parts, key=_rank)


def _rank(part: Part) -> tuple[int, str, str]:
    if part.service in _FIRST:
        return _FIRST.index(part.service), "", ""
    category = _CATEGORIES.index(part.category) if part.category in _CATEGORIES else len(_CATEGORIES)
    return len(_FIRST) + category, part.label.casefold(), part.service
