"""`waybill sar stub`, as a program of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.conftest import PROJECT
from waybill.cli.app import main
from waybill.cli.subject_access import stub
from waybill.cli.subject_access.stub_process import claim, record_file


@contextmanager
def _stub(*options: str) -> Iterator[dict[str, str]]:
    """Run it on a free port; yield the address of each service."""
    command = [sys.executable, "-m", "waybill.cli", "sar", "stub", "--port", "0", "--json", *options]
    with _as_in_the_foreground():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        try:
            told = _first_document(process.stdout)
            yield {service["name"]: service["url"] for service in told["services"]}
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()  # does nothing to one that has ended


@contextmanager
def _as_in_the_foreground() -> Iterator[None]:
    """Let programs that are started meanwhile hear Ctrl-C.

    What a shell starts in the background ignores it, and so does all that it starts in turn (POSIX.1-2024, Shell
    Command Language, 2.12, "Signals and Error Handling").
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _first_document(stream: IO[str]) -> Any:
    text = ""
    for line in stream:
        text += line
        if line.startswith("}"):
            return json.loads(text)
    raise AssertionError(f"no document: {text}")


def _ask(url: str, path: str = "/subject-access-request?prn=A1234AA") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def test_serves_what_it_is_told_to() -> None:
    with _stub("--service", "one=500,data+2", "--service", "two=209", "--count", "2", "--records", "3") as urls:
        assert list(urls) == ["one", "two", "stub-1", "stub-2"]
        assert [_ask(urls["one"])[0], _ask(urls["two"])[0]] == [500, 209]
        status, body = _ask(urls["one"])
        told = json.loads(body)
        assert (status, len(told["content"]["records"])) == (200, 3)
        assert [entry["attachmentNumber"] for entry in told["attachments"]] == [1, 2]
        for entry in told["attachments"]:
            with urllib.request.urlopen(entry["url"], timeout=30) as answer:
                assert len(answer.read()) == entry["filesize"]
        assert b"{{#content.records}}" in _ask(urls["stub-1"], "/subject-access-request/template")[1]


@pytest.mark.parametrize("service", ["a/b=data", "one=nothing", "one=data,slow", "one=99", "one=data+x", "=data"])
def test_what_it_does_not_understand_is_bad_usage(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sar", "stub", "--port", "0", "--service", service]) == 2
    assert "--service" in capsys.readouterr().err


def test_a_port_that_somebody_has_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["sar", "stub", "--port", port]) == 1
    assert f"port {port} " in capsys.readouterr().err


def test_those_that_run_stay_in_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the command's help: those that serve in the background are ended by `--stop`, and by nothing else."""
    for name in ("scripts", "layers"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    registered: list[object] = []
    monkeypatch.setattr(stub, "_register", lambda *asked: registered.append(asked))
    lock = claim(record_file(tmp_path))
    try:
        assert main(["sar", "stub", "--background", "--register", "--port", "0"]) == 1
    finally:
        os.close(lock)
    assert registered == []


def test_background_goes_on_by_itself_and_once(tmp_path: Path) -> None:
    for name in ("scripts", "layers"):
        (tmp_path / name).symlink_to(PROJECT / name)

    def sar_stub(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "waybill.cli", "sar", "stub", "--json", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    begun = sar_stub("--background", "--port", "0")
    try:
        assert begun.returncode == 0, begun.stderr
        urls = {service["name"]: service["url"] for service in json.loads(begun.stdout)["services"]}
        assert _ask(urls["G1"])[0] == 200
        again = sar_stub("--background", "--port", "0")
        assert again.returncode == 1
        assert "--stop" in json.loads(again.stderr)["error"]["message"]
    finally:
        ended = sar_stub("--stop")
    assert json.loads(ended.stdout) == {"stopped": True}
    with pytest.raises(urllib.error.URLError):
        _ask(urls["G1"])
    assert json.loads(sar_stub("--stop").stdout) == {"stopped": False}
