"""Findings that are known: their fingerprints in a file, which says nothing of the values without the key."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from waybill.core.errors import FieldError, InvalidInputError

_VERSION = 1
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def baseline_text(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the baseline of some findings: a line for each fingerprint, so that a change is a line."""
    known = {str(finding["fingerprint"]): str(finding["detector"]) for finding in findings}
    return json.dumps({"version": _VERSION, "known": dict(sorted(known.items()))}, indent=2) + "\n"


def read_baseline(text: str) -> frozenset[str]:
    """Return the fingerprints of a baseline.

    Raises
    ------
    InvalidInputError
        It is none: an empty one would let everything pass, or nothing.
    """
    try:
        document = json.loads(text)
        known = document["known"]
        if document["version"] != _VERSION or not isinstance(known, dict):
            raise ValueError("version")
        if not all(_FINGERPRINT.fullmatch(fingerprint) for fingerprint in known):
            raise ValueError("known")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInputError(FieldError("--baseline", "is not a baseline of this program")) from None
    return frozenset(known)
