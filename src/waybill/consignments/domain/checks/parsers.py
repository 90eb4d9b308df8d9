"""The parsers of one file, part by part. Imported in the scanners' process alone, since what they open is hostile."""

from pathlib import Path
from typing import Any

from waybill.consignments.domain.checks.beginnings import beginning_of
from waybill.consignments.domain.checks.identification import interpret, unidentified, versions
from waybill.consignments.domain.checks.inside import scan, scan_alone
from waybill.consignments.domain.checks.malware_rules import MalwareRules
from waybill.consignments.domain.checks.members import members_of
from waybill.consignments.domain.checks.protection import inspect, is_excessive
from waybill.consignments.domain.checks.scan_answers import ScanAnswer

# A content that is of no format, and no text; and how many extensions are remembered.
_NO_FORMAT = b"\0\1"
_EXTENSIONS = 1000


class Parsers:
    """What is asked of a file, and the parser that answers it."""

    def __init__(self, rules: MalwareRules | None, signatures: str | None = None, *, identifying: bool = True) -> None:
        self._rules = rules
        self._known: dict[str, bool] = {}
        self._siegfried: Any = _siegfried(signatures) if identifying else None
        self._parts = {
            "identify": self._identify,
            "scan": self._scan,
            "inspect": self._inspect,
            "members": self._members,
        }

    def versions(self) -> dict[str, str]:
        """Return the versions of Siegfried and its signatures, which it tells of any file, even of none."""
        if self._siegfried is None:
            return {}
        result: Any = self._siegfried.identify("", detailed=True)
        return versions(result)

    def together(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers to several requests by part, at once."""
        try:
            identified = self._identify_all(requests) if self._siegfried is not None else None
        except Exception:  # whatever one of the files makes of it: one by one it shows whose fault that is
            identified = None
        answers = []
        for number, request in enumerate(requests):
            answer = {part: self.answer(part, request) for part in request["parts"] if part != "identify"}
            if "identify" in request["parts"]:
                found = self.answer("identify", request) if identified is None else {"result": identified[number]}
                answer["identify"] = found
            answers.append(answer)
        return answers

    def answer(self, part: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the result of one part that was asked for, or the kind of error that the parser has raised."""
        try:
            return {"result": self._parts[part](Path(request["path"]), request)}
        except Exception as error:  # whatever a parser raises is its answer about this file
            # The kind alone: a parser's message may quote the file.
            kind = type(error).__name__
            return {"error": "TIME_LIMIT" if kind == "TimeoutError" else "UNREADABLE", "kind": kind}

    def _identify_all(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(is_excessive(Path(request["path"])) for request in requests):
            return [self._identify(Path(request["path"]), request) for request in requests]
        result: Any = self._siegfried.identify_many([request["path"] for request in requests])
        pairs = zip(requests, result["files"], strict=True)
        return [
            self._interpreted({**result, "files": [file]}, Path(request["path"]), request["extension"])
            for request, file in pairs
        ]

    def _identify(self, path: Path, request: dict[str, Any]) -> dict[str, Any]:
        if is_excessive(path):
            # Siegfried looks into containers, and unpacks a member as large as it says it is.
            return unidentified(self.versions())
        return self._interpreted(self._siegfried.identify(str(path), detailed=True), path, request["extension"])

    def _interpreted(self, result: Any, path: Path, extension: str) -> dict[str, Any]:
        found = interpret(result, extension)
        if any(match["fileExtensionMismatch"] for match in found["matches"]):
            found["extensionKnown"] = self._is_known(path)
        return found

    def _is_known(self, path: Path) -> bool:
        """Return whether any format has the extension of `path`: asked of a file that has nothing but the name."""
        suffix = path.suffix.lower()
        if suffix and suffix not in self._known and len(self._known) < _EXTENSIONS:
            probe = path.with_name(f"extension{suffix}")
            probe.write_bytes(_NO_FORMAT)
            try:
                asked = interpret(self._siegfried.identify(str(probe), detailed=True), suffix[1:])
            finally:
                probe.unlink()
            self._known[suffix] = bool(asked["extensionCandidates"] or asked["matches"][0]["puid"])
        return self._known.get(suffix, True)

    def _scan(self, path: Path, request: dict[str, Any]) -> ScanAnswer:
        if self._rules is None:
            raise LookupError("no rules")
        return (scan_alone if request["partial"] else scan)(self._rules, path, request["scanSeconds"])

    def _members(self, path: Path, request: dict[str, Any]) -> dict[str, Any] | None:
        def identified(copy: Path, extension: str) -> dict[str, Any]:
            return self._identify(copy, {"extension": extension})

        return members_of(path, identified, request["membersSeconds"])

    def _inspect(self, path: Path, request: dict[str, Any]) -> dict[str, Any]:
        return {**inspect(path, partial=request["partial"]), **beginning_of(path)}


def _siegfried(signatures: str | None) -> Any:
    import pygfried

    return pygfried.Scanner(signature=signatures) if signatures else pygfried.Scanner()
