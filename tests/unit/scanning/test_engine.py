"""The engine: gates decide the speed, never the result; time is linear; edges hide nothing."""

import base64
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scanning.corpus import log_text
from waybill.scanning.domain.detection import gates
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import INDEX_BITS, HyperscanGate, StandardGate
from waybill.scanning.domain.detection.models import Match, Surroundings
from waybill.scanning.domain.detection.pieces import PIECE
from waybill.scanning.domain.detection.proof import prove
from waybill.scanning.domain.detection.rules import detectors

VALUES = [str(example["finds"]) for detector in detectors() for example in detector.examples if "finds" in example]
TEXTS = [str(example["text"]) for detector in detectors() for example in detector.examples]
KEY_ID = b"AKIAQ7RLWKZT4XMNB2PD"
KEYWORDS = ["ssn ", "phone: ", "aws secret ", "nhs ", "iban ", "version ", "tel", "call "]
PUNCTUATION = ["\n", " ", ",", "=", '"', ".", "@", "-", ":", "+", "é", "😀", "0", "a"]

fragments = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(TEXTS),
    st.sampled_from(KEYWORDS),
    st.sampled_from(PUNCTUATION),
    st.sampled_from(VALUES).map(lambda value: base64.b64encode(f"key: {value} is it".encode()).decode()),
    st.text(alphabet="0123456789-. +@:ABCDEFabcdef\n", max_size=40),
    st.integers(min_value=PIECE - 300, max_value=PIECE + 300).map(lambda size: "x" * size),
)
texts = st.lists(fragments, max_size=12).map(lambda parts: "".join(parts).encode())


class OpenGate(StandardGate):
    """A `Gate` that lets everything through: every task, on every line, everywhere on long lines."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._indices = range(len(patterns) + 2)

    def events(self, text: bytes) -> list[int]:
        line_ends = {at + 1 for at, byte in enumerate(text) if byte == 10}
        line_starts = {end + 1 for end in line_ends if end < len(text)}
        places = sorted(line_ends | line_starts | {*range(1, len(text) + 1, 64), len(text)} - {0})
        return [at << INDEX_BITS | index for at in places for index in self._indices]


@pytest.fixture(scope="module")
def open_engine() -> Engine:
    return Engine(detectors(), OpenGate)


@pytest.fixture(scope="module")
def regional() -> tuple[Engine, Engine, Engine]:
    """Engines for numbers of three regions, behind every gate."""
    gates = (HyperscanGate, StandardGate, OpenGate)
    fast, standard, everything = (Engine(detectors(), gate, regions=("GB", "ES", "US")) for gate in gates)
    return fast, standard, everything


@pytest.fixture(scope="module")
def regional_engine(regional: tuple[Engine, Engine, Engine]) -> Engine:
    return regional[0]


def plain(matches: list[Match]) -> list[tuple[object, ...]]:
    return [tuple(match) for match in matches]


@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_every_gate_lets_through_whatever_there_is_to_find(
    engine: Engine, plain_engine: Engine, open_engine: Engine, text: bytes
) -> None:
    everything = plain(open_engine.matches(text))
    assert plain(engine.matches(text)) == everything
    assert plain(plain_engine.matches(text)) == everything


def test_every_gate_lets_through_each_value_in_base64(
    engine: Engine, plain_engine: Engine, open_engine: Engine
) -> None:
    """Each of them: where gates disagree on few, what is drawn above shows it once in many runs."""
    encoded = [base64.b64encode(f"key: {value} is it".encode()) for value in dict.fromkeys(VALUES)]
    wrong = [
        text
        for text in encoded
        if not plain(engine.matches(text)) == plain(plain_engine.matches(text)) == plain(open_engine.matches(text))
    ]
    assert wrong == []


@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_with_regions_too_every_gate_lets_through_whatever_there_is_to_find(
    regional: tuple[Engine, Engine, Engine], text: bytes
) -> None:
    fast, standard, everything = (plain(engine.matches(text)) for engine in regional)
    assert fast == standard == everything


def test_a_number_has_one_normal_form_however_a_region_writes_it(regional: tuple[Engine, ...]) -> None:
    text = b"a 020 7946 0958\nb +44 20 7946 0958\nc tel 02079460958\nd (020) 7946-0958\n"
    assert [match.normal for match in regional[0].matches(text)] == [b"+442079460958"] * 4


@pytest.mark.parametrize(("behind", "found"), [(b"", 1), (b" ", 1), (b"GB69", 0), (b"ephone", 0)])
def test_a_short_keyword_is_a_whole_word_at_the_edge_of_its_distance_too(
    engine: Engine, open_engine: Engine, behind: bytes, found: int
) -> None:
    text = b"86.231.85.193" + b"-" * 27 + b"tel" + behind
    phones = [match for match in engine.matches(text) if match.detector == "PHONE"]
    assert len(phones) == found
    assert plain(engine.matches(text)) == plain(open_engine.matches(text))


def test_all_gates_find_what_was_planted_in_a_log(engine: Engine, plain_engine: Engine) -> None:
    text = log_text(1_500_000)
    found = engine.matches(text)
    assert plain(plain_engine.matches(text)) == plain(found)
    planted = {line.start(1): line[1] for line in re.finditer(rb" value=(.*)", text)}
    assert len(planted) > 150
    assert {match.start: match.value for match in found} == planted


def test_a_decimal_number_is_no_reason_to_look_at_a_line(engine: Engine) -> None:
    # JSON writes 17 digits of a number (RFC 8259, section 6; IEEE 754, 5.12.2), and most JSON has numbers.
    text = b'{"amount": 73.25193847561029, "share": -0.73251938475612}\n' * 100
    assert not engine.pieces(text, 0, len(text), None, engine.gate.events(text))
    for before in (b"", b"pan", b"%20", b"\\n", b"\\u0020", b"\\0", b": "):
        assert [match.value for match in engine.matches(before + b"4539214712746634")] == [b"4539214712746634"], before


def test_a_gate_that_several_rules_share_is_one_pass() -> None:
    asked: list[str] = []

    class Gate(OpenGate):
        def __init__(self, patterns: Sequence[str]) -> None:
            super().__init__(patterns)
            asked.extend(patterns)

    Engine(detectors(), Gate)
    rules = [rule for detector in detectors() for rule in detector.rules]
    assert len(asked) == len(set(asked)) < sum(len(rule.gates) for rule in rules)


# So many bytes each, made by the test that needs them.
_HOSTILE_BYTES = 1 << 17
HOSTILE: dict[str, Callable[[], bytes]] = {
    "base64": lambda: base64.b64encode(random.Random(1).randbytes(_HOSTILE_BYTES * 3 // 4)),
    "a": lambda: b"a" * _HOSTILE_BYTES,
    "digits and spaces": lambda: "".join(random.Random(1).choices("0123456789 ", k=_HOSTILE_BYTES)).encode(),
    "a@": lambda: b"a@" * (_HOSTILE_BYTES // 2),
    "quads of base64": lambda: base64.b64encode(b"hello, this is text. " * (_HOSTILE_BYTES // 28)),
    "colons": lambda: b"1:" * (_HOSTILE_BYTES // 2),
    "dots": lambda: b"1." * (_HOSTILE_BYTES // 2),
    "zeros": lambda: (b"0" * 60 + b" ") * (_HOSTILE_BYTES // 61),
}


@pytest.mark.parametrize("gate", ["engine", "plain_engine", "regional_engine"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(request: pytest.FixtureRequest, gate: str, name: str) -> None:
    whole = HOSTILE[name]()
    engine: Engine = request.getfixturevalue(gate)
    # What else this process does counts too: a quadratic pattern is one each time.
    assert any(_grows_linearly(engine, whole) for _ in range(3))


def _grows_linearly(engine: Engine, whole: bytes) -> bool:
    spent = [_cpu_seconds(engine, whole[: len(whole) // share]) for share in (4, 1)]
    # Four times the text, about four times the time; a quadratic pattern would take sixteen times as long.
    return spent[1] < max(0.1, 9 * spent[0])


def _cpu_seconds(engine: Engine, text: bytes) -> float:
    before = time.process_time()
    engine.matches(text)
    return time.process_time() - before


def test_rules_are_narrowed_to_none_that_would_have_found_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_WORTH_COMPILING", 1)
    # The examples of every detector are found by all their rules, and by those that Hyperscan leaves.
    prove(Engine(detectors(), HyperscanGate))


@pytest.mark.parametrize(
    "text",
    [b"0 ", b"1 ", b"0-", b"0 0 0 0 0 0 0\n", b"1 2 3 4 5 6 7 8 9\n", b"call 0 1 2 3 4 5 6 7 8 9\n", b"(0)1 (2)3 "],
)
def test_single_digits_are_no_numbers_to_judge(text: bytes) -> None:
    judged: list[bytes] = []

    def judge(value: bytes, _: Surroundings) -> None:
        judged.append(value)

    phones = [replace(detector, validator=judge) for detector in detectors() if detector.id == "PHONE"]
    Engine(phones, HyperscanGate, regions=("GB", "US")).matches(text * (20_000 // len(text)))
    assert len(judged) <= 2


@pytest.mark.parametrize("text", [b"10 ", b"00 ", b"12 3 4 5 6 "])
def test_only_what_may_be_a_number_is_parsed(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    parsed: list[str] = []
    monkeypatch.setattr("phonenumbers.parse", lambda number, _: parsed.append(number))
    repeats = 20_000 // len(text)
    Engine(detectors(), HyperscanGate, regions=("GB", "US")).matches(text * repeats)
    assert len(parsed) <= 10


def test_two_on_a_line_and_ten_thousand_in_a_text_are_all_found(engine: Engine) -> None:
    line = b"from 219-45-6789 to 219-45-6780\n"
    assert len(engine.matches(line)) == 2
    assert len(engine.matches(line * 5000)) == 10_000


@pytest.mark.parametrize("at", [0, 1, PIECE - 21, PIECE - 10, PIECE - 1, PIECE, 3 * PIECE - 7])
def test_a_piece_of_a_long_line_hides_nothing_at_its_edge(engine: Engine, at: int) -> None:
    text = b" " * at + KEY_ID + b" " * (4 * PIECE)
    assert [(match.start, match.end) for match in engine.matches(text)] == [(at, at + len(KEY_ID))]


@pytest.mark.parametrize("levels", [1, 2])
def test_a_key_in_base64_is_found_at_the_place_of_its_quads(engine: Engine, levels: int) -> None:
    encoded = b"export KEY=" + KEY_ID + b" # the key of the build"
    for _ in range(levels):
        encoded = base64.b64encode(encoded)
    text = b'{"data": "' + encoded + b'"}'
    [match] = engine.matches(text)
    assert match.decoded_from == ("base64",) * levels
    assert text.index(encoded) < match.start < match.end < text.index(b'"}')
    if levels == 1:
        inner = base64.b64decode(text[match.start : match.end])
        assert KEY_ID in inner
        assert len(inner) <= len(KEY_ID) + 4


@pytest.mark.parametrize("before", range(0, 140, 9))
def test_a_key_goes_over_the_end_of_a_line_of_base64(engine: Engine, before: int) -> None:
    """Base64 wrapped at 76 columns (RFC 2045, section 6.8)."""
    text = b"data:\n" + base64.encodebytes(b"." * before + b" " + KEY_ID + b" is the key of the build" + b"." * 60)
    [match] = engine.matches(text)
    assert match.value == KEY_ID
    place = text[: match.start].count(b"\n") - 1
    assert (match.start - text.rfind(b"\n", 0, match.start) - 1 + 76 * place) // 4 == (before + 1) // 3


@pytest.mark.parametrize("before", [0, 8, 16, 24, 48, 64, 72, 80, 120, 128])
def test_what_is_behind_other_scripts_in_lines_of_base64_is_found(engine: Engine, before: int) -> None:
    """RFC 2045, section 6.8: words in UTF-8 stand in lines too, and an address right behind their letters."""
    plain = "." * before + " post an j\u00fcrgen.miller@firma.de und weiter im Text, der noch lange geht" + "." * 60
    [match] = engine.matches(b"data:\n" + base64.encodebytes(plain.encode()))
    assert match.value.endswith(b"@firma.de")


@pytest.mark.parametrize(
    "before",
    ["Jos\u00e9, ", "a na\u00efve \u00fc ", "\u65e5\u672c\u8a9e ", "\u0416\u0416\u0416\u0416\u0416\u0416\u0416\u0416 "],
)
@pytest.mark.parametrize("line", ["x {} y", "{}", '{{"data": "{}"}}', "k: {}\n"])
def test_what_is_behind_other_scripts_in_a_word_of_base64_is_found(
    engine: Engine, plain_engine: Engine, before: str, line: str
) -> None:
    """RFC 4648, section 4: a word may end soon behind letters that are no ASCII."""
    text = line.format(base64.b64encode(f"{before}219-45-6789".encode()).decode()).encode()
    for each in (engine, plain_engine):
        [match] = each.matches(text)
        assert (match.value, match.decoded_from) == (b"219-45-6789", ("base64",))


def test_words_of_base64_are_read_whatever_stands_beside_them(
    engine: Engine, plain_engine: Engine, open_engine: Engine
) -> None:
    """A word that no gate points at is not read because of another word in its line, nor of a gate that is open."""
    spaced = base64.b64encode("key: 4539\u00a02147\u00a01274\u00a06634 is it".encode())
    for text in (spaced, spaced + b" " + base64.b64encode(b"what is said in plain letters")):
        assert plain(engine.matches(text)) == plain(plain_engine.matches(text)) == plain(open_engine.matches(text))


def test_three_levels_of_base64_are_not_followed(engine: Engine) -> None:
    encoded = KEY_ID + b" is the key id of the build"
    for _ in range(3):
        encoded = base64.b64encode(encoded)
    assert engine.matches(encoded) == []


def test_the_text_form_of_a_match_holds_no_value(engine: Engine) -> None:
    [match] = engine.matches(b"ssn 219-45-6789")
    assert "6789" not in repr(match) + str(match) + f"{match}"


def test_a_column_name_stands_in_for_the_keyword(engine: Engine) -> None:
    text = b'name,"SSN Number",note\nAlice,219456789,"a, b"\n"Smith, Bob",219456780,219456781\n'
    columns = Columns.of(text[: text.index(b"\n") + 1], engine.detectors)
    found = [text[match.start : match.end] for match in engine.matches(text, columns=columns)]
    assert found == [b"219456789", b"219456780"]
    assert engine.matches(text) == []


@settings(max_examples=100, deadline=None)
@given(each=st.lists(texts, min_size=1, max_size=5))
def test_of_texts_that_are_seen_in_one_pass_each_has_the_events_that_it_has_alone(
    engine: Engine, plain_engine: Engine, each: list[bytes]
) -> None:
    for one in (engine, plain_engine):
        together = [set(events) for events in one.events_of_each(each)]
        assert all(set(one.gate.events(text)) <= events for text, events in zip(each, together, strict=True))
        assert all(
            event >> INDEX_BITS <= len(text) for text, events in zip(each, together, strict=True) for event in events
        )
