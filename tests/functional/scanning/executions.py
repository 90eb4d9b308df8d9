"""Executions of the definition of scanning."""

from tests.fakes.second_interpreter import Raised, Refused
from tests.functional.interpreters.cases import Case, Definition

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

DEFINITIONS = {
    "scanning": Definition(SCANNING, {"ScanLoopLimit": "3"}),
}
