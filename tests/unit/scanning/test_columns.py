"""Headings of delimited text: those that were lost, and what is no heading."""

import io
import json
from dataclasses import replace

import pytest

from tests.unit.scanning.conftest import Scan
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        (b"name,ssn\n", 1),
        (b",ssn\n", 1),
        ("größe;ssn\n".encode(), 1),
        (b"2024\tssn\n", 1),
        (b"share %|ssn|x\n", 1),
        (b"bob's,ssn\n", 1),
        (b"a" * 70 + b",ssn\n", 1),
        (b'"social security","x"\n', 0),
        (b"ssn\n", 0),
        (b"Social security\n", 0),
    ],
)
def test_a_heading_names_its_column(heading: bytes, column: int) -> None:
    columns = Columns.of(heading, detectors())
    assert columns is not None
    row = _before(heading, column)
    assert columns.rows(row).are_named("US_SSN", 0, len(row))


def _before(heading: bytes, column: int) -> bytes:
    delimiter = next((sign for sign in (b",", b"\t", b";", b"|") if sign in heading), b"")
    return (b"x" + delimiter) * column


@pytest.mark.parametrize(
    "line", [b"ssn: 219456789, name: bob\n", b'{"ssn": 1, "x": 2}\n', b"the ssn is 219456789\n", b"x,y\n"]
)
def test_a_record_is_no_heading(line: bytes) -> None:
    columns = Columns.of(line, detectors())
    assert columns is None or not columns.concerns("US_SSN")


def test_a_number_in_another_column_is_none() -> None:
    columns = Columns.of(b"invoice,ssn\n", detectors())
    assert columns is not None
    assert not columns.rows(b"").are_named("US_SSN", 0, 0)


NAMED = [
    pytest.param(detector.id, example["text"].encode()[slice(*span)].decode(), str(example["finds"]), id=detector.id)
    for detector in detectors()
    if detector.keywords and any(rule.needs_keyword for rule in detector.rules)
    for example in detector.examples
    if "finds" in example and not example.get("sample")
    if (span := next(detector.keywords.spans(example["text"].encode(), 0, 1000), None))
]


@pytest.mark.parametrize(("detector", "word", "value"), NAMED)
def test_a_column_names_the_values_of_every_kind_that_needs_a_word(
    scan: Scan, detector: str, word: str, value: str
) -> None:
    # Amazon Macie, "Keyword requirements": of columnar data, a keyword in the name of the column counts.
    for delimiter in [sign for sign in ",;\t|" if sign not in value]:
        rows = (("id", word, "amount"), ("7", value, "12"))
        table = "".join(f"{delimiter.join(row)}\n" for row in rows)
        assert detector in {finding.detector for finding in scan(table.encode()).findings}, delimiter


@pytest.mark.parametrize(
    "text",
    [
        b"import a, token\nimport b\n\nvalue = read(a), hT9pQ2vX7b\n",
        b"from keyring import get, password\nfrom b import c, d\nx, hT9pQ2vX7b\n",
        b"select id, password from users;\n1, hT9pQ2vX7b\n",
        b"const user, secret\nuse(user), hT9pQ2vX7b\n",
        b"Dear all, here is the token\nit goes on and on\nplease see, hT9pQ2vX7b\nBye\n",
    ],
    ids=["python", "python, twice", "sql", "javascript", "letter"],
)
def test_a_statement_or_a_sentence_names_no_columns(engine: Engine, text: bytes) -> None:
    """RFC 4180, section 2.3: a header is that of records, which have fields as it has."""
    columns = Columns.of(text, engine.detectors)
    found = engine.matches(text, columns=columns)
    assert "PASSWORD_COLUMN" not in {match.detector for match in found}


@pytest.mark.parametrize(
    "text",
    [
        b"user,password\nalice,hT9pQ2vX7b\n",
        b"Accounts of 2026\nuser,password\nalice,hT9pQ2vX7b\n",
        b'user,password\n"alice\nof town",hT9pQ2vX7b\n',
        b"user,password,note\nalice,hT9pQ2vX7b\nbob,\ncarol,,x\n",
        b"from,token\nalice,hT9pQ2vX7b\n",
        b"import date,secret\nalice,hT9pQ2vX7b\n",
        b"public key, secret\nalice,hT9pQ2vX7b\n",
    ],
    ids=["plain", "title", "line end in a value", "short row", "from", "import date", "public key"],
)
def test_what_has_rows_below_names_columns(engine: Engine, text: bytes) -> None:
    found = engine.matches(text, columns=Columns.of(text, engine.detectors))
    assert [match.value for match in found if match.detector == "PASSWORD_COLUMN"] == [b"hT9pQ2vX7b"]


DUMP = (
    b"SET client_encoding = 'UTF8';\n\nCOPY public.people (id, name, ssn) FROM stdin;\n"
    b"1\tAda\t219456789\n219456780\tBob\t\\N\n\\.\n\n"
    b'COPY public.accounts (id, "password", note) FROM stdin;\n1\thT9pQ2vX7b\t219456781\n\\.\n'
    b"\nSELECT pg_catalog.setval('a_seq', 219456782, true);\n1\thT9pQ2vX7c\t219456783\n"
)


@pytest.mark.parametrize("block", [64, 200, 1 << 20])
def test_the_rows_of_a_dump_have_the_columns_that_stand_in_their_copy(engine: Engine, block: int) -> None:
    """PostgreSQL documentation, COPY, "Text Format": cells are parted by tabs, and `\\.` ends the rows."""
    report = ObjectScanner(engine, b"k", block_bytes=block).scan(io.BytesIO(DUMP).read)
    places = {DUMP.index(b"219456789"): "US_SSN", DUMP.index(b"hT9pQ2vX7b"): "PASSWORD_COLUMN"}
    assert {each.byte_offset: each.detector for each in report.findings} == places


def test_a_dump_that_is_gone_on_with_has_the_columns_of_the_table_that_it_was_in(engine: Engine) -> None:
    rows = b"".join(b"%d\tAda\t219456789\n" % number for number in range(2000))
    dump = DUMP.replace(b"1\tAda\t219456789\n", rows)
    scanner = ObjectScanner(engine, b"k", block_bytes=5000, cap=100_000)
    report, counts = scanner.scan(io.BytesIO(dump).read, stop=lambda: True), 0
    while report.checkpoint:
        counts += 1
        told = report.checkpoint
        report = scanner.scan(io.BytesIO(dump[told.offset :]).read, resume=told, stop=lambda: True)
    assert counts > 3
    assert report.counts == {"US_SSN": 2000, "PASSWORD_COLUMN": 1}


INSERTS = (
    b"INSERT INTO `users` (`id`, `name`, `password`) VALUES (1,'O''Neil, (Ann','hT9pQ2vX7b'),"
    b"(2,'it\\'s, ','Zk4mW8rN1c');\nINSERT INTO logs (id, word) VALUES (1,'hT9pQ2vX7c');\n"
    b"insert into people (ssn, concat) values\n  (219456789, upper('a, b')),\n  (NULL, '219456780')\n"
    b"on conflict do nothing;\nSELECT f(1, 'hT9pQ2vX7d', 'hT9pQ2vX7e');\n"
)


@pytest.mark.parametrize("block", [300, 1 << 20])
def test_the_rows_of_a_statement_have_the_columns_that_it_names(engine: Engine, block: int) -> None:
    """ISO/IEC 9075-2: a quote in a string stands twice; MySQL, "String Literals": or behind a backslash."""
    report = ObjectScanner(engine, b"k", block_bytes=block).scan(io.BytesIO(INSERTS).read)
    places = {
        INSERTS.index(b"hT9pQ2vX7b"): "PASSWORD_COLUMN",
        INSERTS.index(b"Zk4mW8rN1c"): "PASSWORD_COLUMN",
        INSERTS.index(b"219456789"): "US_SSN",
    }
    assert {each.byte_offset: each.detector for each in report.findings} == places


@pytest.mark.parametrize("block", [30, 61, 1 << 20])
@pytest.mark.parametrize("comment", ["-- Ann's (old)", "/* Ann's, (old; */", "-- ", "/**/", "/* a\n * b's\n **/"])
def test_a_comment_is_no_part_of_a_row(engine: Engine, comment: str, block: int) -> None:
    """ISO/IEC 9075-2, "comment": it stands wherever a blank may, to the end of its line or of its brackets."""
    value = "219456789"
    text = (
        f"INSERT INTO t (id, ssn) {comment}\nVALUES {comment}\n(1, '219456780'), {comment}\n"
        f"(2 - 1/3, {comment}\n{value}) {comment}\n,({comment}\n3,{value});\n"
    ).replace(f"{comment}\nVALUES", "VALUES")
    report = ObjectScanner(engine, b"k", block_bytes=block).scan(io.BytesIO(text.encode()).read)
    places = [text.index("219456780"), text.index(value), text.rindex(value)]
    assert [each.byte_offset for each in report.findings if each.detector == "US_SSN"] == places


def _insert(rows: int) -> bytes:
    """Return a statement with rows whose strings end, and are cut, everywhere."""
    parts = [
        f"({number},'it''s, (\\' {'x' * (number % 23)}','hT9pQ2vX{number}z',NULL)".encode() for number in range(rows)
    ]
    return (
        b"INSERT INTO t (id, note, password, x) VALUES\n"
        + b",\n".join(parts)
        + b";\nSELECT ('a', 'b', 'Zk4mW8rN1c');\n"
    )


@pytest.mark.parametrize("block", [61, 997, 1 << 20])
@pytest.mark.parametrize("joint", [b",\n", b","])
def test_a_statement_that_is_longer_than_a_block_has_its_columns_to_its_end(
    engine: Engine, block: int, joint: bytes
) -> None:
    """ISO/IEC 9075-2, "insert statement": it ends with its last row, wherever a reader has cut it."""
    text = _insert(120).replace(b",\n", joint)
    report = ObjectScanner(engine, b"k", block_bytes=block).scan(io.BytesIO(text).read)
    places = [text.index(b"hT9pQ2vX%dz" % number) for number in range(120)]
    assert [each.byte_offset for each in report.findings if each.detector == "PASSWORD_COLUMN"] == places


def test_a_statement_that_is_gone_on_with_has_its_columns(engine: Engine) -> None:
    text = _insert(2000)
    scanner = ObjectScanner(engine, b"k", block_bytes=5000, cap=100_000)
    report, counts = scanner.scan(io.BytesIO(text).read, stop=lambda: True), 0
    while report.checkpoint:
        counts += 1
        told = replace(report.checkpoint, columns=json.loads(json.dumps(report.checkpoint.columns)))
        report = scanner.scan(io.BytesIO(text[told.offset :]).read, resume=told, stop=lambda: True)
    assert counts > 3
    assert report.counts["PASSWORD_COLUMN"] == 2000


def test_a_string_without_an_end_has_no_columns_behind_its_block(engine: Engine) -> None:
    text = b"INSERT INTO t (password) VALUES ('" + b"x" * 30_000 + b"\nhT9pQ2vX7b\n" * 100
    report = ObjectScanner(engine, b"k", block_bytes=1000).scan(io.BytesIO(text).read)
    assert report.counts["PASSWORD_COLUMN"] == 0


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_a_line_that_ends_the_rows_of_copy_ends_no_others(engine: Engine, block: int) -> None:
    """RFC 4180 knows no sign for the end of its rows; PostgreSQL documentation, COPY, "CSV Format": nor does CSV."""
    text = b"name,ssn\nAda,219456789\n\\.\nBob,219456780\n" + b"Eve,none\n" * 20 + b"Kim,219456781\n"
    report = ObjectScanner(engine, b"k", block_bytes=block).scan(io.BytesIO(text).read)
    assert report.counts == {"US_SSN": 3}


def test_a_quote_is_a_letter_in_the_rows_of_copy(engine: Engine) -> None:
    """PostgreSQL documentation, COPY, "Text Format": nothing but the backslash is special."""
    text = b'COPY t (size, ssn, x) FROM stdin;\n5" disk\t219456789\t1\n"\t219456780\t2\nx\t219456781\t"\n\\.\n'
    report = ObjectScanner(engine, b"k").scan(io.BytesIO(text).read)
    assert [each.byte_offset for each in report.findings] == [text.index(b"21945678%d" % last) for last in (9, 0, 1)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"COPY t (a, ssn) FROM stdin;\n%41\t219%2D45%2D6789\n\\.\n", b"219%2D45%2D6789"),
        (b"%41%42\nCOPY t (a, ssn) FROM stdin;\n%41\t219%2D45%2D6789\n\\.\n", b"219%2D45%2D6789"),
        (b"INSERT INTO t (a, password) VALUES ('x', 'hT9pQ%32vX7b');\n", b"hT9pQ%32vX7b"),
        (b"a,ssn\nx%2Cy,219%2D45%2D6789\n", b"219%2D45%2D6789"),
    ],
)
def test_what_is_encoded_stands_in_the_column_that_it_is_written_in(engine: Engine, text: bytes, value: bytes) -> None:
    """A comma that is encoded parts nothing (RFC 3986, section 2.2: it is data then)."""
    report = ObjectScanner(engine, b"k").scan(io.BytesIO(text).read)
    found = {text[each.byte_offset : each.byte_offset + each.byte_length] for each in report.findings}
    assert value in found


def test_what_is_encoded_behind_the_rows_of_a_table_is_in_none_of_its_columns(engine: Engine) -> None:
    text = b"COPY t (a, ssn) FROM stdin;\nx\ty\n\\.\n" + b"z\t%32%31%39456789\n" * 40
    assert not ObjectScanner(engine, b"k").scan(io.BytesIO(text).read).findings


@pytest.mark.parametrize("block", [300, 1000, 5000])
@pytest.mark.parametrize("label", ["ssn\n", "ssn:\n\n"])
def test_what_a_label_tells_of_is_found_once_wherever_blocks_end(engine: Engine, block: int, label: str) -> None:
    """A value belongs to the block that it starts in: labels before a block tell of values before it as well."""
    text = "".join(f"{label}{219456780 + number}\n{'x' * (number % 97)}\n" for number in range(600)).encode()
    report = ObjectScanner(engine, b"k", block_bytes=block, cap=10_000).scan(io.BytesIO(text).read)
    places = [text.index(b"%d" % (219456780 + number)) for number in range(600)]
    assert [each.byte_offset for each in report.findings if each.detector == "US_SSN"] == places


@pytest.mark.parametrize(
    "statement",
    [
        # Oracle Database, "INSERT": into many tables.
        "INSERT ALL\n INTO users (name, password) VALUES ('a',\n 'P')\n INTO u (name, password) VALUES ('b',\n 'Q')\n",
        # MySQL, "Comments", "REPLACE Statement", "INSERT Statement".
        "INSERT INTO t (name, password) VALUES # c'x (\n('a', 'P'),\n# it's (\n('b', 'Q');\n",
        "INSERT INTO t (name, password) VALUES /*!50000 ('a', 'P'), */\n('b', 'Q');\n",
        "REPLACE INTO t (name, password) VALUES ('a', 'P'),\n('b', 'Q');\n",
        "replace into `d b`.`t y` (`na,me`, `password`) value ('a', 'P'),\n('b', 'Q');\n",
        # PostgreSQL, "Dollar-Quoted String Constants", "String Constants with C-Style Escapes", INSERT.
        "INSERT INTO t (name, password) VALUES ($$it's$$, 'P'),\n($x$b', ($x$, $$Q$$);\n",
        "INSERT INTO t AS x (name, password) OVERRIDING SYSTEM VALUE VALUES (E'it\\'s', E'P'),\n(N'b',N'Q');\n",
        # Transact-SQL, "INSERT"; ISO/IEC 9075-2, "delimited identifier".
        "INSERT [my db].[dbo].[t (y)] ([na,me], [password]) VALUES (N'a', N'P')\n",
        "INSERT INTO t (name, password) OUTPUT inserted.id VALUES ('C:\\', 'P'),\n('b', 'Q');\n",
        "Insert Into \"a b\".\"t(x)\" (\"name\", \"password\")\n-- rows\nValues ('a', 'P'),\n('b', 'Q');\n",
    ],
)
def test_the_dialects_of_sql_name_columns(engine: Engine, statement: str) -> None:
    values = ["hT9pQ2vX7b", "Zk4mW8rN1c"][: 1 + ("Q" in statement.replace("SQL", ""))]
    text = statement.replace("P'", f"{values[0]}'").replace("Q'", f"{values[-1]}'").replace("$Q$", f"${values[-1]}$")
    report = ObjectScanner(engine, b"k").scan(io.BytesIO(text.encode()).read)
    found = [text[each.byte_offset : each.byte_offset + each.byte_length] for each in report.findings]
    assert (found, {*report.counts}) == (values, {"PASSWORD_COLUMN"})
