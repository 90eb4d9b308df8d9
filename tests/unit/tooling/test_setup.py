"""What the set-up says when it cannot go on."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def empty_clone(project: Path, tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(project / "scripts" / "setup", tmp_path / "scripts")
    return tmp_path


def set_up(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / "scripts" / "setup"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(clone), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_named_python_that_is_none_is_refused_in_one_line(empty_clone: Path) -> None:
    done = set_up(empty_clone, WAYBILL_PYTHON="/bin/false")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "waybill set-up: WAYBILL_PYTHON=/bin/false is not a Python 3.13 with venv, ensurepip and ssl"
    ]
    assert not (empty_clone / ".venv").exists()


def test_no_python_says_what_to_do_in_one_line(empty_clone: Path) -> None:
    script = empty_clone / "scripts" / "setup"
    # Every interpreter of this machine fails the check, as where there is none.
    script.write_text(script.read_text().replace("import ensurepip", "sys.exit(1)\nimport ensurepip"))
    done = set_up(empty_clone)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "no Python 3.13 found" in line
    for way_out in ("pyenv install 3.13", "uv python install 3.13", "WAYBILL_PYTHON="):
        assert way_out in line
