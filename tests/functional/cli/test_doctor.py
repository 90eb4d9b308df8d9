"""`waybill doctor` against a stack, and without one."""

from pathlib import Path

import pytest

from tests.functional.cli.conftest import Program
from waybill.cli.app import main


def test_what_is_missing_of_a_stack_is_named(waybill: Program) -> None:
    # This stack has a source bucket and a tracking table, and neither an API nor the other tables.
    ran = waybill("doctor", "--json")
    assert ran.status == 1
    found = {each["name"]: each for each in ran.json["checks"]}
    assert {name: each["good"] for name, each in found.items() if name in {"Stack", "Clock", "Identity"}} == {
        "Stack": True,
        "Clock": True,
        "Identity": True,
    }
    assert found["API"]["good"] is False
    assert found["Permissions"]["good"] is False
    assert "the scans: stack waybill has no output ScansTableName" in found["Permissions"]["seen"]
    assert "the tracking table" not in found["Permissions"]["seen"]
    assert all(each["todo"] for each in found.values() if each["good"] is False)


def test_without_a_stack_the_machine_is_looked_at_all_the_same(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert main(["doctor"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    for said in ("Python", "run scripts/setup", "Disk", "make up for one on this machine", "there is no stack to ask"):
        assert said in printed.out
