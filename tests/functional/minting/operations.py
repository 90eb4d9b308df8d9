"""The names of the operations, by API: they are names in other people's code."""

OPERATIONS = {
    "waybill.minting.api": [
        "auditIdentifiers",
        "countIdentifiers",
        "findIdentifier",
        "findIdentifierBySource",
        "listMintingRuns",
        "mintIdentifiers",
        "replaceIdentifier",
        "reserveIdentifiers",
        "resolveIdentifier",
        "showIdentifier",
        "showMintingRun",
        "withdrawIdentifier",
    ],
}
