"""Large answers, each drawn in a process of its own whose memory is looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdf
import pytest

from benchmarks.subject_access import drawing_process
from tests.conftest import PROJECT

ROWS = 30_000
MOST_MB = 200


def run(task: str, folder: Path, **job: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", drawing_process.__file__],
        input=json.dumps({"path": [str(PROJECT / "src")], "task": task, "folder": str(folder), **job}),
        capture_output=True,
        text=True,
        check=True,
    )
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the most memory that the process had")
def test_a_section_of_thirty_thousand_rows(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    rows = list(drawing_process.rows(pages=1))
    content = [{**rows[number % len(rows)], "id": number} for number in range(ROWS)]
    answer.write_text(json.dumps({"content": content}), "utf-8")
    drawn = run("draw", tmp_path, name="large", answer=str(answer))
    joined = run("join", tmp_path, parts={"large": drawn["pages"]})
    assert drawn["peak_mb"] < MOST_MB
    assert joined["peak_mb"] < MOST_MB
    reader = pypdf.PdfReader(tmp_path / "report.pdf")
    assert len(reader.pages) == joined["pages"] == drawn["pages"] + 4
    assert str(ROWS - 1) in reader.pages[-2].extract_text().split()
