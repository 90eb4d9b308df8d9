"""Tables in JSON and in pages: columns that a list or a row of headings names, wherever lines end."""

import io
import json

import pytest

from tests.unit.scanning.conftest import Scan
from waybill.scanning.domain.detection.dumps import Names
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner

SSNS = [f"5362281{number}" for number in range(40, 60)]


def found(scan: Scan, text: str, **options: object) -> list[str]:
    content = text.encode()
    return [
        content[each.byte_offset : each.byte_offset + each.byte_length].decode()
        for each in scan(content, **options).findings
        if each.detector == "US_SSN"
    ]


def tables(names: list[str], rows: list[list[str]]) -> list[object]:
    """pandas, `DataFrame.to_json(orient="split")`; Trino, "Client REST API"; Google Sheets API, "ValueRange"."""
    return [
        {"columns": names, "index": [*range(len(rows))], "data": rows},
        {"columns": [{"name": name, "type": "varchar"} for name in names], "data": rows},
        {"range": "A1:C9", "values": [names, *rows]},
        [names, *rows],
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", range(4), ids=["split", "objects", "values", "list"])
@pytest.mark.parametrize("place", range(3))
def test_a_list_names_the_columns_of_the_lists_behind_it(scan: Scan, form: int, indent: int | None, place: int) -> None:
    """Known faults, K5: a number in the column `invoice` beside a column `ssn` is none."""
    names, notes = ["note", "invoice", "invoice"], iter(range(1000))
    names[place] = "ssn"
    rows = [[ssn if number == place else f'[{next(notes)}], "{ssn}", x' for number in range(3)] for ssn in SSNS]
    assert found(scan, json.dumps(tables(names, rows)[form], indent=indent)) == SSNS


@pytest.mark.parametrize(
    "text",
    [
        '{"columns": ["name", "ssn"], "rows": [["536228145", "x"]]}',
        '{"columns": ["name", "ssn"], "point": [1, 536228145]}',
        '{"columns": ["name", "ssn"], "rows": [{"id": ["x", "536228145"]}]}',
        "<table><tr><th>Invoice</th><th>SSN</th></tr><tr><td>536228145</td><td>x</td></tr></table>",
    ],
)
def test_a_number_in_another_column_is_none(scan: Scan, text: str) -> None:
    assert found(scan, text) == []


@pytest.mark.parametrize("before", ["2026-11-30 INFO result ", '{"id": 1}\n', "\n\n# rows\n"])
def test_a_name_that_stands_near_counts_where_no_columns_are_read(scan: Scan, before: str) -> None:
    """Amazon Macie, "Keyword requirements": a keyword within so many characters; a log line is no JSON text."""
    text = before + '{"columns": ["name", "ssn"], "data": [["x", "536228145"]]}'
    assert found(scan, text) == ["536228145"]


def test_names_hold_on_behind_the_end_of_a_block(scan: Scan) -> None:
    rows = [["x" * 60, ssn] for ssn in SSNS * 20]
    text = json.dumps({"columns": ["note", "ssn"], "data": rows})
    assert found(scan, text, block_bytes=4096) == SSNS * 20


@pytest.mark.parametrize("block_bytes", [500, 1 << 20])
@pytest.mark.parametrize("indent", ["", " "])
@pytest.mark.parametrize(
    ("head", "row"),
    [
        ('["note", "ssn", "invoice"]', "{}"),
        ('{"columns": ["note", "ssn", "invoice"]}', "{}"),
        ('{"columns": [{"name": "note"}, {"name": "ssn"}, {"name": "invoice"}]}\r', '{{"row": {}}}\r'),
        ('{"type": "head", "fields": ["note", "ssn", "invoice"]}', '{{"type": "row", "data": {}, "n": 1}}'),
    ],
)
def test_the_first_line_names_the_columns_of_all_lines(
    scan: Scan, head: str, row: str, indent: str, block_bytes: int
) -> None:
    """JSON Lines, "Examples", "Better than CSV": the names first, and a list for each row."""
    rows = [row.format(json.dumps(["x" * 60, ssn, "536228139"])) for ssn in SSNS * 20]
    text = "\n".join(indent + line for line in (head, *rows))
    assert found(scan, text, block_bytes=block_bytes) == SSNS * 20


@pytest.mark.parametrize(
    "row", ['["536228145", "x"]', '{"point": ["x", "536228145"]}', '{"id": 1, "list": {"of": ["x", "536228145"]}}']
)
def test_other_lists_in_lines_have_no_columns(scan: Scan, row: str) -> None:
    text = '{"columns": ["name", "ssn"]}\n' + '["Ada", "y"]\n' * 40 + row
    assert found(scan, text) == []


def test_names_hold_on_in_the_next_call() -> None:
    """A scan that is gone on with knows which columns are named, and not their names."""
    state = {"listed": {"delimiter": ",", "named": {"US_SSN": [1]}}}
    assert Names.from_state(state).state() == state


@pytest.mark.parametrize("line_end", ["", "\n"])
def test_headings_of_a_page_name_its_cells_in_one_line_too(scan: Scan, line_end: str) -> None:
    """HTML, section 4.9: a page that was made small has a table in one line."""
    head = "<tr><th>Name</th><th>SSN</th></tr>"
    rows = line_end.join(f"<tr><td>{'x' * 30}</td><td>{ssn}</td></tr>" for ssn in SSNS)
    assert found(scan, f"<table>{head}{line_end}{rows}</table>") == SSNS


def test_names_hold_on_around_what_reads_like_a_dump(scan: Scan) -> None:
    """RFC 8259, section 7: no string has a line end, so that what looks like a statement ends no list."""
    text = '{"columns": ["note", "ssn"],\n"data": [\n'
    text += '["x", "536228145"],\nCOPY t (a) FROM stdin;\n[1, 2],\n["y", "536228146"]]}\n'
    assert found(scan, text) == ["536228145", "536228146"]


def test_a_scan_that_is_gone_on_with_takes_no_line_for_the_beginning(engine: Engine) -> None:
    """What is found does not depend on where a scan has stopped: each line here begins as a text in JSON does."""
    line = '{"columns": ["note", "ssn"], "data": [["x", "y"], ["%s", "536228145"]]}\n' % ("z" * 400)
    content = (line * 200).encode()
    scanner = ObjectScanner(engine, b"k", block_bytes=5000)
    whole = scanner.scan(io.BytesIO(b"\n" + content).read)
    report = scanner.scan(io.BytesIO(b"\n" + content).read, stop=lambda: True)
    calls = 0
    while told := report.checkpoint:
        calls += 1
        report = scanner.scan(io.BytesIO((b"\n" + content)[told.offset :]).read, resume=told, stop=lambda: True)
    assert calls > 3
    assert report.counts == whole.counts
