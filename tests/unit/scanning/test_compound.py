"""What is read of documents of Word 97 to 2003 and of messages of Outlook; the layouts are those of their standards."""

import io
import struct
import zipfile

import pytest

from tests.fakes.contents import compound
from waybill.core.containers.compound import CompoundFile
from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.document_properties import summary_texts
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

SSN = "219-45-6789"
TEXT = f"Dear registry,\rssn {SSN}\r"


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def places(report: Report) -> set[str]:
    return {finding.member for finding in report.findings if finding.detector == "US_SSN"}


def word(*pieces: bytes | str, flags: int = 1 << 9, clx: bytes | None = None, **streams: bytes) -> bytes:
    """A document with other streams besides."""
    return compound(word_streams(*pieces, flags=flags, clx=clx) | streams)


def word_streams(*pieces: bytes | str, flags: int = 1 << 9, clx: bytes | None = None) -> dict[str, bytes]:
    """Its streams, whose text is in `pieces`: Windows-1252, or text in UTF-16 ([MS-DOC] 2.4.1, 2.5, 2.8.35)."""
    start, positions, places, text = 0x400, [0], b"", b""
    for piece in pieces:
        where = start + len(text)
        if isinstance(piece, bytes):
            places += struct.pack("<HLH", 0, where * 2 | 1 << 30, 0)
            positions.append(positions[-1] + len(piece))
            text += piece + bytes(len(piece) % 2)
        else:
            places += struct.pack("<HLH", 0, where, 0)
            positions.append(positions[-1] + len(piece))
            text += piece.encode("utf-16-le")
    table = struct.pack(f"<{len(positions)}L", *positions) + places
    # Formatting comes before the table of pieces (2.9.38, 2.9.209).
    whole = clx if clx is not None else b"\1\3\0abc" + b"\2" + struct.pack("<L", len(table)) + table
    fib = bytearray(start)
    struct.pack_into("<H", fib, 0, 0xA5EC)
    struct.pack_into("<H", fib, 0x0A, flags)
    struct.pack_into("<LL", fib, 0x01A2, 16, len(whole))
    return {"WordDocument": bytes(fib) + text, "1Table": bytes(16) + whole, "\1CompObj": b"\1\0" * 30}


@pytest.mark.parametrize(
    "pieces",
    [
        (TEXT.encode("cp1252"),),
        (TEXT,),
        (b"Dear registry,\r", TEXT, b"\rBye"),
        # Where somebody has typed, a piece ends, also within a value.
        (b"ssn 219-", "45-", b"6789\r"),
    ],
    ids=["one byte", "two bytes", "both", "a value in three pieces"],
)
def test_the_text_of_a_document_is_read_piece_by_piece(engine: Engine, pieces: tuple[bytes | str, ...]) -> None:
    report = scan(engine, word(*pieces))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"text"})


def test_what_is_written_in_the_tables_of_a_document_is_read(engine: Engine) -> None:
    """[MS-DOC] 2.2.4: titles, and names of styles, bookmarks and people, are strings in UTF-16."""
    streams = word_streams("Dear registry")
    streams["1Table"] += struct.pack("<H", len(TEXT)) + TEXT.encode("utf-16-le") + bytes(20)
    report = scan(engine, compound(streams))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"text"})


def with_theme(theme: bytes, *, pairs: int = 183) -> bytes:
    """[MS-DOC] 2.5.1 and 2.5.10: the 182nd pair of a table of 183, as Word has it since 2007, tells of the theme."""
    streams = word_streams("Dear registry")
    document = bytearray(streams["WordDocument"].ljust(0x700, b"\0"))
    place = len(streams["1Table"])
    struct.pack_into("<H", document, 0x98, pairs)
    struct.pack_into("<LL", document, 0x9A + 8 * 181, place, len(theme))
    streams["WordDocument"] = bytes(document)
    return compound(streams | {"1Table": streams["1Table"] + theme})


def package(**parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("[Content_Types].xml", "<Types/>")
        for name, content in parts.items():
            opened.writestr(f"theme/theme/{name}.xml", content)
    return file.getvalue()


def test_the_theme_of_a_document_is_read(engine: Engine) -> None:
    theme = package(themeManager="<a/>", theme1=f'<a:theme name="ssn {SSN}"><a:fonts>ssn {SSN}</a:fonts></a:theme>')
    report = scan(engine, with_theme(theme))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"theme!theme/theme/theme1.xml"})
    # Documents of Word 97 to 2003 have other tables, which end before.
    report = scan(engine, with_theme(theme, pairs=93))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, set())


def test_a_theme_that_cannot_be_read_is_named(engine: Engine) -> None:
    for theme in (package(theme1="<a/>")[:-30], bytes(range(256)) * 4):
        report = scan(engine, with_theme(theme))
        assert report.outcome == Outcome.PARTIAL
        assert {each.member.partition("!")[0] for each in report.unread} == {"theme"}


def test_what_is_no_text_of_a_document_is_named(engine: Engine) -> None:
    report = scan(engine, word(TEXT, Data=b"\x89PNG\r\n\x1a\n" + bytes(90)))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"text"})
    assert [(each.member, each.reason) for each in report.unread] == [("Data", "UNSUPPORTED_TYPE")]


@pytest.mark.parametrize("clx", [b"", b"\2", b"\2\xff\xff\xff\x7f", b"\1\xff\xff", b"\2\4\0\0\0abcd", b"\3"])
def test_a_table_of_pieces_that_is_broken_costs_the_text(engine: Engine, clx: bytes) -> None:
    report = scan(engine, word(TEXT, clx=clx))
    assert ("text", "ARCHIVE_BROKEN") in [(each.member, each.reason) for each in report.unread]
    assert report.outcome != Outcome.COMPLETE


def test_a_document_that_is_embedded_in_another_is_read(engine: Engine) -> None:
    """[MS-DOC] 2.1.3: an object is in a storage of its own, whose streams have the names of any document's."""
    inner = {f"_1/{name}": content for name, content in word_streams(TEXT).items()}
    report = scan(engine, compound(word_streams("Dear registry") | inner))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"text (2)"})


def test_streams_with_the_names_of_a_document_are_read_where_there_is_none(engine: Engine) -> None:
    report = scan(engine, compound({"1Table": f"ssn {SSN}".encode(), "Contents": b"a text"}))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"1Table"})


def test_a_stream_that_breaks_off_costs_itself(engine: Engine) -> None:
    content = bytearray(compound({"First": b"x" * 8192, "Last": f"ssn {SSN}\n".encode() * 500}))
    # The chain of the first stream ends early ([MS-CFB] 2.3: end of chain).
    [first] = [stream for stream in CompoundFile(io.BytesIO(content)).streams if stream.name == "First"]
    struct.pack_into("<L", content, 512 + 4 * first.start, 0xFFFFFFFE)
    report = scan(engine, bytes(content))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"Last"})
    assert [each.member for each in report.unread] == ["First"]


def test_an_encrypted_document_is_not_read(engine: Engine) -> None:
    """[MS-DOC] 2.5.2: fEncrypted."""
    report = scan(engine, word(TEXT, flags=1 << 9 | 1 << 8))
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ENCRYPTED": 1})


def test_a_message_is_read_with_what_is_attached(engine: Engine) -> None:
    """[MS-OXMSG] 2.1.3: the name of a property's stream is its number and its type."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", f"ssn {SSN}\n")
    report = scan(
        engine,
        compound(
            {
                "__properties_version1.0": bytes(range(64)),
                "__substg1.0_0037001F": f"ssn {SSN}".encode("utf-16-le"),
                "__substg1.0_1000001E": f"his ssn is {SSN}".encode(),
                "__substg1.0_8005101F": struct.pack("<L", 24),
                "__substg1.0_8005101F-00000000": f"ssn {SSN}".encode("utf-16-le"),
                "__substg1.0_10130102": f"<p>ssn {SSN}</p>".encode(),
                "__substg1.0_300B0102": bytes(range(16)),
                "__substg1.0_37010102": packed.getvalue(),
            }
        ),
    )
    assert report.outcome == Outcome.COMPLETE
    texts = {"property 0037", "property 1000", "property 8005 (2)", "property 1013"}
    assert places(report) == {*texts, "property 3701!a.csv"}


def summary(code_page: int, *properties: tuple[int, bytes]) -> bytes:
    """A property stream of one set ([MS-OLEPS] 2.21)."""
    entries = [(1, struct.pack("<LHH", 2, code_page, 0)), *properties]
    places, values = b"", b""
    for identifier, value in entries:
        places += struct.pack("<LL", identifier, 8 + 8 * len(entries) + len(values))
        values += value
    whole = struct.pack("<LL", 8 + len(places) + len(values), len(entries)) + places + values
    return struct.pack("<HHL16xL16xL", 0xFFFE, 0, 2, 1, 48) + whole


def string(text: str, encoding: str) -> bytes:
    raw = text.encode(encoding) + b"\0"
    return struct.pack("<LL", 0x1E, len(raw)) + raw


def test_properties_of_a_document_are_read(engine: Engine) -> None:
    content = summary(1252, (2, string(f"ssn {SSN}", "cp1252")))
    report = scan(engine, word("Dear registry", **{"\5SummaryInformation": content}))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"SummaryInformation"})


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (summary(1251, (2, string("Архив", "cp1251"))), ["Архив"]),
        (summary(65001, (2, string("Größe", "utf-8"))), ["Größe"]),
        (summary(99, (2, string("Größe", "latin-1"))), ["Größe"]),
        (summary(1200, (2, struct.pack("<LL", 0x1F, 6) + "Größe\0".encode("utf-16-le"))), ["Größe"]),
        (summary(1252, (13, struct.pack("<LLL1sL1s", 0x101E, 2, 1, b"a", 1, b"b"))), ["a", "b"]),
        (summary(1252, (0, struct.pack("<LLL4s", 1, 2, 4, b"Case"))), ["Case"]),
        (summary(1252, (14, struct.pack("<LL", 3, 5))), []),
    ],
    ids=["code page", "utf-8", "unknown code page", "wide", "list", "name", "number"],
)
def test_texts_of_properties_are_in_their_encoding(content: bytes, texts: list[str]) -> None:
    assert [text.rstrip("\n") for text in summary_texts(content)] == texts


@pytest.mark.parametrize("length", range(0, 96, 5))
def test_a_property_stream_that_is_cut_is_an_error_and_no_other(length: int) -> None:
    content = summary(1252, (2, string("a title", "cp1252")))
    try:
        list(summary_texts(content[:length]))
    except ValueError:
        return
    assert length >= len(content) - 12
