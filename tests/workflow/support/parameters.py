"""The parameters of the stack that the workflow tests run against."""

_MIB = 1024**2

# Small sizes stand for large ones: the ways to copy differ from 6 and from 20 MiB on.
_PARAMETERS = {
    "SingleCopyMaxBytes": str(6 * _MIB),
    "OneFunctionMaxBytes": str(20 * _MIB),
    "PartSizeBytes": str(5 * _MIB),
    "PartsPerBatch": "2",
    "PartConcurrency": "4",
    "ReconcileAfterMinutes": "0",
    "ReconcileSchedule": "rate(1 day)",
    "ScanBuckets": "*",
    "ScanBatchKeys": "20",
    "ScanLoopLimit": "3",
    "ScanFanOut": "4",
    "ScanWebhookPrivate": "true",
    "SubjectAccessServiceSeconds": "10",
    "SubjectAccessSchedule": "rate(1 day)",
}


def parameters_with(quiet: str) -> dict[str, str]:
    """Return the parameters, with a source bucket whose uploads start nothing."""
    return {**_PARAMETERS, "AdditionalSourceBuckets": quiet}
