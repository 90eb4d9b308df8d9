"""The printable report of a consignment: one HTML page without anything from elsewhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from typing import Any

from waybill.consignments.domain.reports.summary import (
    FILES_NAMED,
    OLD_SIGNATURES_DAYS,
    Named,
    Problem,
    Summary,
    Turn,
    turn_of,
)
from waybill.consignments.models import ConsignmentStatus, LeftOutFile
from waybill.core.text import escaped, shortened

# A page that lists more is one that nobody reads and few browsers open: the exports have them all.
LISTED_FILES = 2000
# A short list has room for them.
_WITH_CHECKSUMS = 300
_NAMED_OF_A_PROBLEM = 20
_PROBLEMS = 40
_DETAIL_LENGTH = 160
# And a list of fewer for letters of the size of the rest.
_FEW = 50
_ITSELF = "the file itself"
_NO_MATCH = "no match"
# What the checks call it, for programs, in words.
_CODES = {
    "ENCRYPTED": "protected by a password or a key",
    "BROKEN": "damaged",
    "TRUNCATED": "cut off",
    "NO_READER": "of a kind that is not opened",
    "UNKNOWN_METHOD": "packed by a method that is not known",
    "DEPTH": "more levels than are opened",
    "MEMBERS": "more members than are opened",
    "MEMBER_BYTES": "larger than is opened",
    "TOTAL_BYTES": "more in all than is opened",
    "RATIO": "unpacks to far more than its size",
    "TIME": "not done in time",
    "DISK": "no room for it",
    "TOO_LARGE": "too large to be opened",
    "PARSER_FAILED": "its reader fails",
    "encryptedPdf": "an encrypted PDF",
    "encryptedZip": "an encrypted ZIP",
    "encryptedOther": "encrypted by a program for that",
    "encryptedOffice": "an encrypted Office document",
    "encryptedOpenDocument": "an encrypted OpenDocument",
    "encryptedEpub": "an encrypted EPUB",
    "encryptedCms": "encrypted by S/MIME or CMS",
    "encryptedOpenPgp": "encrypted by OpenPGP",
    "encryptedMessage": "an encrypted message",
    "encryptedArchive": "an encrypted archive",
}
_CODE = re.compile(r"(?:(?<=: )|^)([A-Za-z_]+)(?=;|$| \()")
_SPACES = re.compile(r"(?:(?<=/)|^) +| +(?=/|$)")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
# Which rules an engine went by is told once, where the page says what has checked.
_RULES = re.compile(r"(?<= by )([^;]{1,80}?) [0-9a-f]{64}(?:, the demonstration rules of the project)?")
_FORMATS = 30
_GROUPS = 20
_NAMED_OF_A_GROUP = 8
_NOT_SENT = 300
_STATUS_NAMES = {
    "ServerFFID": "Formats",
    "ServerChecksum": "Checksums",
    "ServerAntivirus": "Malware",
    "ServerRedaction": "Redacted files",
    "ClientChecks": "What came with the files",
}
_STATUS_WORDS: Mapping[str, tuple[str, str]] = {
    ConsignmentStatus.COMPLETED: ("in order", "good"),
    ConsignmentStatus.COMPLETED_WITH_ISSUES: ("see below", "bad"),
    ConsignmentStatus.FAILED: ("not checked to the end", "bad"),
    ConsignmentStatus.IN_PROGRESS: ("under way", "open"),
}
_MALWARE, _FOUND = "ServerAntivirus", "VirusDetected"
# What a word of the code leaves open, where it is the heading of a problem.
_VALUES = {
    "Zip": "Archive, disk image or container",
    "Executable": "Program",
    "Unidentified": "Unknown format",
    "ZeroByteFile": "No content",
    "MultipleFormats": "Several formats",
    "NonJudgmentFormat": "No format of a judgment",
    "Unexaminable": "The check fails each time",
    "NotScannedInside": "Not all could be looked into",
    "Mismatch": "Not as it was sent",
    "Failed": "Not checked, or missing",
}
_ENDED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})
_TURNS = {Turn.NOBODY: "accepted", Turn.SENDER: "sender", Turn.ARCHIVE: "archive", Turn.CHECKS: "not checked"}
_LEFT_OUT = {
    "LINK": "Links",
    "SPECIAL_FILE": "Special files",
    "EXCLUDED": "Excluded names",
    "UNREADABLE": "Not readable",
    "NAME_NOT_UTF8": "Names that are not UTF-8",
    "EMPTY_FOLDER": "Empty folders",
    "LEFT_OUT_LATER": "Left out after the checks",
    "CHANGED": "Changed while they were sent",
}
_TITLES = {
    "FFID": "Format",
    "Antivirus": "Malware",
    "ChecksumMatch": "Checksum",
    "ServerChecksum": "Checksum",
    "ClientChecksum": "Checksum of the sender",
    "ClientFilePath": "Path",
    "Redaction": "Redaction",
}


@dataclass
class ReportedFiles:
    """The files of a consignment as its report needs them, taken in one by one."""

    summary: Summary = field(default_factory=Summary)
    rows: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, checked: Iterable[Mapping[str, Any]]) -> "ReportedFiles":
        """Return what the report needs of all files."""
        found = cls()
        for file in checked:
            found.summary.add(file)
            if len(found.rows) <= LISTED_FILES:
                found.rows.append(_row(file))
        return found


def report(
    consignment: Mapping[str, Any],
    checked: Iterable[Mapping[str, Any]],
    at: datetime,
    left_out: Sequence[LeftOutFile] = (),
) -> str:
    """Return the report of a consignment, in the shapes of the API, as it stands `at` some time; HTML.

    Everything that people have sent is escaped by the template, and what cannot be seen in a name is written out.
    """
    found = ReportedFiles.of(checked)
    from jinja2 import Environment  # of the API's many requests, few are for a report

    text = files(__package__).joinpath("page.html").read_text("utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return template.render(_values(consignment, found, left_out, at))


def _values(
    consignment: Mapping[str, Any], found: ReportedFiles, left_out: Sequence[LeftOutFile], at: datetime
) -> dict[str, Any]:
    summary = found.summary
    verdict, tone = _verdict(consignment, summary)
    groups = [_problem(problem) for problem in summary.problems]
    listed = len(found.rows) <= LISTED_FILES
    if len(found.rows) > _WITH_CHECKSUMS:
        found.rows = [{**row, "checksum": ""} for row in found.rows]
    return {
        "consignmentId": consignment["consignmentId"],
        "reference": escaped(consignment["reference"]),
        "transferringBody": escaped(consignment["transferringBody"]) or "no transferring body named",
        "type": consignment["type"],
        "registered": _day(consignment.get("createdAt")),
        "at": f"{at:%d %B %Y, %H:%M} UTC",
        "run": _run(consignment),
        "verdict": verdict,
        "tone": tone,
        "failure": consignment.get("failure"),
        "differences": _differences(consignment.get("differences") or {}),
        "numbers": _numbers(summary, len(left_out)),
        "statuses": [_status(name, value, summary) for name, value in consignment["statuses"].items()],
        "sender": _section([each for each in groups if each["sender"]]),
        "archive": _section([each for each in groups if not each["sender"]]),
        "remarks": _section([_problem(problem) for problem in summary.remarks]),
        "formats": _formats(summary),
        "duplicates": _groups(summary.duplicates, "content that comes", "contents that come"),
        "archives": _archives(summary),
        "empty": _groups(summary.without_content),
        "pairs": _pairs(summary.pairs),
        "exceptions": _exceptions(summary.exceptions),
        "leftOut": _left_out(left_out),
        "demonstration": summary.demonstration_rules,
        "old": f"{summary.signature_age_days:,}" if summary.signature_age_days > OLD_SIGNATURES_DAYS else "",
        "earlier": _earlier(consignment, summary),
        "software": [escaped(each) for each in sorted(summary.software)] or ["nothing yet"],
        "checked": summary.files > summary.turns[Turn.CHECKS],
        "folders": _folders(found.rows) if listed else [],
        "few": len(found.rows) <= _FEW,
        "unlisted": None if listed else {"count": f"{summary.files:,}", "limit": f"{LISTED_FILES:,}"},
    }


def _verdict(consignment: Mapping[str, Any], summary: Summary) -> tuple[str, str]:
    status, turns = consignment["status"], summary.turns
    if status == ConsignmentStatus.FAILED:
        return "Not checked to the end: the archive has to start the checks again.", "bad"
    if status == ConsignmentStatus.IN_PROGRESS:
        return "The checks are under way: what an earlier run has found is no verdict on this one.", "open"
    if status == ConsignmentStatus.REGISTERED:
        return "The checks have not been started.", "open"
    if summary.files and turns[Turn.NOBODY] == summary.files:
        exceptions = f", {summary.exceptions.count} by an exception" if summary.exceptions.count else ""
        return f"Accepted: every file{exceptions}.", "good"
    waiting = [
        f"{turns[turn]:,} {'file is' if turns[turn] == 1 else 'files are'} {whose}"
        for turn, whose in (
            (Turn.SENDER, "for the sender to put right"),
            (Turn.ARCHIVE, "for the archive to look at"),
            (Turn.CHECKS, "not checked"),
        )
        if turns[turn]
    ]
    malware = _malware(summary)
    news = f"Malware was found in {_counted(malware)}. " if malware else ""
    return f"{news}Not accepted as it is: {', '.join(waiting) or 'there are no files'}.", "bad"


def _status(name: str, value: str, summary: Summary) -> dict[str, str]:
    """Return a status of the consignment in words: that something could not be looked into is no malware."""
    word, tone = _STATUS_WORDS.get(value, (value, "open"))
    if name == _MALWARE and value == ConsignmentStatus.COMPLETED:
        word = "none found"
    if name == _MALWARE and value == ConsignmentStatus.COMPLETED_WITH_ISSUES:
        word = "found" if _malware(summary) else "none found, but not all could be looked into"
    return {"name": _STATUS_NAMES.get(name, name), "word": word, "tone": tone}


def _malware(summary: Summary) -> int:
    return sum(problem.count for problem in summary.problems if problem.title.endswith(f": {_FOUND}"))


def _run(consignment: Mapping[str, Any]) -> str:
    execution = str(consignment.get("executionArn") or "")
    number = f"run {consignment['runs']}" if consignment.get("runs") else ""
    return ", ".join(filter(None, (number, execution.rpartition(":")[2])))


def _earlier(consignment: Mapping[str, Any], summary: Summary) -> list[str]:
    """Return what was carried over from which run, since only what was corrected was checked again."""
    newest = consignment.get("runs") or 0
    counts = sorted((run, count) for run, count in summary.runs.items() if run and run < newest)
    if consignment["status"] not in _ENDED:
        return []
    return [
        f"{_counted(count)} {'was' if count == 1 else 'were'} not checked again: "
        f"what run {run} found of {'it' if count == 1 else 'them'} stands"
        for run, count in counts
    ]


def _day(moment: object) -> str:
    return str(moment or "")[:10]


def _numbers(summary: Summary, left_out: int) -> list[dict[str, str]]:
    turns = summary.turns
    found = [
        ("file" if summary.files == 1 else "files", f"{summary.files:,}"),
        ("in all", _size(summary.bytes)),
        ("accepted", f"{turns[Turn.NOBODY]:,}"),
        ("for the sender", f"{turns[Turn.SENDER]:,}"),
        ("for the archive", f"{turns[Turn.ARCHIVE]:,}"),
        *([("not checked", f"{turns[Turn.CHECKS]:,}")] if turns[Turn.CHECKS] else []),
        ("not sent", f"{left_out:,}"),
    ]
    return [{"name": name, "number": number} for name, number in found]


def _problem(problem: Problem) -> dict[str, Any]:
    status, _, value = problem.title.partition(": ")
    shown = problem.files[:_NAMED_OF_A_PROBLEM]
    details = {detail for _, detail in problem.files}
    common = details.pop() if len(details) == 1 and problem.count > 1 else ""
    more = problem.count - len(shown)
    return {
        "title": _VALUES.get(value) or _words(value),
        "about": _TITLES.get(status, ""),
        "sentence": problem.sentence,
        "sender": problem.action == "Fix yourself",
        "count": _counted(problem.count),
        "common": _brief(common),
        "files": [{"path": _named(path), "detail": "" if common else _brief(detail)} for path, detail in shown],
        "more": f"{more:,} more: the exports name all of them" if more else "",
    }


def _brief(detail: str) -> str:
    """Return what was seen, in the length that stands beside a name; the exports have all of it."""
    plain = _CODE.sub(lambda found: _CODES.get(found[1], found[1]), detail).replace(f"{_ITSELF}: ", "")
    plain = "no format found" if plain == _NO_MATCH else _RULES.sub(r"\1", plain)
    return shortened(escaped(_DIGEST.sub(lambda found: f"{found[0][:12]}…", plain)), _DETAIL_LENGTH)


def _named(path: str) -> str:
    """Return a path as it is to be seen: spaces at the ends of its names cannot be seen either."""
    return _SPACES.sub(lambda found: "\\x20" * len(found[0]), escaped(path))


def _words(value: str) -> str:
    """Return a value such as `PasswordProtected` in words."""
    spaced = "".join(f" {char.lower()}" if char.isupper() and place else char for place, char in enumerate(value))
    return spaced[:1].upper() + spaced[1:]


def _section(problems: list[dict[str, Any]]) -> dict[str, Any] | None:
    more = len(problems) - _PROBLEMS
    rest = {"rest": f"{more:,} more kinds of it: the exports have all of them"} if more > 0 else {}
    return {"problems": problems[:_PROBLEMS], **rest} if problems else None


def _formats(summary: Summary) -> dict[str, Any] | None:
    formats = summary.formats
    if not formats:
        return None
    largest = max(each.files for each in formats)
    shown, rest = formats[:_FORMATS], formats[_FORMATS:]
    rows = [
        {
            "puid": each.puid,
            "name": escaped(each.name),
            "files": f"{each.files:,}",
            "size": _size(each.bytes),
            "width": max(1, round(100 * each.files / largest)),
            "alone": f"{each.by_name_alone:,}" if each.by_name_alone else "",
            "mismatched": f"{each.mismatched:,}" if each.mismatched else "",
        }
        for each in shown
    ]
    others = f"{len(rest)} more formats with {sum(each.files for each in rest):,} files" if rest else ""
    first, last = _day(summary.first_changed), _day(summary.last_changed)
    changed = f"Last changed {f'on {first}' if first == last else f'between {first} and {last}'}, as the sender says."
    return {"rows": rows, "others": others, "changed": changed if summary.first_changed else ""}


def _groups(named: Named, one: str = "", several: str = "") -> dict[str, Any] | None:
    if not named.count:
        return None
    shown = named.first[:_GROUPS]
    more = named.count - len(shown)
    groups = [
        {
            "paths": [_named(path) for path in paths[:_NAMED_OF_A_GROUP]],
            "more": _more_of_a_group(len(paths)),
        }
        for paths in shown
    ]
    return {
        "count": f"{named.count:,}",
        "what": one if named.count == 1 else several,
        "groups": groups,
        "more": f"{more:,} more" if more else "",
    }


def _more_of_a_group(count: int) -> str:
    if count >= FILES_NAMED:
        return "and many more: the exports have all of them"
    return f"and {count - _NAMED_OF_A_GROUP:,} more" if count > _NAMED_OF_A_GROUP else ""


def _archives(summary: Summary) -> dict[str, Any] | None:
    """Return what archives hold, of a consignment whose sender wanted to know."""
    if not summary.archives:
        return None
    holding = [
        {
            "archive": _named(path),
            "number": f"{members['count']:,} {'file' if members['count'] == 1 else 'files'}",
            "members": [
                *({"path": _named(each["path"]), "format": _format_of(each)} for each in members["listed"]),
                *(
                    {"path": _named(each["path"]), "format": _CODES.get(each["reason"], "not opened")}
                    for each in members["notListed"]
                ),
            ],
        }
        for path, members in summary.archives
    ]
    more = summary.archive_count - len(holding)
    told = f"{more:,} more archives: the exports have them" if more else ""
    return {"count": f"{summary.archive_count:,}", "holding": holding, "more": told}


def _format_of(member: Mapping[str, Any]) -> str:
    return f"{member['formatName']} ({member['puid']})" if member.get("puid") else "no format found"


def _pairs(named: Named) -> dict[str, Any] | None:
    if not named.count:
        return None
    pairs = [{"redacted": _named(redacted), "original": _named(original)} for redacted, original in named.first]
    more = named.count - len(pairs)
    return {"count": f"{named.count:,}", "pairs": pairs, "more": f"{more:,} more" if more else ""}


def _exceptions(named: Named) -> dict[str, Any] | None:
    names = ("path", "verdict", "reason", "by", "at")
    rows = [{name: escaped(value) for name, value in zip(names, each, strict=True)} for each in named.first]
    rows = [{**row, "at": row["at"][:16].replace("T", " ")} for row in rows]
    return {"rows": rows} if rows else None


def _left_out(left_out: Sequence[LeftOutFile]) -> dict[str, Any] | None:
    if not left_out:
        return None
    groups = []
    for kind, some in groupby(sorted(left_out, key=lambda each: (each.kind, each.path)), key=lambda each: each.kind):
        found = list(some)
        more = len(found) - _NOT_SENT
        groups.append(
            {
                "kind": _LEFT_OUT.get(kind, _words(kind.capitalize())),
                "count": f"{len(found):,}",
                "entries": [{"path": _named(each.path), "reason": escaped(each.reason)} for each in found[:_NOT_SENT]],
                "more": f"{more:,} more" if more > 0 else "",
            }
        )
    return {"groups": groups}


def _differences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    titles = {"missing": "Registered and not uploaded", "extra": "Uploaded and not registered"}
    return [
        {
            "title": title,
            "count": found[kind]["count"],
            "names": [_named(name) for name in names_of_differences(found[kind])],
        }
        for kind, title in titles.items()
        if kind in found and found[kind]["count"]
    ]


def names_of_differences(found: Mapping[str, Any]) -> list[str]:
    """Return the first names of what is missing or extra, and how many more there are."""
    names = [each if isinstance(each, str) else each["path"] or each["fileId"] for each in found["first"]]
    left = found["count"] - len(names)
    # An object whose name is that of the folder, as some programs make them, has none of its own.
    return [name or "(the folder itself)" for name in names] + ([f"… and {left} more"] if left > 0 else [])


def _folders(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows below the names of their folders, which would be most of the page otherwise.

    A folder of one file needs no line of its own.
    """
    ordered = sorted(rows, key=lambda row: (str(row["folder"]), str(row["name"])))
    found = []
    for folder, some in groupby(ordered, key=lambda row: str(row["folder"])):
        below = list(some)
        alone = [{**row, "name": f"{folder}{row['name']}"} for row in below] if len(below) == 1 else []
        found.append({"folder": "", "rows": alone} if alone else {"folder": folder, "rows": below})
    return found


def _row(file: Mapping[str, Any]) -> dict[str, Any]:
    matches = (file.get("fileFormat") or {}).get("matches") or []
    turn = turn_of(file)
    folder, slash, name = str(file["path"]).rpartition("/")
    return {
        "folder": _named(folder + slash),
        "name": _named(name) or f"(without a name) {file['fileId']}",
        "size": _size(file["size"]),
        "puids": ", ".join(str(match["puid"]) for match in matches if match.get("puid")) or "–",
        "turn": _TURNS[turn],
        "tone": "good" if turn is Turn.NOBODY else "bad",
        "checksum": str(file.get("checksum") or ""),
    }


def _counted(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{count:,} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
