"""The audit of pinned versions against a file of advisories.

Expectations: OSV schema 1.7, "affected[].ranges[].events" with its evaluation algorithm, and "withdrawn".
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from scripts import audit
from scripts.audit import Pin, affects


def _advisory(name: str = "Left.Pad", **affected: Any) -> dict[str, Any]:
    return {"id": "PYSEC-1", "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}]}


def _range(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


@pytest.mark.parametrize(
    ("version", "affected", "expected"),
    [
        ("1.2", {"versions": ["1.2"]}, True),
        ("1.2", {"versions": ["1.2.0"]}, True),  # PEP 440: the same version
        ("1.3", {"versions": ["1.2"]}, False),
        ("1.2", _range({"introduced": "0"}, {"fixed": "1.3"}), True),
        ("1.3", _range({"introduced": "0"}, {"fixed": "1.3"}), False),
        ("1.3rc1", _range({"introduced": "0"}, {"fixed": "1.3"}), True),
        ("1.3", _range({"introduced": "0"}, {"last_affected": "1.3"}), True),
        ("1.4", _range({"introduced": "0"}, {"last_affected": "1.3"}), False),
        ("1.1", _range({"introduced": "1.2"}), False),
        ("9", _range({"introduced": "1.2"}), True),
        ("2.1", _range({"introduced": "1"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.2"}), True),
        ("1.7", _range({"introduced": "1"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.2"}), False),
        ("1.7", _range({"introduced": "2"}, {"fixed": "2.2"}, {"introduced": "1"}, {"fixed": "1.5"}), False),
        ("1.2", _range({"introduced": "0"}, kind="GIT"), False),
    ],
)
def test_the_ranges_of_an_advisory_decide(version: str, affected: dict[str, Any], expected: bool) -> None:
    assert affects(_advisory(**affected), Pin("left-pad", Version(version), "x")) is expected


def test_another_package_or_ecosystem_is_not_meant() -> None:
    pin = Pin("left-pad", Version("1"), "x")
    assert not affects(_advisory("right-pad", versions=["1"]), pin)
    other = _advisory(versions=["1"])
    other["affected"][0]["package"]["ecosystem"] = "npm"
    assert not affects(other, pin)


def test_every_pin_of_layers_and_tools_is_looked_at() -> None:
    pinned = list(audit.pins(audit.PROJECT))
    assert {pin.place.partition("/")[0] for pin in pinned} == {"layers", "tools"}
    assert {"pydantic", "pyjwt", "aws-sam-cli"} <= {pin.name for pin in pinned}


def _archive(tmp_path: Path, *documents: dict[str, Any]) -> str:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, document in enumerate(documents):
            archive.writestr(f"{number}.json", json.dumps(document))
    return str(path)


def test_what_is_affected_is_named_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pin,) = (pin for pin in audit.pins(audit.PROJECT) if pin.name == "pyjwt" and pin.place.startswith("layers"))
    found = _advisory("PyJWT", versions=[str(pin.version)])
    assert audit.main([_archive(tmp_path, found)]) == 1
    assert f"pyjwt {pin.version} ({pin.place}): PYSEC-1" in capsys.readouterr().out
    assert audit.main([_archive(tmp_path, found | {"withdrawn": "2026-01-01T00:00:00Z"}, _advisory(versions=[]))]) == 0


def test_a_file_without_advisories_is_no_clean_result(tmp_path: Path) -> None:
    assert audit.main([_archive(tmp_path)]) == 2
    assert audit.main([str(tmp_path / "missing.zip")]) == 2
