"""The statuses of files and consignments: the tables of the README, which are TDR's."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from waybill.consignments.domain.copies import CopyPlace, place_of
from waybill.consignments.domain.statuses import ConsignmentStatuses, file_verdicts, is_accepted, overall
from waybill.consignments.domain.tables import PuidTable, excluded_by, shipped
from waybill.consignments.models import CheckedFile, StatusName

TABLES = shipped()
CONTENT = hashlib.sha256(b"content").hexdigest()
UNSET: Any = object()


def matches(*puids: str | None, basis: str = "Signature") -> dict[str, Any]:
    return {"matches": [{"puid": puid, "identificationBasis": basis} for puid in puids]}


def checked(
    *,
    virus: str | None = "",
    sha256: str | None = CONTENT,
    formats: dict[str, Any] | None = UNSET,
    failures: dict[str, str] | None = None,
    checksum: dict[str, Any] | None = None,
    **record: Any,
) -> CheckedFile:
    """A file as it leaves its checks; None is a check without a result."""
    formats = matches("fmt/18") if formats is UNSET else formats
    return CheckedFile(
        {
            "fileId": "file",
            "consignmentType": "standard",
            "fileSize": "7",
            "clientChecksum": CONTENT,
            "originalPath": "a/b.pdf",
            "fileCheckResults": {
                "antivirus": [] if virus is None else [{"result": virus, "software": "yara-x"}],
                "checksum": [] if sha256 is None else [{"sha256Checksum": sha256, **(checksum or {})}],
                "fileFormat": [] if formats is None else [formats],
            },
            "failures": failures or {},
            **record,
        }
    )


def values(file: CheckedFile, redaction: str | None = None) -> dict[str, str]:
    return {verdict.name.value: verdict.value for verdict in file_verdicts(file, redaction, TABLES)}


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (None, "Failed"),
        ("", "Success"),
        ("NO_THREATS_FOUND", "Success"),
        ("eicar\nSUSP_Just_EICAR", "VirusDetected"),
        ("THREATS_FOUND", "VirusDetected"),
        ("UNSUPPORTED", "VirusDetected"),
        ("ACCESS_DENIED", "VirusDetected"),
        ("FAILED", "VirusDetected"),
        ("A_TAG_NOBODY_KNOWS", "VirusDetected"),
        ("no_threats_found", "VirusDetected"),
    ],
)
def test_antivirus(result: str | None, value: str) -> None:
    assert values(checked(virus=result))["Antivirus"] == value


EMPTY = hashlib.sha256(b"").hexdigest()
BOM = hashlib.sha256(b"\xef\xbb\xbf").hexdigest()
BOM_AND_LINE = hashlib.sha256(b"\xef\xbb\xbf\r\n").hexdigest()


@pytest.mark.parametrize(
    ("file", "value"),
    [
        # Judgments come first.
        ({"consignmentType": "judgment", "formats": matches("fmt/18")}, "NonJudgmentFormat"),
        ({"consignmentType": "judgment", "formats": matches(None)}, "NonJudgmentFormat"),
        ({"consignmentType": "judgment", "formats": matches(None), "sha256": EMPTY}, "NonJudgmentFormat"),
        ({"consignmentType": "judgment", "formats": matches("fmt/412", "fmt/18")}, "NonJudgmentFormat"),
        ({"consignmentType": "judgment", "formats": matches("fmt/412", "fmt/189")}, "MultipleFormats"),
        ({"consignmentType": "judgment", "formats": matches("fmt/412")}, "Success"),
        ({"consignmentType": "judgment", "formats": matches("fmt/1827")}, "Success"),
        ({"consignmentType": "judgment", "formats": None}, "Failed"),
        # Empty files, by checksum, by size, by content.
        ({"sha256": EMPTY}, "ZeroByteFile"),
        ({"sha256": BOM}, "ZeroByteFile"),
        ({"sha256": BOM_AND_LINE}, "ZeroByteFile"),
        ({"sha256": EMPTY, "formats": None}, "ZeroByteFile"),
        ({"fileSize": "0"}, "ZeroByteFile"),
        ({"fileSize": "0", "formats": None}, "ZeroByteFile"),
        ({"checksum": {"emptyContent": True}}, "ZeroByteFile"),
        # No result; one that came too late is another value.
        ({"formats": None}, "Failed"),
        ({"formats": {"matches": [], "timedOut": True}}, "TimedOut"),
        ({"formats": matches("fmt/111", "fmt/18")}, "MultipleFormats"),
        ({"formats": matches("fmt/18", "fmt/18")}, "Success"),
        ({"formats": matches("fmt/18", None)}, "Unidentified"),
        # The table.
        ({"formats": matches(None)}, "Unidentified"),
        ({"formats": matches("")}, "Unidentified"),
        ({"formats": matches("fmt/494")}, "PasswordProtected"),
        ({"formats": matches("x-fmt/263")}, "Zip"),
        ({"formats": matches("x-fmt/411")}, "Executable"),
        ({"formats": matches("x-fmt/428")}, "Shortcut"),
        ({"formats": matches("fmt/503")}, "OperatingSystemMac"),
        ({"formats": matches("x-fmt/45")}, "NonRecord"),
        ({"formats": matches("fmt/682")}, "SystemFile"),
        ({"formats": matches("fmt/941")}, "Backup"),
        ({"formats": matches("x-fmt/426")}, "LicenseContainsRegistrationInformation"),
        ({"formats": matches("fmt/276") | {"encrypted": True, "encryption": "pdf"}}, "PasswordProtected"),
        ({"formats": matches("x-fmt/263") | {"encrypted": True, "encryption": "zip"}}, "PasswordProtected"),
        ({"formats": matches("fmt/18")}, "Success"),
        ({"formats": {"matches": []}}, "Success"),
    ],
)
def test_file_format(file: dict[str, Any], value: str) -> None:
    assert values(checked(**file))["FFID"] == value


@pytest.mark.parametrize("puid", [puid for puid, _ in TABLES.puids.disallowed if puid.startswith(("fmt/", "x-fmt/"))])
def test_every_entry_of_the_table_refuses_and_an_inactive_one_does_not(puid: str) -> None:
    reason = dict(TABLES.puids.disallowed)[puid]
    assert values(checked(formats=matches(puid)))["FFID"] == reason
    others = tuple(entry for entry in TABLES.puids.disallowed if entry[0] != puid)
    without = replace(TABLES, puids=replace(TABLES.puids, disallowed=others))
    assert file_verdicts(checked(formats=matches(puid)), None, without)[0].value == "Success"


def test_the_table_has_as_many_entries_as_the_reference() -> None:
    # Those of TDR, with what was decided otherwise since: WARC and ARC are records (two of Zip
    # less), Preferred Executable Format is a program, and two encrypted disks are encrypted.
    table = json.loads(files("waybill.consignments.domain").joinpath("table_data", "puids.json").read_text("utf-8"))
    found = [entry["reason"] for entry in table["disallowed"] if entry["source"] == "tdr"]
    assert {reason: found.count(reason) for reason in found} == {
        "Unidentified": 1,
        "PasswordProtected": 3,
        "Zip": 46,
        "Executable": 6,
        "Shortcut": 2,
        "OperatingSystemMac": 2,
        "NonRecord": 2,
        "SystemFile": 1,
        "Backup": 1,
        "LicenseContainsRegistrationInformation": 1,
        "ZeroByteFile": 1,
        "NonJudgmentFormat": 1,
    }
    assert TABLES.puids.allowed_for_judgment == {"fmt/412", "fmt/1827", "fmt/189"}


@pytest.mark.parametrize(("sha256", "table"), [(BOM, "empty-1"), ("0" * 64, "puids-1")])
def test_a_verdict_has_the_version_of_the_table_that_it_went_by(sha256: str, table: str) -> None:
    tables = replace(TABLES, puids=replace(TABLES.puids, version="puids-1"), empty_files_version="empty-1")
    verdicts = file_verdicts(checked(sha256=sha256), None, tables)
    versions = {verdict.name: verdict.table_version for verdict in verdicts if verdict.table_version}
    assert versions == {"FFID": table}


def test_an_inactive_entry_is_kept_and_has_no_effect() -> None:
    entries = [{"puid": "fmt/1", "reason": "Zip", "active": False}, {"puid": "fmt/2", "reason": "Zip", "active": True}]
    table = PuidTable.of({"version": "v", "allowedForJudgment": [], "disallowed": entries})
    assert table.disallowed == (("fmt/2", "Zip"),)


def test_the_order_of_the_table_decides_and_not_that_of_the_matches() -> None:
    encrypted_zip = checked(formats=matches("x-fmt/263") | {"encrypted": True, "encryption": "zip"})
    assert file_verdicts(encrypted_zip, None, TABLES)[0].detail == "encryptedZip"


def test_evidence_of_the_extension_alone_is_told_apart() -> None:
    alone = file_verdicts(checked(formats=matches("fmt/494", "fmt/1827", basis="Extension")), None, TABLES)[0]
    both = file_verdicts(checked(formats=matches("fmt/494", "fmt/1827")), None, TABLES)[0]
    assert alone.value == both.value == "MultipleFormats"
    assert "by its extension alone" in alone.detail
    assert "extension" not in both.detail


@pytest.mark.parametrize(
    ("ours", "theirs", "match", "server", "client"),
    [
        (CONTENT, CONTENT, "Success", "Success", "Success"),
        (CONTENT, EMPTY, "Mismatch", "Success", "Success"),
        (CONTENT, CONTENT.upper(), "Mismatch", "Success", "Success"),  # registration folds it before
        (CONTENT, "", "Mismatch", "Success", "Failed"),
        (None, CONTENT, "Failed", "Failed", "Success"),
        ("", CONTENT, "Mismatch", "Failed", "Success"),
    ],
)
def test_checksums(ours: str | None, theirs: str, match: str, server: str, client: str) -> None:
    found = values(checked(sha256=ours, clientChecksum=theirs))
    assert (found["ChecksumMatch"], found["ServerChecksum"], found["ClientChecksum"]) == (match, server, client)


@pytest.mark.parametrize(("path", "value"), [("a.txt", "Success"), ("", "Failed")])
def test_client_file_path(path: str, value: str) -> None:
    assert values(checked(originalPath=path))["ClientFilePath"] == value


@pytest.mark.parametrize("cause", ["NoOriginalFile", "AmbiguousOriginalFile", "DuplicateFileName", "Success"])
def test_redaction(cause: str) -> None:
    assert values(checked(), cause)["Redaction"] == cause
    assert "Redaction" not in values(checked())


@pytest.mark.parametrize(
    ("file", "redaction", "value"),
    [
        ({}, None, "Completed"),
        ({}, "Success", "Completed"),
        ({}, "NoOriginalFile", "CompletedWithIssues"),
        ({"fileSize": "0"}, None, "CompletedWithIssues"),
        ({"formats": matches("fmt/18", "fmt/19")}, None, "CompletedWithIssues"),
        ({"clientChecksum": ""}, None, "CompletedWithIssues"),
        ({"originalPath": ""}, None, "CompletedWithIssues"),
        ({"virus": "eicar"}, None, "Completed"),
        ({"clientChecksum": EMPTY}, None, "Completed"),
        ({"formats": matches("x-fmt/263")}, None, "Completed"),
        ({"formats": matches("fmt/494")}, None, "Completed"),
        ({"formats": None}, None, "Completed"),
    ],
)
def test_client_checks(file: dict[str, Any], redaction: str | None, value: str) -> None:
    assert values(checked(**file), redaction)["ClientChecks"] == value


def consignment(*files: CheckedFile, redaction: str | None = None) -> dict[str, str]:
    statuses = ConsignmentStatuses(TABLES)
    for file in files:
        statuses.add(file, file_verdicts(file, redaction, TABLES))
    return statuses.result()


@pytest.mark.parametrize(
    ("file", "name", "value"),
    [
        ({}, "ServerFFID", "Completed"),
        ({"formats": None}, "ServerFFID", "Failed"),
        ({"formats": {"matches": [], "timedOut": True}}, "ServerFFID", "Failed"),
        ({"formats": matches("x-fmt/263")}, "ServerFFID", "CompletedWithIssues"),
        ({"formats": matches("fmt/18", "fmt/19")}, "ServerFFID", "CompletedWithIssues"),
        ({"fileSize": "0"}, "ServerFFID", "CompletedWithIssues"),
        ({"consignmentType": "judgment"}, "ServerFFID", "CompletedWithIssues"),
        ({}, "ServerChecksum", "Completed"),
        ({"sha256": None}, "ServerChecksum", "Failed"),
        ({"sha256": ""}, "ServerChecksum", "CompletedWithIssues"),
        ({"clientChecksum": EMPTY}, "ServerChecksum", "CompletedWithIssues"),  # our deviation
        ({}, "ServerAntivirus", "Completed"),
        ({"virus": None}, "ServerAntivirus", "Failed"),
        ({"virus": "eicar"}, "ServerAntivirus", "CompletedWithIssues"),
        ({}, "ServerRedaction", "Completed"),
        ({}, "ClientChecks", "Completed"),
        ({"clientChecksum": ""}, "ClientChecks", "CompletedWithIssues"),
    ],
)
def test_consignment_statuses(file: dict[str, Any], name: str, value: str) -> None:
    """One such file among clean ones decides."""
    found = consignment(checked(), checked(**file), checked())
    assert found[name] == value
    assert list(found) == ["ServerFFID", "ServerChecksum", "ServerAntivirus", "ServerRedaction", "ClientChecks"]


@pytest.mark.parametrize(("redaction", "value"), [("NoOriginalFile", "CompletedWithIssues"), ("Success", "Completed")])
def test_consignment_redaction(redaction: str, value: str) -> None:
    assert consignment(checked(), redaction=redaction)["ServerRedaction"] == value


def test_a_failure_outweighs_issues() -> None:
    files = [checked(virus="eicar"), checked(virus=None)]
    assert consignment(*files)["ServerAntivirus"] == "Failed"
    assert overall(consignment(*files)) == "Failed"


def test_no_files_no_statuses() -> None:
    assert consignment() == {}


@pytest.mark.parametrize(
    ("found", "accepted"),
    [
        ({"ChecksumMatch": "Success", "Antivirus": "Success", "FFID": "Success"}, True),
        ({"ChecksumMatch": "Success", "Antivirus": "Success", "FFID": "Success", "Redaction": "Success"}, True),
        ({"ChecksumMatch": "Mismatch", "Antivirus": "Success", "FFID": "Success"}, False),
        ({"ChecksumMatch": "Success", "Antivirus": "Success", "FFID": "Zip"}, False),
        ({"ChecksumMatch": "Success", "Antivirus": "Success", "FFID": "Success", "Redaction": "NoOriginalFile"}, False),
        ({"ChecksumMatch": "Success", "FFID": "Success"}, False),
        ({}, False),
    ],
)
def test_all_checks_succeeded(found: dict[str, str], accepted: bool) -> None:
    assert is_accepted(found) is accepted


def test_the_reason_of_a_missing_result_is_told() -> None:
    file = checked(virus=None, failures={"antivirus": "The scan took too long."})
    verdict = next(each for each in file_verdicts(file, None, TABLES) if each.name is StatusName.ANTIVIRUS)
    assert (verdict.value, verdict.detail) == ("Failed", "The scan took too long.")


@pytest.mark.parametrize("name", ["thumbs.db", "Thumbs.db", "THUMBS.DB", "desktop.ini", ".DS_Store"])
def test_names_that_are_never_sent(name: str) -> None:
    assert excluded_by(name)


@pytest.mark.parametrize("name", ["Desktop.ini", ".ds_store", "thumbs.db.txt", "mythumbs.db", "thumbsxdb", ""])
def test_names_that_are_sent(name: str) -> None:
    assert excluded_by(name) is None


def test_what_no_scanner_has_called_clean_is_put_aside() -> None:
    """The workflow's README, `CopyConsignment`: accepted files to the clean bucket, suspicious ones to quarantine."""
    others = ["FFID", "ChecksumMatch", "ServerChecksum", "ClientChecksum", "ClientFilePath"]
    good = dict.fromkeys(others, "Success")
    for antivirus in ("VirusDetected", "NotScannedInside", "Failed", "TimedOut", ""):
        assert place_of(good | {"Antivirus": antivirus}) is CopyPlace.QUARANTINE, antivirus
    assert place_of(good) is CopyPlace.QUARANTINE
    assert place_of(good | {"Antivirus": "Success"}) is CopyPlace.CLEAN
    for name in ("FFID", "ChecksumMatch"):
        assert place_of(good | {"Antivirus": "Success", name: "Failed"}) is CopyPlace.NOWHERE, name
