"""In which ways the states of scanning try again."""

from tests.template.support.retries import LONG, NOTIFICATION, PATIENT, TWICE_MORE, Retries, own

BUCKET, SCANS = "BucketUnavailableError", "ScanStoreUnavailableError"

USES: dict[str, dict[tuple[str, ...], Retries]] = {
    "scanning ProcessBatch": PATIENT | TWICE_MORE | own(LONG, SCANS, BUCKET, "QueueUnavailableError", NOTIFICATION),
    "scanning SplitRange": PATIENT | TWICE_MORE | own(LONG, SCANS, BUCKET, "RateLimitedError", "RetryableError"),
    "scanning HandOver": own(
        Retries(8, most=60),
        "StepFunctions.ThrottlingException",
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.SdkClientException",
    ),
    "scanning HandleError": PATIENT | TWICE_MORE | own(LONG, SCANS, NOTIFICATION),
}

# What is kept of an error by every state that hands it on in the same way.
CAUGHT: dict[str, tuple[str, set[str]]] = {
    "scanning HandleError": ("Assign", {"ProcessBatch", "SplitRange", "HandOver"}),
}
