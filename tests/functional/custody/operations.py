"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.custody.admin_api": [
        "eraseNames",
    ],
    "waybill.custody.api": [
        "traceFile",
    ],
}
