"""A scan that is stopped and gone on with finds what one finds that is not, wherever it is stopped."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import Checkpoint, ObjectScanner, Report

PARTS = st.sampled_from(
    [
        *("219-45-6789", "card 4539214712746634", "alice@corp-mail.org", '["Ada","hT9pQ2vX7b",219456789],', "\n"),
        *(
            "password: hT9pQ2vX7b ",
            "x" * 900,
            "\u00e9\u4e2d\U0001f600" * 40,
            "ssn:\n219456789\n",
            "4539=\n214712746634",
        ),
        *(
            "1,Ada,hT9pQ2vX7b\n",
            "c3NuIDIxOS00NS02Nzg5IG9mIGFsaWNl ",
            "219-<b>45</b>-6789 ",
            " " * 300,
            "al\\\nice@x.org ",
        ),
        *("BEGIN:VCARD\nEMAIL:al\n ice@corp-mail.org\n", "INSERT INTO t (id, password) VALUES (1,'hT9pQ2vX7b'),"),
    ]
)
HEADS = st.sampled_from(
    ["", "id,name,password\n", '{"columns": ["name", "password", "ssn"], "data": [', "{\\rtf1 a{\\b b}\\par "]
)


def stopped(scanner: ObjectScanner, raw: bytes, at: int) -> tuple[list[Any], Report]:
    """Return what is found, and the last report, where a scan is stopped once, behind `at` blocks."""
    left = iter([False] * at)
    first = scanner.scan(BytesIO(raw).read, stop=lambda: next(left, True))
    if first.checkpoint is None:
        return first.findings, first
    rest = scanner.scan(BytesIO(raw[first.checkpoint.offset :]).read, resume=first.checkpoint)
    return first.findings + rest.findings, replace(rest, bytes_scanned=first.bytes_scanned + rest.bytes_scanned)


@settings(max_examples=40, deadline=None)
@given(
    head=HEADS,
    parts=st.lists(PARTS, min_size=1, max_size=12),
    times=st.integers(1, 3),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16", "utf-32-be"]),
    size=st.integers(900, 6000),
    at=st.integers(0, 3),
)
def test_a_stop_changes_nothing_wherever_it_is(
    engine: Engine, head: str, parts: list[str], times: int, encoding: str, size: int, at: int
) -> None:
    raw = (head + "".join(parts) * times + " end of the text" * 1100).encode(encoding)
    scanner = ObjectScanner(engine, b"k", block_bytes=size, cap=100_000)
    whole = scanner.scan(BytesIO(raw).read)
    found, last = stopped(scanner, raw, at)
    assert found == whole.findings
    assert (last.counts, last.bytes_scanned) == (whole.counts, whole.bytes_scanned)


def test_a_stop_at_every_place_of_a_long_line_costs_nothing(engine: Engine) -> None:
    """RFC 8259: a table may be one line, whose names and rows stand before the place where a scan goes on."""
    rows = ",".join(f'["Ada{number}", "hT9pQ2vX{number:04}z", 219456789]' for number in range(250))
    raw = f'{{"columns": ["name", "password", "ssn"], "data": [{rows}]}}{" " * 17_000}'.encode()
    missing = list[int]()
    for size in range(1000, 1060):
        scanner = ObjectScanner(engine, b"k", block_bytes=size, cap=100_000)
        found, _ = stopped(scanner, raw, 4)
        if sum(each.detector == "PASSWORD_COLUMN" for each in found) != 250:
            missing.append(size)
    assert missing == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_what_is_told_of_a_stop_has_nothing_of_the_text(engine: Engine, encoding: str) -> None:
    raw = ("name,secretive\n" + "x" * 40_000).encode(encoding)
    told = ObjectScanner(engine, b"k", block_bytes=500).scan(BytesIO(raw).read, stop=lambda: True).checkpoint
    assert isinstance(told, Checkpoint)
    assert "secretive" not in repr(told)
