"""Marks: the gate has seen one wherever a statement names columns, and wherever a file is written in text."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waybill.scanning.domain.detection.content_type import has_encoded_file
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.marks import TextMark
from waybill.scanning.domain.detection.rules import Rule, detectors

# PostgreSQL's documentation, "COPY"; the SQL standard's <insert statement>; POSIX.1-2017, `uuencode`.
COPY = re.compile(rb"(?m)^COPY [\w.]+ \([^()\n]+\) FROM stdin;\r?\n")
COPY_END = re.compile(rb"(?m)^\\\.\r?\n")
INSERT = re.compile(rb"(?:INSERT|insert)\s{1,8}(?i:into)\s{1,8}\w+\s{0,8}\(")
PARTS = [
    *("COPY t (id, ssn) FROM stdin;\n", "COPY t (id) FROM stdin;\r\n", "\\.\n", "\\.\r\n", "1\t219456789\n"),
    *("INSERT INTO t (ssn) VALUES ('219-45-6789');\n", "insert into t(ssn) values (1)", "INSERT", " into ", "insert "),
    *(
        "begin 644 a.txt\n",
        "begin-base64 0644 a\n",
        "M" + "!" * 60 + "\n",
        "#0V%T\n`\nend\n",
        "begin",
        "\n",
        " ",
        "x" * 70,
    ),
]
texts = st.lists(st.sampled_from(PARTS), max_size=10).map(lambda parts: "".join(parts).encode())
FAR = {rule.core: rule for detector in detectors() for rule in detector.rules if rule.lookahead > 512}.values()
WORDS = st.sampled_from(
    [str(example["text"]) for detector in detectors() for example in detector.examples]
    + ["data:\n", "xdata:\n", "data: \r\n", "kind: Secret", "unkind: Secret", "\n", " ", "-", "A", "1"]
)


@settings(max_examples=150, deadline=None)
@given(text=texts)
@example(text=b"insert into t (ssn) values ('219-45-6789')")
@example(text=b"begin 644 a.txt\n" + b"M" + b"!" * 60 + b"\n")
def test_whatever_says_how_to_read_a_text_has_its_mark(engine: Engine, plain_engine: Engine, text: bytes) -> None:
    for each in (engine, plain_engine):
        marks = each.seen(text).marks
        assert TextMark.COPY in marks or not COPY.search(text)
        assert TextMark.COPY_END in marks or not COPY_END.search(text)
        # In small letters the statement names columns where it is written with one blank.
        named = INSERT.search(text)
        assert TextMark.INSERT in marks or not named or (named[0].islower() and b"insert into " not in text)
        assert TextMark.ENCODED_FILE in marks or not has_encoded_file(text)


def test_a_text_without_any_has_no_mark(engine: Engine) -> None:
    assert engine.seen(b"the beginning 644\nplease insert it FROM stdin\n").marks == TextMark.NONE


@pytest.mark.parametrize("rule", FAR, ids=lambda rule: rule.core[:40].decode())
@settings(max_examples=20, deadline=None)
@given(parts=st.lists(WORDS, max_size=8))
def test_the_next_value_of_a_shape_begins_where_its_pattern_matches(rule: Rule, parts: list[str]) -> None:
    text = "".join(parts).encode()
    found = rule.pattern.search(text)
    assert rule.first_in(text) == (found.start() if found else len(text))
