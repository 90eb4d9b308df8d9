"""Results of the checks as the API shows them: what is stored, no more and no less.

Sources: the contract of `GET /consignments/{id}/files`; README of the consignment checks, "How a file is checked" (the
fields of each result; a format that was not found is `null`).
"""

from typing import Any

import pytest

from tests.functional.consignments.bench import Workbench, clean_check
from waybill.consignments.views import MatchView

NOT_FOUND = {"puid": None, "extension": None, "formatName": None, "identificationBasis": "", "basis": ""}
FOUND = {"puid": "fmt/18", "extension": "pdf", "formatName": "PDF 1.4", "formatClass": None, "extensionOnly": False}

FORMATS = [
    {"software": "Siegfried", "softwareVersion": "1", "matches": [NOT_FOUND], "warnings": ["CORRUPT_CONTAINER"]},
    {"software": "Siegfried", "matches": [FOUND, {"puid": "x-fmt/18"}], "extensionCandidates": [], "timedOut": False},
    {"matches": [FOUND], "encrypted": True, "encryption": "pdf", "opensWithoutPassword": False, "partial": True},
    {
        "matches": [],
        "unexaminable": {"reason": "CRASHED", "sentence": "It ends the process."},
        "laterField": {"a": [1]},
    },
]
SCANS = [
    {"software": "yara-x", "databaseVersion": "1", "result": "", "datetime": 1_670_411_830_303, "engine": "yara"},
    {
        "result": "eicar",
        "places": [{"rule": "eicar", "path": "a.zip/eicar.com"}],
        "notScanned": [{"path": "b.7z", "reason": "NO_READER"}],
        "notScannedCount": 1,
        "demonstrationRules": True,
    },
    {"software": "awsGuardDutyMalwareScan", "result": "NO_THREATS_FOUND", "engine": "guardduty", "partial": False},
]


def shown(bench: Workbench, **results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one file of a consignment whose checks gave these results, as the API shows it."""
    bench.check = lambda record, content: {**clean_check(record, content), **results}
    consignment_id = bench.received({"a.pdf": b"content"})
    bench.run(consignment_id)
    return bench.files(consignment_id)["a.pdf"]


@pytest.mark.parametrize("found", FORMATS, ids=range(len(FORMATS)))
def test_a_format_is_shown_as_it_was_found(bench: Workbench, found: dict[str, Any]) -> None:
    assert shown(bench, fileFormat=[found])["fileFormat"] == found


@pytest.mark.parametrize("found", SCANS, ids=range(len(SCANS)))
def test_a_scan_is_shown_as_it_was_found(bench: Workbench, found: dict[str, Any]) -> None:
    assert shown(bench, antivirus=[found])["antivirus"] == found


def test_a_file_that_nobody_has_checked_shows_its_registration_alone(bench: Workbench) -> None:
    consignment_id = bench.received({"a.pdf": b"content"})
    file = bench.files(consignment_id)["a.pdf"]
    assert sorted(file) == ["clientChecksum", "explanations", "fileId", "path", "remarks", "size", "statuses"]


def test_a_match_keeps_null_and_absence_apart() -> None:
    assert MatchView.of({"puid": None}).wire() == {"puid": None}
