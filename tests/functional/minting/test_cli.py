"""`waybill mint` and `waybill ids`, against moto."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.minting.conftest import TABLE, Aws
from waybill.cli import minting
from waybill.cli.context import Cli, Stack
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.handlers.id_minter import lambda_handler


@pytest.fixture(autouse=True)
def stack(aws: Aws, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands find moto's resources, and call the function in this process."""
    outputs = {"IdentifiersTableName": TABLE, "IdMinterFunctionName": "minter"}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    monkeypatch.setattr(minting, "_invoked", lambda cli, payload: lambda_handler(payload, context))


def test_mint_again_and_look_up(run) -> None:
    status, first = run("mint", "a", " b ", "a", "--job", "j")
    assert (status, first["successes"], first["jobId"]) == (0, ["a", "b"], "j")
    assert run("mint", "a", "b")[1]["identifiers"] == first["identifiers"]
    for wanted in ("a", first["identifiers"]["a"], first["identifiers"]["a"].upper()):
        assert run("ids", wanted)[1]["sourceIdentifier"] == "a"


def test_mint_a_file_of_more_than_one_request(run, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("\n".join(f"id-{number}" for number in range(150)) + "\n\n")
    status, got = run("mint", "--file", str(file))
    assert (status, len(got["successes"])) == (0, 150)


def test_a_file_with_predecessors(run, tmp_path: Path) -> None:
    file = tmp_path / "ids.jsonl"
    lines = [{"sourceIdentifier": f"new-{number}", "predecessor": f"old-{number}"} for number in range(120)]
    file.write_text("\n".join(json.dumps(line) for line in [*lines, *(f"old-{number}" for number in range(120))]))
    status, got = run("mint", "--file", str(file))
    assert (status, len(got["successes"])) == (0, 240)
    assert all(got["identifiers"][f"new-{number}"] == got["identifiers"][f"old-{number}"] for number in range(120))
    file.write_text("5")
    assert run("mint", "--file", str(file))[0] == 2
    assert run("mint", "a", "--job", " ")[0] == 2


def test_failures_are_exit_status_1_and_bad_usage_2(run) -> None:
    status, got = run("mint", "good", "b\x01d")
    assert (status, [failure["code"] for failure in got["failures"]]) == (1, ["INVALID_IDENTIFIER"])
    assert run("mint")[0] == 2
    assert run("ids", "never-seen")[0] == 1
    assert run("ids", "a\x01")[0] == 2


def test_bytes_that_are_no_text(run) -> None:
    assert run("mint", "good", "b\udcffd")[0] == 2
    assert run("ids", "b\udcffd")[0] == 2


def test_health(run) -> None:
    assert run("ids", "health") == (0, {"status": "ok"})


def test_audit_finds_what_is_wrong(run, aws: Aws) -> None:
    run("mint", "a", "b")
    assert run("ids", "audit") == (0, {"assignments": 2, "canonicalIds": 2, "violations": []})
    [victim, *_] = [item["pk"] for item in aws.items() if "owner" in item]
    aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": victim})
    status, found = run("ids", "audit")
    assert status == 1
    assert "has no reverse item" in found["violations"][0]["problem"]


def test_audit_reads_again_what_its_scan_has_not_seen(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("mint", *(f"id-{number}" for number in range(120)))
    scan = IdentifiersTable.items
    monkeypatch.setattr(IdentifiersTable, "items", lambda table: (item for item in scan(table) if "owner" not in item))
    assert run("ids", "audit") == (0, {"assignments": 120, "canonicalIds": 0, "violations": []})


@pytest.mark.parametrize("name", ["part.json", "part.json.gz"])
def test_audit_of_an_export(run, aws: Aws, tmp_path: Path, name: str) -> None:
    run("mint", "a")
    lines = "\n".join(json.dumps({"Item": item}) for item in aws.items()).encode()
    (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith("gz") else lines)
    assert run("ids", "audit", "--export", str(tmp_path / name))[0] == 0


@pytest.mark.parametrize("content", [b"junk", b"{}", b'{"Item": 5}', b"\xff", b"\x1f\x8bjunk", None])
@pytest.mark.parametrize("suffix", ["json", "gz"])
def test_files_that_are_none(run, tmp_path: Path, content: bytes | None, suffix: str) -> None:
    file = tmp_path / f"part.{suffix}"
    if content is not None:
        file.write_bytes(content)
    assert run("ids", "audit", "--export", str(file))[0] == 2
    assert run("ids", "import", str(file))[0] == 2


def test_an_export_that_cannot_be_written(run, tmp_path: Path) -> None:
    run("mint", "a")
    assert run("ids", "export", str(tmp_path / "no" / "folder"))[0] == 2
    (tmp_path / "folder").mkdir()
    assert run("ids", "export", str(tmp_path / "folder"))[0] == 2
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_export_and_import(run, aws: Aws, context: Any, tmp_path: Path) -> None:
    lambda_handler({"sourceIdentifiers": ["old", "new"], "predecessors": {"new": "old"}}, context)
    file = tmp_path / "all.jsonl"
    assert run("ids", "export", str(file))[1]["assignments"] == 2
    before = {item["pk"]["S"]: item.get("canonicalId", item.get("owner")) for item in aws.items()}
    assert run("ids", "import", str(file))[1] == {"stored": 0, "present": 2, "refused": []}
    for item in aws.items():
        aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
    file.write_text("".join(sorted(file.read_text().splitlines(keepends=True), reverse=True)))
    assert run("ids", "import", str(file))[1] == {"stored": 2, "present": 0, "refused": []}
    assert {item["pk"]["S"]: item.get("canonicalId", item.get("owner")) for item in aws.items()} == before


def test_import_refuses_what_contradicts(run, aws: Aws, tmp_path: Path) -> None:
    kept = run("mint", "a")[1]["identifiers"]["a"]
    file = tmp_path / "map.jsonl"
    lines = [
        {"sourceIdentifier": "a", "canonicalId": "bbbbbbbb"},
        {"sourceIdentifier": "b", "canonicalId": kept},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    before = aws.items()
    status, got = run("ids", "import", str(file))
    assert (status, got["stored"], len(got["refused"])) == (1, 0, 2)
    assert aws.items() == before
    file.write_text("nonsense")
    assert run("ids", "import", str(file))[0] == 2
    assert run("ids", "import", str(tmp_path / "absent"))[0] == 2
