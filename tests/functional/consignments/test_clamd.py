"""clamd over a real socket: its protocol as clamd(8) has it, and Debian's own daemon where it is installed."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import contents
from tests.fakes.checking import Desk, MemoryObjects, results, scanners
from tests.fakes.clamd import DAEMON, running_clamd
from waybill.consignments.adapters.clamd import Clamd
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.engines import AllEngines, ClamEngine, TagEngine, YaraEngine
from waybill.consignments.domain.checks.errors import ScannerUnavailableError
from waybill.consignments.domain.checks.ports import Antivirus
from waybill.consignments.domain.statuses import file_verdicts
from waybill.consignments.domain.tables import shipped as tables
from waybill.consignments.models import CheckedFile
from waybill.core.clock import Clock

VERSION = b"ClamAV 1.4.3/27461/Mon Nov 30 09:27:51 2026\0"
NO_PAUSES = Clock(sleep=lambda _: None)


@contextmanager
def served(answer: Callable[[bytes], bytes]) -> Iterator[Clamd]:
    """Answer as a clamd does: `answer` gets what was streamed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                command = stream.read(9)
                if command == b"zVERSION\0":
                    connection.sendall(VERSION)
                    continue
                if command + stream.read(1) != b"zINSTREAM\0":
                    continue
                received = b""
                while length := struct.unpack("!L", stream.read(4))[0]:
                    received += stream.read(length)
                connection.sendall(answer(received))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Clamd(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        listener.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 4000)
    return path


def test_the_whole_file_is_streamed_and_the_answer_read(file: Path) -> None:
    seen: list[bytes] = []

    def answer(content: bytes) -> bytes:
        seen.append(content)
        return b"stream: Win.Test.EICAR_HDB-1 FOUND\0"

    with served(answer) as clamd:
        assert clamd.version() == ("1.4.3", "27461")
        assert clamd.scan(file, 10).found == "Win.Test.EICAR_HDB-1"
    assert seen == [file.read_bytes()]


@pytest.mark.parametrize("reply", [b"stream: Can't allocate memory ERROR\0", b"", b"stream: OK", b"OK\0"])
def test_what_is_no_verdict_is_never_a_clean_one(file: Path, reply: bytes) -> None:
    with served(lambda _: reply) as clamd, pytest.raises(ScannerUnavailableError):
        clamd.scan(file, 10)


def test_a_clamd_that_is_not_there_is_told_so(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ScannerUnavailableError):
        Clamd(f"tcp://127.0.0.1:{port}").scan(file, 1)


def test_a_stream_without_tls_is_refused(file: Path) -> None:
    with served(lambda _: b"stream: OK\0") as clamd, pytest.raises(ScannerUnavailableError):
        Clamd(f"tls://127.0.0.1:{clamd._port}").scan(file, 1)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannerProcess]:
    with scanners(tmp_path_factory.mktemp("scanners")) as made:
        yield made


def judged(
    process: ScannerProcess, folder: Path, engine: Antivirus, content: bytes, **more: int
) -> tuple[str, str, str]:
    """Return value, rule and detail of `Antivirus` of a file with this content."""
    desk = Desk(folder, process, MemoryObjects({"a.txt": content}), antivirus=engine, **more)
    [line] = desk.check()
    [verdict] = [each for each in file_verdicts(CheckedFile(line), None, tables()) if each.name == "Antivirus"]
    assert results(line)["checksum"] is not None
    return verdict.value, verdict.rule, verdict.detail


def clam(clamd: Clamd) -> ClamEngine:
    return ClamEngine(clamd, lambda: 60.0, NO_PAUSES)


@pytest.mark.parametrize(
    ("reply", "value", "detail"),
    [
        (b"stream: OK\0", "Success", "ClamAV 1.4.3 27461"),
        (b"stream: Eicar-Test-Signature FOUND\0", "VirusDetected", "Eicar-Test-Signature by ClamAV 1.4.3 27461"),
        (b"INSTREAM size limit exceeded. ERROR\0", "NotScannedInside", "the file itself: TOO_LARGE"),
        # clamd.conf(5), AlertExceedsMax and AlertEncrypted: nothing was found, and not all was looked at.
        (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", "NotScannedInside", "the file itself: TOTAL_BYTES"),
        (b"stream: Heuristics.Encrypted.Zip FOUND\0", "NotScannedInside", "the file itself: ENCRYPTED"),
        (b"stream: Internal error ERROR\0", "Failed", "clamd gave no verdict."),
    ],
)
def test_what_clamd_says_is_the_verdict(
    process: ScannerProcess, tmp_path: Path, reply: bytes, value: str, detail: str
) -> None:
    with served(lambda _: reply) as clamd:
        found = judged(process, tmp_path, clam(clamd), b"Minutes")
    assert (found[0], found[2]) == (value, detail)


def test_an_object_that_is_not_kept_is_not_called_clean(process: ScannerProcess, tmp_path: Path) -> None:
    with served(lambda _: b"stream: OK\0") as clamd:
        found = judged(process, tmp_path, clam(clamd), b"Minutes " * 1000, large_bytes=100)
    assert found[0] == "NotScannedInside"


class Tags:
    """An object's tags."""

    def __init__(self, value: str) -> None:
        self._value = value

    def tags(self, _record: object, _version: object) -> dict[str, str]:
        return {"GuardDutyMalwareScanStatus": self._value}


@pytest.mark.parametrize(
    ("content", "reply", "tag", "value"),
    [
        (b"Minutes", b"stream: OK\0", "NO_THREATS_FOUND", "Success"),
        (contents.eicar(), b"stream: OK\0", "NO_THREATS_FOUND", "VirusDetected"),
        (b"Minutes", b"stream: Bad FOUND\0", "NO_THREATS_FOUND", "VirusDetected"),
        (b"Minutes", b"stream: OK\0", "THREATS_FOUND", "VirusDetected"),
        (b"Minutes", b"ERROR\0", "NO_THREATS_FOUND", "Failed"),
        # Malware that one has found is told though another gives no verdict.
        (contents.eicar(), b"ERROR\0", "NO_THREATS_FOUND", "VirusDetected"),
        (b"Minutes", b"INSTREAM size limit exceeded. ERROR\0", "NO_THREATS_FOUND", "NotScannedInside"),
    ],
)
def test_a_file_has_to_pass_all_engines(
    process: ScannerProcess, tmp_path: Path, content: bytes, reply: bytes, tag: str, value: str
) -> None:
    with served(lambda _: reply) as clamd:
        rules = YaraEngine(shipped().yara, shipped().version, demonstration=True)
        every = AllEngines([rules, TagEngine(Tags(tag), lambda: 1.0, lambda: 1, NO_PAUSES), clam(clamd)])
        assert judged(process, tmp_path, every, content)[0] == value


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    """Debian's clamd with one signature of our own."""
    if DAEMON is None:
        pytest.skip("clamd is not installed: apt-get install clamav-daemon")
    with running_clamd(tmp_path_factory.mktemp("clamd")) as address:
        yield Clamd(address)


@pytest.mark.parametrize(
    ("content", "value", "words"),
    [
        (b"Minutes", "Success", "ClamAV"),
        (contents.eicar(), "VirusDetected", "Waybill.Test.EICAR"),
        (contents.zipped({"a.com": contents.eicar()}), "VirusDetected", "Waybill.Test.EICAR"),
        (contents.encrypted_zip("a", b"abc", b"secret"), "NotScannedInside", "ENCRYPTED"),
        (bytes(3 << 20), "NotScannedInside", "TOO_LARGE"),
    ],
    ids=["text", "eicar", "in a zip", "encrypted", "longer than it takes"],
)
def test_debians_clamd(
    process: ScannerProcess, tmp_path: Path, daemon: Clamd, content: bytes, value: str, words: str
) -> None:
    found = judged(process, tmp_path, clam(daemon), content)
    assert found[0] == value
    assert words in found[2]
