"""Exceptions for single files: who may make one, for what, and when it has ended (README, "Exceptions").

The contract has `waive` with "role `consignments-approver`, not the owner" and "a recorded exception for one file".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from waybill.consignments.domain.file_records import FileRow, StoredWaiver
from waybill.consignments.domain.ports import Reader, Register
from waybill.consignments.domain.statuses import file_verdicts
from waybill.consignments.domain.tables import shipped
from waybill.consignments.domain.waivers import Waivers, accepted_with, shown_waivers
from waybill.consignments.errors import FileNotFoundInConsignmentError, NotWaivableError, OwnWaiverError
from waybill.consignments.models import CheckedFile, Consignment, ConsignmentStatus, ConsignmentType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENDER, APPROVER = "alice", "bob"
SUM, OTHER_SUM = "ab" * 32, "cd" * 32
PASSED = {
    "FFID": "Success",
    "Antivirus": "Success",
    "ChecksumMatch": "Success",
    "ServerChecksum": "Success",
    "ClientChecksum": "Success",
    "ClientFilePath": "Success",
    "ClientChecks": "Completed",
}


def row(*waivers: StoredWaiver, checksum: str = SUM, **statuses: str) -> FileRow:
    return {
        "fileId": "1",
        "path": "a.zip",
        "size": 1,
        "sha256": SUM,
        "lastModified": None,
        "statuses": {**PASSED, **statuses},
        "results": {"checksum": checksum},
        "waivers": list(waivers),
        "run": 1,
        "copied": None,
    }


def exception(status: str = "FFID", value: str = "Zip", checksum: str = SUM) -> StoredWaiver:
    return {
        "statusName": status,
        "value": value,
        "reason": "A model that is kept whole",
        "by": APPROVER,
        "at": "2026-03-01T12:00:00.000Z",
        "checksum": checksum,
    }


def consignment(status: str = ConsignmentStatus.COMPLETED_WITH_ISSUES) -> Consignment:
    return Consignment("c", ConsignmentType.STANDARD, "R", "Body", SENDER, 1, status, "2026-03-01T11:00:00.000Z")


@dataclass
class Stored:
    """What is asked of the register and of its reader for exceptions."""

    row: FileRow | None
    added: list[StoredWaiver] = field(default_factory=list)

    def file_row(self, consignment_id: str, file_id: str) -> FileRow | None:
        return self.row if (consignment_id, file_id) == ("c", "1") else None

    def add_waiver(self, consignment_id: str, row: FileRow, waiver: StoredWaiver) -> None:
        assert (consignment_id, row) == ("c", self.row)
        self.added.append(waiver)

    def waive(
        self,
        status: str = "FFID",
        by: str = APPROVER,
        file_id: str = "1",
        ended: str = ConsignmentStatus.COMPLETED_WITH_ISSUES,
    ) -> FileRow:
        waivers = Waivers(cast("Register", self), cast("Reader", self), lambda: NOW)
        return waivers.waive(consignment(ended), file_id, status, "A model that is kept whole", by)


@pytest.mark.parametrize("asked", ["FFID", "Zip"])
def test_a_status_is_named_by_its_name_or_its_value(asked: str) -> None:
    stored = Stored(row(FFID="Zip"))
    waived = stored.waive(asked)
    assert stored.added == [exception()]
    assert accepted_with(waived)
    # What was found is still told as it was found.
    assert waived["statuses"]["FFID"] == "Zip"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FFID", "Zip"),
        ("FFID", "PasswordProtected"),
        ("FFID", "Unexaminable"),
        ("Antivirus", "NotScannedInside"),
        ("Antivirus", "Unexaminable"),
        ("Redaction", "NoOriginalFile"),
    ],
)
def test_what_a_person_can_decide_can_pass(name: str, value: str) -> None:
    refused = row(**{name: value})
    assert not accepted_with(refused)
    assert accepted_with(Stored(refused).waive(name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Antivirus", "VirusDetected"),
        ("Antivirus", "Failed"),
        ("FFID", "Failed"),
        # Nothing is wrong with it.
        ("FFID", "Success"),
        # What was received is what was sent, or not.
        ("ChecksumMatch", "Mismatch"),
        ("ServerChecksum", "Failed"),
        ("ClientChecksum", "Failed"),
        ("ClientFilePath", "Failed"),
        ("ClientChecks", "CompletedWithIssues"),
    ],
)
def test_what_nobody_can_decide_cannot_pass(name: str, value: str) -> None:
    stored = Stored(row(**{name: value}))
    with pytest.raises(NotWaivableError, match=name):
        stored.waive(name)
    assert not stored.added


@pytest.mark.parametrize(
    ("statuses", "asked", "why"),
    [
        ({"FFID": "Zip"}, "Nonsense", "no status Nonsense"),
        # Two parts of a file that no parser can read: which one is meant has to be said.
        ({"FFID": "Unexaminable", "Antivirus": "Unexaminable"}, "Unexaminable", "more than one status"),
    ],
)
def test_one_status_has_to_be_meant(statuses: Mapping[str, str], asked: str, why: str) -> None:
    with pytest.raises(NotWaivableError, match=why):
        Stored(row(**statuses)).waive(asked)


def test_each_of_two_verdicts_needs_an_exception_of_its_own() -> None:
    stored = Stored(row(FFID="Unexaminable", Antivirus="Unexaminable"))
    stored.row = stored.waive("FFID")
    assert not accepted_with(stored.row)
    stored.row = stored.waive("Antivirus")
    assert [each["statusName"] for each in stored.row["waivers"]] == ["FFID", "Antivirus"]
    assert accepted_with(stored.row)


def test_a_new_exception_takes_the_place_of_that_for_the_same_status() -> None:
    earlier, other = exception(value="PasswordProtected"), exception("Redaction", "NoOriginalFile")
    waived = Stored(row(earlier, other, FFID="Zip")).waive("FFID")
    assert [(each["statusName"], each["value"]) for each in waived["waivers"]] == [
        ("Redaction", "NoOriginalFile"),
        ("FFID", "Zip"),
    ]


def test_who_has_sent_it_makes_none() -> None:
    stored = Stored(row(FFID="Zip"))
    with pytest.raises(OwnWaiverError):
        stored.waive(by=SENDER)
    assert not stored.added


@pytest.mark.parametrize(
    "status", [ConsignmentStatus.REGISTERED, ConsignmentStatus.IN_PROGRESS, ConsignmentStatus.FAILED]
)
def test_there_is_none_before_the_checks_have_come_to_their_end(status: str) -> None:
    with pytest.raises(NotWaivableError, match="end"):
        Stored(row(FFID="Zip")).waive(ended=status)


def test_there_is_none_for_a_file_that_is_not_in_the_consignment() -> None:
    with pytest.raises(FileNotFoundInConsignmentError):
        Stored(row(FFID="Zip")).waive(file_id="2")


@pytest.mark.parametrize(
    ("file", "holds"),
    [
        (row(exception(), FFID="Zip"), True),
        # Another verdict on the same content, and the same verdict on another content, are not what was decided about.
        (row(exception(), FFID="PasswordProtected"), False),
        (row(exception(), FFID="Zip", checksum=OTHER_SUM), False),
    ],
)
def test_an_exception_is_about_what_was_seen(file: FileRow, *, holds: bool) -> None:
    assert [each["holds"] for each in shown_waivers(file)] == [holds]
    assert accepted_with(file) is holds


def test_an_exception_for_one_verdict_lets_no_other_pass() -> None:
    assert not accepted_with(row(exception(), FFID="Zip", Antivirus="VirusDetected"))
    assert not accepted_with(row(exception(), FFID="Zip", ChecksumMatch="Mismatch"))


def test_a_file_without_results_is_accepted_by_no_exception() -> None:
    unchecked: FileRow = {**row(exception()), "statuses": {}, "results": {}, "run": None}
    assert not accepted_with(unchecked)


def test_the_rows_here_have_the_statuses_of_a_file() -> None:
    # Otherwise the others would say nothing about the rows that runs write.
    record: dict[str, Any] = {"fileId": "1", "clientChecksum": SUM, "originalPath": "a.zip", "fileCheckResults": {}}
    assert {each.name for each in file_verdicts(CheckedFile(record), None, shipped())} == set(PASSED)
