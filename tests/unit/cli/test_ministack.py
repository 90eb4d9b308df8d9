"""The embedded AWS as a process: what is said when it cannot start, and what it leaves behind."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from waybill.cli.local.errors import LocalStackError, PortTakenError, ToolMissingError
from waybill.cli.local.ministack import MiniStack, free_port

# Stands in for `python -m ministack`: answers health checks, and starts a child like a function's.
FAKE_MINISTACK = """
import http.server, os, subprocess, sys
from pathlib import Path

stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
child.stdout.readline()
Path("child.pid").write_text(str(child.pid))
variables = "\\n".join(f"{name}={value}" for name, value in os.environ.items())
Path("environment").write_text(variables)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"auth": "enabled"}')

http.server.HTTPServer((os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"])), Health).serve_forever()
"""


PYTHON = Path(sys.executable)


def launcher(folder: Path, program: str) -> Path:
    """A script that is started in MiniStack's place."""
    script = folder / "serve.py"
    script.write_text(program)
    return script


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_taken_port_is_named_with_the_variable_that_changes_it(tmp_path: Path, listener: int) -> None:
    ministack = MiniStack(PYTHON, launcher(tmp_path, FAKE_MINISTACK), tmp_path, port=listener)
    with pytest.raises(PortTakenError, match=f"port {listener} .* WAYBILL_PORT={listener + 1}"):
        ministack.start()
    assert ministack.pid is None


def test_missing_environment_names_the_set_up(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="scripts/setup"):
        MiniStack(tmp_path / "python", tmp_path / "serve.py", tmp_path, port=free_port()).start()


def test_one_that_ends_at_once_names_its_log(tmp_path: Path) -> None:
    script = launcher(tmp_path, "raise SystemExit('no')")
    with pytest.raises(LocalStackError, match=r"ended at once: see .*ministack\.log"):
        MiniStack(PYTHON, script, tmp_path, port=free_port()).start()
    assert (tmp_path / "ministack.log").read_text() == "no\n"


def test_one_that_never_answers_is_stopped(tmp_path: Path) -> None:
    script = launcher(tmp_path, "import time; time.sleep(600)")
    ministack = MiniStack(PYTHON, script, tmp_path, port=free_port())
    with pytest.raises(LocalStackError, match="did not answer within 1 s"):
        ministack.start(within=1)
    assert ministack.pid is None


def test_stop_ends_the_process_and_its_functions(tmp_path: Path) -> None:
    script = launcher(tmp_path, FAKE_MINISTACK)
    ministack = MiniStack(PYTHON, script, tmp_path, port=free_port())
    ministack.start()
    child = int((tmp_path / "tmp" / "child.pid").read_text())
    assert ministack.recorded_port == ministack.port
    os.kill(child, 0)

    # A later call of the program finds the process by its record.
    assert MiniStack(PYTHON, script, tmp_path, port=ministack.port).stop(within=0.5)

    assert ministack.pid is None
    assert not alive(child)
    assert not (tmp_path / "tmp").exists()
    assert not MiniStack(PYTHON, script, tmp_path, port=ministack.port).stop()


def test_it_is_started_closed_and_knows_nothing_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    script = launcher(tmp_path, FAKE_MINISTACK)
    ministack = MiniStack(PYTHON, script, tmp_path, port=free_port(), environment={"SFN_WAIT_SCALE": "0"})
    ministack.start()
    try:
        environment = dict(
            line.split("=", 1) for line in (tmp_path / "tmp" / "environment").read_text().splitlines() if "=" in line
        )
    finally:
        ministack.stop(within=0.5)
    assert environment["AUTH"] == "true"
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["SFN_WAIT_SCALE"] == "0"
    assert "AWS_PROFILE" not in environment
    assert environment["HOME"] == str(tmp_path / "tmp")


def test_a_process_id_that_somebody_else_has_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ministack.json").write_text(f'{{"pid": {os.getpid()}, "port": 4566}}')
    ministack = MiniStack(PYTHON, tmp_path / "serve.py", tmp_path, port=4566)
    assert ministack.pid is None
    assert not ministack.stop()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
