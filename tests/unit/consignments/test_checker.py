"""The checks of a group: what every file gets, whatever the others are."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import contents
from tests.fakes.checking import HOSTILE, MISSING, Desk, MemoryObjects, record, results, scanners, unavailable
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.checker import Counts, FileTimeLimits
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import Failure, Reason


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners"), module=HOSTILE) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, tmp_path: Path) -> Desk:
    return Desk(tmp_path, process, MemoryObjects({}))


def left_on_disk(desk: Desk) -> list[Path]:
    return list((desk.folder / "files").iterdir())


def test_a_clean_file_has_all_three_results(desk: Desk) -> None:
    content = b"Minutes of the meeting.\n"
    desk.objects.contents["folder/Protokół 王.txt"] = content
    [line] = desk.check()
    found = results(line)
    assert found["checksum"] == {
        "fileId": "folder/Protokół 王.txt",
        "sha256Checksum": hashlib.sha256(content).hexdigest(),
        "emptyContent": False,
    }
    assert found["antivirus"] == {
        "fileId": "folder/Protokół 王.txt",
        "software": "yara-x",
        "softwareVersion": shipped().yara,
        "databaseVersion": shipped().version,
        "result": "",
        "datetime": 1_670_411_830_303,
        "engine": "yara",
        "rulesVersion": shipped().version,
        "partial": False,
    }
    [match] = found["fileFormat"].pop("matches")
    assert match["puid"] == "x-fmt/111"
    versions = {name: found["fileFormat"].pop(name) for name in desk.scanners.versions()}
    assert versions == desk.scanners.versions()
    assert found["fileFormat"] == {
        "fileId": "folder/Protokół 王.txt",
        "extensionCandidates": [],
        "warnings": [],
        "encrypted": False,
        "text": True,
        "signatureAgeDays": 0,
        "timedOut": False,
        "partial": False,
    }
    assert (line["failures"], line["failureReasons"]) == ({}, {})
    assert line["reading"] == {"bytes": len(content), "versionId": "v1", "eTag": "tag", "how": "whole"}


def test_what_a_record_holds_besides_is_passed_on(desk: Desk) -> None:
    desk.objects.contents["a.txt"] = b"a"
    given = record("a.txt", b"a", s3CleanDestinationBucket="clean", objectSize=1, eTag='"tag"')
    [line] = desk.check([given])
    assert {name: line[name] for name in given if name != "fileCheckResults"} == {
        name: value for name, value in given.items() if name != "fileCheckResults"
    }


def test_malware_is_named(desk: Desk) -> None:
    desk.objects.contents |= {"eicar.com": contents.eicar(), "a.txt": b"a"}
    assert [results(line)["antivirus"]["result"] for line in desk.check()] == ["eicar", ""]


@pytest.mark.parametrize(
    ("name", "content", "encryption"),
    [
        ("locked.pdf", contents.pdf(password="secret"), "pdf"),
        ("locked.zip", contents.encrypted_zip("a", b"abc", b"secret"), "zip"),
        ("locked.docx", contents.ole2("EncryptionInfo", "EncryptedPackage"), "office"),
    ],
)
def test_encryption_is_told_with_the_format(desk: Desk, name: str, content: bytes, encryption: str) -> None:
    desk.objects.contents[name] = content
    [line] = desk.check()
    found = results(line)["fileFormat"]
    assert (found["encrypted"], found["encryption"]) == (True, encryption)
    assert found["matches"][0]["puid"]


def test_lines_keep_the_order_of_records_of_every_kind(desk: Desk) -> None:
    contents_by_name = {f"{number}.txt": b"x" * number for number in range(30)}
    desk.objects.contents |= contents_by_name
    records = [record(name, content) for name, content in contents_by_name.items()]
    records[3] = record("missing.txt")
    records[8] = record("", fileId="8.txt", s3SourceBucketKey="8.txt", objectSize=None)
    records[17] = record("17.txt", s3SourceBucketKey="")
    lines = desk.check(records)
    assert [line["fileId"] for line in lines] == [each["fileId"] for each in records]
    for line, content in zip(lines, contents_by_name.values(), strict=True):
        found = results(line)["checksum"]
        assert found is None or found["sha256Checksum"] == hashlib.sha256(content).hexdigest()


def test_every_object_is_read_once_and_closed(desk: Desk) -> None:
    desk.objects.contents |= {f"{number}.txt": b"x" * number for number in range(20)}
    desk.check()
    assert sorted(opened.place for opened in desk.objects.opened) == list(range(20))
    assert all(opened.closed for opened in desk.objects.opened)
    assert left_on_disk(desk) == []


BAD = {
    "crash-identify": ({"fileFormat": Reason.CRASHED}, b"crash-identify"),
    "crash-inspect": ({"fileFormat": Reason.CRASHED}, b"crash-inspect"),
    "crash-scan": ({"antivirus": Reason.CRASHED}, b"crash-scan"),
    "raise-identify": ({"fileFormat": Reason.UNREADABLE}, b"raise-identify"),
    "raise-scan": ({"antivirus": Reason.UNREADABLE}, b"raise-scan"),
}


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_file_costs_its_own_check_and_no_other_file(desk: Desk, bad: str) -> None:
    reasons, content = BAD[bad]
    desk.objects.contents |= {"before.txt": b"before", "bad.txt": content, "after.txt": contents.eicar()}
    before, line, after = desk.check()
    # What fails each time is a verdict on the file, and no fault of ours.
    assert line["failureReasons"] == {}
    unexaminable = {
        name: found["unexaminable"]["reason"] for name, found in results(line).items() if "unexaminable" in found
    }
    assert unexaminable == {name: reason.value for name, reason in reasons.items()}
    assert (before["failures"], after["failures"]) == ({}, {})
    assert results(after)["antivirus"]["result"] == "eicar"
    assert left_on_disk(desk) == []


@pytest.mark.parametrize("part", ["identify", "inspect"])
def test_an_identification_that_takes_too_long_twice_is_a_verdict_on_the_file(desk: Desk, part: str) -> None:
    # `TIME_LIMIT` when it comes twice, and no effect on others.
    desk.objects.contents |= {"slow.txt": f"stall-{part}".encode(), "after.txt": b"after"}
    desk.limits = FileTimeLimits(format_seconds=2.0)
    slow, after = desk.check()
    found = results(slow)["fileFormat"]
    assert (found["unexaminable"]["reason"], found["matches"]) == ("TIME_LIMIT", [])
    assert found["software"] == "Siegfried"
    assert "unexaminable" not in results(after)["fileFormat"]


def test_a_scan_that_takes_too_long_twice_is_a_verdict_on_the_file(desk: Desk) -> None:
    desk.objects.contents["slow.txt"] = b"stall-scan"
    desk.limits = FileTimeLimits(scan_seconds=0.1)
    [line] = desk.check()
    assert line["failureReasons"] == {}
    assert results(line)["antivirus"]["unexaminable"]["reason"] == "TIME_LIMIT"


def test_a_parser_that_fails_while_our_time_ends_is_no_verdict_on_the_file(desk: Desk) -> None:
    desk.objects.contents["a.txt"] = b"raise-scan"
    desk.seconds_left = lambda: 100.0
    desk.limits = FileTimeLimits(format_seconds=30.0, scan_seconds=150.0)
    [line] = desk.check()
    assert line["failureReasons"] == {"antivirus": "OUT_OF_TIME"}


def test_what_a_parser_fails_on_once_is_asked_again_in_a_fresh_process(desk: Desk) -> None:
    desk.objects.contents["a.txt"] = b"once-scan"
    [line] = desk.check()
    assert line["failureReasons"] == {}
    assert "unexaminable" not in results(line)["antivirus"]


@pytest.mark.parametrize("reason", [Reason.OBJECT_MISSING, Reason.OBJECT_REPLACED, Reason.ACCESS_DENIED])
def test_an_object_that_s3_refuses_fails_alone(desk: Desk, reason: Reason) -> None:
    desk.objects.contents |= {"a.txt": b"a", "b.txt": b"b"}
    desk.objects.failures["a.txt"] = FileRefusedError(Failure(reason, "It is so."))
    refused, good = desk.check()
    assert refused["fileCheckResults"] == {"antivirus": [], "checksum": [], "fileFormat": []}
    assert set(refused["failureReasons"].values()) == {reason.value}
    assert "reading" not in refused
    assert good["failures"] == {}


def test_an_object_that_is_replaced_while_it_is_read_fails_alone(desk: Desk) -> None:
    desk.objects.contents |= {"a.txt": b"a" * 100, "b.txt": b"b"}
    desk.objects.step = 10
    desk.objects.breaking["a.txt"] = FileRefusedError(MISSING)
    broken, good = desk.check()
    assert broken["fileCheckResults"]["checksum"] == []
    assert good["failures"] == {}
    assert left_on_disk(desk) == []


def test_a_fault_of_s3_fails_the_group_until_the_last_attempt(desk: Desk) -> None:
    desk.objects.contents |= {"a.txt": b"a", "b.txt": b"b"}
    desk.objects.failures["a.txt"] = unavailable()
    with pytest.raises(ChecksUnavailableError):
        desk.check()
    assert left_on_disk(desk) == []
    desk.last_attempt = True
    down, good = desk.check()
    assert set(down["failureReasons"].values()) == {"S3_UNAVAILABLE"}
    assert good["failures"] == {}


@pytest.mark.parametrize("field", ["fileId", "s3SourceBucket", "s3SourceBucketKey"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_record_that_cannot_be_used_fails_alone_and_names_the_field(desk: Desk, field: str, value: Any) -> None:
    desk.objects.contents["b.txt"] = b"b"
    bad, good = desk.check([record("a.txt", **{field: value}), record("b.txt")])
    assert set(bad["failureReasons"].values()) == {"INVALID_RECORD"}
    assert field in bad["failures"]["checksum"]
    assert good["failures"] == {}


def test_files_that_the_time_does_not_reach_say_so(desk: Desk) -> None:
    desk.objects.contents |= {f"{number}.txt": b"a" for number in range(20)}
    desk.seconds_left = lambda: -1.0
    lines = desk.check()
    assert len(lines) == 20
    assert all(set(line["failureReasons"].values()) == {"OUT_OF_TIME"} for line in lines)
    assert desk.objects.opened == []


def test_a_file_that_is_being_read_when_the_time_ends_says_so(desk: Desk) -> None:
    desk.objects.contents["a.txt"] = b"a" * 100
    desk.objects.step = 10
    desk.seconds_left = lambda: 5.0 if not desk.objects.opened or desk.objects.opened[0].place < 50 else -1.0
    [line] = desk.check()
    assert set(line["failureReasons"].values()) == {"OUT_OF_TIME"}
    assert desk.objects.opened[0].closed
    assert left_on_disk(desk) == []


def test_counts_are_of_results(desk: Desk) -> None:
    desk.objects.contents |= {"a.txt": b"raise-scan", "b.txt": b"b"}
    counts = Counts()
    for line in desk.check([record("a.txt"), record("b.txt"), record("missing.txt")]):
        counts.add(line)
    assert counts.files == 3
    assert counts.by_check() == {"antivirus": 2, "checksum": 2, "fileFormat": 2}
