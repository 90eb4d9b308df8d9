import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import openapi


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "openapi.json"
    monkeypatch.setattr(openapi, "DOCUMENT", path)
    monkeypatch.setattr(sys, "argv", ["openapi"])
    assert openapi.main() == 0
    return path


def test_the_document_is_the_file_in_the_repository() -> None:
    assert openapi.document() == openapi.DOCUMENT.read_text("utf-8"), "run scripts/openapi"


def test_the_document_is_the_same_bytes_in_every_process() -> None:
    # Python shuffles sets by its hash seed (Python documentation, PYTHONHASHSEED).
    program = "import sys; from scripts import openapi; sys.stdout.write(openapi.document())"
    # This process and the one that wrote the file had others.
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(openapi.DOCUMENT.parents[1]), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    ).stdout
    assert printed == openapi.document().encode() == openapi.DOCUMENT.read_bytes()


def test_a_difference_is_shown(
    written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["openapi", "--check"])
    assert openapi.main() == 0
    written.write_text(written.read_text("utf-8").replace('"showHealth"', '"health"'), "utf-8")
    assert openapi.main() == 1
    printed = capsys.readouterr().err
    assert '+        "operationId": "showHealth",' in printed
    assert printed.endswith("run scripts/openapi\n")
    assert '"health"' in written.read_text("utf-8")


def test_a_missing_file_is_a_difference(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written.unlink()
    monkeypatch.setattr(sys, "argv", ["openapi", "--check"])
    assert openapi.main() == 1
    assert not written.exists()
