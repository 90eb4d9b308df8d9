"""In which ways the states of subject access try again."""

from tests.template.support.retries import LONG, NOTIFICATION, ONCE_MORE, PATIENT, Retries, own

REQUESTS, STORAGE = "SubjectAccessStoreUnavailableError", "StorageUnavailableError"

USES: dict[str, dict[tuple[str, ...], Retries]] = {
    "subject_access ClaimRequest": PATIENT | ONCE_MORE | own(LONG, REQUESTS, "ContendedError"),
    "subject_access CheckParts": PATIENT | ONCE_MORE | own(LONG, REQUESTS),
    "subject_access RenderReport": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE),
    "subject_access StoreReport": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
    "subject_access CompleteRequest": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
    "subject_access FailAttempt": PATIENT | ONCE_MORE | own(LONG, REQUESTS, "ContendedError", NOTIFICATION),
    "subject_access FetchService": PATIENT
    | ONCE_MORE
    | own(LONG, REQUESTS, STORAGE, "ContendedError", "CredentialsUnavailableError"),
    "subject_access RenderPart": PATIENT | ONCE_MORE | own(LONG, REQUESTS, STORAGE, "ContendedError"),
}

# What is kept of an error by every state that hands it on in the same way.
CAUGHT: dict[str, tuple[str, set[str]]] = {
    "subject_access FailAttempt": (
        "Output",
        {"AskServices", "CheckParts", "RenderReport", "StoreReport", "CompleteRequest"},
    ),
    "subject_access LeftToAnother": (
        "Output",
        {"CheckParts", "RenderReport", "StoreReport", "CompleteRequest", "FailAttempt"},
    ),
    "subject_access PartFailed": ("Output", {"FetchService", "RenderPart"}),
}
