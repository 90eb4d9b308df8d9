"""Objects that are larger than the disk: the whole stream is hashed and scanned, and windows of it identified."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import contents
from tests.fakes.checking import HOSTILE, Desk, MemoryObjects, record, results, scanners
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks import blocks, spool, stream
from waybill.consignments.domain.checks import contents as contents_module
from waybill.consignments.domain.checks.engines import YaraEngine
from waybill.consignments.domain.checks.rule_set import RuleSet, RuleSource, build
from waybill.consignments.domain.checks.spool import Windows

SIZE, OVERLAP, WINDOW = 10_000, 100, 4_000
NEEDLE = b"a needle of some length"


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return build([RuleSource("needle.yar", f'rule needle {{ strings: $a = "{NEEDLE.decode()}" condition: $a }}')], {})[
        0
    ]


@pytest.fixture(scope="module")
def process(rules: RuleSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners"), rules, HOSTILE) as made:
        yield made


@pytest.fixture
def desk(process: ScannerProcess, rules: RuleSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Everything over 1,000 bytes is large, and blocks and windows are small."""
    monkeypatch.setattr(stream, "Blocks", lambda: blocks.Blocks(SIZE, OVERLAP))
    monkeypatch.setattr(stream, "Windows", lambda: spool.Windows(WINDOW))
    engine = YaraEngine(rules.yara, rules.version)
    return Desk(tmp_path, process, MemoryObjects({}, step=777), large_bytes=1_000, antivirus=engine)


@pytest.mark.parametrize("listed", [30_000, 10, None], ids=["as it is", "too small", "unknown"])
@pytest.mark.parametrize("place", [0, 5_000, SIZE - 10, SIZE - OVERLAP - 5, 19_890, 29_000])
def test_malware_is_found_wherever_a_block_is_cut(desk: Desk, place: int, listed: int | None) -> None:
    content = bytearray(30_000)
    content[place : place + len(NEEDLE)] = NEEDLE
    desk.objects.contents["large.bin"] = bytes(content)
    [line] = desk.check([record("large.bin", objectSize=listed)])
    found = results(line)
    assert (found["antivirus"]["result"], found["antivirus"]["partial"]) == ("needle", True)
    assert found["checksum"]["sha256Checksum"] == hashlib.sha256(content).hexdigest()
    assert found["fileFormat"]["partial"] is True
    assert line["reading"]["how"] == "stream"
    # What was listed too small is opened again, and read once all the same.
    assert sum(opened.place for opened in desk.objects.opened) == len(content)
    assert list((desk.folder / "files").iterdir()) == []


def test_a_clean_stream_is_clean(desk: Desk) -> None:
    desk.objects.contents["large.bin"] = b"hay" * 20_000
    [line] = desk.check()
    assert results(line)["antivirus"]["result"] == ""


def test_a_file_that_fits_is_kept_whole(desk: Desk) -> None:
    desk.objects.contents["small.bin"] = bytes(1_000)
    [line] = desk.check()
    assert (line["reading"]["how"], results(line)["antivirus"]["partial"]) == ("whole", False)


def test_a_scan_that_fails_leaves_the_checksum(desk: Desk) -> None:
    content = b"crash-scan " + b"x" * 30_000
    desk.objects.contents |= {"large.bin": content, "small.txt": NEEDLE}
    large, small = desk.check()
    assert large["failureReasons"] == {"antivirus": "CRASHED"}
    assert results(large)["checksum"]["sha256Checksum"] == hashlib.sha256(content).hexdigest()
    assert results(small)["antivirus"]["result"] == "needle"


def test_large_archives_and_documents_are_identified_by_their_ends(desk: Desk) -> None:
    stuffing = {f"{number:03}": hashlib.sha256(bytes([number])).digest() * 100 for number in range(40)}
    desk.objects.contents["large.zip"] = contents.zipped(stuffing, 0)
    desk.objects.contents["large.pdf"] = contents.pdf()[:-200] + b"%" * 20_000 + contents.pdf()[-200:]
    archive, document = (results(line)["fileFormat"] for line in desk.check())
    assert archive["matches"][0]["puid"] == "x-fmt/263"
    assert document["matches"][0]["formatName"].startswith("Acrobat PDF")


@pytest.mark.parametrize("size", [0, 1, 3_999, 4_000, 4_001, 8_000, 8_001, 12_000, 12_001, 100_000])
def test_windows_hold_both_ends(tmp_path: Path, size: int) -> None:
    content = bytes(number * 7 % 251 for number in range(size))
    windows = Windows(WINDOW)
    for start in range(0, size, 333):
        windows.feed(content[start : start + 333])
    target = tmp_path / "content"
    windows.write(target)
    kept = target.read_bytes()
    assert kept.startswith(content[:WINDOW])
    assert kept.endswith(content[WINDOW:][-WINDOW:])
    if size <= 2 * WINDOW:
        assert kept == content


def test_the_hole_of_an_archive_is_as_wide_as_what_is_missing(tmp_path: Path) -> None:
    content = b"PK\x03\x04" + bytes(1_000_000) + b"end"
    windows = Windows(WINDOW)
    windows.feed(content)
    windows.write(tmp_path / "content")
    assert (tmp_path / "content").stat().st_size == len(content)


def test_what_the_disk_has_no_room_for_is_streamed_and_its_neighbours_are_as_they_were(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A function has 10 GB of disk at most (AWS Lambda, quotas): one file that is too large for it costs only itself.
    desk.large_bytes = 1 << 30
    monkeypatch.setattr(spool.Workspace, "free_bytes", lambda _: 5_000)
    desk.objects.contents |= {"small.txt": b"small", "large.txt": b"large " * 2_000, "other.txt": b"other"}
    small, large, other = desk.check()
    assert [line["reading"]["how"] for line in (small, large, other)] == ["whole", "stream", "whole"]
    assert all(results(line)["checksum"] and results(line)["antivirus"] for line in (small, large, other))


def test_a_disk_that_is_full_when_it_is_written_to_costs_no_other_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.large_bytes = 1 << 30
    real = contents_module.ContentFetcher._copied

    def copied(self, opened, path):
        if opened.size > 1_000:
            with contents_module._disk_faults():
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, opened, path)

    monkeypatch.setattr(contents_module.ContentFetcher, "_copied", copied)
    desk.objects.contents |= {"small.txt": b"small", "large.txt": b"large " * 2_000}
    small, large = desk.check()
    assert [line["reading"]["how"] for line in (small, large)] == ["whole", "stream"]
    assert results(large)["checksum"]["sha256Checksum"] == hashlib.sha256(b"large " * 2_000).hexdigest()


def test_a_stream_that_finds_no_room_fails_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_self, _chunks):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stream.ObjectStream, "run", run)
    desk.objects.contents |= {"small.txt": b"small", "large.txt": b"large " * 2_000}
    small, large = desk.check()
    assert results(small)["antivirus"] is not None
    assert set(large["failureReasons"].values()) == {"NO_DISK"}
