"""The pages that tests open, and an API that has something to say on each of them."""

from tests.fakes.console import ExampleApi, example

ID = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"
FILE = "6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"
PLACE = "bucket=waybill-source&key=reports/2026/annual.pdf"
# Pages that show something, by a name for their pictures.
SHOWN = {
    "home": "",
    "consignments": "consignments",
    "send": "consignments/new",
    "consignment": f"consignments/{ID}?show=all",
    "consignment-file": f"consignments/{ID}/file?file={FILE}",
    "corrections": f"consignments/{ID}/corrections",
    "replication": "replication",
    "dismiss-group": "replication/dismiss-group?code=ACCESS_DENIED&destination=waybill-copy-dublin",
    "verification": f"replication/verification?id={ID}",
    "backfills": "replication/backfills",
    "backfill": f"replication/backfill?id={ID}",
    "detectors": "detectors",
    "new-detector": "detectors/new",
    "try-detector": "detectors/TOWN_HALL_BADGE/test",
    "schedules": "scans/schedules",
    "service": "services/keyworker-api",
    "services": "services",
    "replication-file": f"replication/file?{PLACE}",
    "findings": "findings?state=all",
    "scan": f"scans/{ID}",
    "compare": f"scans/compare?later={ID}&earlier={ID}",
    "search-requests": "requests/search",
    "new-scan": "scans/new",
    "requests": "requests",
    "request": f"requests/{ID}",
    "hold": f"requests/{ID}/decide?what=hold",
    "redact": f"requests/{ID}/redact",
    "new-request": "requests/new",
    "identifiers": "identifiers",
    "identifier": "identifiers/kx7dn2ph",
    "custody": "custody",
    "custody-file": f"custody/file?{PLACE}",
    "custody-erase": f"custody/erase?{PLACE}",
    "help": "help",
}


def prepared(api: ExampleApi) -> None:
    """Let the API have more to say than its examples: parts that are drawn, files that need somebody, failures."""
    parts = example("listParts")
    api.answers["listParts"] = {**parts, "parts": [{**each, "renderStatus": "COMPLETE"} for each in parts["parts"]]}
    api.answers["showConsignment"] = {**example("showConsignment"), "status": "CompletedWithIssues"}
    api.answers["listConsignments"] = {"consignments": [api.answers["showConsignment"] | {"files": 7}], "cursor": None}
    api.answers["listConsignmentFiles"] = {"files": list(_files()), "cursor": None}
    traced = example("traceFile")
    (event,) = traced["events"]
    copy = {**event["object"], "bucket": "waybill-copy-dublin"}
    whole = {**event, "type": "replication", "intact": True, "related": [copy]}
    compared = {**whole, "type": "fixity check", "at": "2026-11-30T03:00:00.000Z", "index": 513}
    api.answers["traceFile"] = {**traced, "events": [whole, compared], "cursor": None}
    failed = example("listReplications")["replications"][0] | {
        "status": "FAILED",
        "failedBuckets": ["waybill-copy-dublin"],
        "copyResults": [
            {"destinationBucket": "waybill-copy-dublin", "status": "FAILED", "success": False, "code": "ACCESS_DENIED"}
        ],
    }
    api.answers["listReplications"] = {"replications": [failed], "cursor": None}


def pictured(api: ExampleApi) -> None:
    """Let the API say what it says on a day of work: for the pictures of the documentation."""
    prepared(api)
    names = ("SAR-2026-139", "SAR-2026-142", "SAR-2026-145", "SAR-2026-151")
    dues = ("2026-11-27", "2026-12-02", "2026-12-11", "2026-12-21")
    states = ("Completed", "ReadyForReview", "OnHold", "InProgress")
    tasks = [
        {**example("listTasks")["tasks"][0], "sarCaseReferenceNumber": name, "dueDate": due, "state": state,
         "overdue": due < "2026-11-30", "clockStopped": state == "OnHold",
         "id": f"0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c{number}"}
        for number, (name, due, state) in enumerate(zip(names, dues, states, strict=True), start=10)
    ]  # fmt: skip
    api.answers["listTasks"] = lambda asked: {"tasks": [] if "mine" in asked.query else tasks, "cursor": None}
    request = example("showSubjectAccessRequest")
    parts = [{**request["services"][0], "renderStatus": "COMPLETE", "errorCode": None}]
    dates = {
        "receivedDate": "2026-10-27",
        "dueDate": "2026-12-04",
        "daysLeft": 4,
        "heldDays": 7,
        "extendBy": "2026-11-27",
    }
    hold = {**request["holds"][0], "since": "2026-11-02", "until": "2026-11-09"}
    api.answers["showSubjectAccessRequest"] = {
        **request, **dates, "state": "ReadyForReview", "services": parts, "holds": [hold], "redactedBy": ["carol"],
        "sarCaseReferenceNumber": "SAR-2026-142",
    }  # fmt: skip
    hours = [
        {"hour": f"2026-11-30T{hour:02}:00:00.000Z", "files": 40 + 9 * hour, "failed": hour % 5 == 4,
         "p50": 1.2 + hour % 3 / 2, "p95": 4.0 + hour % 4, "max": 9.0 + 3 * (hour % 5)}
        for hour in range(11)
    ]  # fmt: skip
    api.answers["countReplications"] = {
        "hours": hours, "since": "2026-11-29T10:00:00.000Z", "pendingObjects": 3, "pendingBytes": 48_200_000,
    }  # fmt: skip
    (failed,) = api.answers["listReplications"]["replications"]
    begun = [
        {**failed, "status": "IN_PROGRESS", "startTime": f"2026-11-30T10:{minute}:00.000Z"} for minute in (28, 37, 40)
    ]
    rows = {"IN_PROGRESS": begun, "FAILED": [{**failed, "startTime": "2026-11-29T16:20:00.000Z"}]}
    api.answers["listReplications"] = lambda asked: {
        "replications": rows.get(asked.query.get("status", ""), [*begun, failed]), "cursor": None,
    }  # fmt: skip
    value = example("listValues")["findings"][0]
    found = (
        ("EMAIL", "****@****", "LOW"),
        ("IBAN", "GB** **** **** **** **07", "HIGH"),
        ("US_SSN", "XXX-XX-8726", "HIGH"),
    )
    api.answers["listValues"] = lambda asked: {
        "cursor": None, "passed_over": {},
        "findings": [
            {**value, "detector": kind, "masked_match": masked, "confidence": sure, "fingerprint": f"{number:064x}"}
            for number, (kind, masked, sure) in enumerate(found)
        ],
    }  # fmt: skip


def _files() -> list[dict[str, object]]:
    file = example("listConsignmentFiles")["files"][0]
    told = {"statusName": "FFID", "rule": "ffid.zip", "detail": "", "tableVersion": "2026-10"}
    found = (
        (
            "minutes/1921/minutes_1921.zip",
            "Zip",
            "This file is an archive. Send the files that are in it.",
            "Fix yourself",
        ),
        (
            "letters/تقرير الميناء 1934.docx",
            "PasswordProtected",
            "This file is protected by a password.",
            "Fix yourself",
        ),
        ("minutes/1934/minutes_1934.doc", "Unidentified", "We do not know the format of this file.", "Contact support"),
        ("plans/<script>alert(1)</script>.pdf", "VirusDetected", "Malware was found in this file.", "Contact support"),
        ("plans/invoice\u202efdp.exe", "Executable", "This file is a program and not a record.", "Fix yourself"),
    )
    refused = [
        file
        | {"path": path, "accepted": False, "explanations": [told | {"value": value, "sentence": says, "action": who}]}
        for path, value, says, who in found
    ]
    return [*refused, file]
