"""Headings of delimited text: those that were lost, and what is no heading."""

import io

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
    assert columns.name("US_SSN", columns.rows(row), 0, len(row))


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
    assert not columns.name("US_SSN", columns.rows(b""), 0, 0)


NAMED = [
    pytest.param(detector.id, word[0].decode(), str(example["finds"]), id=detector.id)
    for detector in detectors()
    if detector.keywords and any(rule.needs_keyword for rule in detector.rules)
    for example in detector.examples
    if "finds" in example and not example.get("sample")
    if (word := detector.keywords.search(example["text"].encode()))
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
