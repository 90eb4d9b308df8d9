"""The table of formats is complete by class."""

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.fakes.signatures import SignatureFormat, signature_formats
from waybill.consignments.domain.tables import is_of_refused_class, shipped

TABLE = shipped().puids
REASONS = dict(TABLE.disallowed)


@pytest.fixture(scope="module")
def known() -> dict[str, SignatureFormat]:
    return signature_formats()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    table = files("waybill.consignments.domain").joinpath("table_data", "puids.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(table)
    return found


def test_the_signatures_are_read(known: dict[str, SignatureFormat]) -> None:
    # DROID_SignatureFile_V122 had 2,235 formats in DROID's skeleton suite.
    assert len(known) > 2235
    assert known["fmt/484"].format_class == "Aggregate"
    assert known["x-fmt/263"].name == "ZIP Format"


def test_every_format_of_the_refused_classes_is_decided_on(known: dict[str, SignatureFormat]) -> None:
    """Fails when a new release of the signatures brings some that no table names: decide, and name them in one."""
    undecided = [
        f"{each.puid} {each.name}"
        for each in known.values()
        if is_of_refused_class(each.name, each.format_class) and each.puid not in TABLE.named
    ]
    assert undecided == []


def test_every_entry_has_its_source_and_its_date(document: dict[str, Any]) -> None:
    for entry in (*document["disallowed"], *document["kept"]):
        assert entry["source"] in document["sources"], entry
        assert entry["since"] <= document["version"], entry


def test_names_are_those_of_the_signatures(known: dict[str, SignatureFormat], document: dict[str, Any]) -> None:
    wrong = [
        entry["puid"]
        for entry in (*document["disallowed"], *document["kept"])
        if entry["puid"] in known and not entry["name"].startswith(known[entry["puid"]].name.strip())
    ]
    assert wrong == []


def test_nothing_is_refused_and_kept(document: dict[str, Any]) -> None:
    assert not {entry["puid"] for entry in document["kept"]} & REASONS.keys()


# By PRONOM: a few formats of each class, and all that TDR's own table has otherwise.
@pytest.mark.parametrize(
    ("puid", "reason"),
    [
        *dict.fromkeys(["fmt/484", "fmt/411", "x-fmt/264", "x-fmt/414", "fmt/1671", "fmt/987"], "Zip").items(),
        *dict.fromkeys(
            ["fmt/468", "fmt/803", "fmt/1738", "fmt/2061", "fmt/2068", "fmt/2071", "fmt/655"], "Zip"
        ).items(),
        *dict.fromkeys(["fmt/690", "fmt/692", "fmt/694", "x-fmt/415", "fmt/2041", "fmt/1070"], "Executable").items(),
        *dict.fromkeys(["x-fmt/413", "fmt/1089", "x-fmt/423"], "Executable").items(),
        *dict.fromkeys(["fmt/1424", "fmt/1807", "fmt/1809", "fmt/843", "fmt/887"], "PasswordProtected").items(),
    ],
)
def test_what_is_no_record_is_refused(puid: str, reason: str) -> None:
    assert REASONS[puid] == reason


# The tables 2.4 and 2.6: refusing every aggregate would be as wrong. Every WARC and ARC is a record.
@pytest.mark.parametrize(
    "puid",
    [
        "fmt/289",
        "fmt/1281",
        "fmt/1355",
        "x-fmt/219",
        "fmt/410",
        "fmt/364",
        "fmt/1451",
        "fmt/720",
        "x-fmt/430",
        "x-fmt/248",
        "fmt/483",
        "fmt/412",
        "fmt/291",
        "fmt/161",
        "fmt/1777",
        "fmt/938",
        "x-fmt/422",
        "fmt/1652",
        "fmt/189",
    ],
)
def test_aggregates_that_are_records_stay_accepted(puid: str) -> None:
    assert puid not in REASONS
    assert puid in TABLE.named


@pytest.mark.parametrize(
    ("name", "format_class", "refused"),
    [
        ("Some New Archive", "", True),
        ("Something", "Image (Raster), Aggregate", True),
        ("XYZ Disk Image", "", True),
        ("Package of X", "", True),
        ("Some Floppy Stream", "", True),
        ("Portable Document Format", "Page Description", False),
    ],
)
def test_a_format_that_nobody_has_decided_on_is_of_a_class_or_not(name: str, format_class: str, refused: bool) -> None:
    match = {"puid": "fmt/99999", "formatName": name, "formatClass": format_class}
    assert TABLE.is_unnamed_container(match) is refused
