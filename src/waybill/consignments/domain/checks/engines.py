"""The engines that judge a file: our rules on its bytes, the tag that GuardDuty puts on the object, and clamd."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from waybill.consignments.domain.checks.errors import FileRefusedError, ScannerUnavailableError
from waybill.consignments.domain.checks.models import Failure, FileRecord, Reason
from waybill.consignments.domain.checks.ports import Antivirus, ObjectTags, StreamScanner
from waybill.consignments.domain.checks.scan_answers import ScanAnswer
from waybill.core.clock import Clock
from waybill.core.retry import Retry, looks

# Amazon GuardDuty User Guide, "Using tag-based access control with Malware Protection for S3".
_TAG = "GuardDutyMalwareScanStatus"
_TAG_VALUES = frozenset({"NO_THREATS_FOUND", "THREATS_FOUND", "UNSUPPORTED", "ACCESS_DENIED", "FAILED"})
_UNKNOWN_TAG = "UNKNOWN_TAG"
_POLL_SECONDS = 5.0


class YaraEngine:
    """`Antivirus` by the names of the rules that match; none is the empty result."""

    scans = True

    def __init__(
        self, software_version: str, rules_version: str, *, files: int = 0, built: str = "", demonstration: bool = False
    ) -> None:
        self._software_version = software_version
        self._rules_version = rules_version
        # Which rules these are, in words that mean something to people; a version is a hash.
        self._rules = {
            **({"rulesFiles": files} if files else {}),
            **({"rulesBuilt": built} if built else {}),
            **({"demonstrationRules": True} if demonstration else {}),
        }

    def verdict(
        self,
        record: FileRecord,
        _version_id: str | None,
        started_ms: int,
        found: ScanAnswer,
        *,
        partial: bool,
        content: Path | None = None,
    ) -> dict[str, Any]:
        """Return the result; with `partial` the rules have seen the file in overlapping blocks."""
        del content
        return {
            "fileId": record.file_id,
            "software": "yara-x",
            "softwareVersion": self._software_version,
            "databaseVersion": self._rules_version,
            "result": "\n".join(sorted({hit["rule"] for hit in found["hits"]})),
            "datetime": started_ms,
            "engine": "yara",
            "rulesVersion": self._rules_version,
            "partial": partial,
            **self._rules,
            **_places(found),
        }


def _places(found: ScanAnswer) -> dict[str, Any]:
    """Return where the hits inside are, and what was not scanned, where there is any."""
    inside = [hit for hit in found["hits"] if hit["path"]]
    places = {"places": inside} if inside else {}
    if not found["unscannedCount"]:
        return places
    return {**places, "notScanned": found["unscanned"], "notScannedCount": found["unscannedCount"]}


class TagEngine:
    """`Antivirus` by the object's tag, which is waited for until the group's deadline.

    A value that GuardDuty does not document becomes ``UNKNOWN_TAG``, never an empty result, which would pass as clean.

    Parameters
    ----------
    objects : ObjectTags
        Has the tags.
    seconds_left : callable
        How long tags may still be waited for: one deadline for all files of a group.
    now_ms : callable
        The time, in milliseconds since 1970: when the tag was seen.
    """

    scans = False

    def __init__(
        self,
        objects: ObjectTags,
        seconds_left: Callable[[], float],
        now_ms: Callable[[], int],
        clock: Clock | None = None,
    ) -> None:
        self._objects = objects
        self._now_ms = now_ms
        self._seconds_left = seconds_left
        self._clock = clock

    def verdict(
        self,
        record: FileRecord,
        version_id: str | None,
        _started_ms: int,
        _found: ScanAnswer,
        *,
        partial: bool,
        content: Path | None = None,
    ) -> dict[str, Any] | Failure:
        """Return the result, or that there is no tag."""
        del partial, content
        seen = looks(
            lambda: self._objects.tags(record, version_id).get(_TAG),
            seconds=self._seconds_left(),
            first_pause=_POLL_SECONDS,
            longest_pause=_POLL_SECONDS,
            clock=self._clock,
        )
        try:
            value = next((value for value in seen if value is not None), None)
        except FileRefusedError as error:
            return error.failure
        if value is None:
            return Failure(Reason.NO_SCAN_TAG, "The malware scan has left no result in time.")
        return self._result(record, value)

    def _result(self, record: FileRecord, value: str) -> dict[str, Any]:
        return {
            "fileId": record.file_id,
            "software": "awsGuardDutyMalwareScan",
            "softwareVersion": "AWSGuardDuty",
            "databaseVersion": "$LATEST",
            "result": value if value in _TAG_VALUES else _UNKNOWN_TAG,
            "datetime": self._now_ms(),
            "engine": "guardduty",
            "partial": False,
        }


# What clamd reports with its alerts of limits and encryption switched on (clamd.conf(5), `AlertExceedsMax`,
# `AlertEncrypted`): it has found nothing, and has not looked at all of it.
_NOT_LOOKED_AT = (
    ("Heuristics.Limits.Exceeded", "TOTAL_BYTES"),
    ("Heuristics.Encrypted", "ENCRYPTED"),
)
_CLAMD_SECONDS = 180.0
_CLAMD_TRIES = 3


class ClamEngine:
    """`Antivirus` by clamd, which is sent the whole file.

    Parameters
    ----------
    scanner : StreamScanner
        The clamd.
    seconds_left : callable
        How long files may still be scanned.
    """

    scans = False

    def __init__(self, scanner: StreamScanner, seconds_left: Callable[[], float], clock: Clock | None = None) -> None:
        self._scanner = scanner
        self._seconds_left = seconds_left
        self._retry = Retry(tries=_CLAMD_TRIES, clock=clock) if clock else Retry(tries=_CLAMD_TRIES)

    def verdict(
        self,
        record: FileRecord,
        _version_id: str | None,
        started_ms: int,
        _found: ScanAnswer,
        *,
        partial: bool,
        content: Path | None = None,
    ) -> dict[str, Any] | Failure:
        """Return the result; an object that is not kept was not scanned."""
        failure = Failure(Reason.SCANNER_UNAVAILABLE, "clamd gave no verdict.")
        for _ in self._retry.attempts():
            try:
                version, database = self._scanner.version()
                told = self._told(content)
            except ScannerUnavailableError:
                continue
            return {
                "fileId": record.file_id,
                "software": "ClamAV",
                "softwareVersion": version,
                "databaseVersion": database,
                "datetime": started_ms,
                "engine": "clamav",
                "partial": partial,
                **told,
            }
        return failure

    def _told(self, content: Path | None) -> dict[str, Any]:
        if content is None:
            return _unscanned("TOO_LARGE")
        told = self._scanner.scan(content, max(0.1, min(_CLAMD_SECONDS, self._seconds_left())))
        if told.too_large:
            return _unscanned("TOO_LARGE")
        name = told.found or ""
        reason = next((reason for mark, reason in _NOT_LOOKED_AT if name.startswith(mark)), None)
        return {"result": name} if reason is None else _unscanned(reason)


def _unscanned(reason: str) -> dict[str, Any]:
    return {"result": "", "notScanned": [{"path": "", "reason": reason}], "notScannedCount": 1}


class AllEngines:
    """`Antivirus` by several engines, all of which a file has to pass.

    Malware that one has found counts though another has failed; what one has not looked at, or not given a verdict on,
    makes the file no clean one.
    """

    def __init__(self, engines: Sequence[Antivirus]) -> None:
        self._engines = engines
        self.scans = any(engine.scans for engine in engines)

    def verdict(
        self,
        record: FileRecord,
        version_id: str | None,
        started_ms: int,
        found: ScanAnswer,
        *,
        partial: bool,
        content: Path | None = None,
    ) -> dict[str, Any] | Failure:
        """Return what all of them say, as one result with each of theirs in `engines`."""
        answers = [
            engine.verdict(record, version_id, started_ms, found, partial=partial, content=content)
            for engine in self._engines
        ]
        results = [answer for answer in answers if not isinstance(answer, Failure)]
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        threats = [each["result"] for each in results if each["result"] not in _CLEAN]
        if failures and not threats:
            return failures[0]
        not_scanned = [each for result in results for each in result.get("notScanned", ())]
        count = sum(result.get("notScannedCount", 0) for result in results)
        places = [each for result in results for each in result.get("places", ())]
        return {
            "fileId": record.file_id,
            **{name: _several(result.get(name) for result in results) for name in _NAMES},
            "result": "\n".join(threats),
            "datetime": max(result["datetime"] for result in results),
            "partial": partial,
            "engines": results,
            **({"demonstrationRules": True} if any(each.get("demonstrationRules") for each in results) else {}),
            **({"places": places} if places else {}),
            **({"notScanned": not_scanned, "notScannedCount": count} if count else {}),
        }


_CLEAN = frozenset({"", "NO_THREATS_FOUND"})
_NAMES = ("software", "softwareVersion", "databaseVersion", "engine")


def _several(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values if value)
