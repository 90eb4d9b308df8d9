"""What archives hold, listed where their sender wants it."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import py7zr
import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, record, results, scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.spool import Workspace

DOCX = contents.docx()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


def held(folder: Path, process: ScannerProcess, name: str, content: bytes, *, inside: bool = True) -> Any:
    desk = Desk(folder, process, MemoryObjects({name: content}))
    [line] = desk.check([record(name, content, inside=inside)])
    return results(line)["fileFormat"].get("members")


def tarred(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def seven_zipped(name: str, content: bytes, password: str | None = None) -> bytes:
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", password=password) as archive:
        archive.writestr(content, name)
    return file.getvalue()


# PRONOM: a Word document.
@pytest.mark.parametrize(
    ("name", "content", "path"),
    [
        ("a.zip", contents.zipped({"minutes/a.docx": DOCX}), "minutes/a.docx"),
        ("a.zip", contents.zipped({"b.zip": contents.zipped({"a.docx": DOCX})}), "b.zip/a.docx"),
        ("a.tar", tarred("a.docx", DOCX), "a.docx"),
        ("a.tar.gz", gzip.compress(tarred("a.docx", DOCX)), "content/a.docx"),
        ("a.7z", seven_zipped("a.docx", DOCX), "a.docx"),
    ],
)
def test_members_are_listed_with_their_formats(
    tmp_path: Path, process: ScannerProcess, name: str, content: bytes, path: str
) -> None:
    found = held(tmp_path, process, name, content)
    listed = {each["path"]: each for each in found["listed"]}
    assert listed[path] == {
        "path": path,
        "size": len(DOCX),
        "puid": "fmt/412",
        "formatName": "Microsoft Word for Windows",
    }
    assert found["count"] == len(listed)
    assert found["notListed"] == []


@pytest.mark.parametrize(
    ("name", "content"), [("a.docx", DOCX), ("a.txt", b"Minutes"), ("a.odt", contents.encrypted_odt())]
)
def test_what_is_no_archive_holds_nothing(tmp_path: Path, process: ScannerProcess, name: str, content: bytes) -> None:
    assert held(tmp_path, process, name, content) is None


def test_nobody_looks_who_was_not_asked_to(tmp_path: Path, process: ScannerProcess) -> None:
    assert held(tmp_path, process, "a.zip", contents.zipped({"a.txt": b"a"}), inside=False) is None


def test_a_member_without_a_format_and_one_with_a_password_are_told(tmp_path: Path, process: ScannerProcess) -> None:
    content = contents.zipped({"noise": bytes(range(1, 256)), "empty": b"", "secret.7z": seven_zipped("a", b"a", "x")})
    found = held(tmp_path, process, "a.zip", content)
    assert {"path": "noise", "size": 255} in found["listed"]
    assert found["notListed"] == [{"path": "secret.7z/a", "reason": "ENCRYPTED"}]
    # Neither its size nor its format is known.
    assert "secret.7z/a" not in {each["path"] for each in found["listed"]}
    assert {"path": "empty", "size": 0} in found["listed"]


def test_the_list_has_an_end_and_the_number_of_all(tmp_path: Path, process: ScannerProcess) -> None:
    found = held(tmp_path, process, "a.zip", contents.zipped({f"{number:04}.txt": b"Minutes" for number in range(500)}))
    assert found["count"] == 500
    assert 50 < len(found["listed"]) < 200


def test_what_a_process_that_was_killed_has_left_is_cleared(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "files")
    (tmp_path / "files" / "left").mkdir()
    (tmp_path / "files" / "left" / "0.zip").write_bytes(b"PK")
    workspace.path("pdf").write_bytes(b"%PDF-")
    workspace.clear()
    assert list((tmp_path / "files").iterdir()) == []
