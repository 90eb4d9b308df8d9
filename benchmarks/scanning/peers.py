"""Others that look for the same values: engines behind the same interface, and whole programs."""

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import re2
from detect_secrets.core import scan as detect_secrets_scan
from detect_secrets.settings import default_settings

from waybill.scanning.domain.detection.gates import INDEX_BITS, QUAD, StandardGate

MEGABYTE = 1_000_000
_PRESIDIO, _KINGFISHER = "presidio", "kingfisher"


class Re2Gate(StandardGate):
    """The gates on google-re2, one pass for each."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        base64 = f"(?:{QUAD}){{6}}"
        self._by_re2 = [re2.compile(pattern.encode(), options=options) for pattern in (*patterns, base64)]

    def events(self, text: bytes) -> list[int]:
        """Return the events, see `Gate`."""
        return sorted(
            match.end() << INDEX_BITS | index
            for index, pattern in enumerate(self._by_re2)
            for match in pattern.finditer(text)
        )


def detect_secrets_speed(text: bytes) -> float:
    """Return the MB/s of detect-secrets with its default plug-ins, which look for secrets and not for personal data."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "part.log"
        file.write_bytes(text)
        started = time.process_time()
        with default_settings():
            list(detect_secrets_scan.scan_file(str(file)))
        return len(text) / MEGABYTE / (time.process_time() - started)


class PeerMissingError(Exception):
    """A peer cannot be installed here; says why."""


def presidio_speed(project: Path, text: bytes) -> float:
    """Return the MB/s of presidio-analyzer's pattern recognisers, in an environment of their own.

    Raises
    ------
    PeerMissingError
        The environment cannot be made, or does not work.
    """
    python = _set_up(project, _PRESIDIO) / "python"
    done = subprocess.run(
        [python, project / "tools" / _PRESIDIO / "speed.py"], input=text, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise PeerMissingError(_last_line(done.stderr.decode(errors="replace")))
    measured = json.loads(done.stdout)
    return float(measured["bytes"] / MEGABYTE / measured["seconds"])


def kingfisher_program(project: Path) -> Path:
    """Return where kingfisher is, installed in an environment of its own.

    Raises
    ------
    PeerMissingError
        The environment cannot be made.
    """
    return _set_up(project, _KINGFISHER) / _KINGFISHER


def _set_up(project: Path, name: str) -> Path:
    made = subprocess.run([project / "scripts" / "setup", "--tool", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise PeerMissingError(_last_line(made.stderr))
    return project / ".local" / name / "bin"


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["nothing was said"])[-1]
