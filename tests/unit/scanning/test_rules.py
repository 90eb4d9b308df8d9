"""Detectors as data: every example holds, and a wrong file is refused with the detector's name."""

import re
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from waybill.core import containers
from waybill.scanning.domain import detection
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import HyperscanGate, StandardGate
from waybill.scanning.domain.detection.models import Confidence, Surroundings
from waybill.scanning.domain.detection.pattern_facts import fewest, first_bytes, has_literal, literals
from waybill.scanning.domain.detection.proof import prove
from waybill.scanning.domain.detection.rules import Detector, Rule, detectors, parse_detectors, ruleset
from waybill.scanning.errors import DetectorError

EXAMPLES = [
    pytest.param(detector.id, example, id=f"{detector.id}-{number}")
    for detector in detectors()
    for number, example in enumerate(detector.examples, start=1)
]

GOOD = """
- id: BADGE
  description: Badge number
  validator: random_token
  mask: "B-{last4}"
  keywords: [badge]
  rules:
    - pattern: 'B-[A-Z]{8}'
      gates: ['B-[A-Z]']
      confidence: HIGH
  examples:
    - {text: "B-QWERTZUI", finds: B-QWERTZUI}
"""


@pytest.mark.parametrize(("detector", "example"), EXAMPLES)
def test_example_of_a_detector(engine: Engine, detector: str, example: dict[str, object]) -> None:
    text = str(example["text"]).encode()
    if regions := example.get("regions"):
        engine = Engine(detectors(), regions=cast("list[str]", regions))
    [known] = (each for each in engine.detectors if each.id == detector)
    columns = Columns.of(text, [known]) if known.columns else None
    found = [match for match in engine.matches(text, columns=columns) if match.detector == detector]
    assert [text[match.start : match.end].decode() for match in found] == (
        [str(example["finds"])] if "finds" in example else []
    )
    for match in found:
        assert match.sample == example.get("sample", False)
        assert match.confidence == Confidence[str(example.get("confidence", match.confidence.name))]


def test_every_detector_of_the_contract_is_there_with_both_kinds_of_examples() -> None:
    known = {detector.id: detector for detector in detectors()}
    assert {"US_SSN", "CREDIT_CARD", "EMAIL", "PHONE", "AWS_ACCESS_KEY_ID", "AWS_SECRET", "GITHUB_TOKEN"} <= set(known)
    assert {"PRIVATE_KEY", "IBAN", "UK_NINO", "UK_NHS", "JWT", "IP", "SLACK_TOKEN", "STRIPE_KEY"} <= set(known)
    for detector in known.values():
        kinds = {"finds" in example for example in detector.examples}
        assert kinds == {True, False}, detector.id


RULES = [
    pytest.param(detector, rule, id=f"{detector.id}-{number}")
    for detector in detectors()
    for number, rule in enumerate(detector.rules, start=1)
    if not (rule.needs_keyword or rule.needs_region)
]


@pytest.mark.parametrize(("detector", "rule"), RULES)
@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_gate_ends_where_the_engine_looks_for_it(detector: Detector, rule: Rule, data: st.DataObject) -> None:
    """`gates.py`: within whatever a rule matches, one of its gates ends in its first `lead` bytes."""
    shape = data.draw(st.from_regex(rule.core))
    first = first_bytes(rule.core.decode())
    assert first is None or all(found[0][0] in first for found in re.finditer(rule.core, shape))
    # What must stand in front is a line end; what may follow is one as well.
    text = b"\n" + shape + b"\n"
    found = rule.pattern.search(text)
    assume(found)
    assert found
    gates = [re.compile(gate.encode()) for gate in rule.gates]
    places = [gate.match(text, at) for gate in gates for at in range(found.end())]
    ends = [place.end() - found.start() for place in places if place]
    value = detector.validator(found[0], Surroundings(b"", b"", keyword=True))
    assert value is None or any(0 < end <= rule.lead for end in ends)


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("ab|c", b"ac"),
        ("x{0,3}y", b"xy"),
        ("(?i)k[b-d]", b"kK"),
        ("(?i:k)b", b"kK"),
        (r"(?=z)\d", b"0123456789"),
        (r"(?:\[|\()?1", b"[(1"),
        ("a{0,3}", None),
        (r"[^a]", bytes(byte for byte in range(256) if byte != 0x61)),
        (r"(?i)[^ab]", None),
        (r"[\D\d]", None),
        (".b", None),
    ],
)
def test_what_a_pattern_can_begin_with(pattern: str, first: bytes | None) -> None:
    assert first_bytes(pattern) == (None if first is None else frozenset(first))


@pytest.mark.parametrize(
    ("pattern", "has"),
    [("[a-c][.x]{2}", False), (r"(?:^|[^0-9.])\d{12}", False), ("[0-9]{3}-", True), (r"(?i)\d(?:ab|c)?", True)],
)
def test_whether_a_byte_stands_in_a_pattern_by_itself(pattern: str, has: bool) -> None:
    assert has_literal(pattern) == has


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (r"\d{3}-?\d{2}", 5),
        (r"(?:\d{9}|\d{3}[ ]\d{2})x", 5),
        (r"[0-4]{2,6}(?:\d[a-z]){0,3}", 2),
        (r"(?=\d)\w\D1", 1),
        (r"\d?|[0-9a]", 0),
    ],
)
def test_how_many_digits_a_pattern_has_at_least(pattern: str, count: int) -> None:
    assert fewest(pattern, frozenset(b"0123456789")) == count


@pytest.mark.parametrize(
    ("pattern", "one_of"),
    [
        ("(?i)(?:^|[^A-Z])SSn(?:[^A-Z]|$)", {b"ssn"}),
        ("(?:passw(?:or|d)|pwd|[a-b]x)y", {b"y"}),
        ("(?:passw(?:or|d)|kw)[=:]", {b"passw", b"kw"}),
        ("(?:abc)?d|e{2}", {b"d", b"e"}),
        ("(?:ab){0,2}c[x]d", {b"cxd"}),
        ("(?=zz)(?<!y)[q-r]1", {b"1"}),
        (r"[A-B]\d|c", set()),
        ("", set()),
    ],
)
def test_what_texts_a_pattern_has_one_of(pattern: str, one_of: set[bytes]) -> None:
    assert literals(pattern) == one_of


_GATES = sorted({gate for detector in detectors() for rule in detector.rules for gate in rule.gates})


@given(data=st.data(), gate=st.sampled_from(_GATES))
def test_whatever_a_gate_matches_has_one_of_its_texts(data: st.DataObject, gate: str) -> None:
    shape = data.draw(st.from_regex(gate.encode()))
    words = literals(gate)
    assert not words or any(word in shape.lower() for word in words)


def quantifiers(detector: Detector) -> list[str]:
    return [
        found
        for rule in detector.rules
        for found in re.findall(rb"(?<!\\)[*+](?![^\[]*\])|\{\d+,\}", rule.pattern.pattern)
    ]


@pytest.mark.parametrize("detector", detectors(), ids=lambda detector: detector.id)
def test_every_quantifier_is_bounded(detector: Detector) -> None:
    assert quantifiers(detector) == []


def test_a_detector_is_proved_when_it_is_loaded() -> None:
    prove(Engine(parse_detectors(GOOD)))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (GOOD.replace("finds: B-QWERTZUI", "finds: B-QWERTZUO"), "BADGE: example 1"),
        (GOOD.replace(", finds: B-QWERTZUI", ""), "BADGE: example 1"),
        (GOOD.replace("finds: B-QWERTZUI", "finds: B-QWERTZUI, confidence: LOW"), "BADGE: example 1 is HIGH"),
    ],
    ids=["another value", "a negative that is found", "another confidence"],
)
def test_a_detector_that_breaks_its_examples_is_refused(broken: str, told: str) -> None:
    with pytest.raises(DetectorError, match=told):
        prove(Engine(parse_detectors(broken)))


@pytest.mark.parametrize(
    "broken",
    [
        GOOD.replace("random_token", "no_such_check"),
        GOOD.replace("{8}'", "{8'  ").replace("B-[A-Z]{8", "B-([A-Z]{8"),
        GOOD.replace('  mask: "B-{last4}"\n', ""),
        GOOD.replace("confidence: HIGH", "confidence: SURE"),
        GOOD.replace("gates: ['B-[A-Z]']", "gates: []"),
        "id: BADGE",
        "- [",
    ],
)
def test_a_file_of_another_form_is_refused(broken: str) -> None:
    with pytest.raises(DetectorError):
        parse_detectors(broken)


def _one_of_each_folder() -> list[Path]:
    folders = (Path(str(module.__file__)).parent for module in (detection, containers))
    files = (file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in {".py", ".yaml"})
    return [*{file.parent: file for file in files}.values()]


@pytest.mark.parametrize("changed", _one_of_each_folder(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_another_way_to_read_is_another_set_of_rules(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an object that nobody could read would never be read, since what was found before is copied."""
    before = ruleset.__wrapped__()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path == changed else b""))
    assert ruleset.__wrapped__() != before


_COUNTING = [(detector, rule) for detector in detectors() for rule in detector.rules if rule.digits]


@pytest.mark.parametrize(("detector", "rule"), _COUNTING, ids=[detector.id for detector, _ in _COUNTING])
@given(data=st.data())
def test_no_value_has_fewer_digits_than_its_rule_says(detector: Detector, rule: Rule, data: st.DataObject) -> None:
    value = data.draw(st.from_regex(rule.core, fullmatch=True))
    if detector.validator(value, Surroundings(b"", b"", keyword=True)):
        assert len(re.findall(rb"[0-9]", value)) >= rule.digits > fewest(rule.core.decode(), frozenset(b"0123456789"))


@pytest.mark.parametrize(
    ("keyword", "written"),
    [
        ("führerschein", ["Führerschein", "FÜHRERSCHEIN", "fuhrerschein", "Fuehrerschein", "Fu\u0308hrerschein"]),
        ("rodné číslo", ["Rodné číslo", "RODNÉ ČÍSLO", "rodne_cislo", "rodné-cislo", "rodnéčíslo"]),
        ("fødselsnummer", ["Fødselsnummer", "FODSELSNUMMER", "foedselsnummer"]),
        ("егн", ["ЕГН", "егн", "Егн"]),
        ("תעודת זהות", ["תעודת זהות", "תעודת-זהות"]),
        ("เลขประจำตัวประชาชน", ["เลขประจำตัวประชาชน"]),
    ],
)
def test_a_keyword_is_found_as_people_write_it(keyword: str, written: list[str]) -> None:
    """Unicode Standard Annex 15 (letters in parts), chapter 5.18 (case); DIN 5007-2 (umlauts as two letters)."""
    rules = GOOD.replace("[badge]", f"[{keyword}]").replace(
        "confidence: HIGH", "needs_keyword: true\n      with_keyword: HIGH"
    )
    known = parse_detectors(rules.replace('text: "B-', f'text: "{keyword} B-'))
    engines = Engine(known, HyperscanGate), Engine(known, StandardGate)
    latin = written[0].encode("latin-1", "replace")
    for text in (*(each.encode() for each in written), *(() if b"?" in latin else (latin,))):
        for engine in engines:
            assert [each.value for each in engine.matches(b"1\n" + text + b": B-QWERTZUI")] == [b"B-QWERTZUI"]
    assert not Engine(known).matches(b"driver: B-QWERTZUI")


def test_a_column_has_its_name_in_any_script(engine: Engine) -> None:
    """Known faults, K5: a heading that is not ASCII, of a single column."""
    for heading in ("Rodné číslo", "주민등록번호", "ЕГН", "マイナンバー"):
        assert Columns.of(f"{heading}\n1\n2\n".encode(), engine.detectors) is not None
