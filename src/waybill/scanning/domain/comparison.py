"""Two jobs beside each other: which values are new in an object, which are gone, which stay."""

from collections.abc import Iterable, Mapping
from typing import Any


def compared(earlier: Iterable[Mapping[str, Any]], later: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `{new, gone, same}`: findings of the later job, findings of the earlier one, and a number.

    A value is the same in an object wherever it has moved to; how often it is in it does not matter.
    """
    before, after = _by_value(earlier), _by_value(later)
    return {
        "new": [after[value] for value in sorted(after.keys() - before.keys())],
        "gone": [before[value] for value in sorted(before.keys() - after.keys())],
        "same": len(before.keys() & after.keys()),
    }


def _by_value(findings: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for finding in findings:
        found.setdefault((str(finding["key"]), str(finding["fingerprint"])), finding)
    return found
