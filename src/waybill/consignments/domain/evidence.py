"""What is known of a file's format besides its PUID, and the rule whose sentence tells it (field notes, kinds 8 and 9).

The most specific evidence first: each rule has a sentence of its own in `sentences.json`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waybill.consignments.domain.tables import ExtensionOnlyTable

ARCHIVE_OVER_LIMITS = "ARCHIVE_OVER_LIMITS"
INCOMPLETE = "INCOMPLETE"
# What a result can carry: each has a sentence, for a file that is refused and for one that is accepted.
DAMAGE = frozenset({"CORRUPT_CONTAINER", "UNREADABLE_ARCHIVE", "UNREADABLE_PDF", INCOMPLETE})
WARNINGS = DAMAGE | {ARCHIVE_OVER_LIMITS}

_SIGNED_CONTAINERS = frozenset({"fmt/1243", "fmt/1244", "fmt/1245", "fmt/1251", "fmt/1340", "fmt/1341", "fmt/1342"})
_SINGLE_DOCUMENTS = frozenset({"x-fmt/429", "fmt/866"})
_UNKNOWN_OLE2 = "fmt/111"
_PLAIN_ZIP = "x-fmt/263"
_OFFICE_EXTENSIONS = frozenset(
    {"docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx", "pptx", "pptm", "potx", "ppsx"}
    | {"odt", "ods", "odp", "odg", "ott", "ots", "otp", "epub"}
)
_TEXT_BASIS = "Text"


@dataclass(frozen=True)
class Remark:
    """Something to know about a file, whatever its verdict is: `detail` completes the rule's sentence."""

    rule: str
    detail: str = ""


def extension_of(path: str) -> str:
    """Return the extension of a path, without its dot and in small letters; empty for a name without one."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def formats_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the matches that name a format."""
    return [match for match in result.get("matches") or () if match.get("puid")]


def refusing_rule(path: str, result: Mapping[str, Any], puid: str) -> str:
    """Return the rule of a format that the table refuses; `puid` is the entry of the table, empty for none found."""
    warnings = set(result.get("warnings", ()))
    if ARCHIVE_OVER_LIMITS in warnings:
        return "waybill.archiveOverLimits"
    if not puid and result.get("container"):
        return "waybill.packedWithoutPuid"
    package = extension_of(path) in _OFFICE_EXTENSIONS or result.get("officePackage")
    if (not puid and warnings & DAMAGE) or (puid == _PLAIN_ZIP and package):
        return "waybill.damaged"
    if not puid and result.get("message"):
        return "waybill.unknownMessage"
    if not puid and result.get("extensionCandidates"):
        return "waybill.textUnderOtherName" if result.get("text") else "waybill.contentDoesNotFitName"
    if puid == _UNKNOWN_OLE2:
        return "waybill.unknownOle2"
    if puid in _SIGNED_CONTAINERS:
        return "waybill.signedContainer"
    return "waybill.webPage" if puid in _SINGLE_DOCUMENTS else "ffid.disallowed"


def contradiction(path: str, result: Mapping[str, Any], table: ExtensionOnlyTable) -> Remark | None:
    """Return what speaks against formats that the name alone tells; None where it may be so.

    The content is no text and the format is one of text; or formats of the same extension have signatures, and the
    content has none of them: then the one without a signature does not win by the name.
    """
    found = formats_of(result)
    if not found or not all(match.get("extensionOnly") for match in found):
        return None
    named = [match for match in found if match["puid"] in table.text]
    if named:
        return None if result.get("text", True) else Remark("waybill.noTextUnderName", _named(path, named))
    extension = extension_of(path)
    shared = [match for match in found if (match["puid"], extension) in table.shared]
    return Remark("waybill.onlyTheName", _named(path, shared)) if len(shared) == len(found) else None


def remarks(path: str, result: Mapping[str, Any]) -> Sequence[Remark]:
    """Return what is to be told of a file although it may be accepted, most serious first."""
    found = formats_of(result)
    told = [Remark(f"waybill.warning.{warning}") for warning in dict.fromkeys(result.get("warnings", ()))]
    if any(match.get("fileExtensionMismatch") for match in found):
        text = all(match.get("identificationBasis") == _TEXT_BASIS for match in found)
        told.append(Remark("waybill.textOnly" if text else "waybill.extensionMismatch", _content(path, found)))
    if found and all(match.get("extensionOnly") for match in found):
        told.append(Remark("waybill.extensionOnly", _named(path, found)))
    return told


def _content(path: str, found: Sequence[Mapping[str, Any]]) -> str:
    extension = extension_of(path)
    name = f"its name ends in .{extension}" if extension else "its name has no extension"
    return f"its content is {_formats(found)}, {name}"


def _named(path: str, found: Sequence[Mapping[str, Any]]) -> str:
    return f".{extension_of(path)} stands for {_formats(found)}"


def _formats(found: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(f"{match.get('formatName') or 'a format without a name'} ({match['puid']})" for match in found)
