"""`GET /custody`, `waybill trace` and `waybill custody`: what they answer, and what they refuse."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from scripts.template import load_template
from tests.fakes.api import LambdaContext, ask
from tests.fakes.custody import LocalSigner
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, facts, result
from tests.functional.custody.conftest import CustodyOnMoto, table, typed
from tests.functional.custody.samples import ABC, CHECKSUM, tracking
from waybill.cli.app import main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack, setting_of
from waybill.core import settings
from waybill.custody import runtime
from waybill.custody.admin_api import app as admin_app
from waybill.custody.api import app
from waybill.custody.domain.interpreting import Workflow

RUNS = 5
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def recorded(custody: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch) -> CustodyOnMoto:
    """A file that was copied five times to one place, and is known to the commands too."""
    store = tracking(custody)
    for number in range(RUNS):
        run = a_run(str(number))
        done = result(run, DESTINATIONS[0], bytes=3, timestamp=f"2026-11-21T10:00:0{number}.000Z")
        store.record_destination(run, done, facts(checksum=CHECKSUM))
        custody.record(Workflow.REPLICATION)
    output_of = _outputs()
    environment = {name: custody.environment.get(name, "") for name in output_of}
    for name in ("CUSTODY_TABLE", "FILE_COPY_TRACKING_TABLE", "IDENTIFIERS_TABLE", "CONSIGNMENTS_TABLE"):
        environment[name] = table(_resource(name))
    environment |= {"SCANS_TABLE": "ScansTable", "SUBJECT_ACCESS_TABLE": "SubjectAccessTable"}
    buckets = ("CONSIGNMENT_UPLOAD_BUCKET", "CONSIGNMENT_CLEAN_BUCKET", "CONSIGNMENT_QUARANTINE_BUCKET")
    environment |= dict.fromkeys((*buckets, "SUBJECT_ACCESS_REPORTS_BUCKET"), "bucket")
    outputs = {output_of[name]: value for name, value in environment.items() if value}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    return custody


@cache
def _outputs() -> dict[str, str]:
    return {setting_of(output): output for output in load_template()["Outputs"]}


def _resource(setting: str) -> str:
    return {"FILE_COPY_TRACKING_TABLE": "FileCopyTrackingTable"}.get(
        setting, "".join(part.capitalize() for part in setting.split("_"))
    )


def traced(**query: str) -> Any:
    return ask(app, "GET", "/custody", query=query, roles="custody")


def test_a_trace_has_the_shape_of_the_contract(recorded: CustodyOnMoto) -> None:
    answer = traced(bucket=SOURCE, key=KEY)
    assert answer.status == 200
    said = answer.json
    assert set(said) == {"subject", "coverage", "verified", "events", "cursor"}
    assert set(said["subject"]) == {"subjectId", "places", "origin", "copies", "identifiers"}
    assert said["subject"]["places"] == [{"bucket": SOURCE, "key": KEY}]
    assert said["subject"]["copies"] == [{"bucket": DESTINATIONS[0], "key": KEY}]
    event = said["events"][0]
    contract = {"eventId", "type", "typeUri", "at", "recordedAt", "workflow", "outcome", "agent", "detail"}
    assert contract | {"object", "related", "previous", "mac"} <= set(event)
    assert event["typeUri"] == "http://id.loc.gov/vocabulary/preservation/eventType/rep"
    assert event["object"] == {"bucket": SOURCE, "key": KEY, "versionId": None, "sha256": ABC, "size": 3}
    assert [each["previous"] for each in said["events"]] == [None, *(each["mac"] for each in said["events"][:-1])]
    assert (said["coverage"], said["verified"]) == (["waybill"], None)


def test_pages_follow_each_other_and_miss_nothing(recorded: CustodyOnMoto) -> None:
    whole = [event["eventId"] for event in traced(bucket=SOURCE, key=KEY).json["events"]]
    found, cursor = [], {}
    while True:
        page = traced(bucket=SOURCE, key=KEY, limit="2", **cursor).json
        found += [event["eventId"] for event in page["events"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == whole
    assert len(whole) == RUNS
    # A place in another history is none in this one.
    first = traced(bucket=SOURCE, key=KEY, limit="2").json
    assert traced(sha256=ABC, limit="2", cursor=first["cursor"]).fields == ["cursor"]
    assert traced(bucket=SOURCE, key="other", cursor=first["cursor"]).fields == ["cursor"]


def test_what_names_no_file_or_two_is_refused(recorded: CustodyOnMoto) -> None:
    queries: list[dict[str, str]] = [
        {},
        {"bucket": SOURCE},
        {"key": KEY},
        {"bucket": SOURCE, "key": KEY, "sha256": ABC},
        {"consignmentId": "c"},
        {"sha256": "ab"},
        {"sha256": "g" * 64},
        {"sha256": ABC[:-1]},
        {"sha256": f"{ABC}0"},
        {"sha256": f"{ABC}\n"},
        {"sha256": f"sha256:{ABC}"},
        {"identifier": "not an id"},
        {"bucket": SOURCE, "key": KEY, "limit": "201"},
        {"bucket": SOURCE, "key": KEY, "limit": "0"},
        {"bucket": SOURCE, "key": KEY, "cursor": "nonsense"},
        {"bucket": SOURCE, "key": KEY, "unknown": "1"},
        {"versionId": "v", "sha256": ABC},
    ]
    answers = [(query, traced(**query).status) for query in queries]
    assert [(query, status) for query, status in answers if status not in {400, 422}] == []


def test_what_nobody_knows_is_named(recorded: CustodyOnMoto) -> None:
    queries: list[tuple[dict[str, str], str]] = [
        ({"bucket": SOURCE, "key": "other"}, f"other in bucket {SOURCE}"),
        ({"sha256": "0" * 64}, "0" * 64),
        ({"identifier": "KX7DN2PH"}, "kx7dn2ph"),
        ({"consignmentId": "c", "fileId": "f"}, "file f of consignment c"),
    ]
    for query, named in queries:
        answer = traced(**query)
        assert answer.status == 404, query
        assert named in answer.json["detail"]


def test_a_version_that_nobody_knows_is_named(recorded: CustodyOnMoto, run: Any, capsys: Any) -> None:
    answer = traced(bucket=SOURCE, key=KEY, versionId="v404")
    assert (answer.status, answer.json["detail"]) == (
        404,
        f"Nothing is recorded of version v404 of {KEY} in bucket {SOURCE}",
    )
    assert main(["trace", f"s3://{SOURCE}/{KEY}", "--version-id", "v404"]) == 1
    assert "version v404" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("report",), ("export", "--output", "{out}")])
def test_where_nothing_lies_there_is_nothing_to_say(
    recorded: CustodyOnMoto, capsys: Any, tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *options = command
    recorded.s3.create_bucket(Bucket="bare", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    arguments = [option.format(out=tmp_path / "out") for option in options]
    assert main(["custody", name, "s3://bare/mistyped", *arguments]) == 1
    assert "Nothing lies below mistyped in bucket bare" in capsys.readouterr().err


def test_a_hash_is_the_same_in_either_case(recorded: CustodyOnMoto) -> None:
    lower, upper = traced(sha256=ABC), traced(sha256=ABC.upper())
    assert (lower.status, upper.json) == (200, lower.json)


def test_a_name_that_nobody_knows_is_named_as_it_was_asked_for(recorded: CustodyOnMoto) -> None:
    for key in ("a/#%2F b", "\x01\n\r", "../..", "é🙂", "k" * 1024, "'; DROP TABLE", "<script>"):
        answer = traced(bucket=SOURCE, key=key)
        # In one line, whatever was sent.
        assert (answer.status, key in answer.json["detail"]) == (404, key.isprintable()), key
        assert answer.json["detail"].isprintable(), key


def test_other_roles_see_nothing(recorded: CustodyOnMoto) -> None:
    answer = ask(app, "GET", "/custody", query={"bucket": SOURCE, "key": "other"}, roles="replication")
    assert answer.status == 403


def erased(roles: str | None = "custody-admin", **body: object) -> Any:
    said = {"bucket": SOURCE, "key": KEY, "reason": "asked for by the person"} | body
    return ask(admin_app, "POST", "/custody/erasures", roles=roles, body=said, headers=JSON)


def test_who_traces_does_not_erase_and_who_erases_does_not_trace(recorded: CustodyOnMoto) -> None:
    """Two roles, two duties. Who may not is told so before it is told whether there is such a file."""
    duties = [
        ("custody", True, False),
        ("custody-admin", False, True),
        ("custody,custody-admin", True, True),
        ("admin", True, True),
        ("sar-admin", False, False),
        ("custody-administrator", False, False),
        ("", False, False),
    ]
    for (roles, may_trace, may_erase), key in product(duties, (KEY, "nobody's")):
        seen = ask(app, "GET", "/custody", query={"bucket": SOURCE, "key": key}, roles=roles)
        gone = erased(roles, key=key, dryRun=True)
        found = 200 if key == KEY else 404
        assert (seen.status, gone.status) == (found if may_trace else 403, found if may_erase else 403), roles
        assert may_erase or key not in gone.text, roles
    assert traced(bucket=SOURCE, key=KEY).status == 200


def test_an_erasure_that_was_not_understood_erases_nothing(recorded: CustodyOnMoto) -> None:
    bodies: list[dict[str, object]] = [
        {"reason": ""},
        {"reason": " \t"},
        {"reason": "x" * 501},
        {"reason": None},
        {"bucket": ""},
        {"key": "k" * 1025},
        {"dryRun": "true"},
        {"prefix": "all/"},
    ]
    before = recorded.items()
    for body in bodies:
        assert erased(**body).status == 400, body
        assert recorded.items() == before, body


def test_names_are_erased_over_http(recorded: CustodyOnMoto) -> None:
    recorded.seal()
    recorded.at += timedelta(hours=1)
    places = [{"bucket": SOURCE, "key": KEY}, {"bucket": DESTINATIONS[0], "key": KEY}]
    before = recorded.items()
    assert erased(dryRun=True).json == {"erased": False, "places": places}
    assert recorded.items() == before
    assert erased().json == {"erased": True, "places": places}
    assert traced(bucket=SOURCE, key=KEY).status == 404
    # The answer was lost, and it is sent again: nothing is known of the place any more.
    assert erased().status == 404
    # Who it was is a pseudonym in the log, which nobody can erase.
    told = [item["sealed"] for item in recorded.items() if "sealed" in item]
    sealed = [text for text in told if '"erased":"names"' in text]
    assert len(sealed) == 2
    assert not any("alice" in text for text in sealed)
    assert KEY not in repr(recorded.items())


def test_sealed_proven_verified_and_exported(recorded: CustodyOnMoto, run: Any, tmp_path: Path, capsys: Any) -> None:
    # A success is a statement about now (the contract, "Everywhere"): nothing proves what is not sealed.
    for form in ("text", "ndjson", "premis"):
        assert main(["trace", f"s3://{SOURCE}/{KEY}", "--prove", "--format", form]) == 1
        assert f"{RUNS} of {RUNS} are not proven yet" in capsys.readouterr().err
    assert run("trace", f"s3://{SOURCE}/{KEY}")[0] == 0
    assert recorded.seal() == {"added": RUNS, "missing": 0}
    proven = traced(bucket=SOURCE, key=KEY, prove="true").json
    assert [event["index"] for event in proven["events"]] == list(range(RUNS))
    assert {event["proof"]["size"] for event in proven["events"]} == {RUNS}
    for event in ({}, {"full": True}):
        assert recorded.call("verify_custody", event) == {"entries": RUNS, "readAgain": RUNS, "waiting": 0}
    assert traced(bucket=SOURCE, key=KEY).json["verified"]["size"] == RUNS

    status, said = run("trace", f"s3://{SOURCE}/{KEY}", "--prove")
    assert (status, len(said["events"])) == (0, RUNS)
    for how in ((), ("--full",)):
        assert run("custody", "verify", *how)[1]["holds"] is True
    kept = tmp_path / "head"
    kept.write_text(run("custody", "head")[1]["head"])
    assert run("custody", "verify", "--head", str(kept))[1]["holds"] is True
    # By the key that somebody has kept, whatever KMS says of its own now.
    key = tmp_path / "key"
    for seed, status in ((1, 0), (2, 1)):
        key.write_text(LocalSigner(seed, name="waybill/custodylogbucket").key().text)
        assert run("custody", "verify", "--key", str(key))[0] == status
    assert run("custody", "verify", "--full", "--file", str(kept), "--key", str(key))[0] == 2
    assert run("custody", "verify", "--file", str(kept))[0] == 2
    kept.write_text(kept.read_text().replace("\n5\n", "\n6\n"))
    assert run("custody", "verify", "--head", str(kept))[0] == 1

    capsys.readouterr()
    for form in ("ndjson", "premis"):
        assert main(["trace", f"sha256:{ABC}", "--prove", "--format", form]) == 0


def test_an_export_verifies_without_anything_else_and_any_change_of_it_does_not(
    recorded: CustodyOnMoto, run: Any, tmp_path: Path
) -> None:
    from waybill.custody import runtime
    from waybill.custody.domain.tracing import ByPlace
    from waybill.custody.models import Place

    recorded.seal()
    lines = list(runtime.export([runtime.tracer().trace(ByPlace(Place(SOURCE, KEY)), limit=50)]))
    key, file = tmp_path / "key", tmp_path / "export.ndjson"
    key.write_text(LocalSigner(name="waybill/custodylogbucket").key().text)
    file.write_text("\n".join(lines) + "\n")
    status, said = run("custody", "verify", "--file", str(file), "--key", str(key))
    assert (status, said["proven"], said["findings"]) == (0, RUNS, [])

    for altered in (
        lines[0].replace("success", "failure"),
        lines[0].replace(f'"key": "{KEY}"', '"key": "another"'),
        lines[0].replace(ABC, "0" * 64),
        lines[0].replace('"index": 0', '"index": 1'),
    ):
        assert altered != lines[0]
        file.write_text("\n".join([altered, *lines[1:]]))
        status, said = run("custody", "verify", "--file", str(file), "--key", str(key))
        assert (status, [finding["line"] for finding in said["findings"]]) == (1, [1])

    file.write_text("\n".join(lines[:-1]))
    assert run("custody", "verify", "--file", str(file), "--key", str(key))[0] == 1
    key.write_text(LocalSigner(seed=2, name="waybill/custodylogbucket").key().text)
    file.write_text("\n".join(lines))
    assert run("custody", "verify", "--file", str(file), "--key", str(key))[0] == 1


def test_a_key_that_looks_like_markup_is_shown_as_it_is(recorded: CustodyOnMoto, capsys: Any) -> None:
    store, key = tracking(recorded), "[/bold] [red]\x1b[2J.zip"
    moved = a_run("markup", key=key)
    store.record_destination(moved, result(moved, DESTINATIONS[0], bytes=3), facts(key=key))
    recorded.record(Workflow.REPLICATION)
    assert main(["trace", f"s3://{SOURCE}/{key}"]) == 0
    shown = capsys.readouterr().out
    assert "[/bold] [red]\\x1b[2J.zip" in shown
    assert "replication" in shown


def test_what_was_altered_is_said_by_trace_and_verify(recorded: CustodyOnMoto, run: Any) -> None:
    recorded.seal()
    item = next(item for item in recorded.items() if "sealed" in item)
    recorded.dynamodb.update_item(
        TableName="CustodyTable",
        Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
        UpdateExpression="SET sealed = :sealed",
        ExpressionAttributeValues={":sealed": {"S": item["sealed"].replace("success", "failure")}},
    )
    assert [event["intact"] for event in traced(bucket=SOURCE, key=KEY).json["events"]].count(False) == 1
    assert run("trace", f"s3://{SOURCE}/{KEY}")[0] == 1
    status, said = run("custody", "verify")
    assert (status, [finding["code"] for finding in said["findings"]]) == (1, ["ALTERED"])
    with pytest.raises(Exception, match="1 findings in a log of 5 entries"):
        recorded.call("verify_custody", {})


def test_items_are_restored_from_the_log_by_command(recorded: CustodyOnMoto, run: Any) -> None:
    """One without anything that stood beside it, one gone, and one of what is no text: each is again what it was."""
    recorded.seal()
    before = {(item["pk"], item["sk"]): item for item in recorded.items() if "sealed" in item}
    assert run("custody", "restore") == (0, {"entries": []})
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in sorted(before)]
    update = {"UpdateExpression": "SET sealed = :sealed REMOVE states", "TableName": "CustodyTable"}
    for key, sealed in ((keys[0], {"S": "another"}), (keys[1], {"N": "7"})):
        recorded.dynamodb.update_item(Key=key, ExpressionAttributeValues={":sealed": sealed}, **update)
    recorded.dynamodb.delete_item(TableName="CustodyTable", Key=keys[2])
    altered = recorded.items()
    status, said = run("custody", "restore", "--dry-run")
    assert (status, [entry["was"] for entry in said["entries"]]) == (0, ["ALTERED", "ALTERED", "MISSING"])
    assert {entry["state"] for entry in said["entries"]} == {"FOUND"}
    assert recorded.items() == altered
    status, said = run("custody", "restore")
    assert (status, {entry["state"] for entry in said["entries"]}) == (0, {"RESTORED"})
    assert {(item["pk"], item["sk"]): item for item in recorded.items() if "sealed" in item} == before
    assert run("custody", "verify", "--full")[1]["findings"] == []

    # All of the history gone: the newest state of the destination is what its record still tells.
    for key in keys:
        recorded.dynamodb.delete_item(TableName="CustodyTable", Key=key)
    assert run("custody", "restore")[0] == 0
    assert {(item["pk"], item["sk"]): item for item in recorded.items() if "sealed" in item} == before

    # And where the records have forgotten it too, it is said to be missing still.
    for key in keys:
        recorded.dynamodb.delete_item(TableName="CustodyTable", Key=key)
    name = table("FileCopyTrackingTable")
    for item in recorded.dynamodb.scan(TableName=name)["Items"]:
        key = {attribute: item[attribute] for attribute in ("fileKey", "sourceBucket")}
        recorded.dynamodb.delete_item(TableName=name, Key=key)
    status, said = run("custody", "restore")
    assert (status, {entry["state"] for entry in said["entries"]}) == (1, {"NOT_FOUND"})
    assert not [item for item in recorded.items() if "sealed" in item]


def test_a_proof_that_does_not_hold_is_none(recorded: CustodyOnMoto, run: Any) -> None:
    recorded.seal()
    # What is put over the log's files proves nothing and hides nothing: what was written first is under its lock.
    for name in (f"tile/0/000.p/{RUNS}", f"checkpoints/{RUNS:020}", f"tile/entries/000.p/{RUNS}"):
        recorded.s3.put_object(Bucket="custodylogbucket", Key=f"log/{name}", Body=bytes(32 * RUNS))
    recorded.s3.delete_object(Bucket="custodylogbucket", Key="log/key")
    assert traced(bucket=SOURCE, key=KEY, prove="true").status == 200
    assert run("trace", f"s3://{SOURCE}/{KEY}", "--prove")[0] == 0
    assert run("custody", "verify")[1]["holds"] is True
    # The table says another place of the log than the one that has the event.
    [where] = [item for item in recorded.items() if item["pk"].startswith("LOG#")]
    ids = bytes(where["ids"])
    key = {"pk": {"S": where["pk"]}, "sk": {"S": where["sk"]}}
    recorded.dynamodb.update_item(
        TableName="CustodyTable",
        Key=key,
        UpdateExpression="SET ids = :ids",
        ExpressionAttributeValues={":ids": {"B": ids[16:] + ids[:16]}},
    )
    answer = traced(bucket=SOURCE, key=KEY, prove="true")
    assert answer.status == 409
    assert "does not have event" in answer.json["detail"]
    assert run("trace", f"s3://{SOURCE}/{KEY}", "--prove")[0] == 1


@pytest.mark.parametrize(
    "sealed", ["", "[1]", "{}", '{"v": 1}', '{"v": 1, "type": "replication", "outcome": "success"}']
)
def test_an_event_that_was_written_over_is_said_to_be(recorded: CustodyOnMoto, run: Any, sealed: str) -> None:
    recorded.seal()
    item = next(item for item in recorded.items() if "sealed" in item)
    recorded.dynamodb.update_item(
        TableName="CustodyTable",
        Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
        UpdateExpression="SET sealed = :sealed",
        ExpressionAttributeValues={":sealed": {"S": sealed}},
    )
    answer = traced(bucket=SOURCE, key=KEY)
    assert answer.status == 409
    assert item["id"] in answer.json["detail"]
    status, said = run("custody", "verify")
    assert (status, [finding["code"] for finding in said["findings"]]) == (1, ["ALTERED"])


@pytest.mark.parametrize(
    ("which", "name", "value", "said"),
    [
        ("sealed", "states", {"S": "none"}, "ALTERED"),
        ("sealed", "states", {"L": [{"S": "x"}]}, "ALTERED"),
        ("sealed", "states", {"L": [{"M": {"place": {"L": []}, "size": {"S": "3"}}}]}, "ALTERED"),
        ("sealed", "sealed", {"N": "1"}, "ALTERED"),
        ("sealed", "mac", {"B": b"x"}, "MAC_WRONG"),
        ("sealed", "id", {"NULL": True}, "ALTERED"),
        ("bucket", "key", {"L": []}, "ALTERED"),
        ("bucket", "subject", {"N": "7"}, "MISSING"),
        ("bucket", "since", {"M": {}}, "MISSING"),
        ("edge", "edge", {"S": "xyz"}, "was written over"),
        ("edge", "size", {"L": []}, "was written over"),
        ("edge", "fullAt", {"L": []}, ""),
    ],
)
def test_whatever_type_somebody_writes_is_named_and_stops_nothing(
    recorded: CustodyOnMoto, run: Any, capsys: Any, which: str, name: str, value: Any, said: str
) -> None:
    recorded.seal()
    item = next(item for item in recorded.items() if which in item and item.get("bucket", SOURCE) == SOURCE)
    key = {"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}
    recorded.dynamodb.update_item(
        TableName="CustodyTable",
        Key=key,
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )
    capsys.readouterr()
    assert main(["custody", "verify", "--json"]) == (1 if said else 0)
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
    assert "INTERNAL" not in printed.err


def test_a_report_tells_of_every_file_that_lies_there(recorded: CustodyOnMoto, run: Any) -> None:
    place: Any = {"LocationConstraint": "eu-west-1"}
    recorded.s3.create_bucket(Bucket=SOURCE, CreateBucketConfiguration=place)
    for key in (KEY, "unheard of"):
        recorded.s3.put_object(Bucket=SOURCE, Key=key, Body=b"abc")
    status, said = run("custody", "report", f"s3://{SOURCE}/")
    assert (status, said["unknown"]) == (1, 1)
    known = {file["key"]: file["known"] for file in said["files"]}
    assert known["unheard of"] is None
    assert (known[KEY]["events"], known[KEY]["copies"], known[KEY]["intact"]) == (RUNS, 1, True)
    assert run("custody", "report", f"s3://{SOURCE}/{KEY}")[0] == 0
    assert run("custody", "report", "s3://no-such-bucket/")[0] == 1
    assert run("custody", "report", "bucket")[0] == 2


def test_reconciling_makes_what_is_missing_and_nothing_else(recorded: CustodyOnMoto, run: Any) -> None:
    store, run_ = tracking(recorded), a_run("unheard", key="another.zip")
    store.record_destination(run_, result(run_, DESTINATIONS[1], bytes=3), facts(key="another.zip"))
    before = {(item["pk"], item["sk"]) for item in recorded.items() if "sealed" in item}
    status, said = run("custody", "reconcile")
    assert status == 0
    replication = next(one for one in said["tables"] if one["table"] == "replication")
    assert (replication["events"], replication["new"], replication["refused"]) == (2, 1, 0)
    after = {(item["pk"], item["sk"]) for item in recorded.items() if "sealed" in item}
    assert len(after - before) == 1
    assert before <= after
    assert traced(bucket=SOURCE, key="another.zip").json["events"][0]["type"] == "replication"
    assert run("custody", "reconcile")[1]["tables"][0]["new"] == 0


def counted(capsys: Any) -> list[int]:
    """What the log says that reconciliations have repaired."""
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RepairedEvents" in line]
    return [one["RepairedEvents"][0] for one in said]


def test_a_schedule_repairs_what_a_stream_has_lost_and_writes_nothing_else(
    recorded: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """It finds losses, and counts them."""
    recorded.at += timedelta(days=2)
    before = [item for item in recorded.items() if item["pk"] != "RECONCILE"]
    recorded.call("record_events", {"reconcile": True})
    assert [item for item in recorded.items() if item["pk"] != "RECONCILE"] == before
    assert counted(capsys) == [0]

    store = tracking(recorded)
    young = (recorded.at - timedelta(minutes=59)).isoformat().replace("+00:00", ".000Z")
    for name, at in (
        ("lost.zip", "2026-11-21T10:00:00.000Z"),
        ("lost2.zip", "2026-11-21T10:00:00.000Z"),
        ("young.zip", young),
    ):
        run_ = a_run(name, key=name)
        store.record_destination(run_, result(run_, DESTINATIONS[1], bytes=3, timestamp=at), facts(key=name))
    # No time but for one batch, of one item: the next goes on behind it.
    monkeypatch.setattr("waybill.custody.domain.reconciling._BATCH", 1)
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", staticmethod(lambda: 1))
    runs = 0
    while True:
        recorded.call("record_events", {"reconcile": True})
        runs += 1
        [position] = [item for item in recorded.items() if item["pk"] == "RECONCILE"]
        if "workflow" not in position:
            break
        assert (position["workflow"], set(position["key"])) == ("replication", {"fileKey", "sourceBucket"})
    assert runs == 4 + 1
    repaired = counted(capsys)
    assert (len(repaired), sum(repaired)) == (runs, 2)
    for name in ("lost.zip", "lost2.zip"):
        assert traced(bucket=SOURCE, key=name).json["events"][0]["type"] == "replication"
    assert traced(bucket=SOURCE, key="young.zip").status == 404
    # It is the stream's for an hour, and lost after that.
    recorded.at += timedelta(hours=1)
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", staticmethod(lambda: 60_000))
    recorded.call("record_events", {"reconcile": True})
    assert counted(capsys) == [1]
    recorded.seal()
    assert runtime.verifier().verify().findings == []

    # One that somebody deletes is made again too: it is no fork, and what was sealed first is put back.
    [gone] = [item for item in recorded.items() if "lost2" in str(item.get("key")) and item.get("bucket") == SOURCE]
    [event] = [item for item in recorded.items() if item["pk"] == gone["subject"] and "sealed" in item]
    key = {"pk": {"S": event["pk"]}, "sk": {"S": event["sk"]}}
    recorded.dynamodb.delete_item(TableName="CustodyTable", Key=key)
    recorded.at += timedelta(days=2)
    recorded.call("record_events", {"reconcile": True})
    assert counted(capsys) == [1]
    assert recorded.seal() == {"added": 1, "missing": 0}
    report = runtime.verifier().verify()
    assert ([finding.code for finding in report.findings], report.made_again) == (["ALTERED"], 1)
    assert [one.state for one in runtime.restorer().restore()] == ["RESTORED"]
    assert event in recorded.items()
    assert (runtime.verifier().verify().findings, runtime.verifier().verify(full=True).findings) == ([], [])


@pytest.mark.parametrize("name", ["s3://bucket", "sha256:ab", "what is this?", "/"])
def test_what_names_no_file_is_bad_usage(run: Any, name: str) -> None:
    assert run("trace", name)[0] == 2


def test_a_log_without_its_lock_says_so(recorded: CustodyOnMoto, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place: Any = {"LocationConstraint": "eu-west-1"}
    recorded.s3.create_bucket(Bucket="unlocked", CreateBucketConfiguration=place)
    recorded.s3.put_bucket_versioning(Bucket="unlocked", VersioningConfiguration={"Status": "Enabled"})
    stack = Stack("waybill", "eu-west-1", "", {**Cli.stack.outputs, "CustodyLogBucketName": "unlocked"})
    monkeypatch.setattr(Cli, "stack", stack)
    settings.load.cache_clear()
    assert [finding["code"] for finding in run("custody", "verify")[1]["findings"]] == ["UNANCHORED"]


def test_names_are_erased_by_command_and_the_log_holds(recorded: CustodyOnMoto, run: Any) -> None:
    recorded.seal()
    place = f"s3://{SOURCE}/{KEY}"
    status, said = run("custody", "erase", place, "--dry-run")
    places = [{"bucket": SOURCE, "key": KEY}, {"bucket": DESTINATIONS[0], "key": KEY}]
    assert (status, said) == (0, {"erased": False, "places": places})
    assert run("custody", "erase", place)[0] == 2
    assert run("trace", place)[0] == 0
    recorded.at += timedelta(hours=1)
    assert run("custody", "erase", place, "--reason", "asked for by the person")[0] == 0
    recorded.seal()
    assert run("trace", place)[0] == 1
    assert run("trace", f"sha256:{ABC}")[0] == 1
    assert run("custody", "erase", place, "--reason", "again")[0] == 1
    # What the records of the workflows still hold brings nothing back.
    assert run("custody", "reconcile", "--table", "replication")[1]["tables"][0]["events"] == 0
    assert run("custody", "verify")[1]["findings"] == []
    held = repr(recorded.items())
    assert KEY not in held
    assert ABC not in held


def test_an_identifier_that_somebody_links_shows_the_file(recorded: CustodyOnMoto, run: Any) -> None:
    place, said = f"s3://{SOURCE}/{KEY}", ("--reason", "it is on the cover")
    assert run("custody", "link", place, "kx7dn2ph", *said)[0] == 1
    item = {"pk": "S#Work#sierra#b1", "canonicalId": "kx7dn2ph", "createdAt": "2026-11-01T10:00:00.000Z"}
    recorded.dynamodb.put_item(TableName=table(_resource("IDENTIFIERS_TABLE")), Item=typed(item))
    recorded.record(Workflow.MINTING)
    assert run("custody", "link", place, "kx7dn2ph", *said)[0] == 0
    status, found = run("trace", "kx7dn2ph")
    assert status == 0
    kinds = [event["type"] for event in found["events"]]
    assert kinds.count("replication") == RUNS
    assert {"identifier assignment", "metadata modification"} <= set(kinds)
    assert "on the cover" not in repr(found)
    assert run("custody", "link", place, "not-an-id", *said)[0] == 2
    assert run("custody", "link", f"s3://{SOURCE}/nothing", "kx7dn2ph", *said)[0] == 1
    assert traced(bucket=SOURCE, key=KEY).json["subject"]["identifiers"] == ["kx7dn2ph"]

    # It was wrong: that is another entry, and nothing of what was said before goes.
    before = len(traced(bucket=SOURCE, key=KEY, limit="200").json["events"])
    undo = ("--undo", "--reason", "it was the cover of another")
    recorded.at += timedelta(minutes=1)
    assert run("custody", "link", place, "kx7dn2ph", *undo)[1]["linked"] is False
    kinds = [event["type"] for event in run("trace", "kx7dn2ph")[1]["events"]]
    assert kinds == ["identifier assignment"]
    after = traced(bucket=SOURCE, key=KEY, limit="200").json
    assert (after["subject"]["identifiers"], len(after["events"])) == ([], before)
    assert [event["detail"]["evidence"] for event in after["events"] if "evidence" in event["detail"]] == [
        "a person has said so",
        "a person has taken it back",
    ]
    assert run("custody", "link", place, "kx7dn2ph", *undo)[0] == 1
    recorded.at += timedelta(minutes=1)
    assert run("custody", "link", place, "kx7dn2ph", *said)[0] == 0
    assert traced(bucket=SOURCE, key=KEY).json["subject"]["identifiers"] == ["kx7dn2ph"]


def test_a_key_that_names_an_identifier_shows_the_file(
    recorded: CustodyOnMoto, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the stream with the function's variable, and by reconciling with the stack's output."""
    item = {"pk": "S#Work#sierra#b1", "canonicalId": "kx7dn2ph", "createdAt": "2026-11-01T10:00:00.000Z"}
    recorded.dynamodb.put_item(TableName=table(_resource("IDENTIFIERS_TABLE")), Item=typed(item))
    recorded.record(Workflow.MINTING)
    store = tracking(recorded)

    def copy(key: str) -> None:
        one = a_run(key, key=key)
        store.record_destination(one, result(one, DESTINATIONS[0], bytes=3), facts(key=key))

    copy("images/kx7dn2ph/1.zip")
    recorded.record(Workflow.REPLICATION)
    assert [event["type"] for event in run("trace", "kx7dn2ph")[1]["events"]] == ["identifier assignment"]
    monkeypatch.setenv("CUSTODY_IDENTIFIER_PATTERN", "^images/([a-z0-9]{8})/")
    settings.load.cache_clear()
    copy("images/kx7dn2ph/2.zip")
    recorded.record(Workflow.REPLICATION)
    kinds = [event["type"] for event in run("trace", "kx7dn2ph")[1]["events"]]
    assert sorted(kinds) == ["identifier assignment", "metadata modification", "replication"]
    outputs = {**Cli.stack.outputs, "CustodyIdentifierPattern": "^images/([a-z0-9]{8})/"}
    monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
    assert run("custody", "reconcile")[0] == 0
    kinds = [event["type"] for event in run("trace", "kx7dn2ph")[1]["events"]]
    assert (kinds.count("replication"), kinds.count("metadata modification")) == (2, 2)
    assert traced(bucket=SOURCE, key="images/kx7dn2ph/1.zip").json["subject"]["identifiers"] == ["kx7dn2ph"]


def notice(kind: str, number: int, key: str = "a #é.txt") -> dict[str, Any]:
    """A message of the queue of watched buckets, as EventBridge sends what S3 tells."""
    object_ = {"key": key, "size": 3, "version-id": f"v{number}", "sequencer": f"0055AED6DCD902{number:02}"}
    detail = {"bucket": {"name": "watched"}, "object": object_, "request-id": "R", "requester": "123456789012"}
    event = {"id": f"e{number}", "source": "aws.s3", "detail-type": kind, "time": "2026-11-29T10:00:00Z"}
    body = json.dumps(event | {"detail": detail | {"source-ip-address": "203.0.113.7"}})
    return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": body}


def test_what_s3_tells_of_a_watched_bucket_is_in_the_history(
    recorded: CustodyOnMoto, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    created, removed = notice("Object Created", 1), notice("Object Deleted", 2)
    broken = {"messageId": "m9", "eventSource": "aws:sqs", "body": "no event"}
    answer = recorded.call("record_events", {"Records": [removed, broken]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m9"}]}
    for records in ([created, removed], [removed, created], [created]):
        assert recorded.call("record_events", {"Records": records}) == {"batchItemFailures": []}
    before = traced(bucket="watched", key="a #é.txt").json
    assert [event["type"] for event in before["events"]] == ["creation", "deletion"]
    assert (before["coverage"], traced(bucket="watched", key="a #é.txt", versionId="v2").status) == (["waybill"], 200)
    monkeypatch.setenv("CUSTODY_WATCH_BUCKETS", "other,watched")
    settings.load.cache_clear()
    assert traced(bucket="watched", key="a #é.txt").json["coverage"] == ["waybill", "s3"]
    assert traced(bucket=SOURCE, key=KEY).json["coverage"] == ["waybill"]
    recorded.seal()
    assert recorded.call("verify_custody", {})["waiting"] == 0
    # A trace proves it.
    status, shown = run("trace", "s3://watched/a #é.txt", "--prove")
    assert (status, {event["proof"]["size"] for event in shown["events"]}) == (0, {RUNS + 2})
    assert run("trace", "s3://watched/a #é.txt", "--format", "premis")[0] == 0
    assert "203.0.113.7" not in repr(recorded.items())


def test_a_stack_that_does_not_record_says_so(
    recorded: CustodyOnMoto, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """404, and no history that looks like a whole one."""
    recorded.seal()
    monkeypatch.setenv("CUSTODY", "false")
    settings.load.cache_clear()
    answer = traced(bucket=SOURCE, key=KEY)
    assert answer.status == 404
    assert "Custody is off in this stack" in answer.json["detail"]
    monkeypatch.setattr(Cli, "stack", replace(Cli.stack, outputs={**Cli.stack.outputs, "Custody": "false"}))
    for command in (
        ["trace", f"s3://{SOURCE}/{KEY}"],
        ["custody", "reconcile"],
        ["custody", "report", f"s3://{SOURCE}"],
    ):
        settings.load.cache_clear()
        capsys.readouterr()
        assert main(command) == 1
        printed = capsys.readouterr()
        assert (printed.out, "Custody is off in this stack" in printed.err) == ("", True)
    # What was recorded before is proven still.
    settings.load.cache_clear()
    assert run("custody", "verify")[1]["holds"] is True


def test_refused_records_are_shown_and_read_again(recorded: CustodyOnMoto, run: Any) -> None:
    name = table("FileCopyTrackingTable")
    broken = {"fileKey": "odd", "sourceBucket": f"{SOURCE}#dest#eu", "destinationBucket": "eu", "executionId": "x:1"}
    recorded.dynamodb.put_item(TableName=name, Item=typed(broken))
    recorded.record(Workflow.REPLICATION)
    status, said = run("custody", "refused")
    assert status == 1
    (told,) = said["refused"]
    assert (told["table"], told["key"], told["state"]) == ("replication", f"odd {SOURCE}#dest#eu", "waits")
    assert run("custody", "refused", "--limit", "0")[0] == 2


@pytest.mark.parametrize(
    ("is_mended", "state", "status"), [(True, "recorded", 0), (False, "not understood", 1), (None, "gone", 0)]
)
def test_a_refused_record_comes_off_the_queue_once_it_is_understood(
    recorded: CustodyOnMoto, run: Any, is_mended: bool | None, state: str, status: int
) -> None:
    name = table("FileCopyTrackingTable")
    key = {"fileKey": "odd", "sourceBucket": f"{SOURCE}#dest#eu"}
    broken = {**key, "destinationBucket": "eu", "executionId": "x:1"}
    recorded.dynamodb.put_item(TableName=name, Item=typed(broken))
    recorded.record(Workflow.REPLICATION)
    if is_mended:
        mended = {**broken, "status": "COMPLETED", "code": "COPIED", "timestamp": "2026-11-21T10:00:00.000Z"}
        recorded.dynamodb.put_item(TableName=name, Item=typed(mended))
    elif is_mended is None:
        recorded.dynamodb.delete_item(TableName=name, Key=typed(key))
    found = run("custody", "refused", "--again")
    assert (found[0], [each["state"] for each in found[1]["refused"]]) == (status, [state])
    assert len(recorded.refused()) == (1 if is_mended is False else 0)


def test_a_bucket_is_exported_with_proofs_and_as_premis(recorded: CustodyOnMoto, run: Any, tmp_path: Path) -> None:
    recorded.s3.create_bucket(Bucket=SOURCE, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    recorded.s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    recorded.seal()
    lines, key = tmp_path / "all.ndjson", tmp_path / "log.key"
    key.write_text(LocalSigner(name="waybill/custodylogbucket").key().text)
    status, said = run("custody", "export", f"s3://{SOURCE}/", "--output", str(lines))
    assert (status, said) == (0, {"bucket": SOURCE, "files": 1, "unknown": []})
    assert run("custody", "verify", "--file", str(lines), "--key", str(key))[1]["proven"] == RUNS
    recorded.s3.put_object(Bucket=SOURCE, Key="unknown.txt", Body=b"")
    folder = tmp_path / "premis"
    status, said = run("custody", "export", f"s3://{SOURCE}/", "--output", str(folder), "--format", "premis")
    assert (status, said["unknown"]) == (1, ["unknown.txt"])
    assert sorted(file.name for file in folder.iterdir()) == ["index.ndjson", "premis-000001.xml"]
    assert "<premis" in (folder / "premis-000001.xml").read_text("utf-8")
    (named,) = [json.loads(line) for line in (folder / "index.ndjson").read_text("utf-8").splitlines()]
    assert named == {"document": "premis-000001.xml", "bucket": SOURCE, "key": KEY}
    assert run("custody", "export", f"s3://{SOURCE}/", "--output", str(lines), "--format", "text")[0] == 2
