"""Findings that are known: their fingerprints in a file, which says nothing of the values without the key."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from waybill.core.errors import FieldError, InvalidInputError
from waybill.scanning.domain.finding_documents import FindingDocument

_VERSION = 1
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def mark_of(key: bytes) -> str:
    """Return what tells fingerprints that are made with a key from those of any other, and nothing of the key."""
    return hashlib.sha256(b"baseline\n" + key).hexdigest()[:16]


def baseline_text(findings: Iterable[FindingDocument], known: Mapping[str, str], mark: str) -> str:
    """Return the baseline of some findings and of what was known before: a line each, so that a change is a line.

    `known` has detectors by fingerprint, `mark` says with which key fingerprints are made.
    """
    found = {str(finding["fingerprint"]): str(finding["detector"]) for finding in findings}
    document = {"version": _VERSION, "key": mark, "known": dict(sorted({**known, **found}.items()))}
    return json.dumps(document, indent=2) + "\n"


def read_baseline(text: str, mark: str) -> dict[str, str]:
    """Return the detectors of a baseline by fingerprint.

    Raises
    ------
    InvalidInputError
        It is none, or its fingerprints are made with another key: such a one would let nothing pass, or everything.
    """
    try:
        document = json.loads(text)
        known = document["known"]
        if document["version"] != _VERSION or not isinstance(known, dict) or not isinstance(document["key"], str):
            raise ValueError("version")
        if not all(_FINGERPRINT.fullmatch(name) and isinstance(detector, str) for name, detector in known.items()):
            raise ValueError("known")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInputError(FieldError("--baseline", "is not a baseline of this program")) from None
    if document["key"] != mark:
        raise InvalidInputError(FieldError("--baseline", "was written with another key: no fingerprint in it is known"))
    return known
