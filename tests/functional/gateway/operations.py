"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.gateway.api": [
        "showHealth",
        "showOpenapi",
    ],
}
