"""Executions of the definition of the consignment checks."""

from tests.fakes.second_interpreter import Raised, Refused
from tests.functional.interpreters.cases import Case, Definition

CHECKS = {"bucket": "b", "key": "k", "concurrency": 2}
GROUP = {"consignmentId": "c", "progressKey": "p", "expires": 9, "files": [], "group": 1, "resultKey": "r"}
GROUP |= {"executionName": "n", "executionId": "e"}
VERDICT = {"statuses": {}, "status": "Completed", "accepted": True, "problems": [], "copies": 1, **CHECKS}
CHECKED = {
    "GetFiles": {"consignmentId": "c", "files": 2, **CHECKS},
    "s3": [[GROUP, GROUP]],
    "CheckFiles": {"counts": {"antivirus": 1, "checksum": 1, "fileFormat": 1}},
    "put_item": {},
    "ProcessMapResults": {"incomplete": []},
    "RedactedFiles": {},
    "GenerateStatuses": VERDICT,
    "CopyFiles": {"gone": 0},
    "UpdateConsignment": {},
    "NotifyProblems": {"sent": 1},
    "RecordFailure": {"error": "told"},
}
THROTTLED = Refused("ProvisionedThroughputExceededException")
CONSIGNMENTS = [
    Case(
        "accepted", {"consignmentId": "c"}, CHECKED, output={"accepted": True, "notified": True}, times={"CopyFiles": 2}
    ),
    Case("no files", {"consignmentId": "c"}, {"GetFiles": {"consignmentId": "c", "files": 0}}, output={"files": 0}),
    Case("a failed start", {}, CHECKED | {"GetFiles": Raised("NotRegisteredError")}, "FAILED", "told"),
    Case(
        "a group that breaks",
        {"consignmentId": "c"},
        CHECKED | {"CheckFiles": Raised("MemoryError")},
        output={"accepted": True},
        times={"put_item": 2},
    ),
    Case(
        "progress that is throttled once",
        {"consignmentId": "c"},
        CHECKED | {"s3": [[GROUP]], "put_item": [THROTTLED, {}]},
        output={"accepted": True},
        times={"put_item": 2},
    ),
    Case(
        "files are gone",
        {"consignmentId": "c"},
        CHECKED | {"CopyFiles": {"gone": 2}},
        "FAILED",
        "told",
        through=("CheckedFilesGone", "RecordFailure"),
        times={"UpdateConsignment": 0},
    ),
    *(
        Case(f"{step} fails", {"consignmentId": "c"}, CHECKED | {step: Raised("StoreError")}, "FAILED", "told")
        for step in ("ProcessMapResults", "RedactedFiles", "GenerateStatuses", "UpdateConsignment")
    ),
    Case(
        "nobody can be told",
        {"consignmentId": "c"},
        CHECKED | {"NotifyProblems": Raised("NotificationError")},
        output={"notified": False},
    ),
]

DEFINITIONS = {
    "consignments": Definition(CONSIGNMENTS, {"ConsignmentsTableName": "consignments"}),
}
