"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.replication.api": [
        "cancelBackfill",
        "countReplications",
        "dismissFailures",
        "exportBackfill",
        "listBackfills",
        "listReplications",
        "listVerifications",
        "resumeBackfill",
        "retryReplications",
        "showBackfill",
        "showReplication",
        "showVerification",
        "startBackfill",
        "startReplication",
        "startVerification",
    ],
}
