"""Consignments and their verdicts on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from waybill.cli.output import details, table

_WELCOME = frozenset({"Success", "Completed"})
_LISTED = 200


def overview(shown: Mapping[str, Any]) -> RenderableType:
    """Return what is known of a consignment as a whole."""
    progress = shown["progress"]
    lines: dict[str, object] = {
        "Consignment": shown["consignmentId"],
        "Reference": shown["reference"],
        "Type": shown["type"],
        "Status": shown["status"],
        **shown["statuses"],
        "Checked": ", ".join(f"{name} {progress[name]}/{progress['files']}" for name in progress if name != "files"),
    }
    failure = shown.get("failure")
    if failure:
        lines |= {"Broke at": failure["step"], "Error": failure["error"], "Cause": failure["cause"]}
    for kind, found in (shown.get("differences") or {}).items():
        if found["count"]:
            lines[kind.capitalize()] = "\n".join(names_of_differences(found))
    return details(lines)


def names_of_differences(found: Mapping[str, Any]) -> list[str]:
    """Return the first names of what is missing or extra, and how many more there are."""
    names = [each if isinstance(each, str) else each["path"] or each["fileId"] for each in found["first"]]
    left = found["count"] - len(names)
    # An object whose name is that of the folder, as some programs make them, has none of its own.
    return [name or "(the folder itself)" for name in names] + ([f"… and {left} more"] if left > 0 else [])


def verdicts(files: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a line per file with what was found; of many files, those that need somebody first."""
    ordered = sorted(files, key=lambda file: bool(file.get("accepted")))[:_LISTED]
    listed = table(("File", "PUID", "Format", "Antivirus", "Checksum", "What to do"), (_row(file) for file in ordered))
    left = len(files) - len(ordered)
    return Group(listed, f"… and {left} more: `waybill consignments report` lists all") if left else listed


def _row(file: Mapping[str, Any]) -> tuple[object, ...]:
    statuses = file["statuses"]
    matches = (file.get("fileFormat") or {}).get("matches") or []
    puids = ", ".join(str(match["puid"]) for match in matches if match.get("puid"))
    columns = (statuses.get(name) for name in ("FFID", "Antivirus", "ChecksumMatch"))
    told = [*advice(file["explanations"]), *(remark["sentence"] for remark in unsaid(file))]
    return (file["path"], puids, *columns, " ".join(told))


def wrong(explanations: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those that somebody has to act on; `ClientChecks` only sums others up."""
    return [each for each in explanations if each["value"] not in _WELCOME and each["statusName"] != "ClientChecks"]


def unsaid(file: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the remarks on a file that none of what is wrong with it says already."""
    said = {each.get("rule") for each in wrong(file["explanations"])}
    return [remark for remark in file.get("remarks", ()) if remark["rule"] not in said]


def advice(explanations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what has to be done about a file, a sentence each; nothing about what is as it should be."""
    return [f"{each['action']}: {each['sentence']}" for each in wrong(explanations)]
