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
