"""Executions of the two definitions of replication."""

from typing import Any

from tests.fakes.second_interpreter import Raised, Refused
from tests.functional.interpreters.cases import Case, Definition

TOO_MANY = Refused("TooManyRequestsException")


def copied(given: Any) -> dict[str, Any]:
    return {"destinationBucket": given["destinationBucket"], "success": True, "code": "COPIED"}


def not_copied(given: Any) -> dict[str, Any]:
    return {"destinationBucket": given["destinationBucket"], "success": False, "code": "ACCESS_DENIED"}


RUN = {"executionId": "e", "sourceKey": "k", "sourceBucket": "s", "destinationBuckets": ["a", "b"]}
REPLICATES = {
    "ValidateInput": RUN,
    "LogWorkflowStart": {"claim": "STARTED", "generation": 1},
    "DescribeSource": {"strategy": "SINGLE"},
    "CopyFile": copied,
    "FormatErrorResult": not_copied,
    "UpdateDynamoDBFinal": {},
    "SendFailureNotification": {},
}
BATCHES = {
    "DescribeSource": {"strategy": "MULTIPART_BATCHES", "source": {}, "partSize": 5, "batches": [{"n": 1}, {"n": 2}]},
    "StartMultipartCopy": {"uploadId": "u"},
    "CopyPartBatch": {"parts": 1},
    "CompleteMultipartCopy": lambda given: copied(given["task"]),
}
# A task's answers differ by what it is asked, for copies run beside each other.
B_FAILS = {
    "CopyFile": lambda given: copied(given) if given["destinationBucket"] == "a" else Raised("AccessDeniedError")
}

REPLICATION = [
    Case("all copies", {}, REPLICATES, output={"status": "SUCCESS", "totalBuckets": 2}, times={"CopyFile": 2}),
    Case("in batches", {}, REPLICATES | BATCHES, output={"status": "SUCCESS"}, times={"CopyPartBatch": 4}),
    Case(
        "a batch that fails",
        {},
        REPLICATES | BATCHES | {"CopyPartBatch": Raised("AccessDeniedError")},
        "FAILED",
        "FAILED",
        through=("BatchFailed", "FormatErrorResult"),
        times={"CompleteMultipartCopy": 0, "SendFailureNotification": 1},
    ),
    Case("wrong input", {}, {"ValidateInput": Raised("InvalidInputError")}, "FAILED", "INVALID_INPUT"),
    Case(
        "throttled, then not",
        {},
        REPLICATES | {"ValidateInput": [TOO_MANY, TOO_MANY, RUN]},
        output={"status": "SUCCESS"},
        times={"ValidateInput": 3},
    ),
    Case(
        "another run's",
        {},
        REPLICATES | {"LogWorkflowStart": {"claim": "DUPLICATE", "generation": 1}},
        output={"status": "DUPLICATE"},
        through=("AlreadyHandled",),
        times={"DescribeSource": 0},
    ),
    Case("one copy fails", {}, REPLICATES | B_FAILS, "FAILED", "PARTIAL_FAILURE", times={"SendFailureNotification": 1}),
    Case("no source", {}, REPLICATES | {"DescribeSource": Raised("SourceMissingError")}, "FAILED", "FAILED"),
    Case(
        "superseded",
        {},
        REPLICATES | {"CopyFile": lambda given: not_copied(given) | {"code": "SUPERSEDED"}},
        output={"status": "SUPERSEDED", "supersededCopies": 2},
    ),
    Case(
        "nobody can be told",
        {},
        REPLICATES | B_FAILS | {"SendFailureNotification": Raised("NotificationError")},
        "FAILED",
        "FAILURE_NOTIFICATION_FAILED",
    ),
    Case("no claim", {}, REPLICATES | {"LogWorkflowStart": Raised("TrackingUnavailableError")}, "FAILED", "FAILED"),
]

BACKFILL = {"backfillId": "b", "generation": 2}


def backfilled(given: Any) -> dict[str, Any]:
    """A large backfill, whose parts come first."""
    assert given["stack"]["fileCopyWorkflow"] == "w"
    assert given["input"] == BACKFILL
    return {"complete": True, "part": given["part"]} if "part" in given else IN_PARTS.pop(0)


IN_PARTS: list[dict[str, Any]] = [
    {"backfillId": "b", "complete": False, "waits": False, "parts": [3, 4, 5]},
    {"backfillId": "b", "complete": False, "waits": True},
    {"backfillId": "b", "complete": False, "waits": False},
    {"backfillId": "b", "complete": True},
]

JOBS = [
    Case(
        "a large backfill",
        BACKFILL,
        {"WorkOnJob": backfilled},
        through=("BackfillParts", "WaitForRuns", "JobEnded"),
        times={"WorkOnJob": 7},
    ),
    Case("two tasks", {}, {"WorkOnJob": [{"complete": False}, {"complete": True}]}, through=("JobEnded",)),
    Case("it raises", {}, {"WorkOnJob": Raised("TableGoneError")}, "FAILED", "TableGoneError"),
]

DEFINITIONS = {
    "replication": Definition(REPLICATION, {"EndFailedRunsInFail": "true"}),
    "replication_jobs": Definition(
        JOBS,
        {
            "SourceBucket": "s",
            "DestinationBuckets": "a,b",
            "FileCopyWorkflowArn": "w",
            "FileCopyExpressWorkflowArn": "",
        },
    ),
}
