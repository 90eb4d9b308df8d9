"""The check of one group: results for all of its files, or why there are none."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from waybill.consignments.domain.checks.checker import Counts, FileChecker
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.models import CHECKS_UNAVAILABLE, RULES_UNUSABLE, Failure, Findings
from waybill.consignments.domain.file_records import CheckedRecord, RegisteredRecord
from waybill.consignments.domain.ports import LineWriter

type _Writing = Callable[[], AbstractContextManager[LineWriter[CheckedRecord]]]


def check_group(
    files: Sequence[RegisteredRecord], checker: Callable[[], FileChecker], writing: _Writing, *, last_attempt: bool
) -> Counts:
    """Write the results of a group and return how many there are.

    Where nothing can be checked the group fails, and its files say of what: where the rules cannot be used at once,
    and otherwise when nobody tries again.

    Raises
    ------
    ChecksUnavailableError
        Nothing can be checked now.
    RuleSetInvalidError
        The rules or the signatures cannot be used.
    """
    counts = Counts()
    try:
        with writing() as document:
            for line in checker().lines(files):
                document.add(line)
                counts.add(line)
    except RuleSetInvalidError:
        _leave(files, writing, RULES_UNUSABLE)
        raise
    except ChecksUnavailableError:
        if last_attempt:
            _leave(files, writing, CHECKS_UNAVAILABLE)
        raise
    return counts


def _leave(files: Sequence[RegisteredRecord], writing: _Writing, failure: Failure) -> None:
    with writing() as document:
        for file in files:
            document.add(Findings.failed(failure).document(file))
