"""Executions of the definition of subject access."""

from tests.fakes.second_interpreter import Raised
from tests.functional.interpreters.cases import Case, Definition

CLAIM = {
    "requestId": "r",
    "claimToken": "t",
    "generation": 1,
    "claimed": True,
    "services": [{"service": name, "rank": rank, "renderStatus": "PENDING"} for rank, name in enumerate("ab")],
}
FULFILS = {
    "ClaimRequest": CLAIM,
    "FetchService": lambda given: given | {"renderStatus": "FETCHED" if given["service"] == "a" else "NO_CONTENT"},
    "RenderPart": lambda given: given | {"renderStatus": "RENDERED"},
    "CheckParts": {"requestId": "r", "ready": True},
    "RenderReport": {"requestId": "r"},
    "StoreReport": {"requestId": "r"},
    "CompleteRequest": {"requestId": "r", "status": "Completed"},
    "FailAttempt": {"requestId": "r", "counted": True, "notified": False},
}
LOST = Raised("ClaimLostError")
SUBJECT_ACCESS = [
    Case("a request", {}, FULFILS, output={"status": "Completed"}, times={"FetchService": 2, "RenderPart": 1}),
    Case("nothing to do", {}, {"ClaimRequest": {"claimed": False}}, output={"claimed": False}),
    Case(
        "parts are missing",
        {},
        FULFILS | {"FetchService": Raised("AnswerTooLargeError"), "CheckParts": {"ready": False}},
        "FAILED",
        "AttemptFailed",
        through=("PartFailed", "PartsMissing", "FailAttempt"),
        times={"RenderReport": 0},
    ),
    Case(
        "it only waits",
        {},
        FULFILS | {"CheckParts": {"ready": False}, "FailAttempt": {"requestId": "r", "counted": False}},
        through=("Waiting",),
    ),
    *(
        Case(
            f"the claim is lost at {step}",
            {},
            FULFILS | {step: LOST},
            output={"status": "LeftToAnother"},
            times={"FailAttempt": 0},
        )
        for step in ("CheckParts", "RenderReport", "StoreReport", "CompleteRequest")
    ),
    Case("no claim", {}, {"ClaimRequest": Raised("CatalogueUnavailableError")}, "FAILED", "AttemptFailed"),
    Case(
        "an attempt that cannot be recorded",
        {},
        FULFILS | {"RenderReport": Raised("ReportError"), "FailAttempt": Raised("CatalogueUnavailableError")},
        "FAILED",
        "AttemptFailed",
    ),
]

DEFINITIONS = {
    "subject_access": Definition(SUBJECT_ACCESS),
}
