"""How much work a text causes, counted: each input is of a kind that once took seconds a megabyte."""

import base64
import io
from collections.abc import Callable, Sequence

import phonenumbers
import pypdfium2
import pytest

from waybill.scanning.domain.detection import columns, gates, judging, labels
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.rules import Detector, Rule, detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner
from waybill.scanning.domain.detection.validators import addresses, telephone

CARD = b"4539214712746634"
ROWS = 3000


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], list[None]]:
    """Count the calls of a function of a module or of a method of a class."""

    def counted(owner: object, name: str) -> list[None]:
        calls: list[None] = []
        original = getattr(owner, name)

        def call(*args: object, **options: object) -> object:
            calls.append(None)
            return original(*args, **options)

        monkeypatch.setattr(owner, name, call)
        return calls

    return counted


@pytest.mark.parametrize(
    "lines",
    [
        [b"k%d=" % number + base64.b64encode(b"password: Xk29vTq81z!%d" % number) for number in range(ROWS)],
        [b"%d: " % number + b"card 4539 2147 1274 6634".hex().encode() for number in range(ROWS)],
        [base64.b64encode(base64.b64encode(b"card 4539 2147 1274 6634, %d" % number)) for number in range(ROWS)],
    ],
    ids=["named base64", "hexadecimal digits", "base64 in base64"],
)
def test_what_is_encoded_in_a_block_is_looked_at_once(
    engine: Engine, count: Callable[[object, str], list[None]], lines: Sequence[bytes]
) -> None:
    asked = count(gates.HyperscanGate, "events")
    found = engine.matches(b"\n".join(lines))
    assert len(found) == ROWS
    # The block itself, what is encoded in it, what is encoded in that; in each, signs may be read as well.
    assert len(asked) <= 1 + 2 + 4


def test_what_is_encoded_side_by_side_says_nothing_of_each_other(engine: Engine) -> None:
    lines = [base64.b64encode(b"the social security number is:\n"), base64.b64encode(b"219456789 is what it says")]
    assert [match.detector for match in engine.matches(b"\n".join(lines))] == []
    whole = b"the social security number is:\n219456789 is what it says"
    assert [match.detector for match in engine.matches(base64.b64encode(whole))] == ["US_SSN"]


@pytest.mark.parametrize(
    "text",
    [
        b"    " + CARD + b"\n",
        b"  - " + CARD + b"\n",
        b'      "' + CARD + b'",\n',
        b"    " + CARD + b"\n\n",
    ],
)
def test_the_lines_above_a_value_are_read_once(
    engine: Engine, count: Callable[[object, str], list[None]], text: bytes
) -> None:
    asked = [count(labels, "_indent"), count(labels, "_opens")]
    assert len(engine.matches(b"list:\n" + text * ROWS)) == ROWS
    assert sum(map(len, asked)) <= 12 * ROWS


@pytest.mark.parametrize(
    "row",
    [
        b'"Smith, Bob","219456789"\n',
        b'"Smith, Bob",219456789\n',
        b'a,219456789,"\n',
        b'"a\nb",219456789\n',
        b'"' + b"a," * 400 + b'",219456789\n',
    ],
)
def test_a_row_is_read_once(engine: Engine, monkeypatch: pytest.MonkeyPatch, row: bytes) -> None:
    read: list[int] = []

    class Text(bytes):
        def count(self, sign: object, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
            stop = len(self) if end is None else end
            read.append(stop - start)
            return bytes(self).count(sign, start, stop)  # type: ignore[arg-type]

        def __getitem__(self, key: object) -> object:  # type: ignore[override]
            found = bytes.__getitem__(self, key)  # type: ignore[index]
            if isinstance(found, bytes):
                read.append(len(found))
            return found

    rows = columns.DelimitedRows
    monkeypatch.setattr(columns, "DelimitedRows", lambda text, delimiter: rows(Text(text), delimiter))
    named = Columns.of(b"name,ssn\n", engine.detectors)
    text = b"name,ssn\n" + row * ROWS
    assert len(engine.matches(text, columns=named)) >= ROWS - 1
    assert sum(read) <= 8 * len(text)


def test_a_place_in_a_long_row_is_in_the_same_column_as_in_a_short_one() -> None:
    for line in (b'a,"b,c",d', b'"a,""b",c,d', b"a,b,c", b'"a,b'):
        for filling in (b"", b"x" * 300):
            text = b"head,er\n" + filling + line
            rows = columns.DelimitedRows(text, b",")
            start = text.index(b"\n") + 1
            for at in range(start + len(filling), len(text) + 1):
                before = text[start:at].split(b'"')
                quoted = len(before) % 2 == 0
                # Where no row has begun before, a quote that is open says nothing.
                expected = sum(part.count(b",") for part in before[::2])
                assert rows.column(start, at) == expected, (line, at, quoted)


@pytest.mark.parametrize("text", [b"12 34 56 78 ", b"13 57 91 24 80 ", b"020 7946 0958 ", b"(91)2 34 56 78 "])
def test_a_long_row_of_numbers_is_no_row_of_telephone_numbers(
    count: Callable[[object, str], list[None]], text: bytes
) -> None:
    asked = count(telephone, "_national")
    regional = Engine([each for each in detectors() if each.id == "PHONE"], regions=("GB", "US", "ES", "DE"))
    # Detectors hold their validators: what these call is counted.
    regional.matches((text * (20_000 // len(text)) + b"\n") * 2)
    assert len(asked) <= 40


def test_a_telephone_number_behind_a_day_or_another_one_is_found() -> None:
    regional = Engine([each for each in detectors() if each.id == "PHONE"], regions=("GB",))
    for before in (b"2025-11-02 ", b"2025-11-02 10:20:30 ", b"020 7946 0957 ", b"020 7946 0957 / "):
        found = [match.value for match in regional.matches(before + b"020 7946 0958\n")]
        assert b"020 7946 0958" in found, before


def test_a_secret_that_opens_nothing_is_told_by_the_word_before() -> None:
    from waybill.scanning.domain.detection.validators.passwords import _opens_nothing

    for before in (
        b"next",
        b"next_page_",
        b"csrfmiddleware",
        b"request-verification-",
        b"NextPage",
        b"x Sync",
        b"page upload ",
    ):
        assert _opens_nothing(b"token=x", before) or _opens_nothing(b"Token=x", before), before
    for before in (b"secret ", b"context", b"my", b"", b"CLIENT_"):
        assert not _opens_nothing(b"TOKEN=x", before), before


# What a validator may look at further behind than a line or two, as it is written again and again.
_FAR = [
    pytest.param(text, id=f"{detector.id} {number}")
    for detector in detectors()
    if any(rule.lookahead > judging._NEAR_BEHIND for rule in detector.rules)
    for number, example in enumerate(detector.examples)
    for text in [str(example["text"]).encode() + b"\n"]
    if len(text) < 200
]


@pytest.mark.parametrize("text", [*_FAR, b"data:\n", b"kind: Secret\n", b'"data": {\n', b'"private_key": "-----BEGIN '])
def test_what_is_far_behind_a_value_is_read_for_one_value(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    read, behind = list[int](), judging.Judge._behind

    def counted(judge: judging.Judge, rule: Rule, end: int) -> bytes:
        read.append(len(found := behind(judge, rule, end)))
        return found

    monkeypatch.setattr(judging.Judge, "_behind", counted)
    whole = text * (60_000 // len(text))
    engine.matches(whole)
    # Near ones, of any rule, may look at the same bytes: those of a line or two.
    assert sum(read) <= 3 * len(whole) + judging._NEAR_BEHIND * len(read)
    assert len(read) <= 4 * whole.count(b"\n") + 4 * (len(whole) // len(text))


def test_whether_a_word_is_near_is_not_asked_of_what_no_check_lets_through(
    engine: Engine, count: Callable[[object, str], list[None]]
) -> None:
    asked = count(judging.Judge, "_has_keyword")
    # The check digit of Luhn is wrong (ISO/IEC 7812-1, annex B).
    engine.matches((CARD[:-1] + b"5\n") * ROWS)
    assert asked == []


def test_labels_are_looked_for_where_there_are_words(
    engine: Engine, count: Callable[[object, str], list[None]]
) -> None:
    asked = count(labels.Labels, "stand_above")
    assert len(engine.matches((CARD + b"\n") * ROWS)) == ROWS
    assert len(asked) <= judging._FEW
    del asked[:]
    # A word makes it worth a look for the values that it may be about, and not for those far below.
    rows = 3 * (judging._PART + judging._WORDS_REACH) // len(CARD)
    found = engine.matches(b"card:\n" + (CARD + b"\n") * rows)
    assert len(found) == rows
    assert len(asked) <= judging._FEW + rows // 3


def test_numbers_of_telephones_are_told_without_the_parser_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 60 microseconds for each, and a megabyte may have 70,000."""
    monkeypatch.setattr(phonenumbers, "parse", lambda *_: pytest.fail("it was asked"))
    regional = Engine(
        [each for each in detectors() if each.id == "PHONE"], regions=("GB", "US", "ES", "DE", "AR", "MX")
    )
    for text in (b"020 7946 0958\n", b"+44 20 7946 0958\n", b"00 44 20 7946 0958\n", b"34 912 34 56 78\n"):
        assert len(regional.matches(text * 100)) == 100, text


@pytest.mark.parametrize("wrapped", [0, 64, 76])
def test_what_is_encoded_is_decoded_once_over_the_ends_of_lines_and_pieces(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wrapped: int
) -> None:
    """Each value is found once, where its digits are, and the word that says what it is may stand a line above."""
    numbers = [b"%d" % number for number in range(219456780, 219456780 + 900)]
    plain = b"".join(b"the ssn of %d is %b;" % (index, number) for index, number in enumerate(numbers))
    digits = base64.b64encode(plain)
    text = digits if not wrapped else b"\n".join(digits[at : at + wrapped] for at in range(0, len(digits), wrapped))
    decoded, decode = list[int](), base64.b64decode
    monkeypatch.setattr(base64, "b64decode", lambda given: decoded.append(len(given)) or decode(given))
    found = [match for match in engine.matches(text) if match.detector == "US_SSN"]
    assert [match.value for match in found] == [match.value for match in engine.matches(plain)]
    assert sum(decoded) <= 1.1 * len(digits)
    for match in found:
        begin = plain.index(match.value) // 3 * 4
        assert text[match.start : match.end].replace(b"\n", b"").startswith(digits[begin : begin + 12])


@pytest.mark.parametrize("wrapped", [0, 64, 76])
@pytest.mark.parametrize("word", ["für", "für den Bürger"])
def test_what_is_encoded_beyond_ascii_is_looked_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wrapped: int, word: str
) -> None:
    """RFC 3629: letters of two bytes, which ends of lines cut; each value is found once."""
    plain = "".join(f"ssn {word} {number}: {219456780 + number}; " for number in range(900)).encode()
    digits = base64.b64encode(plain)
    text = digits if not wrapped else b"\n".join(digits[at : at + wrapped] for at in range(0, len(digits), wrapped))
    looked, events = list[int](), gates.HyperscanGate.events
    monkeypatch.setattr(
        gates.HyperscanGate, "events", lambda gate, given: looked.append(len(given)) or events(gate, given)
    )
    found = [match.value for match in engine.matches(text) if match.detector == "US_SSN"]
    assert sum(looked) <= len(text) + 1.1 * len(plain)
    assert found == [b"%d" % (219456780 + number) for number in range(900)]


def test_a_name_of_columns_is_judged_once(engine: Engine, count: Callable[[object, str], list[None]]) -> None:
    asked = count(Detector, "named_by")
    lists = b",".join([b"", b"ssn", b"note", b"id"] * 200)
    rows = [b"COPY t%d (%b) FROM stdin;\n1\t2\n\\.\n" % (number, lists) for number in range(300)]
    rows += [b"INSERT INTO t (a%d, %b) VALUES (1);\n" % (number, lists) for number in range(300)]
    assert ObjectScanner(engine, b"k").scan(io.BytesIO(b"".join(rows)).read).counts == {}
    # A name that nothing is known of is asked about for what has names of its own; no name for every detector.
    assert len(asked) <= 8 * 300


def test_streams_without_an_end_are_not_looked_at_one_by_one(
    engine: Engine, count: Callable[[object, str], list[None]]
) -> None:
    asked = count(pypdfium2.PdfDocument, "__init__")
    report = ObjectScanner(engine, b"k").scan(io.BytesIO(b"%PDF-1.4\n" + b"1 0 obj<<>>stream\n" * 60_000).read)
    assert (asked, report.reasons) == ([], {"ARCHIVE_BROKEN": 1})


@pytest.mark.parametrize(
    "domain", ["müller-bau.de", "пример.test.рф", "straße.de", "bücher.example.xn--abc", "a" * 60 + "ü.de"]
)
def test_a_domain_is_sent_as_the_standard_library_sends_it(domain: str) -> None:
    def sent(encode: Callable[[str], bytes]) -> bytes | None:
        try:
            return encode(domain)
        except UnicodeError:
            return None

    assert sent(addresses._sent) == sent(lambda name: name.encode("idna"))


def test_a_line_that_is_too_short_for_a_value_is_not_looked_at(
    engine: Engine, count: Callable[[object, str], list[None]]
) -> None:
    asked = count(Engine, "_in_piece")
    named = Columns.of(b"name,ssn\n", engine.detectors)
    assert engine.matches(b"name,ssn\n" + b'ssn\n"\nPIN:\n' * ROWS, columns=named) == []
    # The first line has room for one.
    assert len(asked) <= 1
