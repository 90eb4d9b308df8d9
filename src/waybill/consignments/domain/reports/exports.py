"""What was found of the files, in the forms that other tools read: CSV, DROID's export, lines of JSON."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from waybill.consignments.domain.reports.premis import premis_xml
from waybill.consignments.domain.reports.summary import turn_of, unsaid, wrong
from waybill.consignments.models import LeftOutFile
from waybill.core.clock import moment_of
from waybill.core.spreadsheets import write_rows

type FileDocument = Mapping[str, Any]
"""A file in the shape of the API."""


class ExportFormat(StrEnum):
    """The forms in which results are exported."""

    CSV = "csv"
    DROID_CSV = "droid-csv"
    PREMIS = "premis"
    NDJSON = "ndjson"


CONTENT_TYPES: Mapping[ExportFormat, str] = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.DROID_CSV: "text/csv; charset=utf-8",
    ExportFormat.PREMIS: "application/xml",
    ExportFormat.NDJSON: "application/x-ndjson",
}
EXTENSIONS: Mapping[ExportFormat, str] = {
    ExportFormat.CSV: "csv",
    ExportFormat.DROID_CSV: "droid.csv",
    ExportFormat.PREMIS: "premis.xml",
    ExportFormat.NDJSON: "ndjson",
}
_STATUSES = (
    *("FFID", "Antivirus", "ChecksumMatch", "ServerChecksum", "ClientChecksum", "ClientFilePath", "Redaction"),
    "ClientChecks",
)
_COLUMNS = (
    *("path", "fileId", "size", "lastModified", "sha256Sent", "sha256", "puid", "formatName", "formatVersion"),
    *("mimeType", "basis", "extensionOnly", "extensionMismatch", "warnings", "accepted", "turn", *_STATUSES),
    *("malware", "notScanned", "whatToDo", "remarks", "exceptions", "originalFilepath", "copiedTo", "run"),
)
# DROID's user guide, "Exporting profile results"; the last four come again for every further format.
_DROID_COLUMNS = (
    *("ID", "PARENT_ID", "URI", "FILE_PATH", "NAME", "METHOD", "STATUS", "SIZE", "TYPE", "EXT", "LAST_MODIFIED"),
    *("EXTENSION_MISMATCH", "SHA256_HASH", "FORMAT_COUNT"),
)
_DROID_FORMAT = ("PUID", "MIME_TYPE", "FORMAT_NAME", "FORMAT_VERSION")
# DROID knows no others: it does not look whether something is text.
_DROID_METHODS = frozenset({"Container", "Signature", "Extension"})


def export(
    form: ExportFormat, consignment: Mapping[str, Any], files: Iterable[FileDocument], left_out: Sequence[LeftOutFile]
) -> str:
    """Return the results of a consignment in one of the forms."""
    makers: Mapping[ExportFormat, Callable[[], str]] = {
        ExportFormat.CSV: lambda: csv_text(files),
        ExportFormat.DROID_CSV: lambda: droid_csv(files),
        ExportFormat.NDJSON: lambda: ndjson_text(files, left_out),
        ExportFormat.PREMIS: lambda: premis_xml(consignment, files),
    }
    return makers[form]()


def csv_text(files: Iterable[FileDocument]) -> str:
    """Return a row for each file, in the order of their paths."""
    text = io.StringIO(newline="")
    rows = sorted(map(_values, files), key=lambda each: (str(each["path"]), str(each["fileId"])))
    write_rows(text, [_COLUMNS, *([row[name] for name in _COLUMNS] for row in rows)])
    return text.getvalue()


def _values(file: FileDocument) -> dict[str, object]:
    found, antivirus = file.get("fileFormat") or {}, file.get("antivirus") or {}
    matches = [match for match in found.get("matches") or () if match.get("puid")]
    not_scanned = antivirus.get("notScanned") or ()
    return {
        **{name: file.get(name, "") for name in ("path", "fileId", "size", "originalFilepath", "copiedTo", "run")},
        "lastModified": file.get("lastModified") or "",
        "sha256Sent": file["clientChecksum"],
        "sha256": file.get("checksum", ""),
        "puid": _joined(match["puid"] for match in matches),
        "formatName": _joined(match.get("formatName") or "" for match in matches),
        "formatVersion": _joined(match.get("formatVersion") or "" for match in matches),
        "mimeType": _joined(match.get("mimeType") or "" for match in matches),
        "basis": _joined(match.get("identificationBasis") or "" for match in matches),
        "extensionOnly": _yes(bool(matches) and all(match.get("extensionOnly") for match in matches)),
        "extensionMismatch": _yes(any(match.get("fileExtensionMismatch") for match in matches)),
        "warnings": _joined(found.get("warnings") or ()),
        "accepted": _yes(bool(file.get("accepted"))) if file["statuses"] else "",
        "turn": turn_of(file).value,
        **{name: file["statuses"].get(name, "") for name in _STATUSES},
        "malware": _joined(str(antivirus.get("result") or "").split("\n")),
        "notScanned": _joined(f"{each['path'] or 'the file itself'}: {each['reason']}" for each in not_scanned),
        "whatToDo": " ".join(f"{each['action']}: {each['sentence']}" for each in wrong(file["explanations"])),
        "remarks": " ".join(str(each["sentence"]) for each in unsaid(file)),
        "exceptions": _joined(
            f"{each['statusName']} {each['value']}: {each['reason']} ({each['by']}, {each['at']})"
            for each in file.get("waivers", ())
            if each["holds"]
        ),
    }


def _joined(parts: Iterable[object]) -> str:
    return "; ".join(str(part) for part in parts)


def _yes(said: bool) -> str:
    return "true" if said else "false"


def ndjson_text(files: Iterable[FileDocument], left_out: Sequence[LeftOutFile]) -> str:
    """Return a line of JSON for each file, as the API shows it, and one for each that was not sent."""
    lines = [json.dumps(file, ensure_ascii=False) for file in files]
    for each in left_out:
        told = {"path": each.path, "kind": each.kind, "reason": each.reason}
        lines.append(json.dumps({"notSent": told}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def droid_csv(files: Iterable[FileDocument]) -> str:
    """Return what DROID's export of a profile has, a row per resource, folders included; nothing in it is changed."""
    tree = sorted(files, key=lambda file: str(file["path"]).split("/"))
    most = max([1, *(len(_droid_matches(file)) for file in tree)])
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*_DROID_COLUMNS, *_DROID_FORMAT * most])
    for row in _droid_rows(tree):
        writer.writerow(row)
    return text.getvalue()


def _droid_rows(tree: Sequence[FileDocument]) -> Iterator[list[object]]:
    numbers: dict[str, int] = {}
    number = 0
    for file in tree:
        path = str(file["path"]) or str(file["fileId"])
        folder, _, name = path.rpartition("/")
        above, parts = "", folder.split("/") if folder else []
        for part in parts:
            here = f"{above}/{part}" if above else part
            if here not in numbers:
                number += 1
                numbers[here] = number
                yield [
                    number,
                    numbers.get(above, ""),
                    *_droid_place(here, part),
                    "",
                    "Done",
                    "",
                    "Folder",
                    "",
                    "",
                    "false",
                    "",
                    "",
                ]
            above = here
        number += 1
        yield [number, numbers.get(folder, ""), *_droid_place(path, name), *_droid_facts(file, name)]


def _droid_place(path: str, name: str) -> list[object]:
    return [f"file:///{quote(path)}", f"/{path}", name]


def _droid_facts(file: FileDocument, name: str) -> list[object]:
    matches = _droid_matches(file)
    method = str(matches[0].get("identificationBasis")) if matches else ""
    extension = name.rpartition(".")[2] if "." in name else ""
    mismatch = any(match.get("fileExtensionMismatch") for match in matches)
    formats: list[object] = []
    for match in matches:
        formats += [match["puid"], *(match.get(each) or "" for each in ("mimeType", "formatName", "formatVersion"))]
    status = "Done" if file.get("fileFormat") else "Not Done"
    return [
        *(method, status, file.get("objectSize", file["size"]), "File", extension, _droid_moment(file)),
        *(_yes(mismatch), file.get("checksum", ""), len(matches), *(formats or [""] * len(_DROID_FORMAT))),
    ]


def _droid_matches(file: FileDocument) -> list[Mapping[str, Any]]:
    matches = (file.get("fileFormat") or {}).get("matches") or ()
    return [each for each in matches if each.get("puid") and each.get("identificationBasis") in _DROID_METHODS]


def _droid_moment(file: FileDocument) -> str:
    moment = moment_of(file.get("lastModified"))
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else ""
