"""What is known of a file's format besides its PUID, and the rule whose sentence tells it.

The most specific evidence first: each rule has a sentence of its own in `sentences.json`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waybill.consignments.domain.tables import ExtensionOnlyTable, Tables

ARCHIVE_OVER_LIMITS = "ARCHIVE_OVER_LIMITS"
INCOMPLETE = "INCOMPLETE"
# What a result can carry: each has a sentence, for a file that is refused and for one that is accepted.
DAMAGE = frozenset({"CORRUPT_CONTAINER", "UNREADABLE_ARCHIVE", "UNREADABLE_PDF", INCOMPLETE})
WARNINGS = DAMAGE | {ARCHIVE_OVER_LIMITS}

_SIGNED_CONTAINERS = ("fmt/1243", "fmt/1244", "fmt/1245", "fmt/1251", "fmt/1340", "fmt/1341", "fmt/1342")
_SINGLE_DOCUMENTS = ("x-fmt/429", "fmt/866")
_RULES_OF_FORMATS = {
    "fmt/111": "waybill.unknownOle2",
    **dict.fromkeys(_SIGNED_CONTAINERS, "waybill.signedContainer"),
    **dict.fromkeys(_SINGLE_DOCUMENTS, "waybill.webPage"),
}
_PLAIN_ZIP = "x-fmt/263"
_GZIP = "x-fmt/266"
_OFFICE_EXTENSIONS = frozenset(
    {"docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx", "pptx", "pptm", "potx", "ppsx"}
    | {"odt", "ods", "odp", "odg", "ott", "ots", "otp", "epub"}
)
_ZIP_EXTENSIONS = frozenset({"", "zip"})
_TEXT_BASIS = "Text"
_XML = "fmt/101"


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


def refusing_rule(path: str, result: Mapping[str, Any], puid: str, table: ExtensionOnlyTable) -> str:
    """Return the rule of a format that the table refuses; `puid` is the entry of the table, empty for none found."""
    if ARCHIVE_OVER_LIMITS in result.get("warnings", ()):
        return "waybill.archiveOverLimits"
    if not puid:
        return _rule_of_nothing_found(path, result, table)
    if puid == _PLAIN_ZIP and _is_damaged_package(path, result):
        return "waybill.damaged"
    if puid == _PLAIN_ZIP and extension_of(path) not in _ZIP_EXTENSIONS:
        return "waybill.zipUnderOtherName"
    return _RULES_OF_FORMATS.get(puid, "ffid.disallowed")


def _rule_of_nothing_found(path: str, result: Mapping[str, Any], table: ExtensionOnlyTable) -> str:
    named = bool(result.get("extensionCandidates"))
    text = bool(result.get("text"))
    of_text = extension_of(path) in table.text_extensions
    found = (
        (bool(result.get("container")), "waybill.packedWithoutPuid"),
        (bool(DAMAGE.intersection(result.get("warnings", ()))), "waybill.damaged"),
        (bool(result.get("endsAsNamed")), "waybill.unknownVersion"),
        (bool(result.get("message")), "waybill.unknownMessage"),
        (named and text and of_text, "waybill.textWithoutMarks"),
        (named and text, "waybill.textUnderOtherName"),
        (named, "waybill.contentDoesNotFitName"),
    )
    return next((rule for holds, rule in found if holds), "ffid.disallowed")


def _is_damaged_package(path: str, result: Mapping[str, Any]) -> bool:
    """Return whether a ZIP archive should have been known as a document: by its name, or by what is wrong with it."""
    if result.get("plainZip"):
        return False
    begun = result.get("officePackage") and set(result.get("warnings", ())) & DAMAGE
    return bool(begun) or extension_of(path) in _OFFICE_EXTENSIONS


def is_own_packing(path: str, result: Mapping[str, Any], packed: Collection[tuple[str, str]]) -> bool:
    """Return whether what is known as gzip alone is a format that is packed so by its own makers.

    `packed` are the pairs of content and extension of which that is so.
    """
    gzip = [match["puid"] for match in formats_of(result)] == [_GZIP]
    return gzip and (result.get("packedContent"), extension_of(path)) in packed


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


def remarks(path: str, result: Mapping[str, Any], tables: Tables) -> Sequence[Remark]:
    """Return what is to be told of a file although it may be accepted, most serious first."""
    found = formats_of(result)
    told = [Remark(f"waybill.warning.{warning}") for warning in dict.fromkeys(result.get("warnings", ()))]
    if is_own_packing(path, result, tables.puids.packed):
        told.append(Remark("waybill.ownPacking", str(result["packedContent"])))
    elif any(match.get("fileExtensionMismatch") for match in found):
        told.append(Remark(_mismatch(path, result, tables.extension_only), _content(path, found)))
    if found and all(match.get("extensionOnly") for match in found):
        told.append(Remark("waybill.extensionOnly", _named(path, found)))
    return told


def _mismatch(path: str, result: Mapping[str, Any], table: ExtensionOnlyTable) -> str:
    """Return the rule of an extension that is none of the format's: not every such name says another format."""
    found, known = formats_of(result), result.get("extensionKnown", True)
    if all(match.get("identificationBasis") == _TEXT_BASIS for match in found):
        return "waybill.textOnly"
    if all(match["puid"] == _XML for match in found) and not (
        known and extension_of(path) not in table.text_extensions
    ):
        return "waybill.xmlOnly"
    return "waybill.extensionMismatch" if known else "waybill.unknownExtension"


def _content(path: str, found: Sequence[Mapping[str, Any]]) -> str:
    extension = extension_of(path)
    name = f"its name ends in .{extension}" if extension else "its name has no extension"
    return f"its content is {_formats(found)}, {name}"


def _named(path: str, found: Sequence[Mapping[str, Any]]) -> str:
    return f".{extension_of(path)} stands for {_formats(found)}"


def _formats(found: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(f"{match.get('formatName') or 'a format without a name'} ({match['puid']})" for match in found)
