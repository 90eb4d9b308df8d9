"""The parameters of the stack that the workflow tests run against."""

from collections.abc import Mapping

LOCAL_STACK = "waybill-accept"
"""The stack of `make accept` on the embedded AWS of `make up`."""

QUIET_BUCKET = "waybill-tests-quiet"
"""A source bucket on the embedded AWS whose uploads start nothing; custody watches it, once it sends events."""

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
    "SubjectAccessHosts": "*.example",
    "SubjectAccessServiceSeconds": "10",
    "SubjectAccessSchedule": "rate(1 day)",
    "ResolverTemplate": "https://example.org/works/{canonicalId}",
}


def parameters_with(quiet: str) -> dict[str, str]:
    """Return the parameters, with a source bucket whose uploads start nothing, and which custody may watch."""
    return {**_PARAMETERS, "AdditionalSourceBuckets": quiet, "CustodyWatchBuckets": quiet}


def differing(parameters: Mapping[str, str]) -> list[str]:
    """Return the names of the parameters of a stack that are not as the tests need them; the quiet bucket is any."""
    missing = [name for name in ("AdditionalSourceBuckets", "CustodyWatchBuckets") if not parameters.get(name)]
    return missing + [name for name, value in _PARAMETERS.items() if parameters.get(name) != value]
