"""The numbers of a consignment, and its problems: each once, with whose turn it is and the files that have it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# After so long formats have come that the signatures do not know.
OLD_SIGNATURES_DAYS = 365
# Of a problem, of duplicates and the like: more are in the exports.
FILES_NAMED = 200
ARCHIVES_NAMED = 20
_WELCOME = frozenset({"Success", "Completed"})
_SUMMING_UP = "ClientChecks"
_MALWARE = "VirusDetected"
_SENDER = "Fix yourself"
_EMPTY = "ZeroByteFile"


class Turn(StrEnum):
    """What has to happen to a file next, and who does it."""

    NOBODY = "accepted"
    SENDER = "sender"
    ARCHIVE = "archive"
    CHECKS = "notChecked"


@dataclass
class Problem:
    """Something that is to be told of several files in one sentence."""

    rule: str
    title: str
    sentence: str
    action: str | None
    count: int = 0
    # Path and what was seen in this file, where it is more than the sentence says.
    files: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class FormatCount:
    """How many files are of a format, and how many bytes they have."""

    puid: str
    name: str
    files: int = 0
    bytes: int = 0
    by_name_alone: int = 0
    mismatched: int = 0


@dataclass
class Named:
    """How many there are of something, and the first of them."""

    count: int = 0
    first: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *names: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < FILES_NAMED:
            self.first.append(names)


def wrong(explanations: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those that somebody has to act on; `ClientChecks` only sums others up."""
    return [each for each in explanations if each["value"] not in _WELCOME and each["statusName"] != _SUMMING_UP]


def open_still(file: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is wrong with a file and was not waived."""
    waived = {each["statusName"] for each in file.get("waivers", ()) if each["holds"]}
    return [each for each in wrong(file["explanations"]) if each["statusName"] not in waived]


def unsaid(file: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the remarks on a file that none of what is wrong with it says already."""
    said = {each.get("rule") for each in wrong(file["explanations"])}
    return [remark for remark in file.get("remarks", ()) if remark["rule"] not in said]


def turn_of(file: Mapping[str, Any]) -> Turn:
    """Return whose turn it is with a file: the archive's where malware was found, or nobody else can mend it."""
    if not file["statuses"]:
        return Turn.CHECKS
    if file.get("accepted"):
        return Turn.NOBODY
    problems = open_still(file)
    if any(each["value"] == _MALWARE for each in problems):
        return Turn.ARCHIVE
    return Turn.SENDER if any(each["action"] == _SENDER for each in problems) else Turn.ARCHIVE


class Summary:
    """Takes the files of a consignment in, one by one, in the shape of the API."""

    def __init__(self) -> None:
        self.files = self.bytes = 0
        self.turns: Counter[Turn] = Counter()
        self.software: set[str] = set()
        self.runs: Counter[int | None] = Counter()
        self.demonstration_rules = False
        self.without_content = Named()
        self.pairs = Named()
        self.exceptions = Named()
        # What archives hold: the path of each, and its members as results have them.
        self.archives: list[tuple[str, Mapping[str, Any]]] = []
        self.archive_count = 0
        self.first_changed = self.last_changed = ""
        self.signature_age_days = 0
        self._problems: dict[tuple[str, str], Problem] = {}
        self._remarks: dict[tuple[str, str], Problem] = {}
        self._formats: dict[str, FormatCount] = {}
        self._by_checksum: dict[str, str | list[str]] = {}

    @classmethod
    def of(cls, files: Iterable[Mapping[str, Any]]) -> "Summary":
        """Return the summary of all files."""
        summary = cls()
        for file in files:
            summary.add(file)
        return summary

    def add(self, file: Mapping[str, Any]) -> None:
        """Take one file in."""
        self.files += 1
        self.bytes += file["size"]
        self.turns[turn_of(file)] += 1
        self.runs[file.get("run")] += 1
        path = str(file["path"])
        for each in open_still(file):
            name = f"{each['statusName']}: {each['value']}"
            _note(self._problems, each, name, path)
        for each in unsaid(file):
            _note(self._remarks, each, "Remark", path)
        for each in file.get("waivers", ()):
            if each["holds"]:
                self.exceptions.add(
                    path, f"{each['statusName']} {each['value']}", each["reason"], each["by"], each["at"]
                )
        self._count_format(file)
        self._compare(file, path)
        self._note_software(file)
        if original := file.get("originalFilepath"):
            self.pairs.add(path, str(original))
        if members := (file.get("fileFormat") or {}).get("members"):
            self.archive_count += 1
            if len(self.archives) < ARCHIVES_NAMED:
                self.archives.append((path, members))
        if file["statuses"].get("FFID") == _EMPTY:
            self.without_content.add(path)
        if moment := str(file.get("lastModified") or ""):
            self.first_changed = min(self.first_changed or moment, moment)
            self.last_changed = max(self.last_changed, moment)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, most files first within what each has to do."""
        return _ordered(self._problems.values())

    @property
    def remarks(self) -> list[Problem]:
        """What is to be known beside."""
        return _ordered(self._remarks.values())

    @property
    def formats(self) -> list[FormatCount]:
        """The formats, most files first."""
        return sorted(self._formats.values(), key=lambda each: (-each.files, each.puid))

    @property
    def duplicates(self) -> Named:
        """Files of the same content, one entry for each content."""
        found = Named()
        for paths in sorted(sorted(paths) for paths in self._by_checksum.values() if isinstance(paths, list)):
            found.add(*paths)
        return found

    def numbers(self) -> dict[str, Any]:
        """Return the numbers, as answers have them."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "accepted": self.turns[Turn.NOBODY],
            "forSender": self.turns[Turn.SENDER],
            "forArchive": self.turns[Turn.ARCHIVE],
            "notChecked": self.turns[Turn.CHECKS],
            "exceptions": self.exceptions.count,
            "withoutContent": self.without_content.count,
            "duplicates": self.duplicates.count,
            "demonstrationRules": self.demonstration_rules,
            "signatureAgeDays": self.signature_age_days,
            "problems": [
                {"problem": each.title, "rule": each.rule, "action": each.action, "files": each.count}
                for each in self.problems
            ],
            "remarks": [{"rule": each.rule, "files": each.count} for each in self.remarks],
            "formats": [
                {
                    "puid": each.puid,
                    "name": each.name,
                    "files": each.files,
                    "bytes": each.bytes,
                    "byNameAlone": each.by_name_alone,
                    "mismatched": each.mismatched,
                }
                for each in self.formats
            ],
        }

    def _count_format(self, file: Mapping[str, Any]) -> None:
        matches = [match for match in (file.get("fileFormat") or {}).get("matches") or () if match.get("puid")]
        if not matches and "FFID" not in file["statuses"]:
            return
        puid = ", ".join(str(match["puid"]) for match in matches)
        name = ", ".join(_format_name(match) for match in matches) or "no format found"
        counted = self._formats.setdefault(puid, FormatCount(puid, name))
        counted.files += 1
        counted.bytes += file["size"]
        counted.by_name_alone += bool(matches) and all(match.get("extensionOnly") for match in matches)
        counted.mismatched += any(match.get("fileExtensionMismatch") for match in matches)

    def _compare(self, file: Mapping[str, Any], path: str) -> None:
        checksum = file.get("checksum")
        if not checksum or not file["size"]:
            return
        earlier = self._by_checksum.get(checksum)
        if earlier is None:
            self._by_checksum[checksum] = path
        elif isinstance(earlier, str):
            self._by_checksum[checksum] = [earlier, path]
        elif len(earlier) < FILES_NAMED:
            earlier.append(path)

    def _note_software(self, file: Mapping[str, Any]) -> None:
        antivirus, found = file.get("antivirus") or {}, file.get("fileFormat") or {}
        self.demonstration_rules |= bool(antivirus.get("demonstrationRules"))
        for engine in antivirus.get("engines") or [antivirus]:
            named = _named(engine, "Malware", ("software", "softwareVersion"), "rules", ("databaseVersion",))
            self.software |= {f"{each}{_about_rules(engine)}" for each in named}
        self.signature_age_days = max(self.signature_age_days, int(found.get("signatureAgeDays") or 0))
        created = f", built {found['signaturesCreated']}" if found.get("signaturesCreated") else ""
        signatures = ("binarySignatureFileVersion", "containerSignatureFileVersion")
        formats = _named(found, "Formats", ("software", "softwareVersion"), "PRONOM signatures", signatures)
        self.software |= {f"{each}{created}" for each in formats}
        self.software |= {
            f"{_TABLES.get(each.get('rule'), _TABLE_OF_FORMATS)}: {each['tableVersion']}"
            for each in file["explanations"]
            if each.get("tableVersion")
        }


def _about_rules(result: Mapping[str, Any]) -> str:
    """Return which rules they are: their version alone is a hash, which tells nobody."""
    if result.get("demonstrationRules"):
        return " (the demonstration rules of the project)"
    files, built = result.get("rulesFiles"), str(result.get("rulesBuilt") or "")[:10]
    told = [f"{files:,} {'file' if files == 1 else 'files'} of rules"] if files else []
    told += [f"built {built}"] if built else []
    return f" ({', '.join(told)})" if told else ""


_TABLE_OF_FORMATS = "Table of formats that are refused"
_TABLES = {"ffid.emptyChecksum": "Table of checksums of empty files"}


def _note(problems: dict[tuple[str, str], Problem], told: Mapping[str, Any], title: str, path: str) -> None:
    detail = str(told.get("detail") or "")
    sentence = _general(str(told["sentence"]), detail)
    fresh = Problem(str(told.get("rule", "")), title, sentence, told["action"])
    problem = problems.setdefault((title, sentence), fresh)
    problem.count += 1
    if len(problem.files) < FILES_NAMED:
        problem.files.append((path, "" if detail in sentence else detail))


def _general(sentence: str, detail: str) -> str:
    """Return a sentence without what was seen in one file, where it stands apart: that is told beside its name."""
    return sentence.replace(f": {detail}.", ".").replace(f" ({detail})", "") if detail else sentence


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    found = sorted(problems, key=lambda each: (each.action != _SENDER, -each.count, each.title, each.rule))
    for problem in found:
        problem.files.sort()
    return found


def _format_name(match: Mapping[str, Any]) -> str:
    name, version = str(match.get("formatName") or ""), str(match.get("formatVersion") or "")
    return name if version in name else f"{name} {version}"


def _named(
    result: Mapping[str, Any], what: str, program: Sequence[str], rules: str, versions: Sequence[str]
) -> set[str]:
    name = " ".join(str(result[each]) for each in program if result.get(each))
    version = " and ".join(str(result[each]) for each in versions if result.get(each))
    return {f"{what}: {name}{f', {rules} {version}' if version else ''}"} if name else set()
