"""Which of AWS's refusals pass by themselves."""

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

# AWS General Reference and the "Common errors" of DynamoDB, SNS and Step Functions; S3 has a table of its own.
_THROTTLES = frozenset(
    {
        "ExecutionLimitExceeded",
        "KMSThrottling",
        "KMSThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_PASSING = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR = 500

AWS_FAULTS = (BotoCoreError, ClientError)
"""What a client of boto3 raises: AWS's refusal, or a fault on the way there."""


def code_of(error: ClientError) -> str:
    """Return AWS's code of `error`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """Return the HTTP status of AWS's answer, 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def header_of(error: ClientError, name: str) -> str | None:
    """Return a header of AWS's answer, by its name in small letters."""
    return error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name)


def reason_of(error: ClientError | BotoCoreError) -> str:
    """Return what to call `error` in a message: AWS's code, or the kind of fault on the way there."""
    return code_of(error) if isinstance(error, ClientError) else type(error).__name__


def is_throttle(error: ClientError | BotoCoreError) -> bool:
    """Return whether AWS asks to slow down."""
    return isinstance(error, ClientError) and code_of(error) in _THROTTLES


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Return whether the same call may succeed later: throttled, failed at AWS, or without an answer.

    What AWS refuses for any other reason, and what boto3 refuses to send, stays refused.
    """
    if isinstance(error, BotoCoreError):
        return not isinstance(error, ParamValidationError)
    return is_throttle(error) or code_of(error) in _PASSING or status_of(error) >= _SERVER_ERROR
