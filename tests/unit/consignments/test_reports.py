"""The report and the exports, of made-up results."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.fakes.premis import faults_of
from waybill.consignments.domain.reports.exports import csv_text, droid_csv, ndjson_text
from waybill.consignments.domain.reports.page import LISTED_FILES, report
from waybill.consignments.domain.reports.premis import premis_xml
from waybill.consignments.domain.reports.summary import Summary, Turn, turn_of
from waybill.consignments.models import LeftOutFile

CONSIGNMENT = {
    "consignmentId": "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11",
    "reference": "TDR-2026-A",
    "transferringBody": "Town Hall",
    "type": "standard",
    "status": "CompletedWithIssues",
    "statuses": {"ServerFFID": "CompletedWithIssues"},
    "executionArn": "arn:aws:states:eu-west-1:1:execution:waybill-consignments:run-1",
    "runs": 1,
    "createdAt": "2026-11-29T10:00:00.000Z",
}
UNPACK = "This file is an archive or a disk image. Unpack it and send the files that are in it."
PDF = {
    "puid": "fmt/276",
    "formatName": "Acrobat PDF 1.7 - Portable Document Format",
    "formatVersion": "1.7",
    "mimeType": "application/pdf",
    "identificationBasis": "Signature",
    "fileExtensionMismatch": False,
    "extensionOnly": False,
}


def a_file(path: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """A file in the shape of the API, accepted unless it is said otherwise."""
    return {
        "fileId": f"6f3d6c39-3a0e-5c55-9c0a-{number:012}",
        "path": path,
        "size": 1000,
        "clientChecksum": "ab" * 32,
        "checksum": f"{number:064}",
        "lastModified": "2011-03-04T05:06:07.000Z",
        "statuses": {
            "FFID": "Success",
            "Antivirus": "Success",
            "ChecksumMatch": "Success",
            "ServerChecksum": "Success",
        },
        "accepted": True,
        "antivirus": {"software": "yara-x", "softwareVersion": "1.23.0", "result": "", "datetime": 1_670_411_830_303},
        "fileFormat": {"software": "Siegfried", "softwareVersion": "1.11.9", "matches": [PDF], "warnings": []},
        "explanations": [
            {"statusName": name, "value": "Success", "rule": "r", "sentence": "It is in order.", "action": None}
            for name in ("FFID", "Antivirus", "ChecksumMatch", "ServerChecksum")
        ],
        "remarks": [],
        "run": 1,
        **more,
    }


def refused(path: str, number: int = 0, sentence: str = UNPACK, action: str = "Fix yourself", **more: Any) -> Any:
    wrong = {"statusName": "FFID", "value": "Zip", "rule": "ffid.disallowed", "sentence": sentence, "action": action}
    statuses = {"FFID": "Zip", "Antivirus": "Success", "ChecksumMatch": "Success"}
    return a_file(path, number, statuses=statuses, accepted=False, explanations=[wrong], **more)


def page(files: list[Mapping[str, Any]], left_out: list[LeftOutFile] | None = None, **more: Any) -> str:
    return report({**CONSIGNMENT, **more}, iter(files), datetime(2026, 11, 30, tzinfo=UTC), left_out or [])


def test_a_remark_on_files_of_several_formats_is_told_once_with_what_was_seen_beside_each() -> None:
    files = []
    for number, (extension, puid) in enumerate((("r", "fmt/1599"), ("py", "fmt/938"))):
        detail = f".{extension} stands for a format ({puid})"
        sentence = f"Only the name of this file says which format it is: {detail}. Its content does not show it."
        remark = {"rule": "waybill.extensionOnly", "detail": detail, "sentence": sentence, "action": None}
        files.append(a_file(f"a.{extension}", number, remarks=[remark]))
    made = page(files)
    assert made.count("Only the name of this file says which format it is. Its content does not show it.") == 1
    assert ".r stands for a format (fmt/1599)" in made
    assert ".py stands for a format (fmt/938)" in made


def test_what_could_not_be_scanned_is_told_in_words_and_not_in_those_of_the_code() -> None:
    wrong = {"statusName": "Antivirus", "value": "NotScannedInside", "sentence": "It is protected.", "rule": "r"}
    told = ({**wrong, "action": "Fix yourself", "detail": detail} for detail in DETAILS)
    made = page([refused(f"{number}.zip", number) | {"explanations": [each]} for number, each in enumerate(told)])
    assert not re.search(r"ENCRYPTED|NO_READER|encryptedOffice|the file itself", made)
    for words in (
        "a/b.docx: protected by a password",
        "of a kind that is not opened (zstd)",
        "an encrypted Office document",
    ):
        assert words in made


DETAILS = ("the file itself: ENCRYPTED; a/b.docx: ENCRYPTED", "the file itself: NO_READER (zstd)", "encryptedOffice")


def test_what_an_earlier_run_has_found_is_told_as_such() -> None:
    made = page([a_file("a.pdf", 1), a_file("b.pdf", 2), a_file("c.pdf", 3, run=2)], runs=2)
    assert "2 files were not checked again: what run 1 found of them stands" in made
    assert "were not checked again" not in page([a_file("a.pdf", 1)])


def test_a_problem_of_many_files_is_told_once() -> None:
    # Twelve files with one problem were twelve rows of one sentence.
    made = page([*(refused(f"{number}.zip", number) for number in range(12)), a_file("a.pdf", 99)])
    assert made.count(UNPACK) == 1
    assert "12 files" in made
    assert "Not accepted as it is: 12 files are for the sender to put right." in made
    assert "ServerFFID" not in made


MALWARE = {
    "statusName": "Antivirus",
    "value": "VirusDetected",
    "rule": "antivirus.found",
    "sentence": "Malware was found in this file.",
    "action": "Contact support",
}


@pytest.mark.parametrize(
    ("value", "rule", "words"),
    [
        ("Completed", "", "none found"),
        # A password is no malware: nobody knows.
        ("CompletedWithIssues", "NotScannedInside", "none found, but not all could be looked into"),
        ("CompletedWithIssues", "VirusDetected", "found"),
    ],
)
def test_the_word_for_malware_says_no_more_than_was_seen(value: str, rule: str, words: str) -> None:
    told = [{**MALWARE, "value": rule}] if rule else []
    files = [a_file("a.docx", accepted=not told, explanations=told)]
    assert f'Malware: <span class="{"bad" if told else "good"}">{words}</span>' in page(
        files, statuses={"ServerAntivirus": value}
    )


def test_malware_is_in_the_first_sentence() -> None:
    found = a_file("tool.docx", accepted=False, explanations=[MALWARE])
    made = page([found, refused("a.zip", 2)])
    first = "Malware was found in 1 file. Not accepted as it is: 1 file is for the sender to put right, 1 file is for"
    assert first in made
    assert "Malware was found in" not in page([refused("a.zip")])


def test_what_is_only_worth_knowing_gives_nobody_something_to_do() -> None:
    remark = {"rule": "waybill.extensionMismatch", "sentence": "It is a picture.", "action": "Fix yourself"}
    made = page([a_file("photo.pdf", remarks=[remark])], status="Completed")
    assert "It is a picture." in made
    assert "Fix yourself" not in made
    assert "<b>1</b><span>file</span>" in made


def test_the_page_says_what_was_checked_only_where_something_was() -> None:
    assert "SHA-256 was compared" in page([a_file("a.pdf")])
    assert "SHA-256 was compared" not in page([a_file("a.pdf", statuses={}, explanations=[])], status="Registered")


def test_values_of_the_code_are_told_in_words() -> None:
    made = page([refused("a.zip", detail="no match")])
    assert "Format: Archive, disk image or container" in made


def test_whose_turn_it_is() -> None:
    malware = {"statusName": "Antivirus", "value": "VirusDetected", "sentence": "Malware.", "action": "Contact support"}
    both = refused("a.zip")
    both["explanations"].append(malware)
    assert turn_of(a_file("a")) is Turn.NOBODY
    assert turn_of(refused("a")) is Turn.SENDER
    assert turn_of(refused("a", action="Contact support")) is Turn.ARCHIVE
    assert turn_of(both) is Turn.ARCHIVE
    assert turn_of(a_file("a", statuses={}, explanations=[])) is Turn.CHECKS


def test_an_accepted_consignment_says_so_with_its_exceptions() -> None:
    waiver = {
        "statusName": "FFID",
        "value": "Zip",
        "reason": "Kept whole",
        "by": "bob",
        "at": "2026-11-30T05:00",
        "holds": True,
    }
    made = page([a_file("a.pdf"), refused("b.zip", 1) | {"accepted": True, "waivers": [waiver]}])
    assert "Accepted: every file, 1 by an exception." in made
    assert "Kept whole" in made
    assert UNPACK not in made


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Failed", "Not checked to the end"),
        ("InProgress", "under way"),
        ("Registered", "have not been started"),
    ],
)
def test_what_has_not_ended_is_no_verdict(status: str, words: str) -> None:
    assert words in page([a_file("a.pdf")], status=status)


def test_names_are_shown_as_what_they_are_and_none_becomes_part_of_the_page() -> None:
    made = page([a_file("a\u200bb.pdf"), a_file("<script>x</script>", 1), a_file("{{reference}}\u202e", 2)])
    assert "a\\u200bb.pdf" in made
    assert "<script>" not in made
    assert "{{reference}}\\u202e" in made


def test_what_was_not_sent_duplicates_and_pairs_are_named() -> None:
    left = [LeftOutFile("link", "LINK", "it is a link to nowhere"), LeftOutFile("x", "SOMETHING_NEW", "of a reason")]
    files = [a_file("a.pdf", 1), a_file("b.pdf", 1), a_file("c_R.pdf", 3, originalFilepath="c.pdf")]
    made = page(files, left)
    for told in (
        "it is a link to nowhere",
        "Something_new",
        "1 content that comes several times",
        "Redacted files and",
    ):
        assert told in made
    assert Summary.of(files).duplicates.first == [("a.pdf", "b.pdf")]


def test_demonstration_rules_are_told() -> None:
    found = a_file("a.pdf")
    found["antivirus"]["demonstrationRules"] = True
    assert "are no protection against malware" in page([found])


def test_names_that_differ_in_what_cannot_be_seen_look_different() -> None:
    made = page([a_file("box /a.pdf", 1), a_file("box/a.pdf ", 2), a_file("box/a b.pdf", 3)])
    assert "box\\x20/" in made
    assert "a.pdf\\x20" in made
    assert "a b.pdf" in made


def test_many_files_of_one_content_do_not_fill_the_page() -> None:
    made = page([a_file(f"{number:03}.pdf", 1) for number in range(100)])
    assert "and 92 more" in made
    assert "and many more" in page([a_file(f"{number:03}.pdf", 1) for number in range(300)])


def test_each_engine_and_each_table_is_named_with_its_own_version() -> None:
    found, empty = a_file("a.pdf"), a_file("b.pdf", 1)
    yara = {"software": "yara-x", "softwareVersion": "1.23.0", "databaseVersion": "ab" * 32}
    clam = {"software": "ClamAV", "softwareVersion": "1.4.3", "databaseVersion": "27461"}
    found["antivirus"]["engines"] = [yara, clam]
    found["explanations"][0] |= {"rule": "ffid.allowed", "tableVersion": "2026-11-30"}
    empty["explanations"][0] |= {"rule": "ffid.emptyChecksum", "tableVersion": "2026-06-09"}
    assert Summary.of([found]).software >= {
        f"Malware: yara-x 1.23.0, rules {'ab' * 32}",
        "Malware: ClamAV 1.4.3, rules 27461",
    }
    root = ET.fromstring(premis_xml(CONSIGNMENT, [found]))
    assert faults_of(root) == []
    agents = {each.text for each in root.iter("{http://www.loc.gov/premis/v3}agentName")}
    assert {"yara-x", "ClamAV"} <= agents
    made = page([found, empty])
    assert "Table of formats that are refused: 2026-11-30" in made
    assert "Table of checksums of empty files: 2026-06-09" in made


@pytest.mark.parametrize(
    ("known", "words"),
    [
        # Known faults of consignments, kind 4: a hash of 64 digits says nothing about which rules they are.
        ({"demonstrationRules": True, "rulesFiles": 2}, "(the demonstration rules of the project)"),
        ({"rulesFiles": 12, "rulesBuilt": "2026-11-01T09:00:00.000Z"}, "(12 files of rules, built 2026-11-01)"),
        ({"rulesFiles": 1}, "(1 file of rules)"),
    ],
)
def test_the_rules_are_told_in_words(known: dict[str, Any], words: str) -> None:
    scanned = {"software": "yara-x", "softwareVersion": "1.23.0", "databaseVersion": "ab" * 32, **known}
    assert f"Malware: yara-x 1.23.0, rules {'ab' * 32} {words}" in page([a_file("a.pdf", antivirus=scanned)])


def test_where_malware_is_stands_beside_the_name_and_not_the_rules_of_all() -> None:
    found = a_file("a.docx")
    detail = f"eicar in word/x.bin by yara-x 1.23.0 {'ab' * 32}, the demonstration rules of the project, ClamAV 1.4.3"
    wrong = {"statusName": "Antivirus", "value": "VirusDetected", "rule": "antivirus.found", "sentence": "Malware."}
    found |= {"accepted": False, "statuses": {"Antivirus": "VirusDetected"}}
    found["explanations"] = [{**wrong, "detail": detail, "action": "Contact support"}]
    assert "eicar in word/x.bin by yara-x 1.23.0, ClamAV 1.4.3<" in page([found])


def test_more_files_than_a_page_holds_are_in_the_exports() -> None:
    made = page([a_file(f"{number}.pdf", number) for number in range(LISTED_FILES + 1)])
    assert "the exports have all of them" in made
    assert len(made) < 100_000


def test_csv_has_a_row_for_each_file_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text([refused("=cmd|x.zip", 2), a_file("a.pdf", 1)]))))
    assert [row["path"] for row in rows] == ["'=cmd|x.zip", "a.pdf"]
    assert rows[0]["whatToDo"] == f"Fix yourself: {UNPACK}"
    assert (rows[1]["puid"], rows[1]["accepted"], rows[1]["turn"]) == ("fmt/276", "true", "accepted")


def test_lines_of_json_are_the_files_and_what_was_not_sent() -> None:
    lines = [json.loads(line) for line in ndjson_text([a_file("a.pdf")], [LeftOutFile("x", "LINK", "y")]).splitlines()]
    assert lines[0]["path"] == "a.pdf"
    assert lines[1] == {"notSent": {"path": "x", "kind": "LINK", "reason": "y"}}


def test_the_columns_are_those_of_droid() -> None:
    # DROID's user guide, "Exporting profile results".
    several = a_file("a/b/two.jpg", 2)
    jpeg = {**PDF, "puid": "fmt/41", "formatName": "Raw JPEG Stream", "formatVersion": None, "mimeType": "image/jpeg"}
    several["fileFormat"]["matches"] = [jpeg, {**jpeg, "puid": "fmt/96", "formatName": "HTML"}]
    plain = a_file("run.sh", 3)
    plain["fileFormat"] = {"matches": [{**PDF, "puid": "x-fmt/111", "identificationBasis": "Text"}]}
    rows = list(csv.reader(io.StringIO(droid_csv([several, a_file("a/ä.pdf", 1), plain]))))
    assert rows[0] == [
        *("ID", "PARENT_ID", "URI", "FILE_PATH", "NAME", "METHOD", "STATUS", "SIZE", "TYPE", "EXT", "LAST_MODIFIED"),
        *("EXTENSION_MISMATCH", "SHA256_HASH", "FORMAT_COUNT"),
        *["PUID", "MIME_TYPE", "FORMAT_NAME", "FORMAT_VERSION"] * 2,
    ]
    by_name = {row[4]: row for row in rows[1:]}
    assert [row[8] for row in rows[1:]] == ["Folder", "Folder", "File", "File", "File"]
    assert by_name["b"][1] == by_name["a"][0]
    assert by_name["two.jpg"][13:] == [
        *("2", "fmt/41", "image/jpeg", "Raw JPEG Stream", "", "fmt/96", "image/jpeg", "HTML", "")
    ]
    pdf = by_name["ä.pdf"]
    assert pdf[2:12] == [
        *("file:///a/%C3%A4.pdf", "/a/ä.pdf", "ä.pdf", "Signature", "Done", "1000", "File", "pdf"),
        *("2011-03-04T05:06:07", "false"),
    ]
    # DROID does not look whether something is text.
    assert by_name["run.sh"][13] == "0"


PREMIS = "{http://www.loc.gov/premis/v3}"
# The order of elements in the schema of PREMIS 3.0, for what is written here.
ORDER = {
    "premis": ["object", "event", "agent"],
    "object": ["objectIdentifier", "objectCharacteristics", "originalName"],
    "objectCharacteristics": ["fixity", "size", "format"],
    "fixity": ["messageDigestAlgorithm", "messageDigest", "messageDigestOriginator"],
    "format": ["formatDesignation", "formatRegistry", "formatNote"],
    "formatDesignation": ["formatName", "formatVersion"],
    "formatRegistry": ["formatRegistryName", "formatRegistryKey", "formatRegistryRole"],
    "event": [
        *("eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation", "eventOutcomeInformation"),
        *("linkingAgentIdentifier", "linkingObjectIdentifier"),
    ],
    "eventOutcomeInformation": ["eventOutcome", "eventOutcomeDetail"],
    "agent": ["agentIdentifier", "agentName", "agentType", "agentVersion", "agentNote"],
}


def test_each_check_is_an_event_of_premis_3_with_its_agent() -> None:
    unknown = a_file("noise\x01", 2)
    unknown["fileFormat"]["matches"] = [{"puid": None}]
    root = ET.fromstring(premis_xml(CONSIGNMENT, [a_file("a.pdf", 1), unknown]))
    assert (root.tag, root.get("version")) == (f"{PREMIS}premis", "3.0")
    assert faults_of(root) == []
    for element in root.iter():
        order = ORDER.get(element.tag.removeprefix(PREMIS))
        if order:
            names = [child.tag.removeprefix(PREMIS) for child in element]
            assert names == sorted(names, key=order.index)
    types = [found.text for found in root.iter(f"{PREMIS}eventType")]
    # Terms of http://id.loc.gov/vocabulary/preservation/eventType.
    assert sorted(types) == sorted(
        ["message digest calculation", "fixity check", "virus check", "format identification"] * 2
    )
    agents = {found.text for found in root.iter(f"{PREMIS}agentIdentifierValue")}
    assert {found.text for found in root.iter(f"{PREMIS}linkingAgentIdentifierValue")} <= agents
    objects = {found.text for found in root.iter(f"{PREMIS}objectIdentifierValue")}
    assert {found.text for found in root.iter(f"{PREMIS}linkingObjectIdentifierValue")} == objects
    assert [found.text for found in root.iter(f"{PREMIS}formatName")][-1] == "unknown"
    assert all(found.text and found.text.endswith("Z") for found in root.iter(f"{PREMIS}eventDateTime"))


def test_what_archives_hold_is_told_and_accepted_as_nothing() -> None:
    """Three questions (what was sent, what is wrong and whose turn is it, what was checked) stay those of the files."""
    members = {
        "count": 70,
        "listed": [{"path": "minutes/a\u200b.docx", "size": 9, "puid": "fmt/412", "formatName": "Microsoft Word"}],
        "notListed": [{"path": "secret.7z", "reason": "ENCRYPTED"}],
    }
    archive = refused("a.zip", 1, fileFormat={"software": "Siegfried", "matches": [], "members": members})
    made = page([archive, a_file("b.pdf", 2)])
    assert "What archives hold: 1" in made
    for words in ("70 files", "minutes/a\\u200b.docx", "Microsoft Word (fmt/412)", "protected by a password or a key"):
        assert words in made
    assert Summary.of([archive]).files == 1
    assert "What archives hold" not in page([a_file("b.pdf", 2)])


def test_a_folder_of_one_file_is_told_in_its_line() -> None:
    # 2,000 files have to fit on 20 pages, in however many folders they lie.
    made = page([a_file("a/b/one.pdf", 1), a_file("c/two.pdf", 2), a_file("c/three.pdf", 3), a_file("four.pdf", 4)])
    assert '<span class="name">a/b/one.pdf<' in made
    assert '<p class="name">c/</p>' in made
    assert '<span class="name">two.pdf<' in made
    assert '<p class="name">a/b/</p>' not in made


def test_a_document_of_a_consignment_without_files_is_valid() -> None:
    """The schema wants one object at least: the consignment itself, which is an intellectual entity."""
    root = ET.fromstring(premis_xml(CONSIGNMENT, []))
    assert faults_of(root) == []
    assert [found.text for found in root.iter(f"{PREMIS}objectIdentifierValue")] == [CONSIGNMENT["consignmentId"]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: root.remove(root[0]),
        lambda root: root.insert(0, root[-1]),
        lambda root: root[0].remove(root[0][0]),
        lambda root: root[0][1].append(root[0][0]),
        lambda root: root[-1].set("authority", "x"),
        lambda root: root.set("version", "2"),
        lambda root: ET.SubElement(root[-1], f"{PREMIS}agentSize"),
    ],
)
def test_a_spoilt_document_is_not_valid(spoil: Any) -> None:
    root = ET.fromstring(premis_xml(CONSIGNMENT, [a_file("a.pdf", 1)]))
    spoil(root)
    assert faults_of(root)
