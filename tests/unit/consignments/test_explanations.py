"""What submitters are told of each verdict."""

import json
from importlib.resources import files

import pytest

from waybill.consignments.domain.explanations import explanation
from waybill.consignments.domain.tables import shipped

TABLES = shipped()
# Reference, section 3, "User-facing treatment", and the two gaps that it names.
KEYS = [
    *(
        f"ffid.{value}"
        for value in (
            "zeroByteFile",
            "multipleFormats",
            "failed",
            "unidentified",
            "zip",
            "passwordProtected",
            "executable",
            "shortcut",
            "nonRecord",
            "backup",
            "operatingSystemMac",
            "licenseContainsRegistrationInformation",
            "systemFile",
            "nonJudgmentFormat",
            "timedOut",
            "unexaminable",
        )
    ),
    "antivirus.virusDetected",
    "antivirus.failed",
    "antivirus.notScannedInside",
    "antivirus.unexaminable",
    "checksumMatch.mismatch",
    "checksumMatch.failed",
    "clientChecksum.failed",
    "clientFilePath.failed",
    *(f"redaction.{value}" for value in ("noOriginalFile", "ambiguousOriginalFile", "duplicateFileName", "failed")),
]


@pytest.mark.parametrize("key", KEYS)
def test_everything_that_fails_has_a_sentence_and_somebody_to_act(key: str) -> None:
    name, value = key.split(".")
    status = "FFID" if name == "ffid" else name[0].upper() + name[1:]
    told = explanation({"statusName": status, "value": value[0].upper() + value[1:], "rule": "r"}, TABLES)
    assert told["sentence"] == TABLES.sentences[key].sentence
    assert told["action"] in {"Fix yourself", "Contact support"}
    assert told["rule"] == "r"


def test_every_reason_of_the_table_has_a_sentence_of_its_own() -> None:
    for reason in TABLES.puids.reasons:
        assert f"ffid.{reason[0].lower()}{reason[1:]}" in TABLES.sentences


def test_a_reason_that_nobody_has_written_a_sentence_for_is_explained_all_the_same() -> None:
    told = explanation({"statusName": "FFID", "value": "NewReason", "rule": "ffid.disallowed"}, TABLES)
    assert told["action"] == "Contact support"


RULES = [key for key in TABLES.sentences if ".waybill." in key]


@pytest.mark.parametrize("key", RULES)
def test_the_sentence_of_a_rule_comes_before_that_of_its_value(key: str) -> None:
    rule = key.partition(".")[2]
    for value in ("Zip", "Unidentified"):
        told = explanation({"statusName": "FFID", "value": value, "rule": rule}, TABLES)
        assert told["sentence"] == TABLES.sentences[key].sentence
        assert told["action"] in {"Fix yourself", "Contact support"}


@pytest.mark.parametrize("name", ["puids", "empty_files", "excluded_names"])
def test_every_table_has_a_version(name: str) -> None:
    table = files("waybill.consignments.domain").joinpath("table_data", f"{name}.json")
    document = json.loads(table.read_text("utf-8"))
    assert document["version"]
