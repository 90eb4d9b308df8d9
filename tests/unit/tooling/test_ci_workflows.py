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
        # A job that deploys proves who it is, to AWS or to GitHub Pages, with a token of its own, and has an
        # environment with its rules.
        deploys = {"contents": "read", "id-token": "write"}, {"pages": "write", "id-token": "write"}
        assert allowed in ({}, *deploys), name
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


# What an action is told by (the `action.yml` of each, at the commit that is pinned).
_INPUTS = {
    "actions/checkout": {"persist-credentials"},
    "actions/setup-python": {"python-version-file"},
    "actions/upload-pages-artifact": {"path"},
    "actions/upload-artifact": {"name", "path", "if-no-files-found", "include-hidden-files"},
    "aws-actions/configure-aws-credentials": {"role-to-assume", "aws-region", "role-duration-seconds"},
}
# GitHub's "Workflow syntax for GitHub Actions": keys of jobs and of steps, so far as they are used here.
_OF_A_JOB = {"runs-on", "timeout-minutes", "environment", "permissions", "needs", "steps"}
_OF_A_STEP = {"uses", "with", "run", "env"}
_VARIABLE = re.compile(r"\$\{\{\s*(\w+)\.[\w.]+\s*\}\}")


@every_workflow
def test_a_workflow_is_written_in_words_that_github_knows(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    # YAML 1.1 reads the key `on` as true.
    assert set(document) == {"name", True, "permissions", "concurrency", "jobs"}
    for job in document["jobs"].values():
        assert set(job) <= _OF_A_JOB
        needs = job.get("needs", [])
        assert ({needs} if isinstance(needs, str) else set(needs)) <= set(document["jobs"])
        assert 0 < job["timeout-minutes"] <= 360
    for step in _steps(path):
        assert set(step) <= _OF_A_STEP
        assert ("uses" in step) != ("run" in step), step
        assert set(step.get("with", {})) <= _INPUTS.get(step.get("uses", "").partition("@")[0], set())
    assert {found[1] for found in _VARIABLE.finditer(path.read_text("utf-8"))} <= {"github", "vars"}
    # What a variable holds must not become part of a script either.
    assert [step["run"] for step in _steps(path) if "${{" in step.get("run", "")] == []


@every_workflow
def test_a_step_runs_what_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    installed = {".local/sam/bin/sam"}  # by scripts/setup
    for step in _steps(path):
        if "run" in step:
            program, *words = step["run"].split()
            assert program == "make" or program in installed or (PROJECT / program).is_file(), step
            assert program != "make" or words[0] in targets, step


def test_a_role_is_asked_for_no_longer_than_the_guide_lets_it_last() -> None:
    """A role lasts for an hour at first (IAM user guide, "Update the maximum session duration for a role")."""
    asked = [
        step["with"].get("role-duration-seconds", 3600)
        for path in WORKFLOWS
        for step in _steps(path)
        if "configure-aws-credentials" in step.get("uses", "")
    ]
    guide = (PROJECT / "docs" / "deployment.md").read_text("utf-8")
    assert 3600 < max(asked) <= 7200
    assert "last for two hours (its maximum session duration" in guide


def test_people_are_told_of_the_sam_cli_that_was_tried() -> None:
    pinned = re.findall(r"^aws-sam-cli==(.+)$", (PROJECT / "tools/sam/requirements.in").read_text(), re.MULTILINE)
    assert re.findall(r"SAM CLI \((\S+) was tried", (PROJECT / "README.md").read_text("utf-8")) == pinned


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
