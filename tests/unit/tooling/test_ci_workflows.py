"""The workflows of continuous integration hold no keys, may read only, and run what is pinned.

Rules: GitHub's guide "Security hardening for GitHub Actions": pin actions to a full-length commit, give the token the
least permissions, and do not put what others write into a script.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)

_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
# What a title, a branch or a comment may hold is somebody else's text: it must not become part of a script.
_FOREIGN = re.compile(r"\$\{\{\s*(github\.(event|head_ref|ref_name)|inputs)\b")


def _steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
        yield from job.get("steps", [])


def test_there_are_workflows() -> None:
    assert "check.yml" in {path.name for path in WORKFLOWS}


@every_workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = [step["uses"] for step in _steps(path) if "uses" in step]
    assert used
    assert [action for action in used if not _PINNED.fullmatch(action)] == []


@every_workflow
def test_a_workflow_may_read_the_repository_and_no_more(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    assert document["permissions"] == {"contents": "read"}
    for name, job in document["jobs"].items():
        allowed = job.get("permissions", {})
        # A job that deploys proves to AWS who it is with a token of its own, and has an environment with its rules.
        assert allowed in ({}, {"contents": "read", "id-token": "write"}), name
        assert not allowed or "environment" in job, name


@every_workflow
def test_no_step_holds_a_key_or_runs_what_others_write(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    assert [step["run"] for step in _steps(path) if _FOREIGN.search(step.get("run", ""))] == []


@every_workflow
def test_every_job_ends_by_itself(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    assert [name for name, job in document["jobs"].items() if "timeout-minutes" not in job] == []


def test_a_package_that_cannot_be_had_takes_no_other_with_it(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "dirname", "mkdir", "timeout"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, does in {"apt-get": 'echo "asked: $*"; exit 100', "make": "exit 0"}.items():
        (programs / name).write_text(f"#!{shutil.which('bash')}\n{does}\n", "utf-8")
        (programs / name).chmod(0o755)
    (tmp_path / ".ci").mkdir()
    shutil.copy(PROJECT / ".ci" / "run", tmp_path / ".ci")
    ran = run([tmp_path / ".ci" / "run"], env={"PATH": str(programs)}, capture_output=True, text=True, check=True)
    log = (tmp_path / ".local" / "packages.log").read_text("utf-8")
    assert re.findall(r"asked: (?:.* )?(\S+)$", log, re.MULTILINE) == ["update", "clamav-daemon", "chromium"]
    assert "clamd is not installed" in ran.stdout
    not_had = [f"{package} could not be installed" for package in ("clamav-daemon", "chromium")]
    for lacks in ("no new lists of packages", *not_had):
        assert f"packages.log: failed: {lacks} (status 100)" in ran.stdout
