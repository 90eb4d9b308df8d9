"""Consignments and their verdicts on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType

from waybill.cli.output import details, table
from waybill.consignments.domain.reports.page import names_of_differences
from waybill.consignments.domain.reports.summary import OLD_SIGNATURES_DAYS, unsaid, wrong
from waybill.core.text import escaped

_LISTED = 200


def overview(shown: Mapping[str, Any], numbers: Mapping[str, Any] | None = None) -> RenderableType:
    """Return what is known of a consignment as a whole, with the `numbers` of its files."""
    progress = shown["progress"]
    lines: dict[str, object] = {
        "Consignment": shown["consignmentId"],
        "Reference": shown["reference"],
        "Type": shown["type"],
        "Status": shown["status"],
        **shown["statuses"],
        "Checked": ", ".join(f"{name} {progress[name]}/{progress['files']}" for name in progress if name != "files"),
    }
    if numbers and numbers["files"] != numbers["notChecked"]:
        turns = {"accepted": "accepted", "forSender": "for the sender", "forArchive": "for the archive"}
        lines["Files"] = ", ".join(f"{numbers[name]} {words}" for name, words in turns.items())
    if numbers and numbers["demonstrationRules"]:
        lines["Rules"] = "the demonstration rules of the project, which are no protection against malware"
    if numbers and numbers["signatureAgeDays"] > OLD_SIGNATURES_DAYS:
        lines["Signatures"] = (
            f"{numbers['signatureAgeDays']} days old: `waybill rules signatures update` brings newer ones"
        )
    failure = shown.get("failure")
    if failure:
        lines |= {"Broke at": failure["step"], "Error": failure["error"], "Cause": failure["cause"]}
    for kind, found in (shown.get("differences") or {}).items():
        if found["count"]:
            lines[kind.capitalize()] = "\n".join(names_of_differences(found))
    return details(lines)


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
    return (escaped(file["path"]), puids, *columns, " ".join(told))


def advice(explanations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what has to be done about a file, a sentence each; nothing about what is as it should be."""
    return [f"{each['action']}: {each['sentence']}" for each in wrong(explanations)]


def archives(files: Iterable[Mapping[str, Any]]) -> list[RenderableType]:
    """Return a table of what each archive holds, of a consignment that was sent with `--inside`."""
    shown: list[RenderableType] = []
    for file in files:
        if members := (file.get("fileFormat") or {}).get("members"):
            title = f"{escaped(file['path'])} holds {members['count']:,} files, none of which is accepted as one"
            rows = [
                (escaped(each["path"]), each.get("puid"), each.get("formatName"), each["size"])
                for each in members["listed"]
            ]
            rows += [
                (escaped(each["path"]), None, f"not opened: {each['reason']}", None) for each in members["notListed"]
            ]
            shown += ["", table(("Inside", "PUID", "Format", "Bytes"), rows, title=title)]
    return shown
