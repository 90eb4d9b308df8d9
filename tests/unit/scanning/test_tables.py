"""Files of rows and columns, 7z and Zstandard, written by the programs of their formats."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arro3.core
import arro3.io
import fastavro
import py7zr
import pyorc
import pytest
from backports import zstd

from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.parquet_footer import first_rows
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report
from waybill.scanning.domain.detection.tables import Rows

# Digits alone: that they are a number of social security is what the name of the column says.
SSN = "219456789"
LINE = b"ssn 219-45-6789\n"


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def parquet(compression: str = "snappy", value: Any = SSN) -> bytes:
    columns = {"name": arro3.core.Array(["a", "b"], arro3.core.DataType.utf8())}
    columns["ssn"] = arro3.core.Array(["none", value], arro3.core.DataType.utf8())
    file = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict(columns), file, compression=compression)
    return file.getvalue()


def avro(codec: str = "null", value: Any = SSN, kind: Any = "string") -> bytes:
    fields = [{"name": "name", "type": "string"}, {"name": "ssn", "type": kind}]
    schema = fastavro.parse_schema({"type": "record", "name": "person", "fields": fields})
    file = io.BytesIO()
    records = [{"name": "a", "ssn": "none" if kind == "string" else value}, {"name": "b", "ssn": value}]
    fastavro.writer(file, schema, records, codec=codec)
    return file.getvalue()


def orc(compression: pyorc.CompressionKind = pyorc.CompressionKind.ZLIB) -> bytes:
    file = io.BytesIO()
    with pyorc.Writer(file, "struct<name:string,ssn:string>", compression=compression) as writer:
        writer.write(("a", "none"))
        writer.write(("b", SSN))
    return file.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "gzip(6)", "zstd(3)", "lz4", "brotli(3)"])
def test_a_row_of_parquet_has_its_column_and_its_number(engine: Engine, compression: str) -> None:
    report = scan(engine, parquet(compression))
    assert report.outcome == Outcome.COMPLETE
    assert [(each.member, each.cell) for each in report.findings] == [("rows", "column ssn, row 2, row group 1")]


def test_a_row_of_parquet_has_its_group() -> None:
    """Groups of ten rows, as the writer was asked for."""
    column = arro3.core.Array(list(range(25)), arro3.core.DataType.int64())
    file = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict({"a": column}), file, max_row_group_size=10)
    assert first_rows(file) == [1, 11, 21]
    rows = Rows(["a"], [], first_rows(file))
    # The first line has the names.
    assert [rows.place(line, 0) for line in (1, 11, 12)] == [
        "column a",
        "column a, row 10, row group 1",
        "column a, row 11, row group 2",
    ]


def test_a_footer_of_parquet_that_is_damaged_has_no_groups_and_ends_nothing() -> None:
    whole, chance = parquet(), random.Random(1)
    for _ in range(500):
        broken = bytearray(whole)
        for _ in range(3):
            broken[-1 - chance.randrange(400)] = chance.randrange(256)
        assert all(row >= 1 for row in first_rows(io.BytesIO(broken)))


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "snappy", "zstandard", "xz"])
def test_a_record_of_avro_has_its_field_and_its_number(engine: Engine, codec: str) -> None:
    report = scan(engine, avro(codec))
    assert report.outcome == Outcome.COMPLETE
    assert [(each.member, each.cell) for each in report.findings] == [("records", "column ssn, row 2")]


@pytest.mark.parametrize("compression", ["NONE", "ZLIB", "SNAPPY", "LZ4", "ZSTD"])
def test_a_row_of_orc_has_its_column_and_its_number(engine: Engine, compression: str) -> None:
    report = scan(engine, orc(pyorc.CompressionKind[compression]))
    assert report.outcome == Outcome.COMPLETE
    assert [(each.member, each.cell) for each in report.findings] == [("rows", "column ssn, row 2")]


def test_bytes_in_a_column_that_are_no_text_are_named(engine: Engine) -> None:
    report = scan(engine, avro(value=b"\xff\xfe\x00", kind="bytes"))
    assert report.outcome == Outcome.PARTIAL
    assert [tuple(each) for each in report.unread] == [("records BLOBs", "UNSUPPORTED_TYPE")]


def test_an_encrypted_file_of_parquet_is_told_of(engine: Engine) -> None:
    # "Parquet Modular Encryption", section 5.2: the mark of files whose footer is encrypted.
    report = scan(engine, b"PARE" + parquet()[4:-4] + b"PARE")
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ENCRYPTED": 1})


@pytest.mark.parametrize("make", [parquet, avro, orc])
def test_a_damaged_file_costs_itself_alone(engine: Engine, make: Callable[[], bytes]) -> None:
    chance, whole = random.Random(7), make()
    for _ in range(4):
        hurt = bytearray(whole)
        for _ in range(3):
            hurt[chance.randrange(4, len(hurt))] = chance.randrange(256)
        report = scan(engine, bytes(hurt[: chance.randrange(len(hurt) // 2, len(hurt) + 1)]))
        assert report.findings or report.reasons or report.outcome == Outcome.COMPLETE


def seven_zip(folder: Path, **options: Any) -> bytes:
    file = io.BytesIO()
    with py7zr.SevenZipFile(file, "w", **options) as archive:
        archive.writestr(LINE, "a.txt")
        archive.writestr(b"nothing", "b.txt")
        archive.writestr(LINE, "c.txt")
    return file.getvalue()


@pytest.mark.parametrize("method", ["FILTER_LZMA2", "FILTER_LZMA", "FILTER_BZIP2", "FILTER_DEFLATE", "FILTER_ZSTD"])
def test_every_member_of_a_7z_archive_is_read(engine: Engine, tmp_path: Path, method: str) -> None:
    report = scan(engine, seven_zip(tmp_path, filters=[{"id": getattr(py7zr, method)}]))
    assert (report.outcome, [each.member for each in report.findings]) == (Outcome.COMPLETE, ["a.txt", "c.txt"])


def test_an_encrypted_7z_archive_is_told_of(engine: Engine, tmp_path: Path) -> None:
    report = scan(engine, seven_zip(tmp_path, password="secret"))
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ENCRYPTED": 1})


def test_a_cut_7z_archive_is_broken(engine: Engine, tmp_path: Path) -> None:
    report = scan(engine, seven_zip(tmp_path)[:-20])
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ARCHIVE_BROKEN": 1})


def test_frames_of_zstandard_are_read_one_after_the_other(engine: Engine) -> None:
    # RFC 8878, section 3.1.2: frames that are skipped may stand anywhere.
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    report = scan(engine, skipped + zstd.compress(LINE) + skipped + zstd.compress(LINE))
    assert (report.outcome, [each.member for each in report.findings]) == (Outcome.COMPLETE, ["zstd", "zstd"])


@pytest.mark.parametrize(("behind", "reason"), [(b"", "ARCHIVE_TRUNCATED"), (b"x", "TRAILING_DATA")])
def test_what_was_unpacked_of_zstandard_counts(engine: Engine, behind: bytes, reason: str) -> None:
    whole = zstd.compress(LINE * 10_000 + random.Random(1).randbytes(20_000).hex().encode())
    report = scan(engine, whole + behind if behind else whole[:-100])
    assert (report.outcome, dict(report.reasons)) == (Outcome.PARTIAL, {reason: 1})
    # RFC 8878, section 3.1.1.2.4: a block holds 128 KiB at most, and is unpacked as a whole.
    assert report.counts["US_SSN"] == (10_000 if behind else (128 << 10) // len(LINE))


def test_what_a_table_says_of_itself_is_read(engine: Engine) -> None:
    """Apache Parquet, `key_value_metadata`; Apache Avro 1.12, "Object Container Files"; ORC, "User Metadata"."""
    file, column = io.BytesIO(), arro3.core.Array(["a"], arro3.core.DataType.utf8())
    table = arro3.core.Table.from_pydict({"name": column})
    arro3.io.write_parquet(table, file, key_value_metadata={"note": LINE.decode()})
    report = scan(engine, file.getvalue())
    assert (report.outcome, [each.member for each in report.findings]) == (Outcome.COMPLETE, ["metadata"])

    file = io.BytesIO()
    field = {"name": "a", "type": "string", "doc": LINE.decode()}
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": [field]})
    fastavro.writer(file, schema, [{"a": "x"}], metadata={"owner": "alice@corp-mail.org"})
    report = scan(engine, file.getvalue())
    assert (report.outcome, dict(report.counts)) == (Outcome.COMPLETE, {"US_SSN": 1, "EMAIL": 1})

    file = io.BytesIO()
    with pyorc.Writer(file, "struct<name:string>") as writer:
        writer.set_user_metadata(note=LINE)
        writer.write(("a",))
    report = scan(engine, file.getvalue())
    assert (report.outcome, [each.member for each in report.findings]) == (Outcome.COMPLETE, ["metadata"])
