"""The layers carry what their dependency groups name, pinned, and nothing that the Lambda runtime brings."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from scripts.template import template_with_loops

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


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_everything_has_a_wheel_for_lambda(project: Path, processor: str) -> None:
    """pip takes the platforms that it is given and no older ones (pip install, `--platform`)."""
    (tags,) = re.findall(r"^manylinux := (.+)$", (project / "layers" / "layer.mk").read_text(), re.MULTILINE)
    platforms = [f"{tag}_{processor}" for tag in tags.split()]
    taken = {*cpython_tags((3, 13), ["cp313"], platforms), *compatible_tags((3, 13), "cp313", platforms)}
    locked = {one["name"]: one for one in tomllib.loads((project / "uv.lock").read_text("utf-8"))["package"]}
    without = [
        (layer, name)
        for layer in LAYERS
        for name in pinned(project, layer)
        if not any(taken & parse_wheel_filename(wheel["url"].rpartition("/")[2])[3] for wheel in locked[name]["wheels"])
    ]
    assert without == []


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The folder of a layer, as `sam build` makes it beside what it writes of all of them."""
    folder = tmp_path / ".aws-sam" / "build" / "CoreLayer"
    (folder / "python").mkdir(parents=True)
    return folder


def processor(project: Path, *words: str | Path, **variables: str) -> tuple[int, str, str]:
    """Run `layers/processor.py`; return its status, and what it prints and complains about."""
    command = [sys.executable, project / "layers" / "processor.py", *words]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize(
    ("template", "said", "asked"),
    [("arm64", "", "arm64"), ("arm64", "arm64", "arm64"), ("x86_64", "", "x86_64"), (None, "arm64", "arm64")],
)
def test_a_layer_is_for_the_processor_that_the_template_asks_for(
    project: Path, built: Path, template: str | None, said: str, asked: str
) -> None:
    """The form is that of a `build.toml` of SAM CLI 1.170."""
    if template:
        graph = f'[layer_build_definitions.1]\nlayer = "CoreLayer"\narchitecture = "{template}"\n'
        built.parent.with_name("build.toml").write_text(graph)
    assert processor(project, "asked", built, "CoreLayer", LAYER_ARCHITECTURE=said) == (0, asked, "")


def test_a_build_for_another_processor_than_the_templates_is_refused(project: Path, built: Path) -> None:
    graph = '[layer_build_definitions.1]\nlayer = "CoreLayer"\narchitecture = "arm64"\n'
    built.parent.with_name("build.toml").write_text(graph)
    refused = processor(project, "asked", built, "CoreLayer", LAYER_ARCHITECTURE="x86_64")
    assert refused == (1, "", "CoreLayer: LAYER_ARCHITECTURE is x86_64, and the template asks for arm64")
    status, printed, told = processor(project, "asked", built, "OtherLayer")
    assert (status, printed) == (1, "")
    assert "set LAYER_ARCHITECTURE" in told
    assert processor(project, "asked", built, "OtherLayer", LAYER_ARCHITECTURE="mips")[0] == 1


def test_a_library_for_another_processor_is_named(project: Path, built: Path) -> None:
    """ELF: the machine is the two bytes from the 18th on, 62 for x86-64 and 183 for AArch64."""
    for name, machine in (("one", 62), ("other", 183)):
        header = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little")
        (built / "python" / f"{name}.abi3.so").write_bytes(header + bytes(40))
    (built / "python" / "text.py").write_text("x86")
    told = "the layer is for arm64, but python/one.abi3.so is for x86_64"
    assert processor(project, "check", built, "arm64") == (1, "", told)
    (built / "python" / "one.abi3.so").unlink()
    assert processor(project, "check", built, "arm64") == (0, "", "")


def test_a_layer_is_built_in_a_path_with_spaces(project: Path, tmp_path: Path) -> None:
    """GNU make manual, "Text Functions": `dir` and `abspath` take names apart at spaces."""
    layers = tmp_path / "a b" / "layers"
    shutil.copytree(project / "layers", layers)
    python = tmp_path / "a b" / ".local/uv/bin/python3.13"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    for makefile in layers.glob("*/Makefile"):
        words = ["make", "--dry-run", "--makefile", str(makefile), "build-X", f"ARTIFACTS_DIR={tmp_path}"]
        environment = {"PATH": os.environ["PATH"], "LAYER_ARCHITECTURE": "arm64"}
        printed = subprocess.run(words, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
        assert (printed.returncode, printed.stderr) == (0, "")
        named = shlex.split(printed.stdout)[0]
        assert os.path.normpath(named) == str(python)
        assert "--platform manylinux_2_28_aarch64" in printed.stdout


def test_the_application_is_published_as_the_version_that_it_is(project: Path) -> None:
    """AWS Serverless Application Repository, "Publishing applications": semantic version, license and readme."""
    published = template_with_loops()["Metadata"]["AWS::ServerlessRepo::Application"]
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    assert published["SemanticVersion"] == about["version"]
    assert [(project / published[page]).is_file() for page in ("LicenseUrl", "ReadmeUrl")] == [True, True]
    assert published["SpdxLicenseId"] == about["license"]
