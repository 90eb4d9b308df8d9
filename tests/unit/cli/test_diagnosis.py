"""What `waybill doctor` says of one thing at a time: what is wrong, and what to do."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from waybill.cli import diagnosis
from waybill.cli.context import Cli
from waybill.cli.local.project import project_stack


def test_another_python_is_named_with_what_to_do() -> None:
    assert diagnosis.python((3, 13, 4)).good
    other = diagnosis.python((3, 12, 9))
    assert (other.good, other.seen) == (False, "3.12.9")
    assert "Python 3.13" in other.todo


def test_a_set_up_that_did_not_get_to_its_end(tmp_path: Path) -> None:
    for tool in ("uv/bin/uv", "ministack/bin/python"):
        (tmp_path / ".local" / tool).parent.mkdir(parents=True)
        (tmp_path / ".local" / tool).touch()
    found = diagnosis.setup(tmp_path)
    assert (found.good, found.seen, found.todo) == (False, "missing: sam", "run scripts/setup")


def test_a_full_disk(tmp_path: Path) -> None:
    assert diagnosis.disk(tmp_path, 10**10).good
    full = diagnosis.disk(tmp_path, 10**9)
    assert (full.good, full.seen.startswith("1.0 GB free")) == (False, True)
    assert "make clean" in full.todo


@pytest.mark.parametrize(("mode", "good"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)])
def test_a_key_is_for_its_owner(tmp_path: Path, mode: int, good: bool) -> None:
    file = tmp_path / "a key.pem"
    assert diagnosis.key(file).good is None
    file.touch()
    file.chmod(mode)
    found = diagnosis.key(file)
    assert (found.good, found.todo) == (good, "" if good else f"chmod 600 '{file}'")


def test_a_port_that_another_program_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = cast("Cli", SimpleNamespace(local_stack=lambda: project_stack(tmp_path, lambda _: None)))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("WAYBILL_PORT", str(port))
        found = diagnosis.port(cli)
        assert (found.good, found.seen) == (False, f"{port} is taken by another program")
        assert "WAYBILL_PORT=" in found.todo
    assert diagnosis.port(cli).good


@pytest.mark.parametrize(
    ("ours", "good", "seen"),
    [
        # RFC 9110, 5.6.7: this date is 784,111,777 s after 1970.
        (784_111_777, True, "0 s behind"),
        (784_111_777 + 299, True, "299 s ahead"),
        (784_111_777 + 901, False, "901 s ahead"),
        (784_111_777 - 3600, False, "3600 s behind"),
    ],
)
def test_a_clock_that_goes_wrong(ours: float, good: bool, seen: str) -> None:
    found = diagnosis.clock("Sun, 06 Nov 1994 08:49:37 GMT", ours)
    assert (found.good, found.seen) == (good, seen)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_an_answer_without_a_time(date: str) -> None:
    assert diagnosis.clock(date, 0).good is None


def test_every_check_that_fails_says_what_to_do(tmp_path: Path) -> None:
    failing: list[Any] = [
        diagnosis.python((3, 14, 0)),
        diagnosis.setup(tmp_path),
        diagnosis.disk(tmp_path, 0),
        diagnosis.clock("Sun, 06 Nov 1994 08:49:37 GMT", 0),
    ]
    assert all(each.good is False and each.todo for each in failing)
