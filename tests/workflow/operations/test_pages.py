"""The README and the tutorials, typed as they stand: every command does what its page says."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.fakes.pages import console_lines
from tests.workflow.support.application import Application

PAGES = ["README.md", *sorted(page.relative_to(PROJECT).as_posix() for page in PROJECT.glob("docs/tutorials/*.md"))]

# What only starts, ends or deploys a stack: `test_local_stack.py` and `make demo` do. Proofs wait for a schedule.
NOT_TYPED = re.compile(r"make (demo|test|up|down)\b|sam |.* --prove\b")

# Where a page says that a command ends with another status than 0.
STATUS = {
    "waybill consign samples/records --wait": 1,  # one of seven has no content
    'waybill consign samples/records --body "Town Hall" --wait': 1,
    'waybill consignments show "$ID"': 1,
    'waybill replicate "s3://$SOURCE/scale.md" --to no-such-bucket-here --wait': 1,
}

_SECONDS = 300


@dataclass(frozen=True)
class Clone:
    """A clone of the project whose local stack is that of these tests."""

    folder: Path
    environment: dict[str, str]


@pytest.fixture
def clone(variant: Application, project: Path, tmp_path: Path) -> Clone:
    """The stack whose source bucket no other test's failures are in, as `make up` leaves it."""
    for entry in project.iterdir():
        if entry.name not in {".local", ".git", ".aws-sam"}:
            (tmp_path / entry.name).symlink_to(entry)
    local = variant.stack.local
    state = tmp_path / ".local"
    state.mkdir()
    (state / "keys").symlink_to(local.key_file.parent)
    running = json.loads(local.stack_file.read_text("utf-8"))
    described = {"stackName": variant.stack.name, "apiUrl": variant.stack.api_url, "outputs": dict(variant.outputs)}
    (state / "stack.json").write_text(json.dumps(running | described), "utf-8")
    return Clone(tmp_path, {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"})


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_does_what_it_says(page: str, clone: Clone) -> None:
    commands = [line for line in console_lines(PROJECT / page) if not NOT_TYPED.match(line)]
    assert commands
    script = "source .venv/bin/activate\n" + "\n".join(
        f"{command}\nprintf '\\n@%s %s\\n' {index} $?" for index, command in enumerate(commands)
    )
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    statuses = {int(index): int(status) for index, status in re.findall(r"^@(\d+) (\d+)$", done.stdout, re.MULTILINE)}
    ended = [(command, statuses.get(index)) for index, command in enumerate(commands)]
    assert ended == [(command, STATUS.get(command.partition("  #")[0].rstrip(), 0)) for command in commands], (
        done.stdout
    )
