"""What Siegfried says of a file, in DROID's words.

Sources: section 6 of the prior art (the rules of DROID), Siegfried's `basis` and `warning` texts as pygfried passes
them on.
"""

import re
from typing import Any

SOFTWARE = "Siegfried"
_UNKNOWN = "UNKNOWN"
_SIGNATURE_FILES = re.compile(r"DROID_SignatureFile_V(?P<binary>\d+)\.xml(?:; container-signature-(?P<container>\d+))?")
_POSSIBLE = re.compile(r"possibilities based on extension are (?P<puids>.+)$")
# The strongest evidence decides (Siegfried names all of it in one text).
_EVIDENCE = (
    (re.compile(r"\bcontainer (?:name|match)\b"), "Container"),
    (re.compile(r"\b(?:byte|xml|riff) match\b"), "Signature"),
    (re.compile(r"\bextension match\b"), "Extension"),
    (re.compile(r"\btext match\b"), "Text"),
)
_CONTENT = re.compile(r"\b(?:container|byte|xml|riff|text|mime) (?:name|match)\b")


def versions(result: dict[str, Any]) -> dict[str, str]:
    """Return which program and which signatures have identified, from a detailed result of pygfried."""
    details = "; ".join(str(identifier.get("details", "")) for identifier in result.get("identifiers", []))
    found = _SIGNATURE_FILES.search(details)
    return {
        "software": SOFTWARE,
        "softwareVersion": str(result.get("siegfried", "")),
        "binarySignatureFileVersion": (found["binary"] if found else "") or "",
        "containerSignatureFileVersion": (found["container"] if found else "") or "",
        "signaturesCreated": str(result.get("created", ""))[:10],
        "method": "pronom",
    }


def interpret(result: dict[str, Any], extension: str) -> dict[str, Any]:
    """Return versions, matches and candidates from a detailed result of pygfried about one file.

    Nothing found is one match without a PUID, never an empty list: an empty list would pass as a success. A format
    that the name would allow, while its signature is not in the file, is a candidate and no match; formats without a
    signature match by the extension alone (DROID's rule 3), which `extensionOnly` tells.

    Parameters
    ----------
    result : dict
        What ``pygfried.identify(path, detailed=True)`` returns.
    extension : str
        The extension as supplied.
    """
    found = result["files"][0]
    hits = [hit for hit in found["matches"] if hit["id"] != _UNKNOWN]
    mismatch = any("extension mismatch" in hit["warning"] for hit in hits)
    candidates: list[str] = []
    for hit in found["matches"]:
        if possible := _POSSIBLE.search(hit["warning"]):
            candidates += possible["puids"].split(", ")
    return {
        **versions(result),
        "matches": [_match(hit, extension, mismatch=mismatch) for hit in hits] or [no_match()],
        "extensionCandidates": candidates,
        "warnings": ["CORRUPT_CONTAINER"] if found["errors"] not in {"", "empty source"} else [],
    }


def unidentified(known_versions: dict[str, str]) -> dict[str, Any]:
    """Return the result for a file that nobody looks into, as `interpret` does."""
    return {**known_versions, "matches": [no_match()], "extensionCandidates": [], "warnings": []}


def no_match() -> dict[str, Any]:
    """Return the match that says that nothing was found."""
    return {
        "extension": None,
        "identificationBasis": "",
        "puid": None,
        "fileExtensionMismatch": False,
        "formatName": None,
        "extensionOnly": False,
        "basis": "",
    }


def _match(hit: dict[str, str], extension: str, *, mismatch: bool) -> dict[str, Any]:
    basis = hit["basis"]
    name = next((name for pattern, name in _EVIDENCE if pattern.search(basis)), "")
    only = not _CONTENT.search(basis)
    return {
        "extension": extension or None,
        "identificationBasis": name,
        "puid": hit["id"],
        # One value for the file, and never for a hit by the extension (DROID's rule 4).
        "fileExtensionMismatch": mismatch and not only,
        "formatName": hit["format"] or None,
        "extensionOnly": only,
        "basis": basis,
        "formatClass": hit.get("class") or None,
        "formatVersion": hit.get("version") or None,
        "mimeType": hit.get("mime") or None,
    }
