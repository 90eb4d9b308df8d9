"""The embedded AWS unpacks an archive once, however many processes start with it at the same moment."""

import subprocess
import zipfile
from pathlib import Path

_SCRIPT = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mends.archives import UnpackedOnce, open_archive

UnpackedOnce.folder = Path(sys.argv[2])

content, failures = Path(sys.argv[2], "code.zip").read_bytes(), []

def unpack(number):
    folder = Path(sys.argv[2], f"process-{number}")
    folder.mkdir()
    try:
        own = f"{folder}.zip"
        with open_archive(own, "wb") as written:
            written.write(content)
        with UnpackedOnce(own) as opened:
            opened.namelist()
            opened.extractall(folder)
        assert not Path(own).exists()
        assert len(list(folder.iterdir())) == 200
    except Exception as error:
        failures.append(error)

threads = [threading.Thread(target=unpack, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(f"{len(failures)} failed: {failures[0]}" if failures else 0)
"""


def test_processes_that_start_together_share_what_one_unpacks(project: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        for number in range(200):
            archive.writestr(f"module_{number}.py", "x" * 5000)
    python = project / ".local" / "ministack" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", _SCRIPT, project / "tools" / "ministack", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
