"""The embedded AWS as a process: one MiniStack on one port of 127.0.0.1, with its state under one folder."""

import contextlib
import json
import os
import shutil
import signal
import socket  # noqa: TID251 - which ports are free
import subprocess  # noqa: TID251 - the embedded AWS
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from waybill.cli.account import ACCOUNT_ID, DEFAULT_PORT, DEFAULT_REGION, HOST, TEST_CREDENTIALS
from waybill.cli.local.answers import http_answer
from waybill.cli.local.errors import LocalStackError, PortTakenError, ToolMissingError
from waybill.core.retry import poll

# Functions inherit MiniStack's environment, and must see no more of this machine than on AWS.
_INHERITED = ("LANG", "LC_ALL", "PATH", "TZ")

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_STORE_SECONDS = 60.0


class MiniStack:
    """One embedded AWS.

    Parameters
    ----------
    python : Path
        The interpreter of the environment that holds MiniStack; functions run on it as well.
    launcher : Path
        The script that starts MiniStack, `tools/ministack/serve.py`.
    state_dir : Path
        Folder for the process record, the log and temporary files; made when missing.
    port : int
        TCP port on 127.0.0.1.
    region : str
        Region of requests that name none.
    environment : Mapping[str, str], optional
        More variables for MiniStack, such as ``SFN_WAIT_SCALE``.
    persistent : bool
        Whether what is stored in it survives a stop and a crash, until `forget`.
    """

    def __init__(
        self,
        python: Path,
        launcher: Path,
        state_dir: Path,
        *,
        port: int = DEFAULT_PORT,
        region: str = DEFAULT_REGION,
        environment: Mapping[str, str] | None = None,
        persistent: bool = False,
    ) -> None:
        self.port = port
        self.region = region
        self.log_file = state_dir / "ministack.log"
        self._python = python
        self._launcher = launcher
        self.persistent = persistent
        self._temporary = state_dir / "tmp"
        self._stored = state_dir / "aws"
        self._record_file = state_dir / "ministack.json"
        self._extra = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """URL of every service."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the running MiniStack, None when it does not run."""
        return self._running("pid")

    @property
    def recorded_port(self) -> int | None:
        """Port of the running MiniStack, None when it does not run."""
        return self._running("port")

    def healthy(self) -> bool:
        """Whether MiniStack answers on its port."""
        answer = http_answer(f"{self.endpoint}/_ministack/health", 5)
        try:
            return answer is not None and bool(json.loads(answer[1])["auth"] == "enabled")
        except (ValueError, KeyError):
            return False

    def start(self, within: float = _START_SECONDS) -> None:
        """Start MiniStack and return when it answers.

        Parameters
        ----------
        within : float
            Seconds that it may take.

        Raises
        ------
        PortTakenError
            Something else listens on the port.
        LocalStackError
            It ended, or did not answer in time; the message names the log.
        """
        if not self._python.exists():
            raise ToolMissingError(self._python)
        self._wait_for_port()
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [self._python, self._launcher],
                cwd=self._temporary,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # one process group with its functions, apart from the terminal's
            )
        self._record_file.write_text(json.dumps({"pid": self._process.pid, "port": self.port}), "utf-8")
        self._wait_until_healthy(within)

    def stop(self, within: float | None = None) -> bool:
        """Stop MiniStack and every function process; True when one ran.

        What has not ended after `within` seconds is killed; default: 5, or 60 where it stores its state first.
        """
        pid = self.pid
        if pid is not None:
            self._end_group(pid, within or (_STORE_SECONDS if self.persistent else _STOP_SECONDS))
        self._record_file.unlink(missing_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)
        return pid is not None

    def forget(self) -> None:
        """Remove what is stored."""
        shutil.rmtree(self._stored, ignore_errors=True)

    def _wait_for_port(self) -> None:
        """Return when the port is free; what was killed a moment ago may still hold it."""
        record = self._record()
        before = record is not None and record["port"] == self.port
        if not _poll(lambda: not is_taken(self.port), _STOP_SECONDS if before else 0):
            raise PortTakenError(self.port)

    def _wait_until_healthy(self, within: float) -> None:
        def ended() -> bool:
            return self._process is not None and self._process.poll() is not None

        if not (_poll(lambda: self.healthy() or ended(), within) and self.healthy()):
            what = "ended at once" if ended() else f"did not answer within {within:.0f} s"
            self.stop()
            raise LocalStackError(f"the embedded AWS {what}: see {self.log_file}")

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **TEST_CREDENTIALS,
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_ACCOUNT_CONCURRENCY": "8",
            "HOME": str(self._temporary),
            "DOCKER_HOST": f"unix://{self._temporary}/no-docker.sock",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "NO_PROXY": "*",
            "TMPDIR": str(self._temporary),
            **(self._persistence() if self.persistent else {}),
            **self._extra,
        }

    def _persistence(self) -> dict[str, str]:
        return {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._stored),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._stored / "objects"),
        }

    def _running(self, what: str) -> int | None:
        record = self._record()
        return record[what] if record and self._is_ours(record["pid"]) else None

    def _record(self) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(self._record_file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return record if isinstance(record.get("pid"), int) and isinstance(record.get("port"), int) else None

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` still is the MiniStack of this state folder: process ids are used again."""
        if self._process is not None and self._process.pid == pid and self._process.poll() is not None:
            return False
        return str(self._launcher) in _command_of(pid)

    def _end_group(self, group: int, within: float) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal_number)
            if _poll(lambda: self._has_ended(group), within):
                return
        raise LocalStackError(f"process group {group} of the embedded AWS does not end")

    def _has_ended(self, group: int) -> bool:
        if self._process is not None:
            self._process.poll()  # a dead child counts as a member of its group until it is reaped
        return not _group_lives(group)


def _poll(done: Callable[[], bool], seconds: float) -> bool:
    return poll(done, bool, seconds=seconds, first_pause=0.05, longest_pause=0.2)[1]


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether something listens on a port of 127.0.0.1, or keeps it."""
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _group_lives(group: int) -> bool:
    """Whether a process group has a member that runs; dead ones that nobody reaps do not count."""
    if Path("/proc/self/stat").exists():
        return any(pgrp == group and state not in "ZX" for state, pgrp in _processes())
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS: not permitted when only dead ones are left
        return False
    return True


def _processes() -> Iterator[tuple[str, int]]:
    """State and process group of every process (proc_pid_stat(5), fields 3 and 5)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            state, _, pgrp = entry.read_text(errors="replace").rpartition(")")[2].split()[:3]
            yield state, int(pgrp)


def _command_of(pid: int) -> str:
    """Command line of a process, empty when it does not run."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout
