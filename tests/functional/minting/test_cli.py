"""`waybill mint` and `waybill ids`, against moto."""

import gzip
import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.minting.conftest import TABLE, WORKFLOW, Aws, make_workflow
from waybill.cli.app import main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.cli.minting import invocation, life
from waybill.core.retry import Retry
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.domain.canonical_ids import Drawing
from waybill.minting.handlers.id_minter import lambda_handler


@pytest.fixture(autouse=True)
def stack(aws: Aws, context: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands find moto's resources, and call the function in this process."""
    outputs = {"IdentifiersTableName": TABLE, "IdMinterFunctionName": "minter", "IdMinterWorkflowArn": WORKFLOW}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    monkeypatch.setattr(invocation, "_invoked", lambda client, name, payload: lambda_handler(payload, context))
    monkeypatch.setattr(life, "drawing", lambda cli: Drawing())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_dash_is_standard_input(run, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO("\ufeffa\nb\n".encode())))
        assert run("mint", "--file", "-")[0] == 0
    assert [run("ids", wanted)[1]["sourceIdentifier"] for wanted in ("a", "b")] == ["a", "b"]


def test_mint_again_and_look_up(run) -> None:
    status, first = run("mint", "a", " b ", "a", "--job", "j")
    assert (status, first["successes"], first["jobId"]) == (0, ["a", "b"], "j")
    assert run("mint", "a", "b")[1]["identifiers"] == first["identifiers"]
    for wanted in ("a", first["identifiers"]["a"], first["identifiers"]["a"].upper()):
        assert run("ids", wanted)[1]["sourceIdentifier"] == "a"


def test_an_id_is_found_however_it_is_typed(run) -> None:
    # NOID and ARK leave hyphens out of account.
    minted = run("mint", "a")[1]["identifiers"]["a"]
    for typed in (f"{minted[:4]}-{minted[4:]}", f"{minted[:2]} {minted[2:]}".upper()):
        assert run("ids", typed)[1]["sourceIdentifier"] == "a"
    # A source that is written so is the one that was meant.
    hyphened = f"{minted[:4]}-{minted[4:]}"
    run("mint", hyphened)
    assert run("ids", hyphened)[1]["sourceIdentifier"] == hyphened


def test_the_registry_is_counted(run) -> None:
    run("mint", "Work[sierra/b1]", "Work[sierra/b2]", "c", "--job", "first")
    reserved = run("ids", "reserve", "2", "--purpose", "next year")[1]["canonicalIds"]
    run("ids", "withdraw", run("ids", "c")[1]["canonicalId"], "--reason", "gone")
    # One that was reserved and taken back stands in one column, as look-ups show it.
    run("ids", "withdraw", reserved[0], "--reason", "not needed")
    status, counted = run("ids", "stats")
    assert (status, counted["assignments"], counted["canonicalIds"], counted["reserved"]) == (0, 3, 5, 1)
    assert (counted["systems"], counted["jobs"]) == ({"sierra": 2, "": 1}, {"first": 3})
    assert (counted["withdrawn"], counted["replaced"], sum(counted["months"].values())) == (2, 0, 3)


def test_runs_are_listed_and_shown(run) -> None:
    make_workflow("first", "second")
    status, listed = run("identifiers", "runs", "--limit", "1")
    rest = run("identifiers", "runs", "--cursor", listed["cursor"])[1]
    assert (status, rest["cursor"]) == (0, None)
    listed = sorted((each["runId"], each["status"]) for each in listed["runs"] + rest["runs"])
    assert listed == [("first", "RUNNING"), ("second", "RUNNING")]
    assert run("identifiers", "runs", "--cursor", "nonsense")[0] == 2
    assert run("identifiers", "runs", "first")[1]["runId"] == "first"
    assert run("identifiers", "runs", "nobody")[0] == 1


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]):
    """Run `waybill` with `--json`; return its exit status and the lines of JSON that it prints."""

    def ran(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        capsys.readouterr()
        status = main([*arguments, "--json"])
        printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        # Functions that run in this process log to standard output too.
        return status, [each for each in printed if "sourceIdentifier" in each]

    return ran


def test_mint_a_file_of_more_than_one_request(lines, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("\n".join(f"id-{number}" for number in range(150)) + "\n\n")
    status, got = lines("mint", "--file", str(file))
    assert (status, [each["sourceIdentifier"] for each in got]) == (0, [f"id-{number}" for number in range(150)])
    assert all(each["canonicalId"] for each in got)


def numbers(tmp_path: Path, count: int) -> Path:
    file = tmp_path / "numbers.txt"
    file.write_text("".join(f"n-{number}\n" for number in range(count)))
    return file


@pytest.mark.parametrize("ends_after", [1, 2])
def test_a_run_that_was_interrupted_is_resumed_behind_the_last_answer(
    lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Any, capsys, ends_after: int
) -> None:
    # A run of millions is not begun again, and no answer is lost or printed twice.
    file, calls = numbers(tmp_path, 350), []

    def invoked(client: Any, name: str, payload: Any) -> Any:
        calls.append(payload)
        if len(calls) > ends_after:
            raise KeyboardInterrupt
        return lambda_handler(payload, context)

    with monkeypatch.context() as patched:
        patched.setattr(invocation, "_invoked", invoked)
        status, first = lines("mint", "--file", str(file))
    assert (status, len(first)) == (130, ends_after * 100)
    status, rest = lines("mint", "--file", str(file), "--resume")
    assert status == 0
    assert [each["sourceIdentifier"] for each in (*first, *rest)] == [f"n-{number}" for number in range(350)]
    assert lines("mint", "--file", str(file), "--resume") == (0, [])


def test_what_cannot_be_resumed(lines, tmp_path: Path) -> None:
    file = numbers(tmp_path, 3)
    assert lines("mint", "--file", str(file), "--resume") == (2, [])
    assert lines("mint", "a", "--resume") == (2, [])
    assert lines("mint", "--file", str(file))[0] == 0
    assert lines("mint", "--file", str(file), "--job", "j", "--resume") == (2, [])
    file.write_text("n-0\nother\n")
    assert lines("mint", "--file", str(file), "--resume") == (2, [])


def test_two_runs_of_one_file_at_once(lines, tmp_path: Path, monkeypatch, context: Any) -> None:
    file, seen = numbers(tmp_path, 3), []

    def invoked(client: Any, name: str, payload: Any) -> Any:
        seen.append(main(["mint", "--file", str(file)]) if not seen else None)
        return lambda_handler(payload, context)

    monkeypatch.setattr(invocation, "_invoked", invoked)
    assert lines("mint", "--file", str(file))[0] == 0
    assert seen == [1]


def test_passing_faults_of_the_call_are_waited_out(lines, tmp_path: Path, monkeypatch, context: Any) -> None:
    faults = ["TooManyRequestsException", "ServiceException", "Sandbox.Timedout"]
    left = list(faults)

    class Client:
        def invoke(self, **call: Any) -> Any:
            if len(left) > 1:
                raise ClientError({"Error": {"Code": left.pop(0)}, "ResponseMetadata": {}}, "Invoke")
            if left:
                body = json.dumps({"errorType": left.pop(0), "errorMessage": "Task timed out"})
                return {"FunctionError": "Unhandled", "Payload": BytesIO(body.encode())}
            answer = lambda_handler(json.loads(call["Payload"]), context)
            return {"Payload": BytesIO(json.dumps(answer).encode())}

    monkeypatch.undo()
    outputs = {"IdentifiersTableName": TABLE, "IdMinterFunctionName": "minter"}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    monkeypatch.setattr(Cli, "client", lambda cli, service: Client())
    quick = Retry(tries=5, first_pause=0.001, longest_pause=0.002)
    monkeypatch.setattr(invocation, "_RETRY", quick)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    status, got = lines("mint", "--file", str(numbers(tmp_path, 2)))
    assert (status, len(got), left) == (0, 2, [])


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_what_was_refused_for_what_nobody_sees_is_seen(how: tuple[str, ...], run, capsys) -> None:
    """Issue, bad input: two identifiers that differ look different in every table."""
    run("mint", "b1")
    capsys.readouterr()
    assert main(["mint", *how, "b1", "b1\u200b"]) == 1
    told = capsys.readouterr().out
    assert "\u200b" not in told
    assert "b1\\u200b" in told


def test_a_dry_run_writes_nothing(lines, run, aws: Aws, tmp_path: Path) -> None:
    known = run("mint", "old", "new")[1]["identifiers"]
    before = aws.items()
    file = tmp_path / "ids.jsonl"
    file.write_text(
        '"old"\n"fresh"\n"b\\u200b"\n'
        '{"sourceIdentifier": "heir", "predecessor": "old"}\n{"sourceIdentifier": "second", "predecessor": "fresh"}\n'
        '{"sourceIdentifier": "new", "predecessor": "old"}\n{"sourceIdentifier": "lost", "predecessor": "nobody"}\n'
    )
    status, got = lines("mint", "--dry-run", "--file", str(file))
    told = {each["sourceIdentifier"]: each for each in got}
    assert status == 1
    assert told["old"] == {"sourceIdentifier": "old", "would": "keep", "canonicalId": known["old"]}
    assert told["fresh"] == {"sourceIdentifier": "fresh", "would": "mint"}
    assert told["heir"] == {"sourceIdentifier": "heir", "would": "inherit", "canonicalId": known["old"]}
    assert told["second"] == {"sourceIdentifier": "second", "would": "inherit"}
    assert told["new"]["note"] == "PREDECESSOR_IGNORED"
    assert (told["b\u200b"]["would"], told["b\u200b"]["code"]) == ("refuse", "INVALID_IDENTIFIER")
    assert (told["lost"]["would"], told["lost"]["code"]) == ("refuse", "PREDECESSOR_NOT_FOUND")
    assert aws.items() == before


@pytest.mark.parametrize(
    ("content", "status", "first"),
    [
        (b"\xef\xbb\xbfb1\r\nb2\r\n", 0, "b1"),
        ("b1\n".encode("utf-16"), 2, None),
        (b"\xff\n", 2, None),
        (b"b1\n\xef\xbb\xbfb2\n", 1, "b1"),
    ],
)
def test_byte_order_marks_of_a_file(lines, tmp_path: Path, content: bytes, status: int, first: str | None) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(content)
    ended, got = lines("mint", "--file", str(file))
    assert (ended, got[0]["sourceIdentifier"] if got else None) == (status, first)


def test_a_slip_in_a_line_mints_nothing(lines, aws: Aws, tmp_path: Path) -> None:
    # An unknown field is refused by every form of input, and a file is checked before its first line is minted.
    file = tmp_path / "ids.jsonl"
    file.write_text('"a"\n{"sourceIdentifier": "b", "predecesor": "a"}\n')
    assert lines("mint", "--file", str(file)) == (2, [])
    assert aws.items() == []


def test_the_life_of_an_identifier(run, capsys) -> None:
    ids = run("mint", "a", "b")[1]["identifiers"]
    status, kept = run("ids", "reserve", "50", "--purpose", "for later")
    assert (status, len(set(kept["canonicalIds"]))) == (0, 50)
    assert run("ids", kept["canonicalIds"][0])[1]["status"] == "reserved"
    replaced = run("ids", "replace", ids["a"], "--by", ids["b"], "--reason", "one book")[1]
    assert (replaced["status"], replaced["replacedBy"]) == ("replaced", ids["b"])
    assert run("ids", "a")[1]["reason"] == "one book"
    assert run("ids", "replace", ids["b"], "--by", ids["a"], "--reason", "back")[0] == 1
    assert run("ids", "withdraw", ids["b"], "--reason", "mistake")[1]["status"] == "withdrawn"
    assert run("mint", "a", "b")[1]["identifiers"] == ids
    assert run("ids", "audit")[1] == {"assignments": 2, "canonicalIds": 52, "reserved": 50, "violations": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("reserve", "0", "--purpose", "x"),
        ("reserve", "-1", "--purpose", "x"),
        ("reserve", "1"),
        ("withdraw", "aaaaaaaa"),
        ("replace", "aaaaaaaa", "--by", "bbbbbbbb"),
        ("replace", "short", "--by", "bbbbbbbb", "--reason", "x"),
        ("withdraw", "aaaaaaaa", "--reason", " "),
    ],
)
def test_bad_usage_of_the_life(run, arguments: tuple[str, ...]) -> None:
    run("mint", "a")
    assert run("ids", *arguments)[0] in {1, 2} if arguments[-1] == " " else run("ids", *arguments)[0] == 2


def test_a_file_with_predecessors(lines, run, tmp_path: Path) -> None:
    file = tmp_path / "ids.jsonl"
    links = [{"sourceIdentifier": f"new-{number}", "predecessor": f"old-{number}"} for number in range(120)]
    file.write_text("\n".join(json.dumps(line) for line in [*links, *(f"old-{number}" for number in range(120))]))
    status, got = lines("mint", "--file", str(file))
    assert (status, len(got)) == (0, 240)
    ids = {each["sourceIdentifier"]: each["canonicalId"] for each in got}
    assert all(ids[f"new-{number}"] == ids[f"old-{number}"] for number in range(120))
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
    assert run("ids", "audit") == (0, {"assignments": 2, "canonicalIds": 2, "reserved": 0, "violations": []})
    [victim, *_] = [item["pk"] for item in aws.items() if "owner" in item]
    aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": victim})
    status, found = run("ids", "audit")
    assert status == 1
    assert "has no reverse item" in found["violations"][0]["problem"]


def test_audit_reads_again_what_its_scan_has_not_seen(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("mint", *(f"id-{number}" for number in range(120)))
    scan = IdentifiersTable.items
    monkeypatch.setattr(IdentifiersTable, "items", lambda table: (item for item in scan(table) if "owner" not in item))
    assert run("ids", "audit") == (0, {"assignments": 120, "canonicalIds": 0, "reserved": 0, "violations": []})


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
