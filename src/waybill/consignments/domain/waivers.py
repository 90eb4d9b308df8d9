"""Exceptions: a verdict on one file that somebody else than its sender lets pass, with the reason.

An exception is about what was seen: another verdict, or another content, is not covered by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from waybill.consignments.domain.file_records import FileRow, StoredWaiver
from waybill.consignments.domain.ports import Reader, Register
from waybill.consignments.domain.statuses import FAILED, SUCCESS, VIRUS_DETECTED, is_accepted
from waybill.consignments.errors import FileNotFoundInConsignmentError, NotWaivableError, OwnWaiverError
from waybill.consignments.models import Consignment, ConsignmentStatus, StatusName
from waybill.core.clock import iso

# What was received is what was sent, or not: nobody can decide that.
_WAIVABLE = frozenset({StatusName.FFID, StatusName.ANTIVIRUS, StatusName.REDACTION})
# Of malware the rules are wrong or right; what failed of ours is to be done again.
_NEVER = frozenset({SUCCESS, FAILED, VIRUS_DETECTED})
_ENDED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})


class ShownWaiver(StoredWaiver):
    """An exception, and whether it still is about what is there."""

    holds: bool


@dataclass(frozen=True)
class Waivers:
    """Makes exceptions."""

    register: Register
    reader: Reader
    now: Callable[[], datetime]

    def waive(self, consignment: Consignment, file_id: str, status: str, reason: str, by: str) -> FileRow:
        """Let a verdict of the newest run pass; `status` is its name or its value. Return the file as it is then.

        Raises
        ------
        OwnWaiverError
            `by` has sent the consignment.
        FileNotFoundInConsignmentError
            There is no such file.
        NotWaivableError
            The checks have not ended, there is no such verdict, or nobody can let it pass.
        """
        if by == consignment.user_id:
            raise OwnWaiverError("who has sent a consignment makes no exceptions for it")
        if consignment.status not in _ENDED:
            raise NotWaivableError("the checks of the consignment have not come to an end")
        row = self.reader.file_row(consignment.consignment_id, file_id)
        if row is None:
            raise FileNotFoundInConsignmentError(f"there is no file {file_id} in the consignment")
        name, value = _verdict(row["statuses"], status)
        if name not in _WAIVABLE or value in _NEVER:
            raise NotWaivableError(f"{name} {value} is nothing that an exception can be made for")
        waiver: StoredWaiver = {
            "statusName": name,
            "value": value,
            "reason": reason,
            "by": by,
            "at": iso(self.now()),
            "checksum": row["results"].get("checksum", ""),
        }
        self.register.add_waiver(consignment.consignment_id, row, waiver)
        return {**row, "waivers": [*(each for each in row["waivers"] if each["statusName"] != name), waiver]}


def _verdict(statuses: Mapping[str, str], status: str) -> tuple[str, str]:
    found = [(name, value) for name, value in statuses.items() if status in {name, value}]
    if len(found) != 1:
        raise NotWaivableError(f"the file has {'no' if not found else 'more than one'} status {status}")
    return found[0]


def shown_waivers(row: FileRow) -> list[ShownWaiver]:
    """Return the exceptions of a file, each with whether it holds."""
    return [{**waiver, "holds": _holds(waiver, row)} for waiver in row["waivers"]]


def _holds(waiver: StoredWaiver, row: FileRow) -> bool:
    same = row["statuses"].get(waiver["statusName"]) == waiver["value"]
    return same and row["results"].get("checksum", "") == waiver["checksum"]


def accepted_with(row: FileRow) -> bool:
    """Return whether a file is accepted, exceptions included."""
    waived = {waiver["statusName"]: SUCCESS for waiver in row["waivers"] if _holds(waiver, row)}
    return is_accepted({**row["statuses"], **waived})
