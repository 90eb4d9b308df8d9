"""What Siegfried says, in DROID's words; and what it says of files of every kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import contents
from tests.fakes.checking import scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.identification import interpret, versions
from waybill.consignments.domain.checks.models import Examination, FileRecord
from waybill.consignments.domain.checks.spool import Workspace


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


def identified(process: ScannerProcess, folder: Path, extension: str, content: bytes) -> dict[str, Any]:
    path = Workspace(folder).path(extension)
    path.write_bytes(content)
    said: dict[str, Any] = process.examine(Examination(path, {"identify": 30.0}, extension))["identify"]
    return said


@pytest.mark.parametrize(
    ("extension", "content", "puid", "basis", "mismatch", "only"),
    [
        ("docx", contents.docx(), "fmt/412", "Container", False, False),
        ("xls", contents.docx(), "fmt/412", "Container", True, False),
        ("", contents.docx(), "fmt/412", "Container", True, False),
        ("docx", contents.ole2("EncryptionInfo", "EncryptedPackage"), "fmt/494", "Container", False, False),
        # It does not pass as a document that can be read: to PRONOM it is an archive, which the table refuses.
        ("odt", contents.encrypted_odt(), "x-fmt/263", "Signature", True, False),
        ("pdf", contents.pdf(), "fmt/20", "Signature", False, False),
        ("PDF", contents.pdf(), "fmt/20", "Signature", False, False),
        ("doc", contents.pdf(), "fmt/20", "Signature", True, False),
        ("zip", contents.zipped({"a": b"a"}), "x-fmt/263", "Container", False, False),
        ("txt", b"plain words\n", "x-fmt/111", "Extension", False, False),
        ("", b"plain words\n", "x-fmt/111", "Text", True, False),
        ("csv", b"a,b\n1,2\n", "x-fmt/18", "Extension", False, True),
        ("csv", bytes(range(256)), "x-fmt/18", "Extension", False, True),
    ],
)
def test_formats_are_found_with_their_evidence(
    process: ScannerProcess,
    tmp_path: Path,
    extension: str,
    content: bytes,
    puid: str,
    basis: str,
    mismatch: bool,
    only: bool,
) -> None:
    said = identified(process, tmp_path, extension, content)
    [match] = said["matches"]
    if puid == "fmt/20":  # pikepdf chooses the version of PDF
        assert match["formatName"].startswith("Acrobat PDF")
    else:
        assert match["puid"] == puid
    assert (match["identificationBasis"], match["fileExtensionMismatch"], match["extensionOnly"]) == (
        basis,
        mismatch,
        only,
    )
    assert match["extension"] == (extension or None)
    assert said["extensionCandidates"] == []


@pytest.mark.parametrize("content", [b"garbage that is no document", bytes(range(256))], ids=["text", "bytes"])
def test_a_damaged_document_is_unknown_and_what_its_name_would_allow_is_kept_apart(
    process: ScannerProcess, tmp_path: Path, content: bytes
) -> None:
    said = identified(process, tmp_path, "docx", content)
    [match] = said["matches"]
    assert (match["puid"], match["identificationBasis"], match["fileExtensionMismatch"]) == (None, "", False)
    assert {"fmt/412", "fmt/494"} <= set(said["extensionCandidates"])


@pytest.mark.parametrize(("extension", "puids"), [("", [None]), ("pdf", [None]), ("txt", ["x-fmt/111"])])
def test_an_empty_file_has_a_format_by_its_name_at_most(
    process: ScannerProcess, tmp_path: Path, extension: str, puids: list[str | None]
) -> None:
    said = identified(process, tmp_path, extension, b"")
    assert [match["puid"] for match in said["matches"]] == puids
    assert all(match["extensionOnly"] is (match["puid"] is not None) for match in said["matches"])
    assert said["warnings"] == []


def test_a_corrupt_container_is_told(process: ScannerProcess, tmp_path: Path) -> None:
    said = identified(process, tmp_path, "zip", contents.zipped({"a": b"a" * 500})[:-5])
    assert [match["puid"] for match in said["matches"]] == [None]
    assert said["warnings"] == ["CORRUPT_CONTAINER"]


def _hit(puid: str, basis: str, warning: str = "") -> dict[str, str]:
    return {"id": puid, "format": f"format {puid}", "basis": basis, "warning": warning}


def _result(*hits: dict[str, str], errors: str = "") -> dict[str, Any]:
    details = "DROID_SignatureFile_V125.xml; container-signature-20260119.xml"
    return {
        "siegfried": "1.11.9",
        "created": "2026-01-20T10:11:12Z",
        "identifiers": [{"name": "pronom", "details": details}],
        "files": [{"errors": errors, "matches": list(hits)}],
    }


def test_several_hits_are_several_matches_with_one_mismatch() -> None:
    hits = (_hit("fmt/41", "byte match at 0, 3"), _hit("fmt/96", "byte match at 4, 9", "extension mismatch"))
    said = interpret(_result(*hits), "jpg")
    assert [match["puid"] for match in said["matches"]] == ["fmt/41", "fmt/96"]
    assert [match["fileExtensionMismatch"] for match in said["matches"]] == [True, True]


def test_the_versions_are_read_off_the_signature_files() -> None:
    assert versions(_result()) == {
        "software": "Siegfried",
        "softwareVersion": "1.11.9",
        "binarySignatureFileVersion": "125",
        "containerSignatureFileVersion": "20260119",
        "signaturesCreated": "2026-01-20",
        "method": "pronom",
    }
    without = versions({"siegfried": "1.11.9", "identifiers": [{"details": "something else"}]})
    assert (without["binarySignatureFileVersion"], without["containerSignatureFileVersion"]) == ("", "")


@pytest.mark.parametrize(
    ("path", "extension", "name"),
    [
        ("folder.d/report.final.PDF", "PDF", ".PDF"),
        ("folder.d/report", "", ""),
        ("report.", "", ""),
        (".bashrc", "bashrc", ".bashrc"),
        ("a.b\nc", "b\nc", ""),
        ("a.$(rm)", "$(rm)", ""),
        ("a." + "x" * 300, "x" * 300, ""),
        ("a.\x00doc", "\x00doc", ""),
        ("", "", ""),
    ],
)
def test_the_extension_is_as_supplied_and_names_no_hostile_file(
    tmp_path: Path, path: str, extension: str, name: str
) -> None:
    workspace = Workspace(tmp_path)
    record = FileRecord(fileId="1", s3SourceBucket="b", s3SourceBucketKey="k", originalPath=path)
    assert record.extension == extension
    assert workspace.path(record.extension) == tmp_path / f"0{name}"
    assert workspace.path(record.extension) == tmp_path / f"1{name}"
