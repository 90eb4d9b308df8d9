"""Executions of the definition of minting."""

from tests.fakes.second_interpreter import Raised
from tests.functional.interpreters.cases import Case, Definition

FEW = {"sourceIdentifiers": [{"id": 1}]}
MANY = {"identifiersUri": "s3://b/k"}
PLAN = {"kind": "MANIFEST", "bucket": "b", "key": "k", "concurrency": 5}
MINTED = {"successes": [1], "failures": []}
SUMMARY = {"successCount": 2, "failureCount": 0}
RETRYABLE = {"successes": [], "failures": [{"retryable": True}]}
MINTING = [
    Case("few", FEW, {"IdMinter": MINTED}, output={"status": "ALL_SUCCEEDED", "successCount": 1}),
    Case("some", FEW, {"IdMinter": {"successes": [1], "failures": [{}]}}, output={"status": "PARTIAL"}),
    Case(
        "a busy registry", FEW, {"IdMinter": [RETRYABLE, MINTED]}, through=("WaitForRegistry",), times={"IdMinter": 2}
    ),
    Case(
        "a registry that stays busy",
        FEW,
        {"IdMinter": RETRYABLE},
        output={"status": "NONE_SUCCEEDED"},
        times={"IdMinter": 3},
    ),
    Case("it raises", FEW, {"IdMinter": Raised("RegistryMissingError")}, "FAILED", "RegistryMissingError"),
    Case(
        "rejected",
        MANY,
        {"PlanMinting": {"kind": "REJECTED", "response": {"successes": [], "failures": [{}]}}},
        output={"status": "NONE_SUCCEEDED"},
        times={"MintChunk": 0},
    ),
    Case(
        "chunks in the state",
        MANY,
        {
            "PlanMinting": {"kind": "INLINE", "concurrency": 2, "chunks": [{"n": 1}, {"n": 2}]},
            "MintChunk": {},
            "SummariseMinting": SUMMARY,
        },
        output={"status": "ALL_SUCCEEDED"},
        times={"MintChunk": 2},
    ),
    Case(
        "chunks in a manifest",
        MANY,
        {"PlanMinting": PLAN, "s3": [[{"n": 1}, {"n": 2}, {"n": 3}]], "MintChunk": {}, "SummariseMinting": SUMMARY},
        output={"status": "ALL_SUCCEEDED"},
        times={"MintChunk": 3, "SummariseMinting": 1},
    ),
]

DEFINITIONS = {
    "minting": Definition(MINTING),
}
