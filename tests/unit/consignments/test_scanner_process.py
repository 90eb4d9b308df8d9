"""The process of the scanners: what a file does to it stays with that file."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import contents
from tests.fakes.checking import HOSTILE, scanners
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.adapters.scanner_pair import ScannerPair
from waybill.consignments.adapters.scanner_process import MODULE, ScannerProcess
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.models import Examination, Failure, Reason
from waybill.consignments.domain.checks.rule_set import RuleSource, build
from waybill.consignments.domain.checks.scan_answers import ScanAnswer

# Seconds that no file here needs, on a busy machine either.
AMPLE = 90.0
ALL = dict.fromkeys(("identify", "inspect", "scan"), AMPLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scanners")


@pytest.fixture(scope="module")
def real(folder: Path) -> Iterator[ScannerProcess]:
    with scanners(folder) as process:
        yield process


@pytest.fixture
def hostile(folder: Path) -> Iterator[ScannerProcess]:
    with scanners(folder, module=HOSTILE) as process:
        yield process


def ask(process: ScannerProcess, folder: Path, content: bytes, parts: dict[str, float] | None = None) -> dict[str, Any]:
    path = folder / "content.txt"
    path.write_bytes(content)
    return process.examine(Examination(path, parts or ALL, "txt"))


def rules_of(answer: ScanAnswer) -> list[str]:
    return [hit["rule"] for hit in answer["hits"]]


def test_every_part_answers(real: ScannerProcess, folder: Path) -> None:
    said = ask(real, folder, contents.eicar())
    assert rules_of(said["scan"]) == ["eicar"]
    assert said["identify"]["matches"][0]["puid"] == "x-fmt/111"
    assert said["inspect"] == {"encrypted": False, "warnings": [], "text": True, "beginsAsNamed": False}


def test_the_process_imports_no_models() -> None:
    """Pydantic takes longer to import than all parsers, and a function starts two processes before its first file."""
    program = f"import sys, {MODULE}; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert MODULE in imported.split()
    assert "pydantic" not in imported.split()


def test_the_versions_are_known_before_any_file(real: ScannerProcess) -> None:
    said = real.versions()
    assert said["software"] == "Siegfried"
    assert said["softwareVersion"].count(".") == 2
    assert said["binarySignatureFileVersion"].isdigit()
    assert said["containerSignatureFileVersion"].isdigit()


@pytest.mark.parametrize("part", ["identify", "inspect", "scan"])
def test_a_crash_costs_the_one_part_of_the_one_file(hostile: ScannerProcess, folder: Path, part: str) -> None:
    said = ask(hostile, folder, f"crash-{part}".encode())
    assert {name for name, answer in said.items() if isinstance(answer, Failure)} == {part}
    assert said[part].reason is Reason.CRASHED
    assert not any(isinstance(answer, Failure) for answer in ask(hostile, folder, b"good").values())


@pytest.mark.parametrize("part", ["identify", "inspect", "scan"])
def test_a_stall_ends_with_the_time_limit_of_its_part(hostile: ScannerProcess, folder: Path, part: str) -> None:
    said = ask(hostile, folder, f"stall-{part}".encode(), {**ALL, part: -1.5 if part == "scan" else 0.2})
    assert {name for name, answer in said.items() if isinstance(answer, Failure)} == {part}
    assert said[part].reason is Reason.TIME_LIMIT


def test_a_process_that_was_ended_is_gone(hostile: ScannerProcess, folder: Path) -> None:
    hostile.versions()
    before = hostile.pid
    assert before is not None
    ask(hostile, folder, b"stall-identify", {"identify": 0.2})
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_all_parts_may_fail_each_in_its_way(hostile: ScannerProcess, folder: Path) -> None:
    said = ask(hostile, folder, b"crash-identify raise-inspect crash-scan")
    assert {part: answer.reason for part, answer in said.items()} == {
        "identify": Reason.CRASHED,
        "inspect": Reason.UNREADABLE,
        "scan": Reason.CRASHED,
    }


def test_what_a_parser_says_of_a_file_is_not_passed_on(hostile: ScannerProcess, folder: Path) -> None:
    said = ask(hostile, folder, b"raise-inspect")["inspect"]
    assert said == Failure(Reason.UNREADABLE, "The scanner cannot read the file (ValueError).")


def test_a_process_that_ended_between_two_files_is_nobodys_fault(hostile: ScannerProcess, folder: Path) -> None:
    assert rules_of(ask(hostile, folder, b"good")["scan"]) == []
    assert hostile.pid is not None
    os.kill(hostile.pid, signal.SIGKILL)
    os.waitpid(hostile.pid, 0)
    assert rules_of(ask(hostile, folder, contents.eicar())["scan"]) == ["eicar"]


def test_a_process_that_ended_before_it_took_a_file_up_is_nobodys_fault(hostile: ScannerProcess, folder: Path) -> None:
    """As the kernel ends one when memory is short; a stream has no second look that would acquit it."""
    hostile.versions()
    assert hostile.pid is not None
    path = folder / "content.txt"
    path.write_bytes(contents.eicar())
    os.kill(hostile.pid, signal.SIGSTOP)
    hostile.ask(Examination(path, ALL, "txt"))
    os.kill(hostile.pid, signal.SIGKILL)
    said = hostile.answers()
    assert not any(isinstance(answer, Failure) for answer in said.values())
    assert rules_of(said["scan"]) == ["eicar"]


def test_nothing_looks_into_a_bomb(real: ScannerProcess, tmp_path: Path) -> None:
    bomb, document = tmp_path / "bomb.docx", tmp_path / "good.docx"
    bomb.write_bytes(contents.zip_of_declared_size(4_000_000_000, 4_000_000))
    document.write_bytes(contents.docx())
    questions = [Examination(path, ALL, "docx") for path in (bomb, document)]
    for answers in (real.examine_all(questions, AMPLE), [real.examine(question) for question in questions]):
        assert [answer["identify"]["matches"][0]["puid"] for answer in answers] == [None, "fmt/412"]
        assert answers[0]["inspect"]["warnings"] == ["ARCHIVE_OVER_LIMITS"]
        assert rules_of(answers[0]["scan"]) == []
        assert answers[0]["scan"]["unscannedCount"] > 0


def test_a_file_that_unpacks_without_end_takes_no_more_memory_than_the_process_may_have(tmp_path: Path) -> None:
    bomb, document = tmp_path / "bomb.pdf", tmp_path / "good.docx"
    bomb.write_bytes(contents.pdf_that_unpacks_to(300 << 20))
    document.write_bytes(contents.docx())
    process = ScannerProcess(None, (), {}, memory_bytes=400 << 20)
    try:
        parts = {"identify": 60.0, "inspect": 60.0}
        said = [process.examine(Examination(path, parts)) for path in (bomb, document)]
        status = Path(f"/proc/{process.pid}/status")
        if not status.exists():
            pytest.skip("this system does not show a process's memory")
        peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    finally:
        process.close()
    assert said[0]["inspect"]["warnings"] == ["UNREADABLE_PDF"]
    assert [each["identify"]["matches"][0]["puid"] for each in said] == ["fmt/19", "fmt/412"]
    assert peak < 500 * 1024


def test_the_process_has_no_variables_of_ours(
    real: ScannerProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    real.close()
    real.versions()
    variables = Path(f"/proc/{real.pid}/environ")
    if not variables.exists():
        pytest.skip("this system does not show a process's variables")
    assert {line.partition(b"=")[0] for line in variables.read_bytes().split(b"\0") if line} == {b"PYTHONPATH"}


def test_rules_that_yara_cannot_read_are_an_error(folder: Path) -> None:
    bad = folder / "bad.yarc"
    bad.write_bytes(b"no rules at all")
    with pytest.raises(RuleSetInvalidError, match="cannot read the rule set"):
        ScannerProcess(bad, (), {}).versions()


def test_a_process_that_does_not_start_is_an_error_that_may_pass(folder: Path) -> None:
    with pytest.raises(ChecksUnavailableError, match="does not start"):
        ScannerProcess(None, (), {}, "waybill.no_such_module").versions()


def test_excluded_rules_do_not_count(folder: Path) -> None:
    rule = 'rule {} {{ strings: $a = "needle" condition: $a }}'
    sources = [RuleSource("a.yar", rule.format("one")), RuleSource("b.yar", rule.format("one") + rule.format("two"))]
    rules, _ = build(sources, {"a.yar": ["one"], "b.yar": ["two"]})
    with scanners(folder, rules) as process:
        assert rules_of(ask(process, folder, b"a needle", {"scan": 30.0})["scan"]) == ["one"]
    rules, _ = build(sources, {"a.yar": ["one"], "b.yar": ["one"]})
    with scanners(folder, rules) as process:
        assert rules_of(ask(process, folder, b"a needle", {"scan": 30.0})["scan"]) == ["two"]


def test_a_process_that_starts_again_has_the_rules_that_it_had(tmp_path: Path) -> None:
    """Rules of somebody else in the same folder once took their place, and what they do not know was clean."""
    others, _ = build([RuleSource("a.yar", 'rule one { strings: $a = "needle" condition: $a }')], {})
    with scanners(tmp_path) as process, scanners(tmp_path, others) as other:
        for each, content, found in ((process, contents.eicar(), ["eicar"]), (other, b"a needle", ["one"])):
            path = tmp_path / "content.txt"
            path.write_bytes(content)
            for answer in (each.examine, each.examine_afresh):
                assert rules_of(answer(Examination(path, {"scan": AMPLE}, "txt"))["scan"]) == found


def test_files_asked_for_together_have_the_answers_they_have_alone(real: ScannerProcess, tmp_path: Path) -> None:
    questions = []
    for number, content in enumerate((contents.eicar(), b"", contents.pdf(password="x"), contents.docx(), b"PK")):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content)
        questions.append(Examination(path, ALL, "txt"))
    assert real.examine_all(questions, AMPLE) == [real.examine(question) for question in questions]
    assert real.examine_all(questions[:1], AMPLE) == [real.examine(questions[0])]
    assert real.examine_all([], 30.0) == []


@pytest.mark.parametrize("order", [b"crash-identify", b"crash-scan", b"stall-inspect", b"raise-identify"])
def test_one_bad_file_among_many_is_told_from_its_neighbours(
    hostile: ScannerProcess, tmp_path: Path, order: bytes
) -> None:
    questions = []
    for number, content in enumerate((b"good", order, contents.eicar())):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content)
        questions.append(Examination(path, {**ALL, "inspect": 2.0}, "txt"))
    said = hostile.examine_all(questions, 2.0)
    failed = [{part for part, answer in each.items() if isinstance(answer, Failure)} for each in said]
    assert failed == [set(), {order.decode().partition("-")[2]}, set()]
    assert rules_of(said[2]["scan"]) == ["eicar"]


def test_two_processes_answer_as_one_does(real: ScannerProcess, folder: Path, tmp_path: Path) -> None:
    questions = []
    for number, content in enumerate((contents.eicar(), contents.pdf(password="x"), contents.zipped({"a.txt": b"a"}))):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        questions.append(Examination(path, {**ALL, "members": AMPLE}, "zip"))
    pair = ScannerPair(shipped().write(folder), (), {})
    try:
        assert pair.versions() == real.versions()
        assert len(pair.pids) == 2
        for one, other in zip(pair.examine_all(questions, AMPLE), real.examine_all(questions, AMPLE), strict=True):
            assert one == other
        assert pair.examine_all([], AMPLE) == []
        # One that ends costs the other nothing, and is there again.
        first, _ = pair.pids
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert pair.examine(questions[0]) == real.examine(questions[0])
        before = set(pair.pids)
        assert pair.examine_afresh(questions[0]) == real.examine(questions[0])
        assert before.isdisjoint(pair.pids)
        # Blocks of a stream are for the one that scans.
        pair.ask(Examination(questions[0].path, {"scan": AMPLE}, partial=True))
        assert rules_of(pair.answers()["scan"]) == ["eicar"]
    finally:
        pair.close()
