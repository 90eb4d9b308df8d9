"""`waybill sar`, against moto."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.subject_access import BUCKET, CATALOGUED, TABLE, a_service, make_bucket, make_table
from waybill.cli.app import main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.cli.subject_access import runtime
from waybill.core.clock import now
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.models import RequestState

type Run = Callable[..., tuple[int, Any]]
_CREATE = (
    "create",
    "--reference",
    "SAR-2026-0042",
    "--nomis",
    " a1234aa ",
    "--from",
    "2020-01-31",
    "--to",
    "31/12/2024",
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SubjectAccessTable]:
    """The table, with two services, where the commands find it."""
    with mock_aws():
        dynamodb = boto3.client("dynamodb", "eu-west-1")
        make_table(dynamodb)
        make_bucket(boto3.client("s3", "eu-west-1"))
        outputs = {
            "SubjectAccessHosts": "*.example,",
            "SubjectAccessTableName": TABLE,
            "SubjectAccessReportsBucketName": BUCKET,
            "SubjectAccessWorkflowArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-subject-access",
        }
        monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", outputs))
        catalogue = ServiceCatalogue(dynamodb, TABLE, now=now)
        catalogue.save_service(a_service("keyworker-api"), CATALOGUED, new=True)
        catalogue.save_service(a_service("G1"), CATALOGUED, new=True)
        yield SubjectAccessTable(dynamodb, TABLE, now=now)


@pytest.fixture
def run(store: SubjectAccessTable, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main(["sar", *arguments, "--json"])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if printed.out.strip() else printed.err

    return ran


def _set(store: SubjectAccessTable, request_id: str, **facts: Any) -> None:
    store.change(request_id, lambda found: Change(replace(found, **facts), Action("test", "SET", {})))


def test_create_list_and_show(run: Run) -> None:
    status, made = run(*_CREATE)
    assert status == 0
    assert (made["nomisId"], made["dateFrom"], made["dateTo"]) == ("A1234AA", "2020-01-31", "2024-12-31")
    assert [part["serviceName"] for part in made["services"]] == ["G1", "keyworker-api"]
    assert run("show", made["id"])[1]["sarCaseReferenceNumber"] == "SAR-2026-0042"
    assert [each["id"] for each in run("list", "--search", "0042")[1]["requests"]] == [made["id"]]
    assert run("list", "--search", "9999")[1]["requests"] == []


def test_what_breaks_the_rules_is_bad_usage_and_named(run: Run) -> None:
    status, told = run("create", "--reference", "x" * 21, "--to", "31/02/2024")
    assert status == 2
    for field in ("nomisId", "dateTo", "sarCaseReferenceNumber"):
        assert field in told


def test_hold_release_and_restart(run: Run, store: SubjectAccessTable) -> None:
    request_id = run(*_CREATE)[1]["id"]
    assert run("hold", request_id, "--reason", "identity")[1]["state"] == "AwaitingIdentity"
    assert run("release", request_id)[1]["state"] == "Pending"
    assert run("restart", request_id)[0] == 2
    _set(store, request_id, state=RequestState.ERRORED)
    assert run("restart", request_id)[1]["state"] == "Pending"


def test_approve_deliver_and_what_is_recorded_of_views(run: Run, store: SubjectAccessTable) -> None:
    request_id = run(*_CREATE, "--review")[1]["id"]
    assert run("approve", request_id)[0] == 2
    body = b"%PDF-1.7 a report"
    sha256 = hashlib.sha256(body).hexdigest()
    stored = boto3.client("s3", "eu-west-1").put_object(Bucket=BUCKET, Key="reports/1.pdf", Body=body)
    report = {"report_key": "reports/1.pdf", "report_bytes": len(body), "report_sha256": sha256, "pages": 1}
    _set(store, request_id, state=RequestState.READY_FOR_REVIEW, report_etag=stored["ETag"], **report)
    # Whoever made it does not approve it.
    assert run("approve", request_id)[0] == 1
    _set(store, request_id, requested_by="somebody else")
    assert run("approve", request_id)[1]["state"] == "Completed"
    assert run("deliver", request_id)[1]["state"] == "Delivered"
    run("show", request_id)
    listed_at = now()
    run("list")
    assert run("audit", request_id)[1]["entries"][-1]["action"] == "REQUEST_VIEWED"
    # The day may have ended meanwhile.
    days = [run("audit", f"{moment:%Y-%m-%d}")[1] for moment in (listed_at, now())]
    assert any(day["intact"] and day["entries"][-1]["action"] == "LIST_VIEWED" for day in days if isinstance(day, dict))


def test_audit_tells_when_an_entry_was_altered(run: Run, store: SubjectAccessTable) -> None:
    request_id = run(*_CREATE)[1]["id"]
    run("hold", request_id, "--reason", "fee")
    status, told = run("audit", request_id)
    assert (status, told["intact"], len(told["entries"])) == (0, True, 2)
    boto3.client("dynamodb", "eu-west-1").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"SAR#{request_id}"}, "sk": {"S": "AUD#00000001"}},
        UpdateExpression="SET actor = :other",
        ExpressionAttributeValues={":other": {"S": "nobody"}},
    )
    status, told = run("audit", request_id)
    assert (status, told["break"]["number"]) == (1, 1)


def test_download_writes_the_report_once_and_is_recorded(run: Run, store: SubjectAccessTable, tmp_path: Path) -> None:
    request_id = run(*_CREATE)[1]["id"]
    file = tmp_path / "report.pdf"
    assert run("download", request_id, "--output", str(file))[0] == 1
    s3, key = boto3.client("s3", "eu-west-1"), f"reports/{request_id}/1-{hashlib.sha256(b'%PDF-1.7').hexdigest()}.pdf"
    stored = s3.put_object(Bucket=BUCKET, Key=key, Body=b"%PDF-1.7")
    _set(
        store,
        request_id,
        state=RequestState.COMPLETED,
        completed_at=now(),
        report_key=key,
        report_bytes=8,
        report_sha256=hashlib.sha256(b"%PDF-1.7").hexdigest(),
        report_etag=stored["ETag"],
        pages=3,
    )
    status, told = run("download", request_id, "--output", str(file))
    assert status == 0, told
    assert (status, file.stat().st_mode & 0o777) == (0, 0o600), told
    assert (status, told["bytes"], file.read_bytes()) == (0, 8, b"%PDF-1.7")
    assert run("download", request_id, "--output", str(file))[0] == 1
    assert run("download", request_id, "--output", str(file), "--force")[0] == 0
    named = Path(run("download", request_id, "--output", str(tmp_path))[1]["file"])
    assert (named.parent, named.read_bytes()) == (tmp_path, b"%PDF-1.7")
    named.unlink()
    recorded = len(store.audit(request_id))
    status, told = run("download", request_id, "--output", str(tmp_path / "none" / "report.pdf"))
    assert (status, str(tmp_path / "none") in told) == (2, True)
    assert len(store.audit(request_id)) == recorded
    actions = [entry["action"] for entry in run("audit", request_id)[1]["entries"]]
    assert actions.count("REPORT_DOWNLOADED") == 3
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"%PDF-1.8")
    status, told = run("download", request_id, "--output", str(tmp_path / "other.pdf"))
    assert (status, list(tmp_path.iterdir())) == (1, [file])


def test_an_unknown_request(run: Run) -> None:
    for command in (("show",), ("restart",), ("audit",), ("download",), ("hold", "--reason", "fee")):
        status, told = run(command[0], "no-such-id", *command[1:])
        assert (status, "no" in str(told)) == (1, True)


@pytest.mark.parametrize(("ends", "status"), [(RequestState.COMPLETED, 0), (RequestState.PENDING, 1)])
def test_wait_ends_with_the_worker(
    run: Run, store: SubjectAccessTable, monkeypatch: pytest.MonkeyPatch, ends: RequestState, status: int
) -> None:
    def worked(deployed: Any, request_id: str) -> str:
        if ends is RequestState.COMPLETED:
            _set(store, request_id, state=ends, completed_at=now())
        return "execution"

    monkeypatch.setattr(runtime.Deployed, "start_worker", worked)
    monkeypatch.setattr(runtime.Deployed, "is_running", lambda *_: False)
    told = run(*_CREATE, "--wait")
    assert (told[0], told[1]["state"]) == (status, ends.value)


def test_names_are_stored_for_templates(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    file.write_text('{"prisons": {"MDI": "Moorland"}, "surnames": {}}', "utf-8")
    assert run("names", str(file)) == (0, {"prisons": 1, "surnames": 0, "locations": 0})
    stored = boto3.client("s3", "eu-west-1").get_object(Bucket=BUCKET, Key="templates/names.json")
    assert stored["Body"].read() == file.read_bytes()


@pytest.mark.parametrize("content", ["", "[]", '{"towns": {}}', '{"prisons": {"MDI": 5}}', '{"prisons": []}'])
def test_names_of_another_shape_are_refused(run: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "names.json"
    file.write_text(content, "utf-8")
    assert run("names", str(file))[0] == 2
    assert "Contents" not in boto3.client("s3", "eu-west-1").list_objects_v2(Bucket=BUCKET)


def test_a_text_is_taken_out_and_shown(run: Run, store: SubjectAccessTable) -> None:
    made = run(*_CREATE)[1]["id"]
    assert run("redact", made, "--text", "John Jones", "--reason", "third party")[0] == 0
    assert run("redact", made, "--text", "A9876ZZ", "--reason", "third party", "--exemption", "Sch 2 para 16")[0] == 0
    shown = run("redact", made)[1]
    assert [(one["text"], one["exemption"]) for one in shown["values"]] == [
        ("John Jones", None),
        ("A9876ZZ", "Sch 2 para 16"),
    ]
    assert run("redact", made, "--text", "x", "--reason", "too short")[0] == 2
    assert run("redact", made, "--path", "G1", "--reason", "no path")[0] != 0
    assert [part["serviceName"] for part in run("parts", made)[1]["parts"]] == ["G1", "keyworker-api"]
    assert run("redact", made, "--clear")[1]["values"] == []
    assert store.request(made).redactions_sha256 is None  # type: ignore[union-attr]


@pytest.fixture
def waybill(store: SubjectAccessTable, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        status = main([*arguments, "--json"])
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if printed.out.strip() else printed.err

    return ran


def test_services_are_put_suspended_and_resumed(waybill: Run, tmp_path: Path) -> None:
    file = tmp_path / "service.json"
    entry = {"name": "new-api", "label": "New", "url": "https://new.example", "enabled": True, "category": "PRISON"}
    file.write_text(json.dumps(entry))
    assert waybill("services", "put", str(file))[1]["label"] == "New"
    file.write_text(json.dumps(entry | {"label": "Newer", "redactions": [{"path": "a[].b", "reason": "x"}]}))
    assert waybill("services", "put", str(file))[1]["redactions"][0]["path"] == "a[].b"
    assert [one["name"] for one in waybill("services", "list")[1]["services"]] == ["G1", "keyworker-api", "new-api"]
    assert waybill("services", "suspend", "new-api")[1]["suspended"] is True
    assert waybill("services", "resume", "new-api")[1]["suspended"] is False
    file.write_text(json.dumps(entry | {"lable": "x"}))
    status, said = waybill("services", "put", str(file))
    assert (status, "lable" in said) == (2, True)
    assert waybill("services", "show", "unknown")[0] == 1


def test_a_service_moves_when_somebody_else_agrees(
    waybill: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, there = tmp_path / "service.json", "https://elsewhere.example"
    known = waybill("services", "show", "G1")[1]
    file.write_text(json.dumps({"name": "G1", "label": "First", "url": there, "category": "PRISON"}))
    proposed = waybill("services", "put", str(file))[1]
    assert (proposed["url"], proposed["proposedUrl"]) == (known["url"], there)
    status, said = waybill("services", "agree", "G1", there)
    assert (status, "SAME_PERSON" in said) == (1, True)
    monkeypatch.setattr(runtime.getpass, "getuser", lambda: "bob")
    assert waybill("services", "agree", "G1", known["url"])[0] == 1
    assert waybill("services", "agree", "G1", there)[1]["url"] == there
    file.write_text(json.dumps({"name": "G1", "label": "First", "url": known["url"], "category": "PRISON"}))
    waybill("services", "put", str(file))
    assert waybill("services", "disagree", "G1", known["url"])[1]["proposedUrl"] is None
    # The service of this machine that stands in for another takes no real one's place.
    status, said = waybill("sar", "stub", "--register", "--service", "G1=data", "--port", "0")
    assert (status, there in said) == (1, True)
    assert waybill("services", "show", "G1")[1]["url"] == there


def test_templates_are_registered_compared_and_refused_with_their_line(waybill: Run, tmp_path: Path) -> None:
    file = tmp_path / "t.mustache"
    for text in ("<p>{{name}}</p>\n", "<p>{{name}} {{born}}</p>\n"):
        file.write_text(text)
        assert waybill("templates", "register", "G1", str(file))[1]["status"] == "PENDING"
    assert [one["version"] for one in waybill("templates", "list", "G1")[1]["templates"]] == [2, 1]
    assert waybill("templates", "show", "G1", "--version", "1")[1]["text"] == "<p>{{name}}</p>\n"
    changed = waybill("templates", "diff", "G1", "--from", "1")[1]["diff"]
    assert changed[-2:] == ["-<p>{{name}}</p>", "+<p>{{name}} {{born}}</p>"]
    file.write_text("ok\n{{shout name}}")
    status, said = waybill("templates", "validate", str(file))
    assert (status, "shout (line 2)" in said) == (2, True)


def test_a_person_is_found_by_name_which_can_be_hidden(run: Run) -> None:
    made = run(*_CREATE, "--name", "BLOGGS, Jo", "--requester", "Smith Solicitors", "--authority", "a form")[1]
    assert [one["id"] for one in run("list", "--search", "bloggs")[1]["requests"]] == [made["id"]]
    assert (made["subjectName"], made["requesterName"]) == ("BLOGGS, Jo", "Smith Solicitors")


def test_a_letter_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    made = run(*_CREATE)[1]["id"]
    file = tmp_path / "letter.pdf"
    assert run("letter", made, "acknowledgement", "--output", str(file))[0] == 0
    assert file.read_bytes().startswith(b"%PDF-")
    assert run("letter", made, "acknowledgement", "--output", str(file))[0] == 1
