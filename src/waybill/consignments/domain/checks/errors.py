"""What can go wrong while files are checked, apart from what concerns one file alone (`models.Failure`).

The class names are matched by `statemachine/consignments.asl.json`.
"""

from typing import ClassVar

from waybill.consignments.domain.checks.models import Failure
from waybill.core.errors import PermanentError, RetryableError


class ChecksUnavailableError(RetryableError):
    """S3 does not give objects or rules now, or the scanners do not start: the same group may be checked later."""

    code: ClassVar[str] = "CHECKS_UNAVAILABLE"


class ScannerUnavailableError(Exception):
    """A scanner outside cannot be asked, or fails: nothing is known of the file."""


class FileRefusedError(PermanentError):
    """S3 does not give this object in the state that was asked for, however often it is asked."""

    code: ClassVar[str] = "OBJECT_REFUSED"

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class RuleSetInvalidError(PermanentError):
    """The rule set is missing, damaged, made for another version of YARA-X, or fails its self-test."""

    code: ClassVar[str] = "RULE_SET_INVALID"
