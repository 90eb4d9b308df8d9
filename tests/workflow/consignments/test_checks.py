"""Whole consignments on the running stack, through the API, with the real engines."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from tests.fakes.clamd import DAEMON, running_clamd
from tests.workflow.consignments.conftest import Checks
from tests.workflow.support.calls import Call
from tests.workflow.support.gate import Gate, Refusal
from tests.workflow.support.mailbox import Letter, Mailbox
from tests.workflow.support.polling import until

TEXT = b"Dear Sir or Madam,\nplease find the records attached.\n"
PATH = [
    "AcceptConsignment",
    "GetFiles",
    "CheckAnyFiles",
    "CheckConsignment",
    "ProcessMapResults",
    "RedactedFiles",
    "GenerateStatuses",
    "CheckCopies",
    "CopyConsignment",
    "CheckAnyGone",
    "UpdateConsignment",
    "NotifyProblems",
    "ChecksDone",
]
DENIED = Refusal(403, "AccessDenied")


def eicar() -> bytes:
    """The antivirus test file, put together here: scanners of this machine need not find it in the source."""
    return rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + b"$H+H*"


def archive() -> bytes:
    """A ZIP file."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("inside.txt", "text")
    return stream.getvalue()


def test_a_clean_consignment_is_accepted_and_nobody_is_told(checks: Checks, mailbox: Mailbox) -> None:
    consignment_id = checks.received({"Bände/ü 1.txt": TEXT, "Bände/ü 1_R.txt": TEXT[:10]})
    ended = checks.check(consignment_id)
    assert (ended.status, ended.states) == ("SUCCEEDED", PATH)
    shown = checks.shown(consignment_id)
    assert (shown["status"], set(shown["statuses"].values())) == ("Completed", {"Completed"})
    assert shown["progress"] == {"files": 2, "antivirus": 2, "checksum": 2, "fileFormat": 2}
    files = checks.files(consignment_id)
    assert files["Bände/ü 1_R.txt"]["originalFilepath"] == "Bände/ü 1.txt"
    assert len(checks.keys("ConsignmentCleanBucketName", f"{consignment_id}/")) == 2
    assert mailbox.about(consignment_id) == []


def test_problems_are_found_explained_and_told(checks: Checks, mailbox: Mailbox) -> None:
    files = {"virus.com": eicar(), "archive.zip": archive(), "letter.txt": TEXT, "empty.txt": b"", "lost_R.txt": TEXT}
    registered = checks.register(files)
    checks.upload(registered, files | {"letter.txt": TEXT[::-1]})
    consignment_id = registered["consignmentId"]
    ended = checks.check(consignment_id)
    assert ended.status == "SUCCEEDED"
    assert ended.output["notified"] is True
    found = checks.files(consignment_id)
    assert found["virus.com"]["statuses"]["Antivirus"] == "VirusDetected"
    assert found["archive.zip"]["statuses"]["FFID"] == "Zip"
    assert found["letter.txt"]["statuses"]["ChecksumMatch"] == "Mismatch"
    assert found["empty.txt"]["statuses"]["FFID"] == "ZeroByteFile"
    assert found["lost_R.txt"]["statuses"]["Redaction"] == "NoOriginalFile"
    assert set(checks.shown(consignment_id)["statuses"].values()) == {"CompletedWithIssues"}
    letter = mailbox.one_about(consignment_id)
    assert letter.attributes["status"] == "PROBLEMS"
    assert json.loads(letter.body.splitlines()[-1])["consignmentReference"] == "TDR-2026-W"
    assert checks.keys("ConsignmentCleanBucketName", f"{consignment_id}/") == []
    assert len(checks.keys("ConsignmentQuarantineBucketName", f"{consignment_id}/")) == 1


def test_a_missing_upload_breaks_the_run_and_is_told_once(checks: Checks, mailbox: Mailbox) -> None:
    registered = checks.register({"a.txt": TEXT, "b.txt": TEXT})
    first, second = registered["files"]
    checks.upload({"files": [first]}, {"a.txt": TEXT})
    consignment_id = registered["consignmentId"]
    ended = checks.check(consignment_id)
    assert (ended.status, ended.error) == ("FAILED", "UploadMismatchError")
    assert ended.states[-3:] == ["GetFilesFailed", "RecordFailure", "ChecksFailed"]
    shown = checks.shown(consignment_id)
    assert (shown["status"], shown["statuses"]["ClientChecks"]) == ("Failed", "Failed")
    assert shown["failure"]["step"] == "Get Files"
    assert second["fileId"] in shown["failure"]["cause"]
    letter = mailbox.one_about(consignment_id)
    assert json.loads(letter.body.splitlines()[-1])["backEndChecksProcess"] == "Get Files"
    # Uploaded after all, the same consignment passes.
    checks.upload({"files": [second]}, {"b.txt": TEXT})
    assert checks.check(consignment_id).status == "SUCCEEDED"
    shown = checks.shown(consignment_id)
    assert (shown["status"], shown["runs"], "failure" in shown) == ("Completed", 2, False)


def test_a_group_that_cannot_be_checked_fails_alone(checks: Checks, gate: Gate, mailbox: Mailbox) -> None:
    files = {f"{number:03}.txt": TEXT + b"%d" % number for number in range(120)}
    registered = checks.register(files)
    checks.upload(registered, files)
    consignment_id, last = registered["consignmentId"], registered["files"][-1]["fileId"]
    # The second group's function cannot write its results, which name its last file.
    with gate.refusing("CopyObject", f'"antivirus":[{{"fileId":"{last}"', DENIED):
        ended = checks.check(consignment_id)
    assert ended.status == "SUCCEEDED"
    values = [file["statuses"]["FFID"] for _, file in sorted(checks.files(consignment_id).items())]
    assert values == ["Success"] * 100 + ["Failed"] * 20
    assert checks.shown(consignment_id)["statuses"]["ServerFFID"] == "Failed"
    letters = until(lambda: _both(mailbox, consignment_id), "both notifications")
    assert sorted(letter.attributes["status"] for letter in letters) == ["CHECK_FAILED", "PROBLEMS"]


def test_a_file_that_cannot_be_read_fails_alone(checks: Checks, gate: Gate) -> None:
    files = dict.fromkeys(("a.txt", "b.txt", "c.txt"), TEXT)
    registered = checks.register(files)
    checks.upload(registered, files)
    with gate.refusing("GetObject", registered["files"][1]["fileId"], DENIED):
        ended = checks.check(registered["consignmentId"])
    assert ended.status == "SUCCEEDED"
    found = checks.files(registered["consignmentId"])
    assert [found[name]["statuses"]["Antivirus"] for name in files] == ["Success", "Failed", "Success"]
    assert {found["b.txt"]["statuses"][name] for name in ("FFID", "ChecksumMatch")} == {"Failed"}
    assert len(checks.keys("ConsignmentCleanBucketName", f"{registered['consignmentId']}/")) == 2


def test_an_empty_consignment_has_no_statuses_and_makes_no_news(checks: Checks, mailbox: Mailbox, label: str) -> None:
    consignment_id = checks.register({})["consignmentId"]
    assert checks.ask("POST", f"/backend-checks/{consignment_id}")["httpStatus"] == 409
    workflow = checks.outputs["ConsignmentChecksWorkflowArn"]
    ended = checks.application.run({"consignmentId": consignment_id}, label, workflow=workflow)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "NothingToCheck")
    assert checks.shown(consignment_id)["statuses"] == {}
    assert mailbox.about(consignment_id) == []


def _both(mailbox: Mailbox, consignment_id: str) -> list[Letter]:
    letters = mailbox.about(consignment_id)
    return letters if len(letters) == 2 else []


def test_a_checked_file_that_is_gone_before_its_copy_fails_the_run(checks: Checks, gate: Gate) -> None:
    consignment_id = checks.received({"a.txt": TEXT, "b.txt": TEXT})
    clean = checks.outputs["ConsignmentCleanBucketName"]
    with gate.refusing("CopyObject", consignment_id, Refusal(404, "NoSuchVersion"), bucket=clean):
        ended = checks.check(consignment_id)
    assert (ended.status, ended.error) == ("FAILED", "CheckedFilesGoneError")
    assert ended.states[-4:] == ["CheckAnyGone", "CheckedFilesGone", "RecordFailure", "ChecksFailed"]
    failure = checks.shown(consignment_id)["failure"]
    assert (failure["step"], failure["cause"].split(" ")[0]) == ("Copy Files", "2")


@pytest.mark.parametrize(
    ("operation", "about", "step"),
    [
        ("CopyObject", "results.jsonl", "Process Map Results"),
        ("CopyObject", "redactions.jsonl", "Redacted files"),
        ("CopyObject", "statuses.jsonl", "Generate Statuses"),
        ("CopyObject", "", "Copy Files"),
        ("TransactWriteItems", "statuses", "Update API"),
    ],
)
def test_a_step_that_fails_is_named(
    checks: Checks, gate: Gate, mailbox: Mailbox, operation: str, about: str, step: str
) -> None:
    consignment_id = checks.received({"a.txt": TEXT})
    bucket = checks.outputs["ConsignmentCleanBucketName"] if step == "Copy Files" else None
    refusal = DENIED if operation == "CopyObject" else Refusal(400, "AccessDeniedException")
    with gate.refusing(operation, about or consignment_id, refusal, bucket=bucket):
        ended = checks.check(consignment_id)
    assert ended.status == "FAILED"
    assert json.loads(str(ended.cause))["backEndChecksProcess"] == step
    shown = checks.shown(consignment_id)
    assert shown["statuses"] == {
        "ClientChecks": "Failed",
        **dict.fromkeys(["ServerFFID", "ServerChecksum", "ServerAntivirus", "ServerRedaction"], "InProgress"),
    }
    assert json.loads(mailbox.one_about(consignment_id).body.splitlines()[-1])["backEndChecksProcess"] == step


def test_a_run_that_is_overtaken_before_it_begins_to_check_names_that_step(checks: Checks, gate: Gate) -> None:
    consignment_id = checks.received({"a.txt": TEXT})
    run = checks.outputs["ConsignmentChecksWorkflowArn"].replace(":stateMachine:", ":execution:") + ":a-later-run"
    later = {":other": {"S": run}, ":order": {"S": "9999"}}

    def overtaken(call: Call) -> None:
        # GetFiles claims, waits for this answer, and then notes how many files there are. The API notes the run that it
        # has started before that, or after.
        if "runOrder" in call.body:
            checks.application.stack.client("dynamodb").update_item(
                TableName=checks.outputs["ConsignmentsTableName"],
                Key={"pk": {"S": consignment_id}, "sk": {"S": "CONSIGNMENT"}},
                UpdateExpression="SET startedArn = :other, executionArn = :other, runOrder = :order",
                ExpressionAttributeValues=later,
            )

    with gate.after("UpdateItem", consignment_id, overtaken, times=2):
        ended = checks.check(consignment_id)
    assert ended.states[-3:] == ["GetFilesFailed", "RecordFailure", "ChecksFailed"]
    told = json.loads(str(ended.cause))
    assert (told["backEndChecksProcess"], told["recorded"]) == ("Get Files", False)
    assert "failure" not in checks.shown(consignment_id)


def test_a_map_that_cannot_begin_is_a_step_that_fails(checks: Checks, gate: Gate) -> None:
    consignment_id = checks.received({"a.txt": TEXT})
    bucket = checks.outputs["ConsignmentResultsBucketName"]
    s3 = checks.application.s3

    def lost(_: object) -> None:
        for key in checks.keys("ConsignmentResultsBucketName", f"runs/{consignment_id}/"):
            s3.delete_object(Bucket=bucket, Key=key)

    with gate.after("CopyObject", "groups.jsonl", lost, bucket=bucket):
        ended = checks.check(consignment_id)
    assert ended.states[-3:] == ["CheckConsignmentFailed", "RecordFailure", "ChecksFailed"]
    assert checks.shown(consignment_id)["failure"]["step"] == "Map"


def test_news_that_cannot_be_sent_break_nothing(checks: Checks, gate: Gate) -> None:
    consignment_id = checks.received({"a.zip": archive()})
    with gate.refusing("Publish", consignment_id, Refusal(403, "AuthorizationError")) as fault:
        ended = checks.check(consignment_id)
    assert fault.seen
    assert (ended.status, ended.output["notified"]) == ("SUCCEEDED", False)
    assert checks.shown(consignment_id)["status"] == "CompletedWithIssues"


def test_consignments_at_once_do_not_mix(checks: Checks) -> None:
    sent = [{f"{number}/{name}.txt": TEXT + b"%d" % number} for number, name in enumerate("abcd")]
    consignments = [checks.received(files) for files in sent]
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(checks.check, consignments))
    assert {each.status for each in ended} == {"SUCCEEDED"}
    for consignment_id, files in zip(consignments, sent, strict=True):
        assert list(checks.files(consignment_id)) == list(files)
        assert checks.shown(consignment_id)["status"] == "Completed"


def test_an_unknown_or_malformed_consignment_fails_and_is_told(checks: Checks, mailbox: Mailbox, label: str) -> None:
    workflow = checks.outputs["ConsignmentChecksWorkflowArn"]
    for payload, error in [
        ({"consignmentId": "0f8fad5b-d9cb-469f-a165-70867728950e"}, "ConsignmentNotFoundError"),
        ({"consignmentId": "nonsense"}, "InvalidInputError"),
        ({}, "InvalidInputError"),
    ]:
        name = f"{label}-{len(payload)}-{error}"
        ended = checks.application.run(payload, name, workflow=workflow)
        assert (ended.status, ended.error) == ("FAILED", error)
        assert mailbox.one_about(name).attributes["workflow"] == "consignments"


def test_only_the_owner_may(checks: Checks) -> None:
    consignment_id = checks.register({"a.txt": TEXT})["consignmentId"]
    assert checks.ask("GET", f"/consignments/{consignment_id}", who="mallory")["httpStatus"] == 403
    assert checks.ask("POST", f"/backend-checks/{consignment_id}", who="mallory")["httpStatus"] == 403
    assert checks.ask("GET", f"/consignments/{consignment_id}", role="scanning")["httpStatus"] == 403
    assert checks.ask("GET", f"/consignments/{consignment_id}", who="robot", role="admin")["httpStatus"] == 200
    assert checks.ask("POST", f"/backend-checks/{consignment_id}/more")["httpStatus"] in {403, 404}


def test_what_an_archive_holds_is_listed_where_its_sender_wants_to_know(checks: Checks) -> None:
    """A preview of what an archive holds, even where it is refused (DROID)."""
    consignment_id = checks.received({"archive.zip": archive(), "letter.txt": TEXT}, inside=True)
    assert checks.check(consignment_id).status == "SUCCEEDED"
    found = checks.files(consignment_id)
    assert found["archive.zip"]["statuses"]["FFID"] == "Zip"
    members = found["archive.zip"]["fileFormat"]["members"]
    # PRONOM's plain text.
    assert [(each["path"], each["size"], each["puid"]) for each in members["listed"]] == [
        ("inside.txt", 4, "x-fmt/111")
    ]
    assert members["count"] == 1
    assert set(found) == {"archive.zip", "letter.txt"}
    assert "members" not in found["letter.txt"]["fileFormat"]


def test_a_clamd_has_its_word_beside_the_rules(checks: Checks, gate: Gate, tmp_path: Path) -> None:
    """Several engines: all must pass, and one that cannot be asked fails the check of the file, never passes it."""
    if DAEMON is None:
        pytest.skip("clamd is not installed: apt-get install clamav-daemon")
    assert gate is not None  # a daemon of this machine is out of reach for functions of an account
    variables = checks.application.functions.get_function_configuration(
        FunctionName=checks.application.resources["CheckFilesFunction"]
    )["Environment"]["Variables"]
    # Its limit for streams is a megabyte here, and the rules see all of it.
    files = {"letter.txt": TEXT, "virus.com": eicar(), "long.txt": TEXT * 40_000}
    with running_clamd(tmp_path) as address:
        engines = {"CONSIGNMENT_ANTIVIRUS": "yara,clamav", "CONSIGNMENT_CLAMD_ADDRESS": address}
        with checks.application.configured("CheckFilesFunction", Environment={"Variables": variables | engines}):
            consignment_id = checks.received(files)
            assert checks.check(consignment_id).status == "SUCCEEDED"
    found = checks.files(consignment_id)
    verdicts = {path: file["statuses"]["Antivirus"] for path, file in found.items()}
    assert verdicts == {"letter.txt": "Success", "virus.com": "VirusDetected", "long.txt": "NotScannedInside"}
    assert {engine["software"] for engine in found["letter.txt"]["antivirus"]["engines"]} == {"yara-x", "ClamAV"}
    assert "Waybill.Test.EICAR" in found["virus.com"]["antivirus"]["result"]
