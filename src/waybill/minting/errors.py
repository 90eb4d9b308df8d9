"""What can go wrong while identifiers are minted, apart from what concerns one identifier alone (`models.Failed`).

The class names are matched by `statemachine/minting.asl.json`.
"""

from typing import ClassVar

from waybill.core.errors import ParametersError, PermanentError, RetryableError


class RegistryThrottledError(RetryableError):
    """DynamoDB asks to slow down; nothing of the call was done."""

    code: ClassVar[str] = "THROTTLED"


class RegistryUnavailableError(RetryableError):
    """DynamoDB failed, timed out or could not be reached; whether a write was done is unknown."""

    code: ClassVar[str] = "REGISTRY_UNAVAILABLE"


class RegistryRefusedError(PermanentError):
    """The table is missing, or refuses this role: nothing can be minted until somebody changes that."""

    code: ClassVar[str] = "REGISTRY_REFUSED"


class NoIdentifiersLeftError(ParametersError):
    """The parameters leave hardly any canonical ID that may be drawn."""


class TransactionRefusedError(PermanentError):
    """DynamoDB takes the transaction as a whole for invalid, without saying which of its writes is to blame."""

    code: ClassVar[str] = "TRANSACTION_REFUSED"


class DocumentsUnavailableError(RetryableError):
    """S3 throttles, fails or cannot be reached."""

    code: ClassVar[str] = "DOCUMENTS_UNAVAILABLE"


class DocumentsRefusedError(PermanentError):
    """The bucket is missing, or refuses this role."""

    code: ClassVar[str] = "DOCUMENTS_REFUSED"


class InvalidRequestError(PermanentError):
    """A request breaks its contract; the message is the one that the answer shows, `job_id` what to echo."""

    code: ClassVar[str] = "INVALID_INPUT"

    def __init__(self, message: str, job_id: str | None = None) -> None:
        super().__init__(message)
        self.job_id = job_id


class InvalidIdentifierError(PermanentError):
    """A text cannot be a source identifier; the message says why."""

    code: ClassVar[str] = "INVALID_IDENTIFIER"


class ChunkUnfinishedError(RetryableError):
    """Some identifiers of a chunk failed for a transient reason; the next attempt finds the others in the registry."""

    code: ClassVar[str] = "CHUNK_UNFINISHED"


class ResultsNotSentError(RetryableError):
    """Results could not be handed to the result queue."""

    code: ClassVar[str] = "RESULTS_NOT_SENT"


class ResultsMissingError(RetryableError):
    """Not every chunk of a run has left its result."""

    code: ClassVar[str] = "RESULTS_MISSING"
