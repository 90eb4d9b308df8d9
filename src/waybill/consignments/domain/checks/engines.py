"""The two engines that judge a file: our rules on its bytes, or the tag that a scanner outside puts on the object."""

from collections.abc import Callable
from typing import Any

from waybill.consignments.domain.checks.errors import FileRefusedError
from waybill.consignments.domain.checks.models import Failure, FileRecord, Reason, ScanAnswer
from waybill.consignments.domain.checks.ports import ObjectTags
from waybill.core.clock import Clock
from waybill.core.retry import looks

# Amazon GuardDuty User Guide, "Using tag-based access control with Malware Protection for S3".
_TAG = "GuardDutyMalwareScanStatus"
_TAG_VALUES = frozenset({"NO_THREATS_FOUND", "THREATS_FOUND", "UNSUPPORTED", "ACCESS_DENIED", "FAILED"})
_UNKNOWN_TAG = "UNKNOWN_TAG"
_POLL_SECONDS = 5.0


class YaraEngine:
    """`Antivirus` by the names of the rules that match; none is the empty result."""

    scans = True

    def __init__(self, software_version: str, rules_version: str, *, demonstration: bool = False) -> None:
        self._software_version = software_version
        self._rules_version = rules_version
        self._demonstration = demonstration

    def verdict(
        self, record: FileRecord, _version_id: str | None, started_ms: int, found: ScanAnswer, *, partial: bool
    ) -> dict[str, Any]:
        """Return the result; with `partial` the rules have seen the file in overlapping blocks."""
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
            **({"demonstrationRules": True} if self._demonstration else {}),
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
        self, record: FileRecord, version_id: str | None, _started_ms: int, _found: ScanAnswer, *, partial: bool
    ) -> dict[str, Any] | Failure:
        """Return the result, or that there is no tag."""
        del partial
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
