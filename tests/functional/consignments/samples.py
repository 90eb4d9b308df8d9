"""What comes of the sample events of the consignment checks."""

import json
from typing import Any

from tests.fakes.api import LambdaContext, answer_of
from tests.fakes.samples import Invoke, read
from tests.fakes.wire import Wire
from tests.functional.consignments import check_samples
from tests.functional.consignments.bench import CLEAN, UPLOADS, ConsignmentRun, Workbench
from waybill.consignments.handlers.consignments_api import lambda_handler as register
from waybill.core.aws.clients import client

CONTENT = b"hello"


check_files = check_samples.check_files


def registered(wire: Wire, content: bytes = CONTENT) -> tuple[Workbench, ConsignmentRun]:
    """Make the resources, and register and upload the samples' one file."""
    bench = Workbench.made(wire)
    answer = answer_of(register(read("consignments/consignments_api"), LambdaContext())).json
    (file,) = answer["files"]
    client("s3").put_object(Bucket=UPLOADS, Key=file["uploadKey"], Body=content)
    return bench, ConsignmentRun(bench, answer["consignmentId"], "sample-run")


def checked(wire: Wire, content: bytes = CONTENT) -> tuple[Workbench, ConsignmentRun]:
    """Run the states up to the Map, that included."""
    bench, run = registered(wire, content)
    run.begin()
    run.check()
    return bench, run


def consignments_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    Workbench.made(wire)
    answer = answer_of(invoke(event))
    assert answer.status == 201
    (file,) = answer.json["files"]
    assert file["uploadKey"] == f"sample-user/{answer.json['consignmentId']}/{file['fileId']}"


def get_files(event: Any, invoke: Invoke, wire: Wire) -> None:
    bench, _ = registered(wire)
    fetched = invoke(event)
    assert (fetched["files"], fetched["groups"], fetched["run"]) == (1, 1, 1)
    (group,) = bench.lines(fetched["key"])
    assert group["files"][0]["fileSize"] == "5"


def process_map_results(event: Any, invoke: Invoke, wire: Wire) -> None:
    checked(wire)
    assert invoke(event) == {"antivirus": 1, "checksum": 1, "fileFormat": 1, "files": 1, "incomplete": 0}


def redacted_files(event: Any, invoke: Invoke, wire: Wire) -> None:
    _, run = checked(wire)
    run.state("process_map_results")
    assert invoke(event) == {"redactedFiles": 0, "errors": 0}


def generate_statuses(event: Any, invoke: Invoke, wire: Wire) -> None:
    _, run = checked(wire)
    run.state("process_map_results")
    run.state("redacted_files")
    judged = invoke(event)
    assert (judged["status"], judged["accepted"], judged["copies"]) == ("Completed", 1, 1)


def copy_files(event: Any, invoke: Invoke, wire: Wire) -> None:
    bench, _ = checked(wire)
    (copy,) = event["copies"]
    bucket = read("consignments/copy_files")["copies"][0]["bucket"]
    assert bucket == UPLOADS
    assert invoke(event) == {"placed": 1, "gone": 0}
    assert bench.keys(CLEAN) == [copy["to"]]


def update_consignment(event: Any, invoke: Invoke, wire: Wire) -> None:
    bench, run = checked(wire, b"hello, damaged")
    for state in ("process_map_results", "redacted_files", "generate_statuses"):
        run.state(state)
    assert invoke(event) == {"files": 1}
    shown = bench.ask("GET", f"/consignments/{event['consignmentId']}", who="sample-user").json
    assert shown["statuses"] == event["statuses"]


def notify_problems(event: Any, invoke: Invoke, wire: Wire) -> None:
    checked(wire)
    assert invoke(event) == {"sent": 1}
    (letter,) = wire.published
    document = json.loads(letter.body.splitlines()[-1])
    assert document["consignmentReference"] == "TDR-2026-SAMPLE"
    assert letter.attributes["status"] == "PROBLEMS"


def record_failure(event: Any, invoke: Invoke, wire: Wire) -> None:
    bench, run = registered(wire)
    run.begin()
    told = invoke(event)
    assert (told["recorded"], told["notified"], told["error"]) == (True, True, "UploadMismatchError")
    shown = bench.ask("GET", f"/consignments/{event['consignmentId']}", who="sample-user").json
    assert (shown["status"], shown["statuses"]["ClientChecks"]) == ("Failed", "Failed")
    (letter,) = wire.published
    assert json.loads(letter.body.splitlines()[-1]) == {
        "consignmentId": event["consignmentId"],
        "environment": "prod",
        "failureCause": "See step function execution for details",
        "backEndChecksProcess": "Get Files",
    }
