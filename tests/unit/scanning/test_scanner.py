"""Objects from bytes to a report: encodings, places, blocks, archives and their limits, and nothing that leaks."""

import base64
import gzip
import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scanning.conftest import Scan
from waybill.scanning.adapters.items import finding_sort_key
from waybill.scanning.domain.detection.budget import Limits
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import Checkpoint, ObjectScanner, Outcome

SSN = "219-45-6789"
TEXT = f"a 😀 line\nder Schlüssel: {SSN} é\n"


def zipped(members: dict[str, bytes], **options: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes], encoding: str = "utf-8") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    return buffer.getvalue()


def encrypted_zip() -> bytes:
    content = bytearray(zipped({"a.txt": SSN.encode()}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (b"", "latin-1"),
    ],
)
def test_the_byte_range_extracts_the_value_from_the_raw_object(scan: Scan, mark: bytes, encoding: str) -> None:
    raw = mark + TEXT.encode(encoding, "ignore")
    [finding] = scan(raw).findings
    assert raw[finding.byte_offset : finding.byte_offset + finding.byte_length].decode(encoding) == SSN
    assert (finding.line, finding.column) == (2, 16)
    assert finding.masked_match == "XXX-XX-6789"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"\xff\x80 not UTF-8 " + SSN.encode() + b"\n", "latin-1"),
        (b"text\n" * 5000 + b"\xe2\x82 cut " + SSN.encode() + b" \xff\n", "utf-8"),
        (b"\xff\xfe" + f"odd {SSN} ".encode("utf-16-le") + b"\x00", "utf-16-le"),
        (b"\xfe\xff" + b"\xd8\x00" + f" lone surrogate {SSN}".encode("utf-16-be"), "utf-16-be"),
        (b"\xef\xbb\xbf\xff " + SSN.encode(), "utf-8"),
    ],
    ids=["no UTF-8", "broken far behind", "odd UTF-16", "lone surrogate", "broken behind the mark"],
)
def test_a_broken_encoding_hides_no_value_and_moves_none(scan: Scan, raw: bytes, encoding: str) -> None:
    report = scan(raw)
    [finding] = report.findings
    assert raw[finding.byte_offset : finding.byte_offset + finding.byte_length].decode(encoding) == SSN
    assert (report.outcome, report.bytes_scanned) == (Outcome.COMPLETE, len(raw))


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("line_ends", [True, False])
def test_a_value_across_a_block_edge_is_found_once_however_the_bytes_come(
    engine: Engine, step: int, line_ends: bool
) -> None:
    filler = b"x" * 99 + (b"\n" if line_ends else b" ")
    raw = SSN.encode() + b" " + filler * 700 + f" ssn {SSN} ".encode() + filler * 700 + b" " + SSN.encode()
    stream = BytesIO(raw)
    report = ObjectScanner(engine, b"k", block_bytes=70_007).scan(lambda count: stream.read(min(count, step)))
    offsets = [finding.byte_offset for finding in report.findings]
    assert offsets == [at for at in range(len(raw)) if raw.startswith(SSN.encode(), at)]
    assert report.bytes_scanned == len(raw)


@settings(max_examples=30, deadline=None)
@given(size=st.integers(min_value=1, max_value=5000), gap=st.integers(min_value=0, max_value=5000))
def test_block_size_changes_nothing(engine: Engine, size: int, gap: int) -> None:
    raw = (f"{SSN} " + "y" * gap + f"\nAKIAQ7RLWKZT4XMNB2PD {'z' * gap} GB69PMNJ18913943430745\n").encode() * 20
    whole = ObjectScanner(engine, b"k").scan(BytesIO(raw).read)
    cut = ObjectScanner(engine, b"k", block_bytes=size).scan(BytesIO(raw).read)
    assert [(one.detector, one.byte_offset, one.line, one.column) for one in cut.findings] == [
        (one.detector, one.byte_offset, one.line, one.column) for one in whole.findings
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("header", ["", "name;Customer SSN;note\n"], ids=["log", "table"])
def test_a_scan_that_is_stopped_goes_on_where_it_was(engine: Engine, encoding: str, header: str) -> None:
    lines = [f"line {number} é;{'219456789' if header else SSN}\n" for number in range(2000)]
    raw = (header + "".join(lines)).encode(encoding)
    scanner = ObjectScanner(engine, b"k", block_bytes=12_500, cap=100_000)
    whole = scanner.scan(BytesIO(raw).read)
    report, found, scanned = scanner.scan(BytesIO(raw).read, stop=lambda: True), [], 0
    while report.checkpoint:
        assert report.outcome == Outcome.PARTIAL
        found, scanned = found + report.findings, scanned + report.bytes_scanned
        told = json.dumps(asdict(report.checkpoint))
        assert "Customer" not in told
        resume = Checkpoint(**json.loads(told))
        report = scanner.scan(BytesIO(raw[resume.offset :]).read, resume=resume, stop=lambda: True)
    assert found + report.findings == whole.findings
    assert scanned + report.bytes_scanned == len(raw)
    assert report.counts == whole.counts == {"US_SSN": 2000}


def test_what_is_over_the_cap_is_counted_all_the_same(scan: Scan) -> None:
    report = scan(f"{SSN}\n".encode() * 10_000, cap=1000)
    assert (report.counts["US_SSN"], len(report.findings), report.truncated) == (10_000, 1000, True)


def test_findings_left_out_before_a_stop_are_told_behind_it(engine: Engine) -> None:
    scanner = ObjectScanner(engine, b"k", cap=10, block_bytes=50_000)
    raw = f"{SSN}\n".encode() * 20 + b"nothing\n" * 50_000
    first = scanner.scan(BytesIO(raw).read, stop=lambda: True)
    assert first.checkpoint is not None
    rest = scanner.scan(BytesIO(raw[first.checkpoint.offset :]).read, resume=first.checkpoint)
    assert (rest.counts["US_SSN"], rest.findings, rest.truncated) == (20, [], True)


def test_only_the_wanted_detectors_are_reported_and_the_others_still_mask(scan: Scan) -> None:
    report = scan(f"{SSN} for alice@corp-mail.org\n".encode(), only=frozenset({"EMAIL"}))
    [finding] = report.findings
    assert report.counts == {"EMAIL": 1}
    assert finding.context == "XXX-XX-6789 for ****.org".replace("****.org", finding.masked_match)


def test_neighbours_mask_each_other(scan: Scan) -> None:
    report = scan(f"user AKIAQ7RLWKZT4XMNB2PD in the file {SSN} 12345\n".encode())
    for finding in report.findings:
        assert "Q7RLWKZT4XMNB2PD" not in finding.context
        assert "219-45" not in finding.context
        assert "12345" not in finding.context
        assert "in the file" in finding.context


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            [SSN, "AKIAQ7RLWKZT4XMNB2PD", "4539214712746634", "GB69PMNJ18913943430745", "alice.w@corp-mail.org"]
        ),
        min_size=1,
        max_size=12,
    ),
    glue=st.sampled_from([" ", ", ", " x ", "\t", ' "', "|"]),
)
def test_no_finding_shows_a_value(engine: Engine, parts: list[str], glue: str) -> None:
    raw = glue.join(parts).encode()
    encoded = b"config " + base64.b64encode(b"the values " + raw) + b" end\n"
    for finding in ObjectScanner(engine, b"k").scan(BytesIO(raw + b"\n" + encoded).read).findings:
        shown = repr(finding)
        assert not [value for value in parts if value in shown]
        assert not [value for value in parts if value[3:12] in shown]


def test_fingerprints_are_equal_for_equal_values_under_one_key_only(engine: Engine) -> None:
    def fingerprint(text: str, key: bytes) -> str:
        return ObjectScanner(engine, key).scan(BytesIO(text.encode()).read).findings[0].fingerprint

    assert fingerprint("GB69PMNJ18913943430745", b"a") == fingerprint("gb69 PMNJ 1891 3943 4307 45", b"a")
    assert fingerprint("GB69PMNJ18913943430745", b"a") != fingerprint("GB69PMNJ18913943430745", b"b")


@pytest.mark.parametrize(
    ("make", "member"),
    [
        (gzip.compress, "gzip"),
        (lambda text: gzip.compress(text[:5]) + gzip.compress(text[5:]) + b"\0" * 10, "gzip"),
        (lambda text: tarred(("in/a.txt", text)), "in/a.txt"),
        (lambda text: zipped({"in/a.csv": text}), "in/a.csv"),
        (lambda text: gzip.compress(tarred(("b.zip", zipped({"c.txt": text})))), "gzip!b.zip!c.txt"),
        (
            lambda text: zipped(
                {
                    "[Content_Types].xml": b"<x/>",
                    "word/document.xml": b"<w:p><w:t>ssn " + text[:6] + b"</w:t><w:t>" + text[6:] + b"</w:t></w:p>",
                }
            ),
            "word/document.xml",
        ),
        (
            lambda text: zipped(
                {"[Content_Types].xml": b"<x/>", "xl/sharedStrings.xml": b"<si><t>" + text + b"</t></si>"}
            ),
            "xl/sharedStrings.xml",
        ),
    ],
    ids=["gzip", "gzip in parts", "tar", "zip", "zip in tar in gzip", "docx", "xlsx"],
)
def test_what_is_inside_of_archives_is_found(scan: Scan, make: Callable[[bytes], bytes], member: str) -> None:
    raw = make(SSN.encode())
    report = scan(raw)
    [finding] = report.findings
    assert (finding.member, finding.masked_match) == (member, "XXX-XX-6789")
    assert (report.outcome, report.bytes_scanned) == (Outcome.COMPLETE, len(raw))


def test_members_of_one_name_are_told_apart(scan: Scan) -> None:
    text = f"ssn {SSN}".encode()
    inner = zipped({"b": text})
    report = scan(tarred(("a", text), ("a", text), ("a (2)", text), ("z!b", text), ("z", inner), ("a", text)))
    names = [finding.member for finding in report.findings]
    assert names == ["a", "a (2)", "a (2) (2)", "z!b", "z!b (2)", "a (3)"]
    assert len({finding_sort_key("k", "e", finding) for finding in report.findings}) == 6


def test_ten_thousand_members_of_one_name_take_linear_time() -> None:
    # Each looked for from the beginning would be fifty million looks.
    budget = Limits().budget(str)
    assert len({budget.name("a") for _ in range(10_000)}) == 10_000


def test_values_in_the_names_of_members_are_masked_and_their_members_told_apart(scan: Scan) -> None:
    people = ("alice@corp.io", "bob@corp.io")
    inner = zipped({f"in/{person}.txt": SSN.encode() for person in people})
    report = scan(tarred(*[(f"of {person}.txt", SSN.encode()) for person in people], ("x/219-45-6780.zip", inner)))
    inside = "x/XXX-XX-6780.zip!in/****@****.txt"
    names = ["of ****@****.txt", "of ****@****.txt (2)", inside, f"{inside} (2)"]
    assert [finding.member for finding in report.findings] == names


def test_a_value_at_the_limit_of_a_members_name_is_masked_too(scan: Scan) -> None:
    [finding] = scan(tarred(("n/" * 497 + "alice@corp.io", SSN.encode()))).findings
    assert "alice" not in finding.member


@pytest.mark.parametrize("name", ["caf\u00e9.txt", "n" * 70_000])
def test_a_members_name_is_text_that_can_be_stored(scan: Scan, name: str) -> None:
    [finding] = scan(tarred((name, SSN.encode()), encoding="latin-1")).findings
    assert finding.member.startswith(name[:3])
    assert len(finding.member.encode()) < 5000


@pytest.mark.parametrize(
    ("raw", "outcome", "reason"),
    [
        (gzip.compress(f"{SSN}\n".encode() * 3000)[:-30], Outcome.PARTIAL, "ARCHIVE_TRUNCATED"),
        (zipped({"a.txt": b"x" * 900})[:-30], Outcome.PARTIAL, "ARCHIVE_BROKEN"),
        (encrypted_zip(), Outcome.SKIPPED, "ENCRYPTED"),
        (
            zipped({"a.txt": SSN.encode(), "b.png": b"\x89PNG\r\n\x1a\n" + bytes(99)}),
            Outcome.PARTIAL,
            "UNSUPPORTED_TYPE",
        ),
        (b"\x7fELF" + bytes(500), Outcome.SKIPPED, "UNSUPPORTED_TYPE"),
        (bytes(range(256)) * 40, Outcome.SKIPPED, "UNSUPPORTED_TYPE"),
        (gzip.compress(bytes(40 << 20)), Outcome.SKIPPED, "UNSUPPORTED_TYPE"),
        (gzip.compress(b" " * (40 << 20)), Outcome.PARTIAL, "ARCHIVE_RATIO"),
        (zipped({"a.txt": b" " * (40 << 20)}), Outcome.PARTIAL, "ARCHIVE_RATIO"),
        (gzip.compress(zipped({"a.txt": b" " * (40 << 20)})), Outcome.PARTIAL, "ARCHIVE_RATIO"),
    ],
    ids=[
        "cut gzip",
        "broken zip",
        "encrypted",
        "image in a zip",
        "ELF",
        "binary",
        "zeros",
        "bomb",
        "zip",
        "zip in gzip",
    ],
)
def test_what_cannot_be_looked_at_has_its_reason(scan: Scan, raw: bytes, outcome: Outcome, reason: str) -> None:
    report = scan(raw)
    assert (report.outcome, dict(report.reasons)) == (outcome, {reason: 1})


def test_archives_within_archives_end_at_the_limit(scan: Scan) -> None:
    raw = SSN.encode()
    for _ in range(1000):
        raw = zipped({"a": raw})
    report = scan(raw)
    assert (report.outcome, dict(report.reasons)) == (Outcome.SKIPPED, {"ARCHIVE_DEPTH": 1})


def test_the_number_of_members_and_the_unpacked_bytes_are_limited(scan: Scan) -> None:
    many = tarred(*((str(number), b"text") for number in range(20)))
    assert scan(many, limits=Limits(entries=10)).reasons["ARCHIVE_ENTRIES"] >= 1
    assert scan(many, limits=Limits(total_bytes=30)).reasons["ARCHIVE_TOTAL_BYTES"] >= 1


def test_memory_is_bounded_by_the_block_and_not_by_the_object(engine: Engine) -> None:
    line = b"an ordinary line of a log file without anything in it\n" * 20_000
    parts = iter([line] * 100)
    tracemalloc.start()
    report = ObjectScanner(engine, b"k").scan(lambda _count: next(parts, b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (report.bytes_scanned, report.outcome) == (100 * len(line), Outcome.COMPLETE)
    assert report.bytes_scanned > 101 << 20
    assert peak < 12 << 20


def test_an_archive_that_takes_too_long_is_looked_at_in_part_and_at_least_once(engine: Engine) -> None:
    lines = f"{SSN}\n".encode() * 20_000
    for raw in (gzip.compress(lines), zipped({"a.txt": lines, "b.txt": lines})):
        report = ObjectScanner(engine, b"k", block_bytes=50_000).scan(BytesIO(raw).read, stop=lambda: True)
        assert (report.outcome, set(report.reasons), report.checkpoint) == (Outcome.PARTIAL, {"TIME_LIMIT"}, None)
        assert 0 < report.counts["US_SSN"] < 20_000


def test_the_name_says_nothing_and_an_empty_object_is_complete(scan: Scan) -> None:
    assert (scan(b"").outcome, scan(b"").findings) == (Outcome.COMPLETE, [])


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("alice.smith@corp-mail.org,Tr0ub4dor&Xq", ["Tr", "dor"]),
        ('{"user": "bob", "password": "sesame", "ssn": "219-45-6789"}', ["bob", "sesame"]),
        ("219-45-6789;diagnosis HIV positive;Anna Miller", ["HIV", "diagnosis", "Miller"]),
    ],
)
def test_what_stands_beside_a_value_is_not_shown(scan: Scan, line: str, hidden: list[str]) -> None:
    """A password of twelve characters stood in the context with two digits blotted out."""
    for finding in scan(line.encode() + b"\n").findings:
        assert not [word for word in hidden if word in finding.context]
        assert finding.masked_match in finding.context
