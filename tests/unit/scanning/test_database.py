"""What is read of an SQLite database, and what is named as not read."""

import io
import sqlite3
from pathlib import Path

import pytest

from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

SSN = "219-45-6789"


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def places(report: Report) -> set[str]:
    return {finding.member for finding in report.findings if finding.detector == "US_SSN"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def made(file: Path, script: str) -> bytes:
    connection = sqlite3.connect(file)
    connection.executescript(script)
    connection.close()
    return file.read_bytes()


# "Database File Format": 1.3.13 (text encodings), 2.4 (tables without a row id), 1.5 (b-tree pages of any size).
@pytest.mark.parametrize(
    "script",
    [
        f"CREATE TABLE staff (name TEXT, ssn TEXT); INSERT INTO staff VALUES ('Ada', '{SSN}');",
        f"PRAGMA encoding='UTF-16'; CREATE TABLE staff (name, ssn); INSERT INTO staff VALUES ('Ada', '{SSN}');",
        f"CREATE TABLE staff (ssn TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO staff VALUES ('{SSN}');",
        f"CREATE TABLE staff (ssn BLOB); INSERT INTO staff VALUES (CAST('{SSN}' AS BLOB));",
        f"CREATE TABLE staff (note); INSERT INTO staff VALUES (printf('%.*c', 9000, 'x') || ' ssn {SSN}');",
    ],
    ids=["text", "utf-16", "without row id", "text as blob", "overflow page"],
)
def test_a_value_is_found_in_its_table(engine: Engine, file: Path, script: str) -> None:
    report = scan(engine, made(file, script))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"staff"})


def test_the_name_of_the_column_is_a_heading(engine: Engine, file: Path) -> None:
    # Digits alone are a number like any other: that they are one of social security is what the heading says.
    content = made(file, "CREATE TABLE staff (id, ssn); INSERT INTO staff VALUES (1, '219456789');")
    assert places(scan(engine, content)) == {"staff"}


def test_a_table_for_full_text_search_is_read_by_the_tables_behind_it(engine: Engine, file: Path) -> None:
    """ "SQLite FTS5 Extension", section 9.1."""
    content = made(file, f"CREATE VIRTUAL TABLE mail USING fts5(body); INSERT INTO mail VALUES ('ssn {SSN}');")
    assert places(scan(engine, content)) == {"mail_content"}


def test_defaults_of_the_schema_are_read(engine: Engine, file: Path) -> None:
    assert places(scan(engine, made(file, f"CREATE TABLE staff (ssn TEXT DEFAULT '{SSN}');"))) == {"schema"}


def test_values_that_are_no_text_are_told_of(engine: Engine, file: Path) -> None:
    script = f"CREATE TABLE staff (ssn, photo); INSERT INTO staff VALUES ('{SSN}', x'89504e470d0a1a0aff');"
    report = scan(engine, made(file, script))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"staff"})
    assert [(each.member, each.reason) for each in report.unread] == [("staff BLOBs", "UNSUPPORTED_TYPE")]


def test_a_name_is_nothing_but_a_name(engine: Engine, file: Path) -> None:
    name = 'a"; DROP TABLE b; --'
    quoted = name.replace('"', '""')
    script = f"CREATE TABLE b (x); INSERT INTO b VALUES ('ssn {SSN}'); CREATE TABLE \"{quoted}\" (x);"
    report = scan(engine, made(file, script))
    assert (report.outcome, places(report)) == (Outcome.COMPLETE, {"b"})


def test_a_damaged_table_costs_itself(engine: Engine, file: Path) -> None:
    rows = ", ".join(f"('{number} {'x' * 200}')" for number in range(400))
    script = f"CREATE TABLE first (ssn); INSERT INTO first VALUES ('{SSN}'); CREATE TABLE hurt (x);"
    script += f"INSERT INTO hurt VALUES {rows}; CREATE TABLE last (ssn); INSERT INTO last VALUES ('{SSN}');"
    content = bytearray(made(file, script))
    # A leaf in the middle of the damaged table becomes a page of no kind ("Database File Format", 1.6).
    middle = content.index(b"200 xxxx") // 4096 * 4096
    content[middle : middle + 100] = b"\xff" * 100
    report = scan(engine, bytes(content))
    assert (report.outcome, places(report)) == (Outcome.PARTIAL, {"first", "last"})
    assert [(each.member, each.reason) for each in report.unread] == [("hurt", "ARCHIVE_BROKEN")]


def test_a_file_that_is_no_database_behind_its_mark_is_broken(engine: Engine) -> None:
    report = scan(engine, b"SQLite format 3\0" + b"\xff" * 5000)
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ARCHIVE_BROKEN": 1})


def test_what_the_database_computes_takes_no_more_than_the_child_may_have(engine: Engine, file: Path) -> None:
    script = "CREATE TABLE a (x, y AS (zeroblob(500000000))); INSERT INTO a (x) VALUES (1);"
    report = scan(engine, made(file, script))
    assert report.outcome == Outcome.PARTIAL
    assert set(report.reasons) <= {"ARCHIVE_BROKEN", "MEMORY"}
