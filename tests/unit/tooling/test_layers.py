"""The layers carry what their dependency groups name, pinned, and nothing that the Lambda runtime brings."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

LAYERS = sorted(folder.name for folder in (Path(__file__).parents[3] / "layers").iterdir() if folder.is_dir())
# What boto3 needs is what it is installed with.
SDK = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"}


def pinned(project: Path, layer: str) -> dict[str, str]:
    """Version by name of everything in a layer."""
    lines = (project / "layers" / layer / "requirements.txt").read_text().splitlines()
    requirement = re.compile(r"([a-z0-9-]+)==([^ ;]+)")
    return {match[1]: match[2] for line in lines if (match := requirement.match(line))}


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_brings_the_sdk(project: Path, layer: str) -> None:
    """ "Include the SDK as a layer" where its version matters (AWS Lambda Developer Guide, "Building with Python")."""
    assert SDK.intersection(pinned(project, layer)) == (SDK if layer == "sdk" else set())


def test_the_sdk_is_the_one_that_was_tested(project: Path) -> None:
    tested = {one["name"]: one["version"] for one in tomllib.loads((project / "uv.lock").read_text("utf-8"))["package"]}
    assert pinned(project, "sdk") == {name: tested[name] for name in SDK}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_requirement_has_a_version_and_a_hash(project: Path, layer: str) -> None:
    text = (project / "layers" / layer / "requirements.txt").read_text()
    requirements = re.split(r"\n(?=\S)", text.partition("\n")[2].strip())
    assert requirements
    assert [each for each in requirements if "==" not in each or "--hash=sha256:" not in each] == []


def test_the_layers_equal_the_lock(project: Path) -> None:
    check = subprocess.run(
        [project / "scripts" / "export-layers", "--check"], capture_output=True, text=True, check=False
    )
    assert (check.returncode, check.stderr) == (0, "")


def test_a_layer_that_differs_from_the_lock_is_named(project: Path, tmp_path: Path) -> None:
    for name in ("scripts", "layers"):
        subprocess.run(["cp", "-R", project / name, tmp_path / name], check=True)
    for name in (".local", "pyproject.toml", "uv.lock", ".python-version", "src"):
        (tmp_path / name).symlink_to(project / name)
    with (tmp_path / "layers" / "core" / "requirements.txt").open("a") as file:
        file.write("left-over==1.0\n")
    check = subprocess.run(
        [tmp_path / "scripts" / "export-layers", "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 1
    assert check.stderr == "layers/core/requirements.txt differs from uv.lock: run `make lock`\n"


def test_a_layer_is_built_in_a_path_with_spaces(project: Path, tmp_path: Path) -> None:
    """GNU make manual, "Text Functions": `dir` and `abspath` take names apart at spaces."""
    layers = tmp_path / "a b" / "layers"
    shutil.copytree(project / "layers", layers)
    python = tmp_path / "a b" / ".local/uv/bin/python3.13"
    python.parent.mkdir(parents=True)
    python.touch()
    for makefile in layers.glob("*/Makefile"):
        words = ["make", "--dry-run", "--makefile", str(makefile), "build-X", f"ARTIFACTS_DIR={tmp_path}"]
        environment = {"PATH": os.environ["PATH"]}
        printed = subprocess.run(words, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
        assert (printed.returncode, printed.stderr) == (0, "")
        named = shlex.split(printed.stdout)[0]
        assert Path(named).resolve() == python
