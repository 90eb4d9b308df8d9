"""The printable report of a consignment: one HTML page without anything from elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

import chevron

from waybill.cli.consignments.showing import names_of_differences, wrong
from waybill.cli.output import printable
from waybill.consignments.models import ConsignmentStatus

_TONES = {
    ConsignmentStatus.COMPLETED: "good",
    ConsignmentStatus.COMPLETED_WITH_ISSUES: "bad",
    ConsignmentStatus.FAILED: "bad",
}
_VERDICTS = {
    ConsignmentStatus.COMPLETED: "Accepted: nothing is wrong with any file.",
    ConsignmentStatus.COMPLETED_WITH_ISSUES: "Not accepted as it is: some files have to be put right.",
    ConsignmentStatus.FAILED: "Not checked completely: the checks have to be started again.",
    ConsignmentStatus.IN_PROGRESS: "The checks are under way.",
}
_NOT_STARTED = "The checks have not been started."


def report(consignment: Mapping[str, Any], checked: Sequence[Mapping[str, Any]], at: datetime) -> str:
    """Return the report of a consignment, in the shapes of the API, as it stands `at` some time; HTML.

    Everything that people have sent is escaped, and what would turn or hide text in a name is written out.
    """
    status = consignment["status"]
    problems = [
        {"path": printable(file["path"]), "verdicts": [{**each, "detail": each.get("detail", "")} for each in found]}
        for file in checked
        if (found := wrong(file["explanations"]))
    ]
    return str(
        chevron.render(
            files("waybill.cli.consignments").joinpath("report.mustache").read_text("utf-8"),
            {
                **consignment,
                "files": len(checked),
                "accepted": sum(bool(file.get("accepted")) for file in checked),
                "at": f"{at:%d %B %Y, %H:%M} UTC",
                "tone": _TONES.get(status, "open"),
                "verdict": _VERDICTS.get(status, _NOT_STARTED),
                "failure": consignment.get("failure"),
                "differences": _differences(consignment.get("differences") or {}),
                "statuses": [
                    {"name": name, "value": value, "tone": _TONES.get(value, "open")}
                    for name, value in consignment["statuses"].items()
                ],
                "hasProblems": bool(problems),
                "problems": problems,
                "all": [_row(file) for file in checked],
                "software": "; ".join(sorted(_software(checked))) or "nothing yet",
            },
        )
    )


def _differences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    titles = {"missing": "Registered and not uploaded", "extra": "Uploaded and not registered"}
    return [
        {
            "title": title,
            "count": found[kind]["count"],
            "names": [printable(name) for name in names_of_differences(found[kind])],
        }
        for kind, title in titles.items()
        if kind in found and found[kind]["count"]
    ]


def _row(file: Mapping[str, Any]) -> dict[str, Any]:
    statuses = file["statuses"]
    matches = (file.get("fileFormat") or {}).get("matches") or []
    formats = [f"{match['puid']} {match.get('formatName') or ''}".strip() for match in matches if match.get("puid")]
    return {
        "path": printable(file["path"]),
        "size": f"{file['size']:,}",
        "puids": ", ".join(formats),
        "ffid": statuses.get("FFID", ""),
        "antivirus": statuses.get("Antivirus", ""),
        "checksumMatch": statuses.get("ChecksumMatch", ""),
        "checksum": file.get("checksum", ""),
    }


def _software(checked: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return what the verdicts rest on, versions included."""
    used = set()
    for file in checked:
        antivirus = file.get("antivirus") or {}
        used |= _named(antivirus, ("software", "softwareVersion", "databaseVersion"))
        if antivirus.get("demonstrationRules"):
            used.add("the demonstration rules of the project, which are no protection against malware")
        used |= _named(
            file.get("fileFormat") or {},
            ("software", "softwareVersion", "binarySignatureFileVersion", "containerSignatureFileVersion"),
        )
        used |= {f"PUID table {each['tableVersion']}" for each in file["explanations"] if "tableVersion" in each}
    return used


def _named(result: Mapping[str, Any], fields: Sequence[str]) -> set[str]:
    text = " ".join(str(result[name]) for name in fields if result.get(name))
    return {text} if text else set()
