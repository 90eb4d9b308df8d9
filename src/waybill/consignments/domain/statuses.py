"""The statuses of files and of consignments: the tables of the README, every row in its order.

They are those of TDR of The National Archives, but where the README says that they differ.

Beside the table there are rules of ours, each with a name that begins with `waybill.`: a file of white space counts as
empty, encryption that PRONOM does not know is told by entries of the PUID table that are no PUIDs, a file that a parser
fails on each time is for a person to look at, and so is one whose inside was not scanned.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

from waybill.consignments.domain.evidence import contradiction, extension_of, is_own_packing, refusing_rule, remarks
from waybill.consignments.domain.tables import Tables
from waybill.consignments.models import CheckedFile, ConsignmentStatus, FileVerdict, StatusName

SUCCESS = "Success"
FAILED = "Failed"
MULTIPLE_FORMATS = "MultipleFormats"
ZERO_BYTE_FILE = "ZeroByteFile"
TIMED_OUT = "TimedOut"
MISMATCH = "Mismatch"
VIRUS_DETECTED = "VirusDetected"
NOT_SCANNED_INSIDE = "NotScannedInside"
UNEXAMINABLE = "Unexaminable"
UNIDENTIFIED = "Unidentified"

_PLACES = 5
_EMPTY_CHECKSUM = "ffid.emptyChecksum"
_CLEAN_RESULTS = frozenset({"", "NO_THREATS_FOUND"})
# What GuardDuty says of an object that it has not scanned (its user guide, "Reviewing scan results").
_NOT_SCANNED_TAGS = frozenset({"UNSUPPORTED", "ACCESS_DENIED", "FAILED", "UNKNOWN_TAG"})
_INSIDE_RULES = (
    ("waybill.encryptedInside", frozenset({"ENCRYPTED"})),
    ("waybill.damagedInside", frozenset({"BROKEN", "TRUNCATED"})),
    ("waybill.overLimitsInside", frozenset({"DEPTH", "MEMBERS", "MEMBER_BYTES", "TOTAL_BYTES", "RATIO", "TIME"})),
    ("waybill.tooLargeInside", frozenset({"TOO_LARGE", "DISK"})),
    ("waybill.noReaderInside", frozenset({"NO_READER", "UNKNOWN_METHOD"})),
)
# Of what nobody here opens: what its sender can do about it differs.
_KIND_RULES = (
    ("waybill.mailboxInside", frozenset({"Outlook folders"})),
    ("waybill.diskImageInside", frozenset({"disk image", "disc image"})),
    ("waybill.compressedInside", frozenset({"zstd", "lz4", "compress"})),
)
_CLIENT_ISSUES = frozenset({ZERO_BYTE_FILE, MULTIPLE_FORMATS})
_CLIENT_NAMES = frozenset({StatusName.CLIENT_CHECKSUM, StatusName.CLIENT_FILE_PATH, StatusName.REDACTION})
# What lets a transfer go on (as TDR has it).
_DECIDING = frozenset({StatusName.CHECKSUM_MATCH, StatusName.ANTIVIRUS, StatusName.FFID, StatusName.REDACTION})


def file_verdicts(file: CheckedFile, redaction: str | None, tables: Tables) -> list[FileVerdict]:
    """Return every status of one file; `redaction` is what came of it as a redacted file, None for others."""
    verdicts = [
        _ffid(file, tables),
        _antivirus(file),
        _checksum_match(file),
        _present(StatusName.SERVER_CHECKSUM, file.server_checksum, file.why("checksum")),
        _present(StatusName.CLIENT_CHECKSUM, str(file.record.get("clientChecksum") or "")),
        _present(StatusName.CLIENT_FILE_PATH, file.path),
    ]
    if redaction is not None:
        rule = "redaction.paired" if redaction == SUCCESS else "redaction.unpaired"
        verdicts.append(FileVerdict(StatusName.REDACTION, redaction, rule))
    return [*verdicts, _client_checks(verdicts)]


def is_accepted(values: Mapping[str, str]) -> bool:
    """Return whether the statuses of a file (values by name) let its transfer go on."""
    return all(values.get(name, SUCCESS) == SUCCESS for name in _DECIDING) and (
        values.keys() >= _DECIDING - {StatusName.REDACTION}
    )


def _antivirus(file: CheckedFile) -> FileVerdict:
    result = file.result("antivirus")
    if result is None:
        return FileVerdict(StatusName.ANTIVIRUS, FAILED, "antivirus.noResult", file.why("antivirus"))
    if unexaminable := result.get("unexaminable"):
        return FileVerdict(
            StatusName.ANTIVIRUS, UNEXAMINABLE, "waybill.unexaminable", f"{_failed_of(unexaminable)} {_scanner(result)}"
        )
    found = str(result.get("result") or "")
    if found not in _CLEAN_RESULTS:
        detail = f"{_line(found)}{_places(result)} by {_scanner(result)}"
        rule = "waybill.notScannedOutside" if found in _NOT_SCANNED_TAGS else "antivirus.found"
        return FileVerdict(StatusName.ANTIVIRUS, VIRUS_DETECTED, rule, detail)
    if result.get("notScannedCount"):
        # Of a file that is protected it is no matter what else could not be opened.
        protected = (file.result("fileFormat") or {}).get("encrypted")
        rule = "waybill.encryptedInside" if protected else _inside_rule(result)
        return FileVerdict(StatusName.ANTIVIRUS, NOT_SCANNED_INSIDE, rule, _not_scanned(result))
    return FileVerdict(StatusName.ANTIVIRUS, SUCCESS, "antivirus.clean", _scanner(result))


def _inside_rule(result: Mapping[str, Any]) -> str:
    """Return the rule whose sentence fits why something was not scanned: what its sender can mend comes first."""
    reasons = {each["reason"] for each in result["notScanned"]}
    rule = next((rule for rule, some in _INSIDE_RULES if reasons & some), "waybill.notScannedInside")
    kinds = {each.get("kind", "") for each in result["notScanned"]}
    of_kind = next((rule for rule, some in _KIND_RULES if kinds and kinds <= some), None)
    return of_kind or rule if rule == "waybill.noReaderInside" else rule


def _failed_of(unexaminable: Mapping[str, str]) -> str:
    return f"{unexaminable['reason']}: {unexaminable['sentence']}"


def _places(result: Mapping[str, Any]) -> str:
    """Return where inside of the file the rules match; whoever has to act could not find it otherwise."""
    places = list(dict.fromkeys(each["path"] for each in result.get("places", [])))
    return f" in {', '.join(places[:_PLACES])}" if places else ""


def _not_scanned(result: Mapping[str, Any]) -> str:
    told = [
        f"{each['path'] or 'the file itself'}: {each['reason']}{_of_kind(each)}"
        for each in result["notScanned"][:_PLACES]
    ]
    more = result["notScannedCount"] - len(told)
    return "; ".join([*told, f"{more} more"] if more > 0 else told)


def _of_kind(note: Mapping[str, Any]) -> str:
    return f" ({note['kind']})" if note.get("kind") else ""


def _scanner(result: Mapping[str, Any]) -> str:
    if engines := result.get("engines"):
        return ", ".join(map(_scanner, engines))
    names = " ".join(str(result[key]) for key in ("software", "softwareVersion", "databaseVersion") if result.get(key))
    # They find a test file and little else: whoever reads the verdict has to know.
    return f"{names}, the demonstration rules of the project" if result.get("demonstrationRules") else names


def _line(found: str) -> str:
    return ", ".join(found.split("\n"))


def _ffid(file: CheckedFile, tables: Tables) -> FileVerdict:
    """Return the first verdict that holds, in the order of the table, with the version of the table it went by."""
    verdict = _judgment(file, tables) or _empty(file, tables) or _format(file, tables)
    version = tables.empty_files_version if verdict.rule == _EMPTY_CHECKSUM else tables.puids.version
    return replace(verdict, table_version=version)


def _ffid_verdict(value: str, rule: str, detail: str = "") -> FileVerdict:
    return FileVerdict(StatusName.FFID, value, rule, detail)


def _judgment(file: CheckedFile, tables: Tables) -> FileVerdict | None:
    puids = file.puids
    if file.is_judgment and not set(puids) <= tables.puids.allowed_for_judgment:
        refused = [puid or "nothing" for puid in puids if puid not in tables.puids.allowed_for_judgment]
        return _ffid_verdict("NonJudgmentFormat", "ffid.judgmentFormats", f"identified as {', '.join(refused)}")
    return None


def _empty(file: CheckedFile, tables: Tables) -> FileVerdict | None:
    if file.server_checksum in tables.empty_files:
        return _ffid_verdict(ZERO_BYTE_FILE, _EMPTY_CHECKSUM)
    if file.record.get("fileSize") == "0":
        return _ffid_verdict(ZERO_BYTE_FILE, "ffid.sizeZero")
    if (file.result("checksum") or {}).get("emptyContent"):
        return _ffid_verdict(ZERO_BYTE_FILE, "waybill.emptyContent", "nothing but a byte order mark and white space")
    return None


def _format(file: CheckedFile, tables: Tables) -> FileVerdict:
    result = file.result("fileFormat")
    if result is None:
        return _ffid_verdict(FAILED, "ffid.noResult", file.why("fileFormat"))
    if unexaminable := result.get("unexaminable"):
        return _ffid_verdict(UNEXAMINABLE, "waybill.unexaminable", _failed_of(unexaminable))
    if result.get("timedOut"):
        return _ffid_verdict(TIMED_OUT, "waybill.timedOut")
    # Whatever the format is and however damaged: who sends it without its protection solves the rest too.
    if (protection := _protection(result)) and (entry := tables.puids.disallowing(frozenset({protection}))):
        rule = "waybill.restrictedPdf" if result.get("opensWithoutPassword") else "waybill.protection"
        return _ffid_verdict(entry[1], rule, protection)
    return _refused(file, result, tables) or _allowed(file, result, tables)


def _refused(file: CheckedFile, result: Mapping[str, Any], tables: Tables) -> FileVerdict | None:
    """Return the verdict on a format that is refused, or that the content speaks against."""
    known = _known(file)
    if len(known) > 1:
        return _ffid_verdict(MULTIPLE_FORMATS, "ffid.severalMatches", f"{', '.join(known)}{_evidence(file)}")
    if result.get("text") and (script := tables.puids.scripts.get(extension_of(file.path))):
        return _ffid_verdict("Executable", "waybill.scriptByName", f".{extension_of(file.path)} is a {script}")
    if is_own_packing(file.path, result, tables.puids.packed):
        return None
    if entry := tables.puids.disallowing(frozenset(file.puids)):
        seen, reason = entry
        rule = refusing_rule(file.path, result, seen, tables.extension_only)
        return _ffid_verdict(reason, rule, f"{seen or 'no match'}{_evidence(file)}")
    if unnamed := [match for match in file.matches if tables.puids.is_unnamed_container(match)]:
        return _ffid_verdict("Zip", "waybill.unnamedContainer", f"{unnamed[0]['puid']} {unnamed[0]['formatName']}")
    against = contradiction(file.path, result, tables.extension_only)
    return _ffid_verdict(UNIDENTIFIED, against.rule, against.detail) if against else None


def _allowed(file: CheckedFile, result: Mapping[str, Any], tables: Tables) -> FileVerdict:
    known = ", ".join(_known(file))
    told = remarks(file.path, result, tables)
    # An accepted file is told its most serious remark, by the rule of that.
    return _ffid_verdict(SUCCESS, told[0].rule if told else "ffid.allowed", (told and told[0].detail) or known)


def _known(file: CheckedFile) -> list[str]:
    return list(dict.fromkeys(puid for puid in file.puids if puid))


def _protection(result: Mapping[str, Any]) -> str | None:
    """Return the entry of the table that stands for the encryption that was seen."""
    kind = str(result.get("encryption") or "")
    return f"encrypted{kind[:1].upper()}{kind[1:]}" if result.get("encrypted") else None


def _evidence(file: CheckedFile) -> str:
    """Return a remark where the extension alone speaks for a format."""
    found = [match for match in file.matches if match.get("puid")]
    alone = [match.get("extensionOnly", match.get("identificationBasis") == "Extension") for match in found]
    return " by its extension alone" if alone and all(alone) else ""


def _checksum_match(file: CheckedFile) -> FileVerdict:
    ours, theirs = file.server_checksum, str(file.record.get("clientChecksum") or "")
    if ours is None:
        return FileVerdict(StatusName.CHECKSUM_MATCH, FAILED, "checksumMatch.noResult", file.why("checksum"))
    if ours == theirs:
        return FileVerdict(StatusName.CHECKSUM_MATCH, SUCCESS, "checksumMatch.equal")
    return FileVerdict(
        StatusName.CHECKSUM_MATCH, MISMATCH, "checksumMatch.different", f"{theirs or 'none'} sent, {ours} here"
    )


def _present(name: StatusName, value: str | None, why: str = "") -> FileVerdict:
    prefix = name[0].lower() + name[1:]
    if value:
        return FileVerdict(name, SUCCESS, f"{prefix}.present")
    return FileVerdict(name, FAILED, f"{prefix}.missing", why)


def _client_checks(verdicts: Iterable[FileVerdict]) -> FileVerdict:
    issues = [
        verdict.name
        for verdict in verdicts
        if (verdict.name is StatusName.FFID and verdict.value in _CLIENT_ISSUES)
        or (verdict.name in _CLIENT_NAMES and verdict.value != SUCCESS)
    ]
    if issues:
        return FileVerdict(
            StatusName.CLIENT_CHECKS, ConsignmentStatus.COMPLETED_WITH_ISSUES, "clientChecks.issues", ", ".join(issues)
        )
    return FileVerdict(StatusName.CLIENT_CHECKS, ConsignmentStatus.COMPLETED, "clientChecks.none")


class ConsignmentStatuses:
    """Collects what the statuses of a consignment depend on, file by file."""

    def __init__(self, tables: Tables) -> None:
        self._issues = tables.puids.reasons | {MULTIPLE_FORMATS, UNEXAMINABLE}
        self._seen: Counter[tuple[StatusName, str]] = Counter()
        self._checksum_results_missing = False
        self.files = 0
        self.accepted = 0

    def add(self, file: CheckedFile, verdicts: Sequence[FileVerdict]) -> None:
        """Take one file in."""
        self._checksum_results_missing |= file.server_checksum is None
        self.carry({verdict.name: verdict.value for verdict in verdicts})

    def carry(self, statuses: Mapping[str, str]) -> None:
        """Take in one file that an earlier run has given its statuses, by name."""
        self.files += 1
        for name, value in statuses.items():
            self._seen[StatusName(name), value] += 1
        self.accepted += is_accepted(statuses)

    def result(self) -> dict[str, str]:
        """Return the five statuses by name; nothing for a consignment without files."""
        if not self.files:
            return {}
        ffid, antivirus = self._of(StatusName.FFID), self._of(StatusName.ANTIVIRUS)
        return {
            StatusName.SERVER_FFID: _worst(bool(ffid & {FAILED, TIMED_OUT}), bool(ffid & self._issues)),
            StatusName.SERVER_CHECKSUM: _worst(self._checksum_results_missing, self._checksum_issues),
            StatusName.SERVER_ANTIVIRUS: _worst(FAILED in antivirus, bool(antivirus - {SUCCESS})),
            StatusName.SERVER_REDACTION: _worst(False, bool(self._of(StatusName.REDACTION) - {SUCCESS})),
            StatusName.CLIENT_CHECKS: _worst(
                False, ConsignmentStatus.COMPLETED_WITH_ISSUES in self._of(StatusName.CLIENT_CHECKS)
            ),
        }

    def problems(self) -> dict[str, int]:
        """Return how many files have which unwelcome value, such as `{"FFID Zip": 3}`."""
        welcome = {SUCCESS, ConsignmentStatus.COMPLETED}
        return {
            f"{name} {value}": number
            for (name, value), number in sorted(self._seen.items())
            if value not in welcome and name is not StatusName.CLIENT_CHECKS
        }

    @property
    def _checksum_issues(self) -> bool:
        # A mismatch counts here, other than in TDR, on purpose (README, "Where this differs").
        return FAILED in self._of(StatusName.SERVER_CHECKSUM) or MISMATCH in self._of(StatusName.CHECKSUM_MATCH)

    def _of(self, name: StatusName) -> set[str]:
        return {value for seen, value in self._seen if seen is name}


def _worst(failed: bool, issues: bool) -> str:
    if failed:
        return ConsignmentStatus.FAILED
    return ConsignmentStatus.COMPLETED_WITH_ISSUES if issues else ConsignmentStatus.COMPLETED


def overall(statuses: Mapping[str, str]) -> str:
    """Return the one word for a consignment: the worst of its statuses."""
    values = set(statuses.values())
    return _worst(ConsignmentStatus.FAILED in values, ConsignmentStatus.COMPLETED_WITH_ISSUES in values)


class StatusRow(TypedDict):
    """A status as TDR's API takes it, and for files what decided."""

    id: str
    statusType: str
    statusName: str
    statusValue: str
    overwrite: bool
    rule: NotRequired[str]
    detail: NotRequired[str]
    tableVersion: NotRequired[str]


def status_row(owner: str, kind: str, name: str, value: str, *, overwrite: bool) -> StatusRow:
    """Return a status: `kind` is `File` or `Consignment`."""
    return {"id": owner, "statusType": kind, "statusName": name, "statusValue": value, "overwrite": overwrite}
