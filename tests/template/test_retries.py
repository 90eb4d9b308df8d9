"""The few ways in which states try again and catch, and which state uses which.

The Amazon States Language cannot share them, so the definitions repeat them; they are changed here first, and what
differs is named.
"""

import json
from typing import Any, NamedTuple

from tests.template.support.machines import State, machines
from tests.template.support.rules import every


class Retries(NamedTuple):
    """How often, and with which pauses."""

    attempts: int
    seconds: int = 2
    rate: int = 2
    most: int | None = None


# Faults of Lambda itself: AWS Step Functions developer guide, "Handle transient Lambda service exceptions".
LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
)
THROTTLES = ("Lambda.TooManyRequestsException",)
# The function died or hung: what it does is tried once or twice more, at its full cost each time.
CRASHES = ("Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout")

FAULTS_OF_LAMBDA = {LAMBDA_FAULTS: Retries(3)}
PATIENT = FAULTS_OF_LAMBDA | {THROTTLES: Retries(12, most=30)}
# Within the five minutes of an Express execution.
HASTY = FAULTS_OF_LAMBDA | {THROTTLES: Retries(6, most=30)}
TWICE_MORE, ONCE_MORE = {CRASHES: Retries(2)}, {CRASHES: Retries(1)}

# Errors of the functions' own, by how long it takes until the cause may have passed.
BRIEFLY = Retries(3)
SHORTLY = Retries(3, seconds=1)
STORED = Retries(4, most=30)
LONG = Retries(5, most=60)
ONCE = Retries(1)


def own(retries: Retries, *errors: str) -> dict[tuple[str, ...], Retries]:
    return {errors: retries}


DYNAMODB = own(
    STORED,
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceededException",
    "DynamoDB.InternalServerErrorException",
    "DynamoDB.ThrottlingException",
    "DynamoDB.AmazonDynamoDBException",
    "DynamoDB.SdkClientException",
)
S3, TRACKING = ("ThrottledError", "S3UnavailableError"), "TrackingUnavailableError"
CONSIGNMENTS, RUN_BUCKET = "ConsignmentsUnavailableError", "RunBucketUnavailableError"
BUCKET = "BucketUnavailableError"
CHUNK = ("ChunkUnfinishedError", "RegistryUnavailableError", "DocumentsUnavailableError")
SCANS, REQUESTS, STORAGE = "ScanStoreUnavailableError", "SubjectAccessStoreUnavailableError", "StorageUnavailableError"
NOTIFICATION = "NotificationUnavailableError"
DIFFERS = own(ONCE, "VerificationFailedError")
UNSETTLED = own(Retries(12, seconds=20, rate=1), "DestinationUnsettledError")
# Longer than a function that has died may have had its turn.
BUSY = own(Retries(50, seconds=1, rate=2, most=60), "DestinationBusyError")

USES: dict[str, dict[tuple[str, ...], Retries]] = {
    "replication_jobs WorkOnJob": PATIENT | TWICE_MORE | own(LONG, *S3, TRACKING, NOTIFICATION),
    "replication_jobs RecordStop": PATIENT | TWICE_MORE | own(LONG, *S3, TRACKING, NOTIFICATION),
    "replication_jobs WorkOnPart": PATIENT | TWICE_MORE | own(LONG, *S3, TRACKING, NOTIFICATION),
    "replication ValidateInput": PATIENT | TWICE_MORE,
    "replication LogWorkflowStart": PATIENT | TWICE_MORE | own(SHORTLY, TRACKING),
    "replication DescribeSource": PATIENT | TWICE_MORE | own(BRIEFLY, *S3),
    "replication UpdateDynamoDBFinal": PATIENT | TWICE_MORE | own(SHORTLY, TRACKING),
    "replication SendFailureNotification": PATIENT
    | TWICE_MORE
    | own(SHORTLY, TRACKING)
    | own(Retries(2, seconds=1), NOTIFICATION),
    "replication CopyFile": PATIENT
    | TWICE_MORE
    | own(BRIEFLY, *S3, TRACKING, "UploadGoneError")
    | DIFFERS
    | UNSETTLED
    | BUSY
    | own(Retries(20, seconds=1, rate=1), "CopyUnfinishedError"),
    "replication StartMultipartCopy": PATIENT
    | TWICE_MORE
    | own(BRIEFLY, *S3, TRACKING, "UploadGoneError")
    | UNSETTLED
    | own(Retries(20, seconds=1, rate=1), "CopyUnfinishedError"),
    "replication CompleteMultipartCopy": PATIENT
    | TWICE_MORE
    | own(BRIEFLY, *S3, TRACKING)
    | DIFFERS
    | UNSETTLED
    | own(Retries(20, seconds=1, rate=1), "CopyUnfinishedError"),
    "replication FormatErrorResult": PATIENT | TWICE_MORE | own(SHORTLY, *S3) | own(SHORTLY, TRACKING),
    "replication CopyPartBatch": PATIENT
    | TWICE_MORE
    | own(Retries(5), *S3, TRACKING)
    | own(Retries(50, seconds=1, rate=1), "CopyUnfinishedError"),
    "minting IdMinter": PATIENT | TWICE_MORE | own(STORED, "RegistryUnavailableError"),
    "minting PlanMinting": PATIENT | TWICE_MORE | own(STORED, "DocumentsUnavailableError"),
    "minting SummariseMinting": PATIENT | TWICE_MORE | own(STORED, "DocumentsUnavailableError", "ResultsMissingError"),
    "minting MintChunk": HASTY | TWICE_MORE | own(STORED, *CHUNK),
    "minting MintManifestChunk": HASTY | TWICE_MORE | own(STORED, *CHUNK),
    "consignments GetFiles": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
    "consignments ProcessMapResults": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments RedactedFiles": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments GenerateStatuses": PATIENT | TWICE_MORE | own(STORED, RUN_BUCKET),
    "consignments UpdateConsignment": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
    "consignments NotifyProblems": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, NOTIFICATION),
    "consignments RecordFailure": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS),
    "consignments CheckFiles": PATIENT | TWICE_MORE | own(STORED, "ChecksUnavailableError", RUN_BUCKET),
    "consignments RecordProgress": DYNAMODB,
    "consignments CopyFiles": PATIENT | TWICE_MORE | own(STORED, CONSIGNMENTS, RUN_BUCKET),
    "scanning ProcessBatch": PATIENT | TWICE_MORE | own(LONG, SCANS, BUCKET, "QueueUnavailableError", NOTIFICATION),
    "scanning SplitRange": PATIENT | TWICE_MORE | own(LONG, SCANS, BUCKET, "RateLimitedError", "RetryableError"),
    "scanning HandOver": own(
        Retries(8, most=60),
        "StepFunctions.ThrottlingException",
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.SdkClientException",
    ),
    "scanning HandleError": PATIENT | TWICE_MORE | own(LONG, SCANS, NOTIFICATION),
    "subject_access ClaimRequest": PATIENT | ONCE_MORE | own(LONG, REQUESTS, "ContendedError"),
    "subject_access CheckParts": PATIENT | ONCE_MORE | own(LONG, REQUESTS),
    "subject_access RenderReport": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE),
    "subject_access StoreReport": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
    "subject_access CompleteRequest": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
    "subject_access FailAttempt": PATIENT | ONCE_MORE | own(LONG, REQUESTS, "ContendedError", NOTIFICATION),
    "subject_access FetchService": PATIENT
    | ONCE_MORE
    | own(LONG, REQUESTS, STORAGE, "ContendedError", "CredentialsUnavailableError"),
    "subject_access RenderPart": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
}

# What is kept of an error by every state that hands it on in the same way.
CAUGHT: dict[str, tuple[str, set[str]]] = {
    "replication FormatErrorResult": (
        "Output",
        {"CopyFile", "StartMultipartCopy", "CopyPartBatches", "CompleteMultipartCopy"},
    ),
    "scanning HandleError": ("Assign", {"ProcessBatch", "SplitRange", "HandOver"}),
    "subject_access FailAttempt": (
        "Output",
        {"AskServices", "CheckParts", "RenderReport", "StoreReport", "CompleteRequest"},
    ),
    "subject_access LeftToAnother": (
        "Output",
        {"CheckParts", "RenderReport", "StoreReport", "CompleteRequest", "FailAttempt"},
    ),
    "subject_access PartFailed": ("Output", {"FetchService", "RenderPart"}),
}

STATES: dict[str, State] = {
    f"{machine.label} {state.name}": state for machine in machines() for state in machine.states
}


def test_every_state_that_tries_again_is_known() -> None:
    known = {name for name, state in STATES.items() if state.retriers}
    assert (known - set(USES), set(USES) - known) == (set(), set()), "new and gone: USES above has to name them"


@every(("name", "uses"), USES.items())
def test_a_state_tries_again_as_its_sets_say(name: str, uses: dict[tuple[str, ...], Retries]) -> None:
    found = {frozenset(retrier["ErrorEquals"]): retries_of(retrier) for retrier in STATES[name].retriers}
    assert found == {frozenset(errors): retries for errors, retries in uses.items()}


@every(("handler", "how"), CAUGHT.items())
def test_what_is_caught_is_handed_on_alike(handler: str, how: tuple[str, set[str]]) -> None:
    machine, target = handler.split()
    field, states = how
    catchers = {
        state.name: catcher
        for name, state in STATES.items()
        for catcher in state.catchers
        if name.startswith(f"{machine} ") and catcher["Next"] == target
    }
    assert set(catchers) == states
    assert len({json.dumps([one["ErrorEquals"], one[field]]) for one in catchers.values()}) == 1


def retries_of(retrier: dict[str, Any]) -> Retries:
    assert retrier["JitterStrategy"] == "FULL"
    return Retries(
        retrier["MaxAttempts"], retrier["IntervalSeconds"], retrier["BackoffRate"], retrier.get("MaxDelaySeconds")
    )
