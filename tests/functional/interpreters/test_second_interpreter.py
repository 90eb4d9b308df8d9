"""Every definition, run by an interpreter of another origin than the embedded AWS's.

What has to come out is what the definitions promise (`docs/architecture.md`, the contracts of the workflows) by the
Amazon States Language (<https://states-language.net>). Where the two interpreters differ: `docs/embedded-aws.md`. One
test runs all executions of a machine, for moto takes seconds to read a definition.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.fakes.samples import PROJECT
from tests.fakes.second_interpreter import Machine, Raised, Refused, Run
from tests.template.support.rules import every

SUBSTITUTIONS: Mapping[str, Mapping[str, str]] = {
    "replication": {"EndFailedRunsInFail": "true"},
    "scanning": {"ScanLoopLimit": "3"},
    "subject_access": {},
    "minting": {},
    "consignments": {"ConsignmentsTableName": "consignments"},
    "replication_jobs": {
        "SourceBucket": "s",
        "DestinationBuckets": "a,b",
        "FileCopyWorkflowArn": "w",
        "FileCopyExpressWorkflowArn": "",
    },
}
# A definition that is not run here is named by nobody else.
assert SUBSTITUTIONS.keys() == {path.name.split(".")[0] for path in (PROJECT / "statemachine").iterdir()}
TOO_MANY = Refused("TooManyRequestsException")


@dataclass(frozen=True)
class Case:
    """An execution: what its tasks answer, how it has to end, and some of the states that it has to go through."""

    label: str
    given: Any
    answers: dict[str, Any]
    status: str = "SUCCEEDED"
    error: str | None = None
    output: Any = None
    through: tuple[str, ...] = ()
    times: dict[str, int] = field(default_factory=dict)


@cache
def machine(name: str) -> Machine:
    return Machine(name, **SUBSTITUTIONS[name])


def check(name: str, case: Case) -> Run:
    """Run a case, and hold it to what it says."""
    run = machine(name).run(case.given, **case.answers)
    assert (run.status, run.error) == (case.status, case.error), run
    if case.output is not None:
        assert {key: run.output.get(key) for key in case.output} == case.output
    assert [state for state in case.through if state not in run.states] == [], run.states
    assert {called: len(run.calls.get(called, [])) for called in case.times} == case.times
    return run


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

JOB = {"job_id": "j"}
LISTING = {**JOB, "done": False, "split": False}
DONE = {**JOB, "done": True, "split": False}
SUCCESSOR = {"start_execution": {"executionArn": "arn", "startDate": "2026-01-01T00:00:00Z"}}
SCANNING = [
    Case("one page", JOB, {"ProcessBatch": DONE}, output={"done": True}, through=("JobComplete",)),
    Case("two pages", JOB, {"ProcessBatch": [LISTING, DONE]}, through=("JobComplete",), times={"ProcessBatch": 2}),
    Case(
        "many ranges",
        JOB,
        {"ProcessBatch": [{**LISTING, "split": True}, DONE], "SplitRange": LISTING},
        through=("SplitRange", "JobComplete"),
    ),
    Case(
        "a successor",
        {**JOB, "range": 2},
        {"ProcessBatch": LISTING, **SUCCESSOR},
        through=("HandOver", "HandedOver"),
        times={"ProcessBatch": 3, "start_execution": 1},
    ),
    Case(
        "a successor that is there",
        JOB,
        {"ProcessBatch": LISTING, "start_execution": Refused("ExecutionAlreadyExists")},
        output={"handed_over": True},
        through=("HandedOver",),
    ),
    Case(
        "a listing that fails",
        JOB,
        {"ProcessBatch": Raised("BucketGoneError"), "HandleError": {**JOB, "notified": True}},
        "FAILED",
        "BucketGoneError",
        times={"HandleError": 1},
    ),
    Case(
        "nobody can be told",
        JOB,
        {"ProcessBatch": Raised("BucketGoneError"), "HandleError": Raised("JobStoreUnavailableError")},
        "FAILED",
        "BucketGoneError",
    ),
]

CLAIM = {
    "requestId": "r",
    "claimToken": "t",
    "generation": 1,
    "claimed": True,
    "services": [{"service": name, "rank": rank, "renderStatus": "PENDING"} for rank, name in enumerate("ab")],
}
FULFILS = {
    "ClaimRequest": CLAIM,
    "FetchService": lambda given: given | {"renderStatus": "FETCHED" if given["service"] == "a" else "NO_CONTENT"},
    "RenderPart": lambda given: given | {"renderStatus": "RENDERED"},
    "CheckParts": {"requestId": "r", "ready": True},
    "RenderReport": {"requestId": "r"},
    "StoreReport": {"requestId": "r"},
    "CompleteRequest": {"requestId": "r", "status": "Completed"},
    "FailAttempt": {"requestId": "r", "counted": True, "notified": False},
}
LOST = Raised("ClaimLostError")
SUBJECT_ACCESS = [
    Case("a request", {}, FULFILS, output={"status": "Completed"}, times={"FetchService": 2, "RenderPart": 1}),
    Case("nothing to do", {}, {"ClaimRequest": {"claimed": False}}, output={"claimed": False}),
    Case(
        "parts are missing",
        {},
        FULFILS | {"FetchService": Raised("AnswerTooLargeError"), "CheckParts": {"ready": False}},
        "FAILED",
        "AttemptFailed",
        through=("PartFailed", "PartsMissing", "FailAttempt"),
        times={"RenderReport": 0},
    ),
    Case(
        "it only waits",
        {},
        FULFILS | {"CheckParts": {"ready": False}, "FailAttempt": {"requestId": "r", "counted": False}},
        through=("Waiting",),
    ),
    *(
        Case(
            f"the claim is lost at {step}",
            {},
            FULFILS | {step: LOST},
            output={"status": "LeftToAnother"},
            times={"FailAttempt": 0},
        )
        for step in ("CheckParts", "RenderReport", "StoreReport", "CompleteRequest")
    ),
    Case("no claim", {}, {"ClaimRequest": Raised("CatalogueUnavailableError")}, "FAILED", "AttemptFailed"),
    Case(
        "an attempt that cannot be recorded",
        {},
        FULFILS | {"RenderReport": Raised("ReportError"), "FailAttempt": Raised("CatalogueUnavailableError")},
        "FAILED",
        "AttemptFailed",
    ),
]

FEW = {"sourceIdentifiers": [{"id": 1}]}
MANY = {"identifiersUri": "s3://b/k"}
PLAN = {"kind": "MANIFEST", "bucket": "b", "key": "k", "concurrency": 5}
MINTED = {"successes": [1], "failures": []}
SUMMARY = {"successCount": 2, "failureCount": 0}
RETRYABLE = {"successes": [], "failures": [{"retryable": True}]}
MINTING = [
    Case("few", FEW, {"IdMinter": MINTED}, output={"status": "ALL_SUCCEEDED", "successCount": 1}),
    Case("some", FEW, {"IdMinter": {"successes": [1], "failures": [{}]}}, output={"status": "PARTIAL"}),
    Case(
        "a busy registry", FEW, {"IdMinter": [RETRYABLE, MINTED]}, through=("WaitForRegistry",), times={"IdMinter": 2}
    ),
    Case(
        "a registry that stays busy",
        FEW,
        {"IdMinter": RETRYABLE},
        output={"status": "NONE_SUCCEEDED"},
        times={"IdMinter": 3},
    ),
    Case("it raises", FEW, {"IdMinter": Raised("RegistryMissingError")}, "FAILED", "RegistryMissingError"),
    Case(
        "rejected",
        MANY,
        {"PlanMinting": {"kind": "REJECTED", "response": {"successes": [], "failures": [{}]}}},
        output={"status": "NONE_SUCCEEDED"},
        times={"MintChunk": 0},
    ),
    Case(
        "chunks in the state",
        MANY,
        {
            "PlanMinting": {"kind": "INLINE", "concurrency": 2, "chunks": [{"n": 1}, {"n": 2}]},
            "MintChunk": {},
            "SummariseMinting": SUMMARY,
        },
        output={"status": "ALL_SUCCEEDED"},
        times={"MintChunk": 2},
    ),
    Case(
        "chunks in a manifest",
        MANY,
        {"PlanMinting": PLAN, "s3": [[{"n": 1}, {"n": 2}, {"n": 3}]], "MintChunk": {}, "SummariseMinting": SUMMARY},
        output={"status": "ALL_SUCCEEDED"},
        times={"MintChunk": 3, "SummariseMinting": 1},
    ),
]

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


@every("case", REPLICATION)
def test_replication(case: Case) -> None:
    check("replication", case)


@every("case", SCANNING)
def test_scanning(case: Case) -> None:
    check("scanning", case)


@every("case", SUBJECT_ACCESS)
def test_subject_access(case: Case) -> None:
    check("subject_access", case)


@every("case", MINTING)
def test_minting(case: Case) -> None:
    check("minting", case)


@every("case", CONSIGNMENTS)
def test_consignments(case: Case) -> None:
    check("consignments", case)


@every("case", JOBS)
def test_replication_jobs(case: Case) -> None:
    check("replication_jobs", case)


def test_a_successor_has_a_name_of_its_own_and_the_listing_so_far() -> None:
    """`HandOver` names it `scan-<job>-r<range>-<generation>`: started twice, it is one."""
    run = check("scanning", SCANNING[3])
    (asked,) = run.calls["start_execution"]
    assert asked["Name"] == "scan-j-r2-2"
    assert json.loads(asked["Input"]) == LISTING | {"generation": 2}


def test_a_state_has_at_most_256_kib() -> None:
    """Step Functions developer guide, "Quotas". That States.ALL takes the error is moto's: `docs/embedded-aws.md`."""
    run = machine("replication_jobs").run({}, WorkOnJob={"complete": True, "text": "x" * 262_144})
    assert (run.status, run.error) == ("FAILED", "JobFailed")
    assert (run.cause or "").startswith("States.DataLimitExceeded")
