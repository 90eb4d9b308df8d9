"""The contracts on imports refuse what they are there to refuse: each violation is planted in a copy of the project."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.import_contracts import workflows
from tests.conftest import PROJECT

# The file that is written or added to, the line that it gets, and the name that the report must hold.
VIOLATIONS = {
    "a module that is in no layer": ("replication/zzz.py", "import boto3", "zzz"),
    "a workflow without the layers of one": ("shipping/__init__.py", "", "shipping"),
    "AWS in the domain": ("scanning/domain/requests.py", "import boto3", "waybill.scanning.domain.requests"),
    "AWS in a new module of the domain": ("minting/domain/zzz.py", "import botocore", "waybill.minting.domain.zzz"),
    "AWS in the domain, by way of the core": (
        "consignments/domain/statuses.py",
        "from waybill.core.aws.clients import client",
        "waybill.consignments.domain.statuses",
    ),
    "the environment in the domain": ("subject_access/domain/claims.py", "import os", "waybill.subject_access.domain"),
    "a program in the domain": ("minting/domain/minter.py", "import subprocess", "waybill.minting.domain.minter"),
    "signals in the domain": (
        "scanning/domain/slices.py",
        "from signal import SIGKILL",
        "waybill.scanning.domain.slices",
    ),
    "a fork in the domain": ("scanning/domain/slices.py", "import multiprocessing", "waybill.scanning.domain.slices"),
    "a limit of the process in the domain": (
        "consignments/domain/checks/parsers.py",
        "import resource",
        "waybill.consignments.domain.checks.parsers",
    ),
    "a connection in the domain, by way of the core": (
        "consignments/domain/statuses.py",
        "import waybill.core.http_client",
        "waybill.consignments.domain.statuses",
    ),
    "a connection in the domain": (
        "console/domain/verdicts.py",
        "def _ask() -> None:\n    import socket  # noqa: TID251",
        "waybill.console.domain.verdicts",
    ),
    "settings in the domain": (
        "replication/domain/copier.py",
        "from waybill.core.settings import load",
        "waybill.replication.domain.copier",
    ),
    "an adapter in the domain": (
        "scanning/domain/slices.py",
        "from waybill.scanning.adapters.table import *",
        "waybill.scanning.domain.slices",
    ),
    "the domain in the errors": (
        "scanning/errors.py",
        "from waybill.scanning.domain.slices import *",
        "waybill.scanning.errors",
    ),
    "what builds collaborators in the domain": (
        "gateway/domain/key_sets.py",
        "import waybill.gateway.runtime",
        "waybill.gateway.domain.key_sets",
    ),
    "two modules that import each other": (
        "scanning/domain/detection/engine.py",
        "import waybill.scanning.domain.detection.proof",
        "waybill.scanning.domain.detection",
    ),
    "AWS in a handler": ("replication/handlers/copy_file.py", "import boto3", "waybill.replication.handlers.copy_file"),
    "AWS in routes": ("minting/api.py", "import botocore", "waybill.minting.api"),
    "AWS in what is neither": ("consignments/views.py", "import boto3", "waybill.consignments.views"),
    "AWS in a page": ("console/pages/requests.py", "import botocore", "waybill.console.pages.requests"),
    "the types of AWS in the domain": (
        "minting/domain/minter.py",
        "if TYPE_CHECKING:\n    from mypy_boto3_s3 import S3Client",
        "waybill.minting.domain.minter",
    ),
    "an adapter in the domain, for its types": (
        "minting/domain/minter.py",
        "if TYPE_CHECKING:\n    from waybill.minting.adapters.table import IdentifiersTable",
        "waybill.minting.domain.minter",
    ),
    "a handler in the domain": (
        "minting/domain/minter.py",
        "import waybill.minting.handlers.mint_chunk",
        "waybill.minting.domain.minter",
    ),
    "metrics in the domain": (
        "replication/domain/copier.py",
        "import aws_lambda_powertools",
        "waybill.replication.domain.copier",
    ),
    "another workflow": (
        "minting/domain/minter.py",
        "import waybill.scanning.models",
        "waybill.minting.domain.minter",
    ),
    "a workflow in the console": ("console/visit.py", "import waybill.minting.models", "waybill.console.visit"),
    "a workflow in the core": ("core/clock.py", "import waybill.minting.models", "waybill.core.clock"),
    "a new module of the core that is in no layer": ("core/zzz.py", "", "zzz"),
    "AWS in a command": ("cli/minting/ids.py", "import boto3", "waybill.cli.minting.ids"),
    "the types of AWS in a command": (
        "cli/stack.py",
        "if TYPE_CHECKING:\n    from mypy_boto3_lambda import LambdaClient",
        "waybill.cli.stack",
    ),
    "an adapter in a command": (
        "cli/minting/ids.py",
        "from waybill.minting.adapters.table import IdentifiersTable",
        "waybill.cli.minting.ids",
    ),
    "an adapter of a workflow in the adapters of commands": (
        "cli/adapters/uploads.py",
        "import waybill.replication.adapters.s3",
        "waybill.cli.adapters.uploads",
    ),
    "AWS in the pure core": ("core/wire.py", "import waybill.core.aws.clients", "waybill.core.wire"),
}

# What the contracts on imports do not see, and where ruff is to see it.
BANNED = {
    "AWS, by its name alone": 'from importlib import import_module\n\nboto3 = import_module("boto3")',
    "AWS, by its name and another function": 'import importlib\n\nboto3 = importlib.__import__("boto3")',
    "AWS, as somebody else has imported it": 'import sys\n\nboto3 = sys.modules["boto3"]',
    "AWS, by what finds names": 'import pkgutil\n\nclient = pkgutil.resolve_name("boto3:client")',
    "AWS, by what finds modules": "from importlib.util import find_spec",
    "a module as a program": "from runpy import run_module",
    "a retry by hand": "import time\n\ntime.sleep(1)",
    "a retry by hand, under another name": "from time import sleep as pause\n\npause(1)",
    "a second HTTP client of the standard library": "import http.client",
    "another": "from urllib.request import urlopen",
    "a third": "import urllib.request as web",
    "a connection": "import socket",
    "a library of HTTP": "import requests",
    "another library of HTTP": "from urllib3 import PoolManager",
    "a program": "from subprocess import run",
}


_SIXTH = {
    "__init__.py": "",
    "errors.py": "",
    "domain/__init__.py": "",
    "domain/parcels.py": "import waybill.shipping.errors",
    "adapters/__init__.py": "",
    "adapters/table.py": "import waybill.core.aws.table, waybill.shipping.domain.parcels",
    "settings.py": "import waybill.core.settings",
    "runtime.py": "import waybill.shipping.adapters.table, waybill.shipping.settings",
    "api.py": "import waybill.shipping.runtime",
    "handlers/__init__.py": "",
    "handlers/send_parcel.py": "import waybill.shipping.runtime",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's modules, for all tests that leave it as it was: to remove each takes a disk seconds."""
    made = tmp_path_factory.mktemp("copy")
    _copy(made)
    return made


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_planted_violation_is_refused(copy: Path, violation: str) -> None:
    place, line, named = VIOLATIONS[violation]
    with _planted(copy / "src" / "waybill" / place, line):
        report = _lint(copy)
    assert report.returncode == 1, report.stdout
    assert named in report.stdout


def test_what_one_module_does_for_all_is_refused_elsewhere(tmp_path: Path) -> None:
    """In one run of ruff, whose start takes longer than all that it looks at here."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    places = ("minting/domain", "minting/adapters", "core", "cli")
    planted = {f"src/waybill/{place}/zzz_{number}.py": name for place in places for number, name in enumerate(BANNED)}
    for file, name in planted.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(BANNED[name], "utf-8")
    folder = "src/waybill/minting/domain/zzz/zzz.py"
    (tmp_path / folder).parent.mkdir()
    (tmp_path / folder).write_text('"""Nothing."""\n', "utf-8")
    found = _ruff(tmp_path)
    assert {f"{file}: {name}" for file, name in planted.items() if "TID251" not in found[file]} == set()
    # Import-linter passes over a folder without `__init__.py`, whatever its modules import.
    assert "INP001" in found[folder]


def test_nothing_is_imported_without_a_statement() -> None:
    """Ruff knows modules and what is in them, and no names that are there without an import."""
    assert not any(_unseen_imports(file.read_text("utf-8")) for file in (PROJECT / "src").rglob("*.py"))


@pytest.mark.parametrize("planted", ['__import__("boto3")', "load = __import__", '__builtins__["__import__"]("boto3")'])
def test_an_import_without_a_statement_is_seen(planted: str) -> None:
    assert _unseen_imports(planted)


def _unseen_imports(source: str) -> set[str]:
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return names & {"__builtins__", "__import__", "__loader__", "__spec__"}


def test_a_sixth_workflow_is_in_the_contracts_by_its_folder(tmp_path: Path) -> None:
    """Architecture, "What good looks like": a sixth workflow is a new folder, and nothing in the others changes."""
    copied = _copy(tmp_path)
    for place, content in _SIXTH.items():
        module = copied / "shipping" / place
        module.parent.mkdir(exist_ok=True)
        module.write_text(content, "utf-8")
    with (copied / "gateway" / "registry.py").open("a", encoding="utf-8") as registry:
        registry.write("import waybill.shipping.api\n")
    report = _lint(tmp_path)
    assert report.returncode == 0, report.stdout
    for place, line in (
        ("minting/errors.py", "import waybill.shipping"),
        ("console/visit.py", "import waybill.shipping"),
    ):
        with (copied / place).open("a", encoding="utf-8") as source:
            source.write(f"{line}.errors\n")
    report = _lint(tmp_path)
    assert report.returncode == 1
    for importer in ("waybill.minting", "waybill.console"):
        assert re.search(rf"{importer}[\w.]* -> waybill\.shipping", report.stdout), report.stdout


def test_nothing_is_refused_as_it_is() -> None:
    report = _lint(PROJECT)
    assert report.returncode == 0, report.stdout


def test_every_package_with_handlers_has_the_layers_of_a_workflow() -> None:
    """A package that is in the first contract alone could import from anywhere: that one knows no folders."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = (contract for contract in contracts if contract["id"] == "workflow")
    known = workflows(PROJECT / "src" / "waybill")
    assert {"consignments", "custody", "minting", "replication", "scanning", "subject_access"} <= set(known)
    named = {name for each in layers["containers"] for name in (known if each == "*workflows" else [each[8:]])}
    packages = (PROJECT / "src" / "waybill").glob("*/handlers")
    assert named == {folder.parent.name for folder in packages} - {"core"}


def test_the_contracts_are_short_enough_to_be_read() -> None:
    """Lists of modules grow until nobody reads them; 80 lines are enough for everything."""
    settings = (PROJECT / "pyproject.toml").read_text("utf-8")
    assert len(settings.partition("[tool.importlinter]")[2].strip().splitlines()) <= 80


def _copy(project: Path) -> Path:
    copied = project / "src" / "waybill"
    shutil.copytree(PROJECT / "src" / "waybill", copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


@contextmanager
def _planted(module: Path, line: str) -> Iterator[None]:
    """Let a module, or a new one, end with a line for a while."""
    before = module.read_text("utf-8") if module.exists() else None
    is_new_folder = not module.parent.exists()
    module.parent.mkdir(exist_ok=True)
    module.write_text(f"{before or ''}\n{line}\n", "utf-8")
    try:
        yield
    finally:
        if before is not None:
            module.write_text(before, "utf-8")
        else:
            shutil.rmtree(module.parent) if is_new_folder else module.unlink()


def _lint(project: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--config", str(PROJECT / "pyproject.toml")],
        cwd=project,
        env={"PYTHONPATH": f"{project / 'src'}:{PROJECT}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def _ruff(project: Path) -> dict[str, set[str]]:
    """Return the rules that files of a project break."""
    report = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json", "src"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout
    found: dict[str, set[str]] = defaultdict(set)
    for one in json.loads(report):
        found[str(Path(one["filename"]).relative_to(project))].add(one["code"])
    return found
