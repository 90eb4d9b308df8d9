"""In which ways the states of replication try again."""

from tests.template.support.retries import BRIEFLY, LONG, NOTIFICATION, ONCE, PATIENT, SHORTLY, TWICE_MORE, Retries, own

S3, TRACKING = ("ThrottledError", "S3UnavailableError"), "TrackingUnavailableError"
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
}

# What is kept of an error by every state that hands it on in the same way.
CAUGHT: dict[str, tuple[str, set[str]]] = {
    "replication FormatErrorResult": (
        "Output",
        {"CopyFile", "StartMultipartCopy", "CopyPartBatches", "CompleteMultipartCopy"},
    ),
}
