"""What submitters are told of each verdict."""

import json
import re
from importlib.resources import files

import pytest

from waybill.consignments.domain.evidence import WARNINGS
from waybill.consignments.domain.explanations import explained_remarks, explanation
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
# What is only to be known: nothing is wrong with the file.
REMARKS = {
    f"ffid.waybill.{name}" for name in ("extensionOnly", "ownPacking", "textOnly", "unknownExtension", "xmlOnly")
}


@pytest.mark.parametrize("key", RULES)
def test_the_sentence_of_a_rule_comes_before_that_of_its_value(key: str) -> None:
    name, _, rule = key.partition(".")
    for value in ("Zip", "Unidentified", "NotScannedInside"):
        verdict = {"statusName": {"ffid": "FFID", "antivirus": "Antivirus"}[name], "value": value, "rule": rule}
        told = explanation({**verdict, "detail": "what it saw"}, TABLES)
        assert told["sentence"] == TABLES.sentences[key].sentence.replace("{detail}", "what it saw")
        assert told["action"] in ({None} if key in REMARKS else {"Fix yourself", "Contact support"})


@pytest.mark.parametrize("warning", sorted(WARNINGS))
def test_every_warning_that_a_result_can_carry_is_told(warning: str) -> None:
    """Fails for a warning that somebody adds without a sentence."""
    [told] = explained_remarks("a.docx", {"warnings": [warning]}, TABLES)
    assert told["rule"] == f"waybill.warning.{warning}"
    assert told["action"] in {"Fix yourself", "Contact support"}


def test_no_other_warnings_are_in_the_code() -> None:
    folder = files("waybill.consignments.domain").joinpath("checks")
    code = "".join(each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".py"))
    said = {"ARCHIVE_OVER_LIMITS", *re.findall(r'"((?:CORRUPT|UNREADABLE)_[A-Z]+)"', code)}
    assert said | {"INCOMPLETE"} == WARNINGS


@pytest.mark.parametrize("name", ["puids", "empty_files", "excluded_names", "extension_only"])
def test_every_table_has_a_version(name: str) -> None:
    table = files("waybill.consignments.domain").joinpath("table_data", f"{name}.json")
    document = json.loads(table.read_text("utf-8"))
    assert document["version"]
