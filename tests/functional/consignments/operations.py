"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.consignments.api": [
        "correctConsignment",
        "exportConsignment",
        "getConsignmentReport",
        "listConsignmentFiles",
        "listConsignments",
        "registerConsignment",
        "renewUploads",
        "showConsignment",
        "showConsignmentFile",
        "startChecks",
        "waiveConsignmentFile",
    ],
}
