"""Encryption that PRONOM has no identifier for, and archives that are meant to hurt."""

import base64
import io
import re
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import contents
from waybill.consignments.domain.checks.protection import inspect
from waybill.consignments.domain.tables import shipped
from waybill.core.containers.compound import CompoundFile
from waybill.core.containers.models import ContainerError
from waybill.core.containers.zip_directory import read_directory


def inspected(folder: Path, content: bytes, *, partial: bool = False) -> dict[str, object]:
    path = folder / "content"
    path.write_bytes(content)
    said = inspect(path, partial=partial)
    # How a ZIP archive is built is told beside, for what people are advised.
    return {name: value for name, value in said.items() if name != "plainZip"}


PLAIN = {"encrypted": False, "warnings": []}

type Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"some text about /Encrypt",
        contents.pdf(),
        contents.pdf_that_mentions_encryption(),
        contents.zipped({"a.txt": b"a" * 1000}),
        contents.zipped({}),
        contents.docx(),
        contents.ole2("WordDocument", "1Table"),
    ],
    ids=["empty", "two bytes", "text", "pdf", "pdf with the word", "zip", "empty zip", "docx", "ole2"],
)
def test_what_is_not_encrypted_is_not_said_to_be(tmp_path: Path, content: bytes) -> None:
    assert inspected(tmp_path, content) == PLAIN


def test_a_pdf_with_a_password_is_encrypted(tmp_path: Path) -> None:
    said = inspected(tmp_path, contents.pdf(password="secret"))
    assert said == {"encrypted": True, "encryption": "pdf", "opensWithoutPassword": False, "warnings": []}


def test_a_pdf_with_restrictions_alone_is_encrypted_and_opens(tmp_path: Path) -> None:
    said = inspected(tmp_path, contents.pdf(owner="secret"))
    assert said == {"encrypted": True, "encryption": "pdf", "opensWithoutPassword": True, "warnings": []}


def test_a_pdf_for_the_holders_of_certificates_is_encrypted(tmp_path: Path) -> None:
    other_handler = contents.pdf(password="secret").replace(b"/Filter /Standard", b"/Filter /Adobe.PK")
    said = inspected(tmp_path, other_handler)
    assert said == {"encrypted": True, "encryption": "pdf", "opensWithoutPassword": False, "warnings": []}


def test_a_name_written_in_digits_hides_nothing(tmp_path: Path) -> None:
    hidden = contents.pdf(password="secret").replace(b"/Encrypt ", b"/#45ncr#79p#74 ", 1)
    assert inspected(tmp_path, hidden)["encrypted"] is True


def cut(share: float) -> Damage:
    """Keep the beginning."""
    return lambda content: content[: int(len(content) * share)]


def without(old: bytes, new: bytes) -> Damage:
    """Spoil what is found."""

    def spoil(content: bytes) -> bytes:
        assert re.search(old, content)
        return re.sub(old, new, content)

    return spoil


DAMAGES = {
    "nothing": lambda content: content,
    "cut before its trailer": cut(0.8),
    "cut in its trailer": cut(0.97),
    "no trailer": without(rb"\ntrailer", b"\ntra1ler"),
    "no startxref": without(rb"startxref", b"stortxref"),
    "no root": without(rb"/Root", b"/R00t"),
    "no table": without(rb"\nxref\n", b"\nxxxx\n"),
    "no first object": lambda content: b"%PDF-1.7\n" + content[300:],
    "a hole": lambda content: content[: len(content) // 3] + bytes(500) + content[len(content) // 3 + 500 :],
    "a reference to nothing": without(rb"/Encrypt \d+ 0 R", b"/Encrypt 99 0 R"),
    "a comment in its trailer": without(rb"/Encrypt (\d+) 0 R", rb"/Encrypt%\r\n\1\0 0 R"),
    "no name of the encryption": without(rb"/Encrypt ", b"/Encrxpt "),
    "no handler": without(rb"/Filter ?/Standard", b"/Filter /Sta"),
    "digits in its names": without(rb"/Encrypt (\d+) 0 R(?s:.*)", rb"/Encr#79#70t \1 0 R"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(("password", "owner"), [("secret", None), (None, "secret")])
def test_no_damage_makes_an_encrypted_pdf_a_plain_one(
    tmp_path: Path, damage: Damage, password: str | None, owner: str | None
) -> None:
    said = inspected(tmp_path, damage(contents.pdf(password=password, owner=owner)))
    assert (said["encrypted"], said["encryption"]) == (True, "pdf")


def test_a_pdf_cut_before_all_that_could_tell_is_not_known_to_be_encrypted(tmp_path: Path) -> None:
    assert inspected(tmp_path, cut(0.3)(contents.pdf(password="secret"))) == PLAIN


def test_a_broken_pdf_without_evidence_is_unreadable_unless_only_parts_of_it_are_there(tmp_path: Path) -> None:
    broken = b"%PDF-1.7\n%" + bytes(2000) + b"\ntrailer <</Root 1 0 R /Encrypt null>>\n"
    assert inspected(tmp_path, broken) == {"encrypted": False, "warnings": ["UNREADABLE_PDF"]}
    assert inspected(tmp_path, broken, partial=True)["encryption"] == "pdf"


@pytest.mark.parametrize(
    ("text", "encrypted"), [(b"the key /Encrypt of it", False), (b"<</Encrypt 9 0 R>> <</Filter /Standard>>", True)]
)
def test_a_text_about_encryption_counts_in_a_damaged_pdf_alone(tmp_path: Path, text: bytes, encrypted: bool) -> None:
    sound = contents.pdf_that_mentions_encryption(text)
    assert inspected(tmp_path, sound) == PLAIN
    said = inspected(tmp_path, sound.replace(b"startxref", b"stortxref"))
    assert (said["encrypted"], said["warnings"]) == (encrypted, ["UNREADABLE_PDF"])


def test_an_archive_with_an_encrypted_member_is_encrypted(tmp_path: Path) -> None:
    archive = contents.encrypted_zip("plans.txt", b"the plans", b"secret")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.read("plans.txt", pwd=b"secret") == b"the plans"
    assert inspected(tmp_path, archive) == {"encrypted": True, "encryption": "zip", "warnings": []}


def test_bytes_before_an_archive_hide_nothing(tmp_path: Path) -> None:
    archive = b"PK stub of a self-extracting archive" + contents.encrypted_zip("plans.txt", b"the plans", b"secret")
    assert inspected(tmp_path, archive)["encryption"] == "zip"


def test_an_encrypted_office_document_is_encrypted(tmp_path: Path) -> None:
    document = contents.ole2("\x06DataSpaces", "EncryptionInfo", "Version", "Primary", "EncryptedPackage")
    assert inspected(tmp_path, document) == {"encrypted": True, "encryption": "office", "warnings": []}


@pytest.mark.parametrize(
    ("archive", "warnings"),
    [
        (contents.zip_of_declared_size(4_000_000_000, 1_000), ["ARCHIVE_OVER_LIMITS"]),
        (contents.zip_of_declared_size(100, 50, members=250_000), ["ARCHIVE_OVER_LIMITS"]),
        (contents.zip_of_declared_size(4_000_000_000, 3_000_000_000), []),
        (contents.zipped({"a": b"abc"})[:-4], ["UNREADABLE_ARCHIVE"]),
        (b"PK\x03\x04" + bytes(100), ["UNREADABLE_ARCHIVE"]),
    ],
    ids=["ratio", "members", "large but honest", "cut off", "no directory"],
)
def test_a_hostile_archive_is_told_and_not_unpacked(tmp_path: Path, archive: bytes, warnings: list[str]) -> None:
    assert inspected(tmp_path, archive) == {"encrypted": False, "warnings": warnings}


def test_a_directory_without_an_end_is_left() -> None:
    streams = CompoundFile(io.BytesIO(contents.ole2("EncryptedPackage", ring=True))).streams
    assert "EncryptedPackage" in {stream.name for stream in streams}
    assert 1 < len(streams) < 20_000


@given(st.binary(max_size=2000), st.integers(0, 200))
def test_broken_archives_and_documents_raise_nothing(noise: bytes, cut: int) -> None:
    for good in (contents.zipped({"a": b"abc", "b": b"d"}), contents.ole2("a", "b", "c", "d")):
        broken = good[:cut] + noise + good[cut + len(noise) :]
        read_directory(io.BytesIO(broken), len(broken))
        with suppress(ContainerError):
            for stream in (compound := CompoundFile(io.BytesIO(broken))).streams:
                list(compound.stream(stream))


@given(
    st.dictionaries(st.text("abc/.é", min_size=1, max_size=8), st.binary(max_size=300), max_size=12),
    st.binary(max_size=50).filter(lambda before: b"PK" not in before),
)
def test_the_directory_agrees_with_the_standard_library(members: dict[str, bytes], before: bytes) -> None:
    archive = before + contents.zipped(members)
    facts = read_directory(io.BytesIO(archive), len(archive))
    assert facts is not None
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert facts.members == len(opened.infolist())
    assert facts.encrypted == 0


def old_word(flags: int) -> bytes:
    return struct.pack("<HHHHHH", 0xA5DB, 0x2D, 0, 0, 0, flags) + bytes(600)


def old_sheet(*kinds: int) -> bytes:
    return b"".join(struct.pack("<HH", kind, 6) + bytes(6) for kind in kinds)


@pytest.mark.parametrize(
    ("content", "encryption"),
    [
        # [MS-OFFCRYPTO] 2.2.10: a document of rights management lies in a stream of the older file.
        (contents.compound({"WordDocument": bytes(5000), "\tDRMContent": bytes(5000)}), "office"),
        # The flag of Word 2 and the record of Excel 4 stand where those of later versions do.
        (old_word(0x0100), "office"),
        (old_word(0x0004), None),
        (old_sheet(0x0409, 0x002F, 0x000A), "office"),
        (old_sheet(0x0409, 0x0042, 0x000A), None),
        # What each program documents as the beginning of its files.
        (b"age-encryption.org/v1\n-> X25519 abc\n--- y\n" + bytes(50), "other"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24=\n", "other"),
        (b"Salted__" + bytes(range(64)), "other"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "other"),
        (b"LUKS\xba\xbe\0\2" + bytes(600), "other"),
        (b"\xeb\x58\x90-FVE-FS-" + bytes(600), "other"),
        (bytes.fromhex("03d9a29a67fb4bb5") + bytes(100), "other"),
        (b"Salted peanuts are no cipher", None),
    ],
)
def test_encryption_of_older_and_other_programs(tmp_path: Path, content: bytes, encryption: str | None) -> None:
    assert inspected(tmp_path, content).get("encryption") == encryption
    assert encryption is None or shipped().puids.disallowing(frozenset({f"encrypted{encryption.title()}"}))


@pytest.mark.parametrize("tag", [1, 3, 9, 18])
def test_armour_hides_what_its_packets_say(tmp_path: Path, tag: int) -> None:
    """RFC 9580, sections 5.1, 5.3, 5.7 and 5.13: keys and encrypted data; what is signed alone has the same armour."""
    packet = bytes([0xC0 | tag, 20, 3 if tag == 1 else 4, 9]) + bytes(18)
    text = b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(packet) + b"-----END PGP MESSAGE-----\n"
    assert inspected(tmp_path, text)["encryption"] == "openPgp"
    one_pass = bytes([0xC4, 13, 3, 0, 8, 1]) + bytes(9)
    signed = b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(one_pass) + b"-----END PGP MESSAGE-----\n"
    assert inspected(tmp_path, signed)["encrypted"] is False
