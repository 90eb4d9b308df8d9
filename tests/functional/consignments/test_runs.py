"""Whole runs of the checks, state by state, against moto."""

import hashlib
import json
from typing import Any

import pytest

from tests.functional.consignments.bench import (
    CLEAN,
    QUARANTINE,
    UPLOADS,
    ConsignmentRun,
    Workbench,
    clean_check,
    format_result,
    virus_result,
)
from waybill.consignments import runtime
from waybill.consignments.errors import RunSupersededError, UploadMismatchError
from waybill.core.aws.clients import client
from waybill.core.errors import InvalidInputError

FILES = {"folder/ä – ü.txt": b"one", "b.pdf": b"two"}


def test_a_clean_consignment_is_accepted(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    assert bench.run(consignment_id) == {"sent": 0}
    shown = bench.shown(consignment_id)
    assert shown["status"] == "Completed"
    assert set(shown["statuses"].values()) == {"Completed"}
    assert shown["progress"] == {"files": 2, "antivirus": 2, "checksum": 2, "fileFormat": 2}
    files = bench.files(consignment_id)
    assert set(files) == set(FILES)
    assert all(file["accepted"] for file in files.values())
    assert bench.keys(CLEAN) == sorted(f"{consignment_id}/{file['fileId']}" for file in files.values())
    assert bench.keys(QUARANTINE) == []
    assert bench.wire.published == []


def test_one_clean_file_has_twelve_statuses(bench: Workbench) -> None:
    consignment_id = bench.received({"a.pdf": b"a"})
    bench.run(consignment_id)
    rows = bench.lines(f"runs/{consignment_id}/run-1/statuses.jsonl")
    assert len(rows) == 12
    assert [row["statusName"] for row in rows if row["statusType"] == "File"] == [
        "FFID",
        "Antivirus",
        "ChecksumMatch",
        "ServerChecksum",
        "ClientChecksum",
        "ClientFilePath",
        "ClientChecks",
    ]
    consignment = [row for row in rows if row["statusType"] == "Consignment"]
    assert {row["statusName"] for row in consignment} == {
        "ServerFFID",
        "ServerChecksum",
        "ServerAntivirus",
        "ServerRedaction",
        "ClientChecks",
    }
    assert all(row["overwrite"] and row["id"] == consignment_id for row in consignment)


def test_paths_survive_every_step_as_they_were_sent(bench: Workbench) -> None:
    hostile = [
        "naïve/façade \U0001f4c1.txt",
        'quote".csv',
        "a,b\n2.txt",
        "../up.txt",
        "-rf",
        "%2e",
        "=cmd()",
        "\\\\unc",
    ]
    files = {path: path.encode() for path in hostile} | {"x/é.txt": b"1", "x/é_R.txt": b"2"}
    consignment_id = bench.received(files)
    bench.run(consignment_id)
    found = bench.files(consignment_id)
    assert set(found) == set(files)
    assert found["x/é_R.txt"]["originalFilepath"] == "x/é.txt"


def test_names_that_are_missing_or_extra_are_told(bench: Workbench) -> None:
    registered = bench.register(FILES)
    first, second = registered["files"]
    prefix = first["uploadKey"].removesuffix(first["fileId"])
    for key in (first["uploadKey"], f"{prefix}stranger"):
        client("s3").put_object(Bucket="consignment-uploads", Key=key, Body=b"one")
    with pytest.raises(UploadMismatchError, match=second["fileId"]) as caught:
        bench.run(registered["consignmentId"])
    assert (caught.value.missing, caught.value.extra) == ((second["fileId"],), ("stranger",))
    comparison = bench.lines(f"runs/{registered['consignmentId']}/run-1/comparison.jsonl")
    assert comparison == [{"missing": second["fileId"], "path": "b.pdf"}, {"extra": "stranger"}]
    differences = bench.shown(registered["consignmentId"])["differences"]
    assert differences == {
        "missing": {"count": 1, "first": [{"fileId": second["fileId"], "path": "b.pdf"}]},
        "extra": {"count": 1, "first": ["stranger"]},
    }


def test_differences_are_gone_with_the_next_run(bench: Workbench) -> None:
    registered = bench.register(FILES)
    with pytest.raises(UploadMismatchError):
        bench.run(registered["consignmentId"], "run-1")
    bench.upload(registered, FILES)
    bench.run(registered["consignmentId"], "run-2")
    assert "differences" not in bench.shown(registered["consignmentId"])


def test_names_of_objects_and_owners_stay_out_of_logs(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    registered = bench.register(FILES)
    prefix = registered["files"][0]["uploadKey"].removesuffix(registered["files"][0]["fileId"])
    client("s3").put_object(Bucket="consignment-uploads", Key=f"{prefix}Jane Doe.docx", Body=b"one")
    with pytest.raises(UploadMismatchError):
        bench.run(registered["consignmentId"])
    # The traceback of the error is in one of them.
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "UPLOAD_MISMATCH" in logged
    assert not [name for name in ("Jane Doe", "alice") if name in logged]


@pytest.mark.parametrize("name", ["s3SourceBucket", "s3SourceBucketPrefix"])
def test_another_source_of_files_is_refused(bench: Workbench, name: str) -> None:
    consignment_id = bench.received(FILES)
    with pytest.raises(InvalidInputError, match=name):
        ConsignmentRun(bench, consignment_id, "run-1").state(
            "get_files", input={"consignmentId": consignment_id, name: "drive"}
        )
    assert bench.shown(consignment_id)["runs"] == 0


def test_the_objects_of_a_consignment_whose_id_begins_alike_do_not_count(bench: Workbench) -> None:
    consignment_id = bench.received({"a.pdf": b"a"})
    client("s3").put_object(Bucket="consignment-uploads", Key=f"alice/{consignment_id}0/file", Body=b"")
    assert bench.run(consignment_id) == {"sent": 0}


def test_a_group_that_failed_for_good_is_failed_and_the_others_have_their_results(bench: Workbench) -> None:
    # Over 64 MB together, as far as the register knows: two groups.
    files = {f"{number:03}.pdf": str(number).encode() for number in range(150)}
    consignment_id = bench.received(files)
    bench.check = lambda record, content: None if record["originalPath"] == "001.pdf" else clean_check(record, content)
    bench.run(consignment_id)
    shown = bench.ask("GET", f"/consignments/{consignment_id}/files", query={"limit": "200"}).json["files"]
    failed = {file["path"] for file in shown if file["statuses"]["FFID"] == "Failed"}
    assert len(failed) == 100
    assert "001.pdf" in failed
    statuses = bench.shown(consignment_id)["statuses"]
    assert {statuses[name] for name in ("ServerFFID", "ServerChecksum", "ServerAntivirus")} == {"Failed"}
    told = [letter.attributes["status"] for letter in bench.wire.published]
    assert told == ["CHECK_FAILED", "PROBLEMS"]
    assert "Sandbox.Timedout" in bench.wire.published[0].body


def test_a_check_without_a_result_fails_for_that_file_and_that_check_alone(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)

    def check(record: Any, content: bytes) -> Any:
        return clean_check(record, content) | ({"fileFormat": []} if record["originalPath"] == "b.pdf" else {})

    bench.check = check
    bench.run(consignment_id)
    files = bench.files(consignment_id)
    assert files["b.pdf"]["statuses"]["FFID"] == "Failed"
    assert files["b.pdf"]["statuses"]["Antivirus"] == "Success"
    assert files["folder/ä – ü.txt"]["statuses"]["FFID"] == "Success"


def test_a_mismatch_is_seen_at_the_consignment_and_told(bench: Workbench) -> None:
    registered = bench.register(FILES)
    bench.upload(registered, FILES | {"b.pdf": b"damaged"})
    bench.run(registered["consignmentId"])
    shown = bench.shown(registered["consignmentId"])
    assert (shown["statuses"]["ServerChecksum"], shown["status"]) == ("CompletedWithIssues", "CompletedWithIssues")
    (letter,) = bench.wire.published
    document = json.loads(letter.body.splitlines()[-1])
    assert document["counts"] == {"ChecksumMatch Mismatch": 1}
    assert {
        "consignmentType",
        "consignmentReference",
        "consignmentId",
        "transferringBodyName",
        "userId",
        "environment",
        "resolutionPath",
    } <= set(document)
    assert "b.pdf" not in letter.body


def test_a_file_without_path_and_checksum_is_checked_and_told(bench: Workbench) -> None:
    registered = bench.register({}, files=[{"path": "", "size": 1, "sha256": ""}])
    bench.upload(registered, {"": b"a"})
    bench.run(registered["consignmentId"])
    file = bench.files(registered["consignmentId"])[""]
    failed = {name for name, value in file["statuses"].items() if value not in {"Success", "Completed"}}
    assert failed == {"ClientChecksum", "ClientFilePath", "ChecksumMatch", "ClientChecks"}
    assert not file["accepted"]
    assert bench.shown(registered["consignmentId"])["statuses"]["ClientChecks"] == "CompletedWithIssues"


def test_a_checksum_in_upper_case_matches(bench: Workbench) -> None:
    files = {"a.pdf": b"a"}
    file = {"path": "a.pdf", "size": 1, "sha256": "CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB"}
    registered = bench.register(files, files=[file])
    bench.upload(registered, files)
    bench.run(registered["consignmentId"])
    assert bench.files(registered["consignmentId"])["a.pdf"]["statuses"]["ChecksumMatch"] == "Success"


def test_copies_follow_all_verdicts(bench: Workbench) -> None:
    files = {"good.pdf": b"g", "bad.exe": b"b", "archive.zip": b"z"}
    results = {
        "bad.exe": {"antivirus": [virus_result("eicar")]},
        "archive.zip": {"fileFormat": [format_result("fmt/111")]},
    }
    bench.check = lambda record, content: clean_check(record, content) | results.get(record["originalPath"], {})
    consignment_id = bench.received(files)
    bench.run(consignment_id)
    ids = {path: file["fileId"] for path, file in bench.files(consignment_id).items()}
    assert bench.keys(CLEAN) == [f"{consignment_id}/{ids['good.pdf']}"]
    assert bench.keys(QUARANTINE) == [f"{consignment_id}/{ids['bad.exe']}"]


def test_a_function_gets_no_more_to_copy_than_it_can(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.consignments.domain.copies._COPY_BYTES", 7)
    consignment_id = bench.received({f"{number}.pdf": b"four" for number in range(4)})
    run = ConsignmentRun(bench, consignment_id, "run-1")
    run.all()
    lines = bench.lines(run.judged["key"])
    assert [len(line["copies"]) for line in lines] == [1, 1, 1, 1]
    assert (run.judged["copies"], len(bench.keys(CLEAN))) == (4, 4)


def test_a_scanner_s_tag_stays_with_the_upload(bench: Workbench) -> None:
    """S3 would copy it unasked, and refuse to a role that may not read and write tags."""
    registered = bench.register({"a.pdf": b"a"})
    bench.upload(registered, {"a.pdf": b"a"})
    verdict = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": "NO_THREATS_FOUND"}]}
    upload_key = registered["files"][0]["uploadKey"]
    client("s3").put_object_tagging(Bucket="consignment-uploads", Key=upload_key, Tagging=verdict)
    bench.run(registered["consignmentId"])
    (copy,) = bench.keys(CLEAN)
    assert client("s3").get_object_tagging(Bucket=CLEAN, Key=copy)["TagSet"] == []


def test_a_rerun_replaces_and_never_doubles(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": [virus_result("eicar")]}
    bench.run(consignment_id, "run-1")
    count = len(client("dynamodb").scan(TableName="consignments")["Items"])
    assert len(bench.keys(QUARANTINE)) == 2
    bench.check = clean_check
    later = ConsignmentRun(bench, consignment_id, "run-2")
    later.begin()
    assert (bench.shown(consignment_id)["runs"], {file["run"] for file in bench.files(consignment_id).values()}) == (
        2,
        {1},
    )
    later.check()
    later.end()
    assert {file["run"] for file in bench.files(consignment_id).values()} == {2}
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["runs"]) == ("Completed", 2)
    assert {file["statuses"]["Antivirus"] for file in bench.files(consignment_id).values()} == {"Success"}
    # One more row of progress, and nothing else.
    assert len(client("dynamodb").scan(TableName="consignments")["Items"]) == count + 1
    assert (len(bench.keys(CLEAN)), bench.keys(QUARANTINE)) == (2, [])


def test_results_keep_what_was_written_and_what_was_removed(bench: Workbench) -> None:
    """As the buckets have it: custody tells of version, checksum and what was removed by what the results say."""
    for bucket in (CLEAN, QUARANTINE):
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    consignment_id = bench.received({"a.pdf": b"a"})
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": [virus_result("eicar")]}
    bench.run(consignment_id, "run-1")
    key = f"{consignment_id}/{bench.files(consignment_id)['a.pdf']['fileId']}"
    written = {"sha256": hashlib.sha256(b"a").hexdigest()}

    def kept() -> tuple[object, object]:
        row = runtime.table().file_row(*key.split("/"))
        assert row is not None
        return row["results"].get("copy"), row["results"].get("removed")

    def stored(bucket: str) -> dict[str, str]:
        head = client("s3").head_object(Bucket=bucket, Key=key)
        return {"eTag": head["ETag"], "versionId": head["VersionId"], **written}

    assert kept() == (stored(QUARANTINE), None)
    bench.check = clean_check
    bench.run(consignment_id, "run-2")
    (marker,) = client("s3").list_object_versions(Bucket=QUARANTINE)["DeleteMarkers"]
    assert kept() == (stored(CLEAN), {"place": "quarantine", "versionId": marker["VersionId"]})
    # Neither accepted nor suspicious: it is nowhere, and what was there before is not told again.
    bench.check = lambda record, content: clean_check(record, content) | {"fileFormat": [format_result("fmt/111")]}
    bench.run(consignment_id, "run-3")
    (marker,) = client("s3").list_object_versions(Bucket=CLEAN)["DeleteMarkers"]
    assert kept() == (None, {"place": "clean", "versionId": marker["VersionId"]})
    bench.run(consignment_id, "run-4")
    assert kept() == (None, None)


def test_a_plan_from_before_a_deployment_is_carried_out(bench: Workbench) -> None:
    """A Map reads its plan once, and its functions may be newer than that: such a plan names no line."""
    consignment_id = bench.received({"a.pdf": b"a"})
    run = ConsignmentRun(bench, consignment_id, "run-1")
    run.begin()
    run.check()
    for state in ("process_map_results", "redacted_files"):
        run.state(state)
    judged = run.state("generate_statuses")
    (line,) = bench.lines(judged["key"])
    assert run.state("copy_files", copies=line["copies"]) == {"placed": 1, "gone": 0}
    run.state("update_consignment", **{name: judged[name] for name in ("statuses", "status", "copies")})
    row = runtime.table().file_row(consignment_id, bench.files(consignment_id)["a.pdf"]["fileId"])
    assert row is not None
    assert (row["results"]["copiedTo"], "copy" in row["results"]) == ("clean", False)


def test_a_run_that_was_overtaken_writes_nothing(bench: Workbench) -> None:
    consignment_id = bench.received(FILES)
    first, second = (ConsignmentRun(bench, consignment_id, name) for name in ("run-1", "run-2"))
    first.begin()
    first.check()
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": [virus_result("eicar")]}
    second.all()
    with pytest.raises(RunSupersededError):
        first.end()
    assert {file["statuses"]["Antivirus"] for file in bench.files(consignment_id).values()} == {"VirusDetected"}
    assert bench.shown(consignment_id)["statuses"]["ServerAntivirus"] == "CompletedWithIssues"
    # Nothing is clean that the newest verdict calls a virus.
    assert (bench.keys(CLEAN), len(bench.keys(QUARANTINE))) == ([], 2)


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_goes_between_check_and_copy_is_never_accepted(bench: Workbench, replaced: bool) -> None:
    registered = bench.register(FILES)
    bench.upload(registered, FILES)
    consignment_id = registered["consignmentId"]
    run = ConsignmentRun(bench, consignment_id, "run-1")
    run.begin()
    run.check()
    gone, other = registered["files"]
    for version in client("s3").list_object_versions(Bucket=UPLOADS, Prefix=gone["uploadKey"])["Versions"]:
        client("s3").delete_object(Bucket=UPLOADS, Key=version["Key"], VersionId=version["VersionId"])
    if replaced:
        client("s3").put_object(Bucket=UPLOADS, Key=gone["uploadKey"], Body=b"another")
    run.end()
    # The file beside it has its copy; the consignment has no verdict.
    assert bench.keys(CLEAN) == [f"{consignment_id}/{other['fileId']}"]
    shown = bench.shown(consignment_id)
    assert (shown["status"], shown["statuses"]["ClientChecks"]) == ("Failed", "Failed")
    assert (shown["failure"]["step"], shown["failure"]["error"]) == ("Copy Files", "CheckedFilesGoneError")
    assert not any(file.get("accepted") for file in bench.files(consignment_id).values())
    # Another run says what has become of it.
    again = ConsignmentRun(bench, consignment_id, "run-2")
    if replaced:
        again.all()
        assert bench.files(consignment_id)[gone["path"]]["statuses"]["ChecksumMatch"] == "Mismatch"
    else:
        with pytest.raises(UploadMismatchError, match=gone["fileId"]):
            again.begin()


def test_malware_is_told_whatever_the_body_is_called(bench: Workbench) -> None:
    # The party under suspicion does not decide who is told.
    consignment_id = bench.received(FILES, transferringBody="Hammock County Mock")
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": [virus_result("eicar")]}
    assert bench.run(consignment_id) == {"sent": 1}
    assert [letter.attributes["status"] for letter in bench.wire.published] == ["PROBLEMS"]
