"""Passwords under a heading that says so, in every format that has headings; known faults, K5 and K7."""

import io
import json
import sqlite3
from pathlib import Path

import arro3.core
import arro3.io
import fastavro
import pytest

from tests.unit.scanning.test_workbooks import workbook
from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome, Report

# A password as programs make it, one as people do, none, and a placeholder.
ROWS = [("alice", "hT9pQ2vX7b"), ("bob", "letmein"), ("carol", ""), ("dave", "changeme")]


def scan(engine: Engine, content: bytes) -> Report:
    return ObjectScanner(engine, b"key", isolation=ChildProcess()).scan(io.BytesIO(content).read)


def found(report: Report) -> list[tuple[str, str, str]]:
    return [(each.detector, each.confidence, each.cell) for each in report.findings]


def xlsx(heading: str) -> bytes:
    def row(number: int, *texts: str) -> str:
        cells = (
            f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for column, text in zip("AB", texts, strict=False)
        )
        return f'<row r="{number}">{"".join(cells)}</row>'

    title = row(1, "Accounts of 2026")
    return workbook(title + row(2, "user", heading) + "".join(row(at, *each) for at, each in enumerate(ROWS, 3)))


def parquet(heading: str) -> bytes:
    columns = zip(("user", heading), zip(*ROWS, strict=True), strict=True)
    table = {name: arro3.core.Array(list(values), arro3.core.DataType.utf8()) for name, values in columns}
    file = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict(table), file, compression="snappy")
    return file.getvalue()


def avro(heading: str) -> bytes:
    fields = [{"name": name, "type": "string"} for name in ("user", heading)]
    file = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "account", "fields": fields})
    fastavro.writer(file, schema, [{"user": user, heading: password} for user, password in ROWS])
    return file.getvalue()


def sqlite(heading: str, folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "a.db")
    connection.execute(f'CREATE TABLE accounts (user TEXT, "{heading}" TEXT)')
    connection.executemany("INSERT INTO accounts VALUES (?, ?)", ROWS)
    connection.commit()
    connection.close()
    return (folder / "a.db").read_bytes()


@pytest.mark.parametrize("heading", ["password", "db_password", "api_key", "kennwort"])
@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("xlsx", ["People!B3", "People!B4"]),
        ("parquet", ["column {}, row 1, row group 1", "column {}, row 2, row group 1"]),
        ("avro", ["column {}, row 1", "column {}, row 2"]),
        ("sqlite", ["column {}, row 1", "column {}, row 2"]),
        ("csv", ["", ""]),
        ("csv in quotes", ["", ""]),
    ],
)
def test_what_stands_under_such_a_heading_is_found(
    engine: Engine, tmp_path: Path, form: str, cells: list[str], heading: str
) -> None:
    lines = [("user", heading), *ROWS]
    content = {
        "xlsx": lambda: xlsx(heading),
        "parquet": lambda: parquet(heading),
        "avro": lambda: avro(heading),
        "sqlite": lambda: sqlite(heading, tmp_path),
        "csv": lambda: "".join(f"{user},{password}\n" for user, password in lines).encode(),
        "csv in quotes": lambda: "".join(f'"{user}","{password}"\n' for user, password in lines).encode(),
    }[form]()
    report = scan(engine, content)
    places = [cell.format(heading) for cell in cells]
    assert (report.outcome, found(report)) == (
        Outcome.COMPLETE,
        [("PASSWORD_COLUMN", "MEDIUM", places[0]), ("PASSWORD_COLUMN", "LOW", places[1])],
    )


@pytest.mark.parametrize("heading", ["password_hash", "token_type", "next_token", "note"])
@pytest.mark.parametrize("form", [xlsx, parquet, avro])
def test_nothing_is_found_under_another_heading(engine: Engine, form: object, heading: str) -> None:
    assert callable(form)
    assert found(scan(engine, form(heading))) == []


@pytest.mark.parametrize(
    "text",
    [
        "".join(json.dumps({"user": user, "password": password}) + "\n" for user, password in ROWS),
        json.dumps([{"user": user, "password": password} for user, password in ROWS], indent=2),
        json.dumps({user: {"password": {"value": password}} for user, password in ROWS}, indent=2),
        "accounts:\n" + "".join(f"  - user: {user}\n    password: {password}\n" for user, password in ROWS),
    ],
    ids=["NDJSON", "JSON", "JSON, by path", "YAML"],
)
def test_in_records_it_is_what_the_key_is_assigned(engine: Engine, text: str) -> None:
    """Known faults, K6, row 104: a literal of at least eight characters; a word of seven letters is none."""
    assert found(scan(engine, text.encode())) == [("PASSWORD_ASSIGNMENT", "MEDIUM", "")]


@pytest.mark.parametrize("heading", ["AWS_SECRET_ACCESS_KEY", "privateKey", "DB-Passphrase", "Mot de passe"])
def test_a_heading_is_no_value_of_its_own_column(engine: Engine, heading: str) -> None:
    """RFC 4180, section 2.3: the first line may hold names; where tables are joined they come again."""
    table = f"id,{heading},note\n1,,x\n"
    assert found(scan(engine, table.encode() * 2)) == []
