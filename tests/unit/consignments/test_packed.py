"""Archives that libarchive opens, made by other programs."""

import io
import random
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cabarchive
import py7zr
import pycdlib
import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, results, scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.appended import appended_entries, appended_places
from waybill.consignments.domain.checks.packed import packed_entries
from waybill.consignments.domain.statuses import file_verdicts
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import CheckedFile
from waybill.core.containers.models import (
    ContainerBudget,
    ContainerError,
    ContainerKind,
    ContainerLimits,
    ContainerMember,
    UnopenedReason,
)
from waybill.core.containers.walk import walk

EICAR = contents.eicar()
READERS = {ContainerKind.APPENDED: appended_entries, ContainerKind.SEVEN_ZIP: packed_entries}
HARMLESS = b"Minutes of the meeting.\n" * 100


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, tmp_path: Path) -> Desk:
    return Desk(tmp_path, process, MemoryObjects({}))


def seven_zip(content: bytes, password: str | None = None, *, header: bool = False) -> bytes:
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", password=password, header_encryption=header) as archive:
        archive.writestr(b"first", "a.txt")
        archive.writestr(content, "folder/tool.com")
    return file.getvalue()


def iso(content: bytes) -> bytes:
    image = pycdlib.PyCdlib()
    image.new(joliet=3)
    image.add_fp(io.BytesIO(content), len(content), "/TOOL.COM;1", joliet_path="/tool.com")
    file = io.BytesIO()
    image.write_fp(file)
    return file.getvalue()


def cabinet(content: bytes) -> bytes:
    archive = cabarchive.CabArchive()
    archive["tool.com"] = cabarchive.CabFile(content)
    made: bytes = archive.save(compress=True)
    return made


def rar(content: bytes, flags: int = 0, *, headers: bool = False) -> bytes:
    """RAR 4 with a stored file ("RAR version 4.x - Technical note", blocks and the file header)."""

    def block(kind: int, flags: int, body: bytes, behind: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + behind

    name = b"tool.com"
    facts = struct.pack(
        "<IIBIIBBHI", len(content), len(content), 3, zlib.crc32(content), 0x4A000000, 20, 0x30, len(name), 0o100644
    )
    return (
        b"Rar!\x1a\x07\x00"
        + block(0x73, 0x80 if headers else 0, bytes(6))
        + block(0x74, 0x8000 | flags, facts + name, content)
        + block(0x7B, 0x4000, b"")
    )


def rar_5(*files: tuple[bytes, bool], headers: bool = False) -> bytes:
    """RAR 5 of stored files, each with whether it says that it is encrypted ("RAR 5.0 archive format")."""

    def number(value: int) -> bytes:
        low, rest = value & 0x7F, value >> 7
        return bytes([low | 0x80]) + number(rest) if rest else bytes([low])

    def block(*fields: bytes) -> bytes:
        head = b"".join(fields)
        head = number(len(head)) + head
        return struct.pack("<L", zlib.crc32(head)) + head

    def stored(place: int, content: bytes, encrypted: bool) -> bytes:
        extra = number(1) + number(0) * 2 + b"\x0f" + bytes(32)
        extra = number(len(extra)) + extra if encrypted else b""
        name, size = b"%d.com" % place, number(len(content))
        sizes = (number(len(extra)), size) if extra else (size,)
        facts = (number(4), size, number(0o100644), struct.pack("<L", zlib.crc32(content)), number(0), number(1))
        return block(number(2), number(3 if extra else 2), *sizes, *facts, number(len(name)), name, extra) + content

    main = block(number(1), number(0), number(0))
    lock = block(number(4), number(0), number(0), number(0), b"\x0f" + bytes(16)) if headers else b""
    body = b"".join(stored(place, *file) for place, file in enumerate(files))
    return b"Rar!\x1a\x07\x01\x00" + lock + main + body + block(number(5), number(0), number(0))


def antivirus(desk: Desk, name: str, content: bytes) -> tuple[dict[str, str], str, str | None]:
    desk.objects.contents[name] = content
    [line] = desk.check()
    verdicts = {each.name.value: each for each in file_verdicts(CheckedFile(line), None, shipped())}
    encryption = results(line)["fileFormat"].get("encryption")
    return {name: each.value for name, each in verdicts.items()}, verdicts["Antivirus"].detail, encryption


@pytest.mark.parametrize("pack", [seven_zip, iso, cabinet, rar])
def test_malware_in_an_archive_is_found_and_its_place_is_told(desk: Desk, pack: Callable[[bytes], bytes]) -> None:
    values, detail, _ = antivirus(desk, "a.bin", pack(EICAR))
    assert values["Antivirus"] == "VirusDetected"
    assert "tool.com" in detail


@pytest.mark.parametrize("pack", [seven_zip, iso, cabinet, rar])
def test_a_clean_archive_was_scanned_inside(desk: Desk, pack: Callable[[bytes], bytes]) -> None:
    values, _, encryption = antivirus(desk, "a.bin", pack(HARMLESS))
    # It is refused all the same: an archive is no record.
    assert (values["Antivirus"], values["FFID"], encryption) == ("Success", "Zip", None)


def test_what_hangs_on_a_message_is_opened_too(desk: Desk) -> None:
    values, detail, _ = antivirus(desk, "a.zip", contents.zipped({"inner.7z": seven_zip(EICAR)}))
    assert values["Antivirus"] == "VirusDetected"
    assert "inner.7z/folder/tool.com" in detail


@pytest.mark.parametrize("pack", [seven_zip, rar, cabinet])
@pytest.mark.parametrize("front", [contents.pdf(), b"MZ" + bytes(300_000), b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_an_archive_behind_other_bytes_is_opened(desk: Desk, front: bytes, pack: Callable[[bytes], bytes]) -> None:
    # A page with an archive at its end was accepted, and a program that unpacks itself was called clean.
    values, detail, _ = antivirus(desk, "a.pdf", front + pack(EICAR))
    assert values["Antivirus"] == "VirusDetected"
    assert f"from byte {len(front):,}" in detail


def test_an_archive_is_not_hidden_behind_false_beginnings(desk: Desk) -> None:
    values, _, _ = antivirus(desk, "a.bin", b"x" + b"7z\xbc\xaf\x27\x1c" * 100 + seven_zip(EICAR))
    assert values["Antivirus"] in {"NotScannedInside", "VirusDetected"}


def test_many_false_beginnings_are_looked_at_once_each(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" + b"7z\xbc\xaf\x27\x1c" * 30)
    with path.open("rb") as file:
        members = [each.path for each in walk(file, readers=READERS) if isinstance(each, ContainerMember)]
    assert len(members) == 30


@pytest.mark.parametrize("mark", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"MSCF\0\0\0\0"])
@pytest.mark.parametrize("place", [1, 3, 5 << 20])
def test_a_beginning_is_found_in_memory_and_on_the_disk(place: int, mark: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        # Its own beginning is none behind other bytes, nor are other beginnings of the same letters.
        file.write(mark + b"7zRar!MSCF"[:place] + b"x" * (place - 10) + mark + b"more")
        first, *more = appended_places(file)
    assert (first, more) == (len(mark) + place, [])


@pytest.mark.parametrize("header", [False, True])
def test_an_archive_with_a_password_is_protected_and_was_not_scanned(desk: Desk, *, header: bool) -> None:
    values, detail, encryption = antivirus(desk, "a.7z", seven_zip(HARMLESS, "secret", header=header))
    assert (values["FFID"], values["Antivirus"], encryption) == ("PasswordProtected", "NotScannedInside", "archive")
    assert "ENCRYPTED" in detail


@pytest.mark.parametrize(
    "content",
    [
        rar(HARMLESS, 0x04),
        rar(HARMLESS, headers=True),
        rar_5((HARMLESS, True)),
        rar_5((HARMLESS, False), (HARMLESS, True)),
        rar_5((HARMLESS, False), headers=True),
    ],
    ids=["4", "4, headers", "5", "5, the second", "5, headers"],
)
def test_what_a_rar_encrypts_is_not_taken_for_its_content(desk: Desk, content: bytes) -> None:
    """libarchive gives the encrypted bytes of a stored file without a word: they were scanned, and called clean."""
    values, detail, encryption = antivirus(desk, "a.rar", content)
    assert (values["FFID"], values["Antivirus"], encryption) == ("PasswordProtected", "NotScannedInside", "archive")
    assert "ENCRYPTED" in detail


def test_a_rar_5_without_a_password_is_scanned(desk: Desk) -> None:
    assert antivirus(desk, "a.rar", rar_5((HARMLESS, False), (HARMLESS, False)))[0]["Antivirus"] == "Success"
    values, detail, _ = antivirus(desk, "a.rar", rar_5((HARMLESS, False), (EICAR, False)))
    assert (values["Antivirus"], "1.com" in detail) == ("VirusDetected", True)


@pytest.mark.parametrize("pack", [seven_zip, cabinet, rar])
def test_a_cut_archive_is_not_called_clean(desk: Desk, pack: Callable[[bytes], bytes]) -> None:
    # What does not compress is cut within its content.
    whole = pack(random.Random(1).randbytes(20_000))
    values, _, _ = antivirus(desk, "a.bin", whole[: len(whole) // 2])
    assert values["Antivirus"] == "NotScannedInside"


def test_a_damaged_content_is_not_called_clean(desk: Desk) -> None:
    damaged = bytearray(seven_zip(random.Random(2).randbytes(20_000)))
    damaged[5_000] ^= 1
    assert antivirus(desk, "a.7z", bytes(damaged))[0]["Antivirus"] == "NotScannedInside"


def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "bomb.7z"
    path.write_bytes(seven_zip(bytes(8 << 20)))
    limits = ContainerLimits(ratio=20, ratio_free_bytes=1 << 20)

    def unpack() -> None:
        with path.open("rb") as file:
            for entry in packed_entries(file, ContainerBudget(limits)):
                while entry.read(1 << 18):
                    pass

    with pytest.raises(ContainerError) as raised:
        unpack()
    assert raised.value.reason is UnopenedReason.RATIO
